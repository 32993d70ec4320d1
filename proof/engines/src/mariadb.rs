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
    _server: Server,
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
        let mut command = Command::new(tools::need("mariadbd", "mariadb-server")?);
        command.args(["--no-defaults", &data, "--bind-address=127.0.0.1"]).args(user).args(options);
        command.args([format!("--port={port}"), format!("--socket={}", socket.display())]);
        let mut server = Server::start("mariadb", directory, Signal::TERM, &mut command)?;
        server.wait_for_port(port)?;
        Ok(Self { port, socket, _server: server })
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
