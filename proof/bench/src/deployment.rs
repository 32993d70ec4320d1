//! What the load is put on: a server of the generator's own, or one that somebody else runs.

use std::process::Command;

use anyhow::Context;

use crate::{
    cli::Load, echo, load::Tally, machine, platform::Platform, process::Process, report::Audit,
    scenario::Server,
};

/// A server that is ready.
pub enum Deployment {
    /// The program, started for this run.
    Platform(Platform),
    /// The echo of this program, started for this run.
    Echo(Process),
    /// Somebody else's.
    Theirs {
        /// Where it listens.
        url: String,
        /// Its process, when it runs on this machine and was named.
        process: Option<u32>,
    },
}

/// What is known of a deployment at the end.
pub struct Ended {
    /// Whether its stores are right.
    pub audit: Audit,
    /// The size of its data.
    pub disk_mb: Option<u64>,
}

impl Deployment {
    /// Takes the deployment that was named, or starts one.
    ///
    /// # Errors
    /// When none was named and none can be started.
    pub fn start(server: Server, load: &Load) -> anyhow::Result<Self> {
        if let Some(url) = &load.url {
            return Ok(Self::Theirs { url: url.clone(), process: load.server_pid });
        }
        match server {
            Server::Platform => Ok(Self::Platform(Platform::start()?)),
            Server::Echo => {
                let own = std::env::current_exe().context("this program does not find itself")?;
                Ok(Self::Echo(Process::start(Command::new(own).arg("serve-echo"), echo::READY)?))
            }
            Server::Nothing => {
                anyhow::bail!("--url is needed: this measures any server that speaks HTTP/1.1")
            }
        }
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        match self {
            Self::Platform(platform) => &platform.process.url,
            Self::Echo(process) => &process.url,
            Self::Theirs { url, .. } => url,
        }
    }

    /// Its process, where that is known.
    pub fn process(&self) -> Option<u32> {
        match self {
            Self::Platform(platform) => Some(platform.process.id()),
            Self::Echo(process) => Some(process.id()),
            Self::Theirs { process, .. } => *process,
        }
    }

    /// What it is, where it says so.
    pub fn version(&self) -> Option<String> {
        match self {
            Self::Platform(platform) => platform.version(),
            Self::Echo(_) | Self::Theirs { .. } => None,
        }
    }

    /// The most memory that it ever used.
    pub fn peak_memory_mb(&self) -> Option<u64> {
        self.process().and_then(machine::peak_memory_mb)
    }

    /// Stops what was started, and has its stores checked.
    ///
    /// # Errors
    /// When it does not stop.
    pub async fn end(self, tally: &Tally) -> anyhow::Result<Ended> {
        match self {
            Self::Platform(platform) => {
                let (audit, disk_mb) = platform.stop_and_audit().await?;
                Ok(Ended { audit, disk_mb: Some(disk_mb) })
            }
            // An echo has no stores: it is right when each answer was.
            Self::Echo(_) if tally.errors() == 0 => Ok(Ended { audit: Audit::Clean, disk_mb: None }),
            Self::Echo(_) => Ok(Ended { audit: Audit::Violations, disk_mb: None }),
            Self::Theirs { .. } => Ok(Ended { audit: Audit::NotOurs, disk_mb: None }),
        }
    }
}
