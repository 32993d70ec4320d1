//! Docker Engine, with a data directory and a socket of its own.

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
pub const PROGRAMS: &[(&str, &str)] =
    &[("dockerd", "docker.io"), ("docker", "docker.io"), ("iptables", "iptables")];

/// The client that is in the package of the daemon: it builds with BuildKit, which is in that daemon.
const CLIENT: &str = "/usr/bin/docker";

/// A running daemon.
pub struct Docker {
    socket: PathBuf,
    client: PathBuf,
    _server: Server,
}

impl Docker {
    /// Starts it in a directory. It needs root.
    ///
    /// # Errors
    /// When a program is missing, or it does not start.
    pub fn start(directory: &Path) -> anyhow::Result<Self> {
        tools::need("iptables", "iptables")?;
        let client = PathBuf::from(CLIENT);
        let client = if client.is_file() { client } else { tools::need("docker", "docker.io")? };
        let socket = directory.join("docker.sock");
        let mut command = Command::new(tools::need("dockerd", "docker.io")?);
        command.arg("--data-root").arg(directory.join("data")).arg("--exec-root").arg(directory.join("exec"));
        command.arg("--pidfile").arg(directory.join("pid"));
        command.args(["--host", &format!("unix://{}", socket.display())]);
        let mut server = Server::start("dockerd", directory, Signal::TERM, &mut command)?;
        let ready = |client: &Path| {
            let mut version = Command::new(client);
            version.arg("--host").arg(format!("unix://{}", socket.display())).arg("version");
            process::output(&mut version).is_ok()
        };
        server.wait_until(|_| ready(&client))?;
        Ok(Self { socket, client, _server: server })
    }

    /// The client, speaking with this daemon.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.client);
        command.env("DOCKER_BUILDKIT", "1").arg("--host").arg(format!("unix://{}", self.socket.display()));
        command
    }

    /// Runs a command of the client to its end; what it printed.
    ///
    /// # Errors
    /// When it fails.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        process::output(self.command().args(arguments))
    }
}
