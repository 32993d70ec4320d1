//! aiosmtpd: a mail server that keeps every mail it takes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::Signal;

use crate::{
    process::{self, Server},
    tools,
};

/// Where the program is, if it was installed.
///
/// # Errors
/// When it was not; the error names the package.
pub fn program() -> anyhow::Result<PathBuf> {
    tools::downloaded("aiosmtpd", "aiosmtpd/bin/aiosmtpd", "pip install aiosmtpd")
}

/// A running server.
pub struct Aiosmtpd {
    /// Where it listens.
    pub port: u16,
    mailbox: PathBuf,
    _server: Server,
}

impl Aiosmtpd {
    /// Starts it with its mailbox in a directory, and with further options.
    ///
    /// # Errors
    /// When it is not installed, or does not start.
    pub fn start(directory: &Path, options: &[&str]) -> anyhow::Result<Self> {
        let (port, mailbox) = (process::free_port()?, directory.join("mailbox"));
        let mut command = Command::new(program()?);
        command.args(["--nosetuid", "--listen", &format!("127.0.0.1:{port}")]).args(options);
        command.args(["--class", "aiosmtpd.handlers.Mailbox"]).arg(&mailbox);
        let mut server = Server::start("aiosmtpd", directory, Signal::INT, &mut command)?;
        server.wait_for_port(port)?;
        Ok(Self { port, mailbox, _server: server })
    }

    /// The mails that it has taken, as they came.
    ///
    /// # Errors
    /// When the mailbox cannot be read.
    pub fn mails(&self) -> anyhow::Result<Vec<String>> {
        let mut mails = Vec::new();
        for entry in fs::read_dir(self.mailbox.join("new"))? {
            mails.push(fs::read_to_string(entry?.path())?);
        }
        Ok(mails)
    }
}
