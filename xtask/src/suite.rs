//! The whole suite, in the order in which a mistake is found soonest.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// Formatting, contracts, lints, then every test of the workspace; then the simulator at length, with its gate, and
/// whether its seeds are the same however it is built. Last, what the hot path takes, in the build that is shipped. The image is a task of its own: `cargo xtask image`.
const STEPS: &[(&str, &[&str])] = &[
    ("formatting", &["fmt", "--all", "--check"]),
    ("contracts", &["run", "--quiet", "-p", "xtask", "--", "gen", "--check"]),
    // As it is built by default, and with every driver.
    ("lints", &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]),
    (
        "lints of the fleet",
        &[
            "clippy",
            "-p",
            "boxoffice",
            FLEET[0],
            FLEET[1],
            "--all-targets",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ],
    ),
    ("tests", &["test", "--workspace", FLEET[0], FLEET[1]]),
    ("35,000 seeds", &["run", "--release", "--quiet", "-p", "sim", "--", "run", "--seeds", "35000"]),
    ("planted defects", &["run", "--release", "--quiet", "-p", "sim", "--", "defects"]),
    ("hot path", &["run", "--release", "--quiet", "-p", "micro", "--", "check"]),
];

const FLEET: [&str; 2] = ["--features", "boxoffice/fleet"];

/// Runs each step and stops at the first that fails.
pub fn run() -> anyhow::Result<()> {
    for (name, arguments) in STEPS {
        println!("== {name}: cargo {}", arguments.join(" "));
        let status = Command::new(env!("CARGO"))
            .args(*arguments)
            .status()
            .with_context(|| format!("cannot start cargo for {name}"))?;
        if !status.success() {
            bail!("{name} failed");
        }
    }
    seeds_in_both_builds()
}

/// Seeds of those that are run above, from the first to the last, of which the trace must be the same with and without
/// optimisation.
const TRACED_SEEDS: usize = 50;
const TRACED_STEP: usize = 700;

/// A seed stands for one run: a build that runs it otherwise would not find again what another has found.
fn seeds_in_both_builds() -> anyhow::Result<()> {
    println!("== traces of {TRACED_SEEDS} seeds, in debug and release");
    same_traces(&traces(&[])?, &traces(&["--release"])?)
}

fn traces(build: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "-p", "sim"])
        .args(build)
        .args(["--", "trace", "--seeds", &TRACED_SEEDS.to_string(), "--step", &TRACED_STEP.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo for the traces")?;
    anyhow::ensure!(output.status.success(), "the simulator cannot be run for its traces");
    Ok(String::from_utf8(output.stdout)?)
}

fn same_traces(debug: &str, release: &str) -> anyhow::Result<()> {
    for (debug, release) in debug.lines().zip(release.lines()) {
        anyhow::ensure!(debug == release, "a seed differs by build:\n  debug   {debug}\n  release {release}");
    }
    let lines = [debug, release].map(|said| said.lines().count());
    anyhow::ensure!(
        lines == [TRACED_SEEDS; 2],
        "{TRACED_SEEDS} traces were asked for, and there are {lines:?}"
    );
    Ok(())
}

/// Where the services of a fleet keep what they have, as `boxoffice/tests/rest/fixture/place.rs` has it.
const LAYOUTS: &[&str] = &["sqlite", "servers"];

/// Plays the stories of the REST surface against fleets of processes, on each layout. It takes its time: each story has
/// seven processes of its own.
pub fn stories_on_a_fleet() -> anyhow::Result<()> {
    for layout in LAYOUTS {
        println!("== the REST surface, on a fleet: {layout}");
        let status = Command::new(env!("CARGO"))
            .args(["test", "-p", "boxoffice", "--features", "fleet", "--test", "rest"])
            .env("BOXOFFICE_TEST_FLEET", layout)
            .status()
            .context("cannot start cargo")?;
        if !status.success() {
            bail!("the stories failed on {layout}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(seeds: usize) -> String {
        (0..seeds).map(|seed| format!("seed {seed}: trace {:016x}, 7 bookings\n", seed * 31)).collect()
    }

    #[test]
    fn traces_that_differ_are_told() {
        let debug = said(TRACED_SEEDS);
        same_traces(&debug, &debug).unwrap();
        let release = debug.replace(&format!("{:016x}", 31 * 31), &format!("{:016x}", 31 * 31 + 1));
        let error = same_traces(&debug, &release).unwrap_err().to_string();
        assert!(error.contains("seed 31: "), "{error}");
    }

    #[test]
    fn traces_that_are_not_there_are_not_the_same() {
        assert!(same_traces("", "").is_err());
        assert!(same_traces(&said(TRACED_SEEDS), &said(TRACED_SEEDS - 1)).is_err());
        assert!(same_traces(&said(TRACED_SEEDS - 1), &said(TRACED_SEEDS - 1)).is_err());
    }
}
