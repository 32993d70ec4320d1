//! Servers and commands of a comparison: on loopback, in directories of their own, stopped by their
//! process ids.

use std::{
    fs::{self, File},
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    ops::Range,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

/// How long a server may take until it answers.
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// How long it may take to stop before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// The pause between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Below those that the system gives to connections, which would take one before its server listens.
const PORTS: Range<u16> = 12_000..32_000;
/// Puts processes with numbers side by side far from each other.
const SPREAD: u16 = 397;
/// How much of a log is told when something fails, in lines.
const TOLD_LINES: usize = 8;

/// A running server; stopped when it is dropped.
pub struct Server {
    name: &'static str,
    child: Child,
    log: PathBuf,
    stop: Signal,
}

impl Server {
    /// Starts it with its output in a log beside its data, to be stopped by `stop`.
    pub fn start(
        name: &'static str,
        directory: &Path,
        stop: Signal,
        command: &mut Command,
    ) -> anyhow::Result<Self> {
        let log = directory.join(format!("{name}.log"));
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let child = command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).spawn();
        let child = child.with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name, child, log, stop })
    }

    /// Waits until it is ready, as the probe says.
    pub fn wait_until(&mut self, is_ready: impl Fn(&Self) -> bool) -> anyhow::Result<()> {
        let until = Instant::now() + START_TIMEOUT;
        while !is_ready(self) {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status}: {}", self.name, last_lines(&self.output()));
            }
            ensure!(
                Instant::now() < until,
                "{} is not ready after {START_TIMEOUT:?}: {}",
                self.name,
                last_lines(&self.output())
            );
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Waits until it listens.
    pub fn wait_for_port(&mut self, port: u16) -> anyhow::Result<()> {
        self.wait_until(|_| TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).is_ok())
    }

    /// Kills it, without a chance to tidy up.
    pub fn kill(mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What it has printed.
    pub fn output(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Server {
    /// Failures are those of a server that has ended already.
    fn drop(&mut self) {
        // Its number may be another process's by now.
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        let _ = kill_process(Pid::from_child(&self.child), self.stop);
        let until = Instant::now() + STOP_TIMEOUT;
        while Instant::now() < until {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end; what it printed.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("{name} cannot be started"))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("{name} ended with {}: {}", output.status, last_lines(&format!("{printed}\n{errors}")));
    }
    Ok(printed)
}

/// A port of loopback that nobody listens at, and that this process has not been given before.
///
/// # Errors
/// When none is free.
pub fn free_port() -> io::Result<u16> {
    static NEXT: OnceLock<AtomicU16> = OnceLock::new();
    // Each process begins somewhere else.
    let next = NEXT.get_or_init(|| AtomicU16::new((std::process::id() as u16).wrapping_mul(SPREAD)));
    for _ in 0..PORTS.len() {
        let port = PORTS.start + next.fetch_add(1, Ordering::Relaxed) % (PORTS.end - PORTS.start);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "every port of loopback is in use"))
}

/// Makes a directory for a server that refuses to run as root, and has the command run as somebody else
/// when we are root.
pub struct Unprivileged(Option<(u32, u32)>);

impl Unprivileged {
    /// The account of this name, or of nobody.
    pub fn named(name: &str) -> anyhow::Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self(None));
        }
        let accounts = fs::read_to_string("/etc/passwd").context("cannot read the accounts")?;
        let found = account(&accounts, name).or_else(|| account(&accounts, "nobody"));
        Ok(Self(Some(found.context("there is no account but root's")?)))
    }

    /// A new directory that belongs to it.
    pub fn directory(&self, path: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(path)?;
        if let Some((user, group)) = self.0 {
            chown(path, Some(user), Some(group))?;
        }
        Ok(())
    }

    /// A command that runs as it.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command
    }
}

/// User and group of an account, as the operating system lists them.
fn account(accounts: &str, name: &str) -> Option<(u32, u32)> {
    let fields = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let account = fields.into_iter().find(|fields| fields.first() == Some(&name))?;
    Some((account.get(2)?.parse().ok()?, account.get(3)?.parse().ok()?))
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(TOLD_LINES)..].join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_a_user_and_a_group() {
        let accounts = "root:x:0:0:root:/root:/bin/bash\npostgres:x:107:115::/var/lib/postgresql:/bin/bash\n";
        assert_eq!(account(accounts, "postgres"), Some((107, 115)));
        assert_eq!(account(accounts, "nobody"), None);
    }

    #[test]
    fn a_failure_tells_the_end_of_the_output() {
        let text: String = (0..20).map(|line| format!("line {line}\n\n")).collect();
        assert!(last_lines(&text).starts_with("line 12 | line 13"));
        assert_eq!(last_lines(""), "");
    }

    #[test]
    fn a_command_that_fails_tells_why() {
        let error = output(Command::new("sh").args(["-c", "echo no such thing >&2; exit 3"])).unwrap_err();
        assert!(error.to_string().ends_with("no such thing"), "{error}");
    }

    #[test]
    fn a_dropped_server_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let server =
            Server::start("sleep", directory.path(), Signal::TERM, Command::new("sleep").arg("600")).unwrap();
        let process = Pid::from_child(&server.child);
        drop(server);
        assert!(rustix::process::test_kill_process(process).is_err());
    }
}
