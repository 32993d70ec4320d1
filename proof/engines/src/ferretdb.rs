//! FerretDB: the MongoDB protocol, on SQLite as durable as it is out of the box.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::Signal;

use crate::{
    process::{self, Server},
    tools,
};

/// A running server without accounts.
pub struct FerretDb {
    /// Where it listens.
    pub port: u16,
    _server: Server,
}

impl FerretDb {
    /// Starts it on an empty directory, as it is. It reads a whole collection to find a document by its id.
    ///
    /// # Errors
    /// When the program is missing, or it does not start.
    pub fn start(directory: &Path) -> anyhow::Result<Self> {
        Self::start_program(directory, &program()?)
    }

    /// Starts the one that finds documents in its index of ids, for whatever has many of them.
    ///
    /// # Errors
    /// When the program is missing, or it does not start.
    pub fn start_indexed(directory: &Path) -> anyhow::Result<Self> {
        Self::start_program(directory, &made("ferretdb-indexed")?)
    }

    fn start_program(directory: &Path, program: &Path) -> anyhow::Result<Self> {
        let data = directory.join("data");
        std::fs::create_dir_all(&data)?;
        let port = process::free_port()?;
        let mut command = Command::new(program);
        command.current_dir(directory).args(["--handler=sqlite", "--telemetry=disable", "--debug-addr=-"]);
        command.args(["--mode=normal", "--log-level=error"]);
        command.arg(format!("--sqlite-url=file:{}/", data.display()));
        command.arg(format!("--state-dir={}", directory.display()));
        command.arg(format!("--listen-addr=127.0.0.1:{port}"));
        let mut server = Server::start("ferretdb", directory, Signal::TERM, &mut command)?;
        server.wait_for_port(port)?;
        Ok(Self { port, _server: server })
    }

    /// The URL of a database, which is made when something is written into it.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("mongodb://127.0.0.1:{}/{database}", self.port)
    }
}

/// The program.
///
/// # Errors
/// When it is not there; the error says how it is had.
pub fn program() -> anyhow::Result<PathBuf> {
    made("ferretdb")
}

fn made(name: &str) -> anyhow::Result<PathBuf> {
    tools::downloaded("ferretdb", &format!("ferretdb/bin/{name}"), "build FerretDB 1.24.2 with Go")
}
