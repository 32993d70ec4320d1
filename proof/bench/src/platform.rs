//! A platform of the generator's own: the program as a child process, on a fresh data directory.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};
use tempfile::TempDir;

use crate::{machine, process::Process, report::Audit};

/// Names the program `boxoffice`.
const PROGRAM: &str = "BOXOFFICE_BIN";
/// The line that says where it listens begins so.
const READY: &str = "Boxoffice is ready at ";

/// A running program; killed and removed when it is dropped.
pub struct Platform {
    /// The process that serves.
    pub process: Process,
    program: PathBuf,
    directory: TempDir,
}

impl Platform {
    /// Starts it, and returns when it is ready.
    ///
    /// # Errors
    /// When the program is not found or does not start.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(&[])
    }

    /// Starts it with settings of the environment.
    ///
    /// # Errors
    /// As [`Platform::start`].
    pub fn start_with(settings: &[(&str, &Path)]) -> anyhow::Result<Self> {
        let program = find("boxoffice", PROGRAM)?;
        let directory = tempfile::tempdir().context("no temporary directory can be made")?;
        let mut command = Command::new(&program);
        command
            .args(["up", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(directory.path().join("data"))
            // What is configured where the generator was started must not change what is measured.
            .current_dir(directory.path())
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| !is_configuration(name)))
            .env("BOXOFFICE_LOG", "error")
            .envs(settings.iter().copied());
        let process = Process::start(&mut command, READY)?;
        Ok(Self { process, program, directory })
    }

    /// Stops it as an operator would, and has it check its stores; with the size of its data in MB.
    ///
    /// # Errors
    /// When it does not stop, or the audit cannot be started.
    pub async fn stop_and_audit(self) -> anyhow::Result<(Audit, u64)> {
        self.process.stop().await?;
        let data = self.directory.path().join("data");
        let output = Command::new(&self.program)
            .args(["audit", "--data-dir"])
            .arg(&data)
            .current_dir(self.directory.path())
            .output()
            .context("the audit cannot be started")?;
        let found = String::from_utf8_lossy(&output.stdout);
        eprint!("{found}{}", String::from_utf8_lossy(&output.stderr));
        let audit = if output.status.success() { Audit::Clean } else { Audit::Violations };
        Ok((audit, machine::directory_mb(&data)))
    }

    /// What the program says of its version.
    pub fn version(&self) -> Option<String> {
        let output = Command::new(&self.program).arg("--version").output().ok()?;
        Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
    }
}

fn is_configuration(name: &OsString) -> bool {
    name.to_string_lossy().starts_with("BOXOFFICE_")
}

/// A program beside this one, unless the environment names another.
///
/// # Errors
/// When it is not there.
pub fn find(name: &str, variable: &str) -> anyhow::Result<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let beside = std::env::current_exe().ok().and_then(|own| own.parent().map(|dir| dir.join(name)));
    match named.or(beside) {
        Some(program) if program.is_file() => program.canonicalize().context("the program cannot be found"),
        looked => bail!(
            "there is no program {}: build it with `cargo build --release -p {name}`, or name it with {variable}",
            looked.as_deref().unwrap_or(Path::new(name)).display()
        ),
    }
}
