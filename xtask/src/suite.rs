//! The whole suite, in the order in which a mistake is found soonest.

use std::process::Command;

use anyhow::{Context, bail};

/// Formatting, contracts, lints, then every test of the workspace; then the simulator at length, with its gate.
/// Last, what the hot path takes, in the build that is shipped. The image is a task of its own: `cargo xtask image`.
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
