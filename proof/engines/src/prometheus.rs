//! Prometheus and Alertmanager, and their tools.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;
use rustix::process::Signal;

use crate::{
    process::{self, Server},
    tools,
};

/// The programs, and the packages of Debian that have them.
pub const PROGRAMS: &[(&str, &str)] = &[
    ("prometheus", "prometheus"),
    ("promtool", "prometheus"),
    ("prometheus-alertmanager", "prometheus-alertmanager"),
    ("amtool", "prometheus-alertmanager"),
];

/// Whether all of it is here. Where nobody watches (`CI` is set), what is missing is a failure; elsewhere it is
/// said that nothing was tested.
///
/// # Panics
/// When something is missing and `CI` is set.
#[must_use]
pub fn is_here() -> bool {
    let hints: Vec<_> = tools::missing(PROGRAMS).iter().map(tools::Package::hint).collect();
    if hints.is_empty() {
        return true;
    }
    assert!(env::var_os("CI").is_none(), "Prometheus is needed: {}", hints.join(" && "));
    println!("NOT TESTED: Prometheus: {}", hints.join(" && "));
    false
}

/// Runs `promtool`; what it printed.
///
/// # Errors
/// When it is missing, or finds something wrong; the error says what.
pub fn promtool(arguments: &[&str]) -> anyhow::Result<String> {
    process::output(Command::new(tools::need("promtool", "prometheus")?).args(arguments))
}

/// Runs `amtool`; what it printed.
///
/// # Errors
/// As [`promtool`].
pub fn amtool(arguments: &[&str]) -> anyhow::Result<String> {
    process::output(Command::new(tools::need("amtool", "prometheus-alertmanager")?).args(arguments))
}

/// A running Prometheus.
pub struct Prometheus {
    /// Where it listens.
    pub port: u16,
    _server: Server,
}

impl Prometheus {
    /// Starts it in a directory with this configuration, whose paths are relative to the directory.
    ///
    /// # Errors
    /// When it is missing or does not start, as with a wrong configuration.
    pub fn start(directory: &Path, configuration: &str) -> anyhow::Result<Self> {
        let file = written(directory, "prometheus.yml", configuration)?;
        let port = process::free_port()?;
        let mut command = Command::new(tools::need("prometheus", "prometheus")?);
        command.arg(format!("--config.file={}", file.display()));
        command.arg(format!("--storage.tsdb.path={}", directory.join("tsdb").display()));
        command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        let mut server = Server::start("prometheus", directory, Signal::TERM, &mut command)?;
        server.wait_for_port(port)?;
        Ok(Self { port, _server: server })
    }

    /// What an expression is now: one line for each series, `{labels} => value @[time]`.
    ///
    /// # Errors
    /// When it is no expression, or there is no answer.
    pub fn query(&self, expression: &str) -> anyhow::Result<String> {
        promtool(&["query", "instant", &format!("http://127.0.0.1:{}", self.port), expression])
    }
}

/// A running Alertmanager by itself.
pub struct Alertmanager {
    /// Where it listens.
    pub port: u16,
    _server: Server,
}

impl Alertmanager {
    /// Starts it in a directory with this configuration.
    ///
    /// # Errors
    /// As [`Prometheus::start`].
    pub fn start(directory: &Path, configuration: &str) -> anyhow::Result<Self> {
        let file = written(directory, "alertmanager.yml", configuration)?;
        let port = process::free_port()?;
        let mut command = Command::new(tools::need("prometheus-alertmanager", "prometheus-alertmanager")?);
        command.arg(format!("--config.file={}", file.display()));
        command.arg(format!("--storage.path={}", directory.join("alerts").display()));
        command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        // It looks for no others.
        command.arg("--cluster.listen-address=");
        let mut server = Server::start("alertmanager", directory, Signal::TERM, &mut command)?;
        server.wait_for_port(port)?;
        Ok(Self { port, _server: server })
    }
}

fn written(directory: &Path, name: &str, configuration: &str) -> anyhow::Result<PathBuf> {
    let file = directory.join(name);
    fs::write(&file, configuration).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}
