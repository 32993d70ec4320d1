//! PostgreSQL, as durable as it is out of the box.

use std::{path::Path, process::Command};

use rustix::process::Signal;

use crate::{
    process::{self, Server, Unprivileged},
    tools,
};

/// The programs, and the packages of Debian that have them.
pub const PROGRAMS: &[(&str, &str)] =
    &[("postgres", "postgresql"), ("initdb", "postgresql"), ("psql", "postgresql-client")];
/// Its superuser.
pub const USER: &str = "boxoffice";
/// It refuses to run as root.
const ACCOUNT: &str = "postgres";

/// A running server, which trusts who connects from this machine.
pub struct Postgres {
    /// Where it listens.
    pub port: u16,
    _server: Server,
}

impl Postgres {
    /// Starts it in a directory, with further options.
    ///
    /// # Errors
    /// When a program is missing, or it does not start.
    pub fn start(directory: &Path, options: &[&str]) -> anyhow::Result<Self> {
        let account = Unprivileged::named(ACCOUNT)?;
        let own = directory.join("postgres");
        account.directory(&own)?;
        let data = own.join("data");
        let mut initdb = account.command(tools::need("initdb", "postgresql")?);
        initdb.current_dir(&own).arg("--pgdata").arg(&data);
        initdb.args(["--username", USER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]);
        process::output(&mut initdb)?;

        let port = process::free_port()?;
        let mut command = account.command(tools::need("postgres", "postgresql")?);
        command.current_dir(&own).arg("-D").arg(&data);
        command.args(["-h", "127.0.0.1", "-k", "", "-p", &port.to_string()]).args(options);
        // INT is its fast shutdown: it does not wait for clients.
        let mut server = Server::start("postgres", directory, Signal::INT, &mut command)?;
        let answers = |mut psql: Command| process::output(psql.args(["--command", "SELECT 1"]));
        server.wait_until(|_| client("psql", port).and_then(answers).is_ok())?;
        Ok(Self { port, _server: server })
    }

    /// Runs statements as the superuser.
    ///
    /// # Errors
    /// When one fails.
    pub fn run(&self, sql: &str) -> anyhow::Result<String> {
        let mut psql = client("psql", self.port)?;
        process::output(psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command", sql]))
    }
}

/// A client program that connects as the superuser.
///
/// # Errors
/// When it is not installed.
pub fn client(program: &str, port: u16) -> anyhow::Result<Command> {
    let mut command = Command::new(tools::need(program, "postgresql-client")?);
    command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-U", USER]).env("PGDATABASE", "postgres");
    Ok(command)
}
