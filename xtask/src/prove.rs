//! `cargo xtask prove`: the long campaign. What the suite does for minutes is done for hours, and a report says what was
//! done and what came of it.

mod report;

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::Args;

use report::{Report, Sum};

/// How long, and where the report goes.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Arguments {
    /// How long; a fraction will do
    #[arg(long, default_value_t = 1.0)]
    hours: f64,
    /// The first seed of the simulator, so that no two campaigns run the same ones
    #[arg(long, default_value_t = 1_000_000)]
    from: u64,
    /// The report
    #[arg(long, default_value = "docs/proof.md")]
    report: PathBuf,
}

const HELP: &str = "\
In turn, until the time is over: seeds of the simulator, kills of the program under load (kill -9), and Schemathesis
against the running program; first of all the planted defects. It ends at once, with exit code 1, when anything is
wrong, and prints how to repeat it. The report is written after each part, so that a campaign that is stopped has one.
Give way to others with `nice`.

Examples:
  cargo xtask prove --hours 0.05 --report /tmp/proof.md    a try
  nice cargo xtask prove --hours 8 --from 50000000         a night";

/// Seeds of one part: about a minute on two cores.
const SEEDS: u64 = 10_000;
/// Kills of one part, in each of two stories.
const KILLS: u32 = 50;
/// Requests for each operation and phase that Schemathesis makes in one part.
const EXAMPLES: u32 = 40;

/// Runs the campaign.
///
/// # Errors
/// What was wrong, or why it could not be run.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let duration =
        Duration::try_from_secs_f64(arguments.hours * 3_600.0).context("--hours must be positive")?;
    let programs = build()?;
    let mut report = Report::new(arguments.from);
    let began = Instant::now();
    let outcome = defects(&programs, &mut report).and_then(|()| {
        let mut from = arguments.from;
        for part in (0..).map(part_of) {
            report.write(&arguments.report, began.elapsed(), None)?;
            println!("{}", report.summary());
            if began.elapsed() >= duration {
                break;
            }
            part.run(&programs, &mut from, &mut report)?;
        }
        Ok(())
    });
    report.write(&arguments.report, began.elapsed(), outcome.as_ref().err())?;
    outcome
}

/// What is done in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Seeds,
    Kills,
    Schemathesis,
}

/// Schemathesis takes longest for what it finds, so it has one part of nine.
fn part_of(number: u32) -> Part {
    match number % 9 {
        8 => Part::Schemathesis,
        odd if odd % 2 == 1 => Part::Kills,
        _ => Part::Seeds,
    }
}

impl Part {
    fn run(self, programs: &Programs, from: &mut u64, report: &mut Report) -> anyhow::Result<()> {
        match self {
            Self::Seeds => {
                let first = *from;
                *from += SEEDS;
                seeds(programs, first, report)
            }
            Self::Kills => kills(programs, report),
            Self::Schemathesis => schemathesis(programs, report),
        }
    }
}

/// What is run.
struct Programs {
    sim: PathBuf,
    /// The tests of the program as a process.
    process: PathBuf,
}

fn build() -> anyhow::Result<Programs> {
    println!("== building the simulator and the tests of the program, for release");
    let built = Command::new(env!("CARGO")).args(["build", "--release", "-p", "sim"]).status()?;
    anyhow::ensure!(built.success(), "the simulator cannot be built");
    let mut tests = Command::new(env!("CARGO"));
    tests.args(["test", "--release", "-p", "boxoffice", "--test", "process", "--no-run"]);
    tests.args(["--message-format", "json"]);
    let output = tests.output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let executable = String::from_utf8(output.stdout)?.lines().rev().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_it = message["target"]["name"] == "process";
        message["executable"].as_str().filter(|_| is_it).map(PathBuf::from)
    });
    let sim = target_directory().join("release/sim");
    Ok(Programs { sim, process: executable.context("cargo does not say where the tests are")? })
}

fn target_directory() -> PathBuf {
    let here = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    env::var_os("CARGO_TARGET_DIR").map_or_else(here, PathBuf::from)
}

fn defects(programs: &Programs, report: &mut Report) -> anyhow::Result<()> {
    let output = Command::new(&programs.sim).arg("defects").output()?;
    let said = text(&output);
    let last = said.lines().last().unwrap_or_default().to_owned();
    report.defects = Some(last.clone());
    anyhow::ensure!(output.status.success(), "the simulator misses a planted defect: {last}");
    Ok(())
}

fn seeds(programs: &Programs, from: u64, report: &mut Report) -> anyhow::Result<()> {
    let (count, first) = (SEEDS.to_string(), from.to_string());
    let output = Command::new(&programs.sim).args(["run", "--seeds", &count, "--from", &first]).output()?;
    let said = text(&output);
    let sum = Sum::read(&said).context("the simulator does not say what it did")?;
    report.add(&sum, &said);
    if !output.status.success() {
        bail!("the simulator found a violation:\n{said}");
    }
    Ok(())
}

fn kills(programs: &Programs, report: &mut Report) -> anyhow::Result<()> {
    for story in ["kill::", "lives::"] {
        let output = test(programs, story, &[("BOXOFFICE_KILLS", &KILLS.to_string())])?;
        if !passed(&output) {
            bail!("a story of kills failed; its message says whether something was lost:\n{}", text(&output));
        }
        report.kills += u64::from(KILLS);
    }
    Ok(())
}

fn schemathesis(programs: &Programs, report: &mut Report) -> anyhow::Result<()> {
    let examples = [("BOXOFFICE_SCHEMATHESIS_EXAMPLES", EXAMPLES.to_string())];
    let examples = examples.each_ref().map(|(name, value)| (*name, value.as_str()));
    let output = test(programs, "schemathesis::", &examples)?;
    if !passed(&output) {
        bail!("an answer is not as documented:\n{}", text(&output));
    }
    report.schemathesis += 1;
    Ok(())
}

/// Some tests of the program. It must be CI, so that what cannot be had is a failure and not a remark.
fn test(programs: &Programs, name: &str, settings: &[(&str, &str)]) -> anyhow::Result<Output> {
    let mut command = Command::new(&programs.process);
    command.args([name, "--nocapture"]).env("CI", "true").envs(settings.iter().copied());
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../boxoffice"));
    Ok(command.output()?)
}

/// A name that fits no test passes too, for nothing.
fn passed(output: &Output) -> bool {
    output.status.success() && !text(output).contains(" 0 passed;")
}

fn text(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).into_owned()
}
