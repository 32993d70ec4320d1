//! A comparison as a file: everything that was measured, where and how, and what follows from it.

use std::{fs, path::Path, process::Command};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::{
    figure::Measured,
    goal::{Held, RATIOS},
};

const KIB_PER_GIB: u64 = 1024 * 1024;

/// A whole comparison.
#[derive(Debug, Serialize, Deserialize)]
pub struct Comparison {
    /// Where it was made.
    pub machine: Machine,
    /// Of what, where the repository says it.
    pub commit: Option<String>,
    /// How long each run took.
    pub seconds: u64,
    /// How many runs a figure is the median of.
    pub rounds: u32,
    /// How many connections put load on what speaks HTTP.
    pub connections: u32,
    /// What was measured.
    pub measured: Measured,
    /// What follows from it; calculated again when it is read.
    #[serde(skip_deserializing)]
    pub ratios: Vec<Held>,
}

/// What figures depend on beside the programs.
#[derive(Debug, Serialize, Deserialize)]
pub struct Machine {
    /// How many cores there are.
    pub cores: usize,
    /// The model of the processor, where the operating system says it.
    pub processor: Option<String>,
    /// Memory in GiB, where it says that.
    pub memory_gib: Option<u64>,
    /// The operating system.
    pub os: String,
    /// How busy it was with other things, over the minute before: 0 is idle, each waiting program is 1.
    pub load_before: Option<f64>,
}

impl Comparison {
    /// What follows from what was measured here and now.
    pub fn of(machine: Machine, measured: Measured, seconds: u64, rounds: u32, connections: u32) -> Self {
        let ratios = ratios(&measured);
        Self { machine, commit: commit(), seconds, rounds, connections, measured, ratios }
    }

    /// Reads one that was written before.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut comparison: Self =
            serde_json::from_str(&text).with_context(|| format!("{} is no comparison", file.display()))?;
        comparison.ratios = ratios(&comparison.measured);
        Ok(comparison)
    }

    /// Writes it.
    pub fn write(&self, file: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
    }
}

fn ratios(measured: &Measured) -> Vec<Held> {
    RATIOS.iter().map(|ratio| ratio.of(measured)).collect()
}

impl Machine {
    /// This one, now.
    pub fn this() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let os = value_of(&release, "PRETTY_NAME", '=').unwrap_or_else(|| std::env::consts::OS.to_owned());
        let memory = value_of(&meminfo, "MemTotal", ':');
        let kib = memory.and_then(|memory| memory.split(' ').next()?.parse::<u64>().ok());
        // What the firmware keeps for itself is rounded away.
        let memory_gib = kib.map(|kib| kib.div_ceil(KIB_PER_GIB));
        let load = fs::read_to_string("/proc/loadavg").ok();
        let load_before = load.and_then(|load| load.split(' ').next()?.parse().ok());
        Self { cores, processor: value_of(&cpuinfo, "model name", ':'), memory_gib, os, load_before }
    }
}

/// The value of the first line with this name.
fn value_of(text: &str, name: &str, separator: char) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(separator)?.1.trim().trim_matches('"').to_owned())
}

/// Says too when files differ from the commit.
fn commit() -> Option<String> {
    let describe = ["describe", "--always", "--dirty", "--exclude=*", "--abbrev=12"];
    let output = Command::new("git").args(describe).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_operating_system_says_is_found() {
        let text = "MemTotal:       24653412 kB\nMemFree: 1 kB\n";
        assert_eq!(value_of(text, "MemTotal", ':').as_deref(), Some("24653412 kB"));
        assert_eq!(value_of("PRETTY_NAME=\"An OS 12\"\n", "PRETTY_NAME", '=').as_deref(), Some("An OS 12"));
        assert_eq!(value_of(text, "SwapTotal", ':'), None);
    }

    #[test]
    fn what_is_written_can_be_read() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("comparison.json");
        let written = Comparison::of(Machine::this(), crate::compare::page::sample(), 5, 3, 64);
        written.write(&file).unwrap();
        let read = Comparison::read(&file).unwrap();
        assert_eq!(read.measured, written.measured);
        assert_eq!(read.ratios.len(), RATIOS.len());
    }
}
