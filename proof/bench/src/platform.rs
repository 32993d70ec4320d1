//! A platform of the generator's own: the program as a child process, on a fresh data directory.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use tempfile::TempDir;

use crate::{machine, report::Audit};

/// Names the program `boxoffice`.
const PROGRAM: &str = "BOXOFFICE_BIN";
/// How long the program may take to finish what it took in.
const STOP_TIMEOUT: Duration = Duration::from_secs(60);
/// The pause between two looks at whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The line that says where it listens.
const READY: &str = "Boxoffice is ready at ";

/// A running program; killed and removed when it is dropped.
pub struct Platform {
    /// Where it listens.
    pub url: String,
    program: PathBuf,
    child: Child,
    directory: TempDir,
}

impl Platform {
    /// Starts it, and returns when it is ready.
    ///
    /// # Errors
    /// When the program is not found or does not start.
    pub async fn start() -> anyhow::Result<Self> {
        let program = find()?;
        let directory = tempfile::tempdir().context("no temporary directory can be made")?;
        let started = Command::new(&program)
            .args(["up", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(directory.path().join("data"))
            // What is configured where the generator was started must not change what is measured.
            .current_dir(directory.path())
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| !is_configuration(name)))
            .env("BOXOFFICE_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn();
        let mut child = started.with_context(|| format!("{} cannot be started", program.display()))?;
        match read_url(&mut child) {
            Ok(url) => Ok(Self { url, program, child, directory }),
            Err(error) => {
                end(&mut child);
                Err(error)
            }
        }
    }

    /// The most memory that it ever used.
    pub fn peak_memory_mb(&self) -> Option<u64> {
        machine::peak_memory_mb(self.child.id())
    }

    /// Stops it as an operator would, and has it check its stores; with the size of its data in MB.
    ///
    /// # Errors
    /// When it does not stop, or the audit cannot be started.
    pub async fn stop_and_audit(mut self) -> anyhow::Result<(Audit, u64)> {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::TERM)
            .context("the program cannot be stopped")?;
        let status = self.wait().await?;
        anyhow::ensure!(status.success(), "the program ended with {status}");
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

    async fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        let until = Instant::now() + STOP_TIMEOUT;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        bail!("the program was told to stop and still runs after {STOP_TIMEOUT:?}")
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Neither is an error when it has ended already.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn is_configuration(name: &OsString) -> bool {
    name.to_string_lossy().starts_with("BOXOFFICE_")
}

fn find() -> anyhow::Result<PathBuf> {
    let named = std::env::var_os(PROGRAM).map(PathBuf::from);
    let beside = std::env::current_exe().ok().and_then(|own| own.parent().map(|dir| dir.join("boxoffice")));
    match named.or(beside) {
        Some(program) if program.is_file() => program.canonicalize().context("the program cannot be found"),
        looked => bail!(
            "there is no program {}: build it with `cargo build --release -p boxoffice`, or name it with {PROGRAM}",
            looked.as_deref().unwrap_or(Path::new("boxoffice")).display()
        ),
    }
}

/// Reads what the program prints up to its address. It ends with the program at the latest.
fn read_url(child: &mut Child) -> anyhow::Result<String> {
    let output = child.stdout.take().context("the program has no output")?;
    let mut lines = BufReader::new(output).lines();
    let url = loop {
        let line = lines.next().context("the program ended before it was ready")??;
        if let Some(url) = line.strip_prefix(READY) {
            break url.to_owned();
        }
    };
    // Read on, so that the program is never stopped by a full pipe.
    std::thread::spawn(move || lines.for_each(drop));
    Ok(url)
}
