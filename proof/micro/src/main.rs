//! What one operation of the hot path takes: of time and memory as it runs, of instructions and copied bytes
//! under valgrind. Each workload is the real code on a fixed input, with a clock and ids that follow from
//! nothing but the number of the operation.
//!
//! ```text
//!   micro                            every workload, one line each
//!   micro pipeline --rounds 500      one, so many rounds; what a profiler is put in front of
//!   micro check                      every workload against `bounds`; exits with 1 when one takes more
//! ```
//!
//! To add a workload: write its module below `workload`, name it in `workload::ALL`, and give it its line in
//! [`bounds`]; `micro check` says what to write there.

mod allocator;
mod bounds;
mod check;
mod measure;
mod valgrind;
mod workload;
mod world;

use std::process::ExitCode;

use anyhow::{Context, bail};

use crate::workload::Workload;

#[global_allocator]
static ALLOCATOR: allocator::Counting = allocator::Counting;

const USAGE: &str = "micro [NAME] [--rounds N] | micro check";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        [] => workload::ALL.iter().try_for_each(|workload| run(workload, workload.rounds)),
        ["check"] => check::run(),
        [name] => find(name).and_then(|workload| run(workload, workload.rounds)),
        [name, "--rounds", rounds] => run_rounds(name, rounds),
        _ => Err(anyhow::anyhow!("usage: {USAGE}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("micro: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_rounds(name: &str, rounds: &str) -> anyhow::Result<()> {
    let rounds = rounds.parse().with_context(|| format!("--rounds {rounds} is not a number"))?;
    run(find(name)?, rounds)
}

fn find(name: &str) -> anyhow::Result<&'static Workload> {
    if let Some(workload) = workload::ALL.iter().find(|workload| workload.name == name) {
        return Ok(workload);
    }
    let names: Vec<_> = workload::ALL.iter().map(|workload| workload.name).collect();
    bail!("there is no workload {name}; there are {}", names.join(", "))
}

fn run(workload: &Workload, rounds: u64) -> anyhow::Result<()> {
    let cost = measure::run(workload, rounds)?;
    println!(
        "{:<14} {:>10.0} ns {:>8.1} allocations {:>8.0} bytes   a {}",
        workload.name, cost.nanoseconds, cost.allocations, cost.bytes, workload.operation
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each workload checks what comes of it; here every one does so, without the wait for valgrind.
    #[test]
    fn every_workload_runs() {
        for workload in workload::ALL {
            measure::run(workload, 3).unwrap_or_else(|error| panic!("{}: {error:#}", workload.name));
        }
    }

    #[test]
    fn every_workload_has_its_bound() {
        let bound: Vec<_> = bounds::ALL.iter().map(|bound| bound.workload).collect();
        let names: Vec<_> = workload::ALL.iter().map(|workload| workload.name).collect();
        assert_eq!(bound, names);
    }
}
