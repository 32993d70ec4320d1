//! MariaDB, as durable as it is out of the box.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::Signal;

use crate::{
    process::{self, Server},
    tools,
};

/// The programs, and the packages of Debian that have them.
pub const PROGRAMS: &[(&str, &str)] = &[
    ("mariadbd", "mariadb-server"),
    ("mariadb-install-db", "mariadb-server"),
    ("mariadb", "mariadb-client"),
];

/// A running server, whose root needs no password.
pub struct MariaDb {
    /// Where it listens.
    pub port: u16,
    socket: PathBuf,
    directory: PathBuf,
    arguments: Vec<String>,
    /// None while it is down.
    server: Option<Server>,
}

impl MariaDb {
    /// Starts it on an empty directory, with further options.
    ///
    /// # Errors
    /// When a program is missing, or it does not start.
    pub fn start(directory: &Path, options: &[&str]) -> anyhow::Result<Self> {
        let data = format!("--datadir={}", directory.join("data").display());
        // It asks to be told that root is meant; for anybody else it is the account that it has anyway.
        let user: &[&str] = if rustix::process::geteuid().is_root() { &["--user=root"] } else { &[] };
        let mut install = Command::new(tools::need("mariadb-install-db", "mariadb-server")?);
        install.args(["--no-defaults", &data, "--auth-root-authentication-method=normal"]);
        install.args(["--skip-test-db"]).args(user);
        process::output(&mut install)?;

        let (port, socket) = (process::free_port()?, directory.join("socket"));
        let own = [data, format!("--port={port}"), format!("--socket={}", socket.display())];
        let arguments = ["--no-defaults", "--bind-address=127.0.0.1"].iter().chain(user).chain(options);
        let arguments = arguments.map(|argument| (*argument).to_owned()).chain(own).collect();
        let mut mariadb = Self { port, socket, directory: directory.to_owned(), arguments, server: None };
        mariadb.restart()?;
        Ok(mariadb)
    }

    /// Kills it, without a chance to tidy up.
    pub fn kill(&mut self) {
        if let Some(server) = self.server.take() {
            server.kill();
        }
    }

    /// Starts it again after it was killed, where it was.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        let mut command = Command::new(tools::need("mariadbd", "mariadb-server")?);
        let mut server =
            Server::start("mariadb", &self.directory, Signal::TERM, command.args(&self.arguments))?;
        server.wait_for_port(self.port)?;
        self.server = Some(server);
        Ok(())
    }

    /// Runs statements as root.
    ///
    /// # Errors
    /// When one fails.
    pub fn run(&self, sql: &str) -> anyhow::Result<String> {
        let mut client = Command::new(tools::need("mariadb", "mariadb-client")?);
        client.args(["--no-defaults", "--user=root"]).arg(format!("--socket={}", self.socket.display()));
        process::output(client.args(["--execute", sql]))
    }
}
