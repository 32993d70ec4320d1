//! What a workload takes under valgrind: a count, not a time, so it is the same on a busy machine.
//!
//! The program runs itself twice, the second time with twice the rounds; what the start takes is in both.

use std::process::Command;

use anyhow::{Context, bail};

use crate::workload::Workload;

/// One thing that a tool of valgrind counts.
pub struct Counter {
    arguments: &'static [&'static str],
    /// What stands before the number in what it reports.
    label: &'static str,
}

/// Instructions, of all threads.
pub const INSTRUCTIONS: Counter =
    Counter { arguments: &["--tool=callgrind", "--callgrind-out-file=/dev/null"], label: "Collected :" };
/// Bytes that are copied by `memcpy` and its kind; what the compiler copies in place is not among them.
pub const COPIED_BYTES: Counter =
    Counter { arguments: &["--tool=dhat", "--mode=copy", "--dhat-out-file=/dev/null"], label: "Total:" };

/// Whether valgrind is installed.
pub fn is_there() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// How many of one operation.
pub fn count(counter: &Counter, workload: &Workload) -> anyhow::Result<f64> {
    let rounds = workload.rounds_counted;
    let once = run(counter, workload, rounds)?;
    let twice = run(counter, workload, 2 * rounds)?;
    let operations = rounds * workload.operations;
    Ok(twice.saturating_sub(once) as f64 / operations as f64)
}

fn run(counter: &Counter, workload: &Workload, rounds: u64) -> anyhow::Result<u64> {
    let program = std::env::current_exe().context("the program does not know where it is")?;
    let output = Command::new("valgrind")
        .args(counter.arguments)
        .arg(program)
        .args([workload.name, "--rounds", &rounds.to_string()])
        .output()
        .context("valgrind does not start")?;
    let told = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{} failed under valgrind:\n{told}", workload.name);
    }
    let number = told.lines().find_map(|line| line.split_once(counter.label)).map(|(_, rest)| rest.trim());
    let digits = number.and_then(|text| text.split(' ').next()).map(|text| text.replace(',', ""));
    let number = digits.and_then(|digits| digits.parse().ok());
    number.with_context(|| format!("valgrind does not say \"{}\":\n{told}", counter.label))
}
