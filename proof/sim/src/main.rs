//! The program: see `sim --help`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use clap::{Parser, Subcommand};
use domain::planted::{Defect, activate};
use sim::{
    crashes::places,
    faults::{Fault, Marker},
    invariants::page,
    run::{Report, catch_all, cores, run_many, run_seed, run_seed_with, smallest, with_clock},
    trace::Printing,
};

/// Most of what a simulated booking takes beside the decisions is small pieces of memory, taken and given back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A line of progress comes after so many seeds.
const PROGRESS_EVERY: u64 = 2_000;

/// Runs the whole system under seeds, with faults, and says which seed breaks what.
#[derive(Parser)]
#[command(after_help = "Examples:
  sim run --seeds 10000            ten thousand seeds on all cores
  sim run --seeds 1000 --from 77   the thousand seeds from 77 on
  sim replay 77                    one seed, step by step
  sim defects                      does the simulator catch every planted defect?
  sim replay 3 --defect no-tombstone")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs seeds; exits with 1 when one breaks an invariant.
    Run {
        /// How many.
        #[arg(long, default_value_t = 1_000)]
        seeds: u64,
        /// The first.
        #[arg(long, default_value_t = 1)]
        from: u64,
        /// How many threads; as many as there are cores when left out.
        #[arg(long)]
        jobs: Option<usize>,
        /// Writes what was counted to this file.
        #[arg(long)]
        json: Option<PathBuf>,
    },
    /// Runs one seed and prints its steps; exits with 1 when it breaks an invariant.
    Replay {
        /// The seed.
        seed: u64,
        /// Plants this defect.
        #[arg(long)]
        defect: Option<String>,
        /// Places no more orders than this.
        #[arg(long)]
        orders: Option<usize>,
    },
    /// Prints the hash of the trace of some seeds, and what was counted: the same by every build on every machine.
    Trace {
        /// How many.
        #[arg(long, default_value_t = 50)]
        seeds: u64,
        /// The first.
        #[arg(long, default_value_t = 1)]
        from: u64,
        /// From one to the next.
        #[arg(long, default_value_t = 1)]
        step: u64,
    },
    /// Prints the page about what must hold, `docs/invariants.md`.
    Invariants,
    /// Plants each defect in turn and looks for a seed that catches it; exits with 1 when one is missed.
    Defects {
        /// The most seeds for each.
        #[arg(long, default_value_t = 2_000)]
        seeds: u64,
        /// How many threads; as many as there are cores when left out.
        #[arg(long)]
        jobs: Option<usize>,
    },
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run { seeds, from, jobs, json } => {
            run(from, seeds, jobs.unwrap_or_else(cores), json.as_deref())
        }
        Command::Replay { seed, defect, orders } => {
            replay(seed, defect.as_deref(), orders.unwrap_or(usize::MAX))
        }
        Command::Trace { seeds, from, step } => {
            trace(from, seeds, step);
            ExitCode::SUCCESS
        }
        Command::Invariants => {
            print!("{}", page());
            ExitCode::SUCCESS
        }
        Command::Defects { seeds, jobs } => defects(seeds, jobs.unwrap_or_else(cores)),
    }
}

fn verdict(is_good: bool) -> ExitCode {
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[allow(clippy::disallowed_methods, reason = "how long it took is told to whoever runs it, no seed sees it")]
fn run(from: u64, seeds: u64, jobs: usize, json: Option<&Path>) -> ExitCode {
    let began = Instant::now();
    let (done, bookings) = (AtomicU64::new(0), AtomicU64::new(0));
    let summary = run_many(from, seeds, jobs, |report| {
        let bookings = bookings.fetch_add(report.bookings, Ordering::Relaxed) + report.bookings;
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if !report.violations.is_empty() {
            print_violations(report);
        }
        if done.is_multiple_of(PROGRESS_EVERY) {
            println!("{done} seeds, {bookings} bookings, {:.1} s", began.elapsed().as_secs_f64());
        }
    });
    for fault in Fault::ALL {
        println!("{:>12} x {}", summary.counts.faults[*fault as usize], fault.name());
    }
    for marker in Marker::ALL {
        println!("{:>12} x seen: {}", summary.counts.markers[*marker as usize], marker.name());
    }
    for (transition, point) in places() {
        let count = summary.counts.crashes_at(transition, point);
        println!("{count:>12} x crash: {}, {}", transition.name(), point.name());
    }
    for (transition, point) in summary.never_crashed_at() {
        println!("no process died at: {}, {}", transition.name(), point.name());
    }
    if let Some(first) = summary.failed.first() {
        print_smallest(first.seed);
    }
    let seconds = began.elapsed().as_secs_f64();
    if let Some(path) = json
        && let Err(error) = std::fs::write(path, summary.json(seconds).to_string())
    {
        eprintln!("sim: {} cannot be written: {error}", path.display());
        return ExitCode::FAILURE;
    }
    println!(
        "{:.1} s, {:.0} bookings per second and core, {} steps, {} commits, {:.0} simulated hours",
        seconds,
        summary.bookings as f64 / seconds / jobs as f64,
        summary.steps,
        summary.commits,
        summary.micros as f64 / 3.6e9
    );
    println!(
        "{} violations in {} seeds, {} bookings, {} faults",
        summary.failed.len(),
        summary.seeds,
        summary.bookings,
        summary.counts.faults_in_all()
    );
    verdict(summary.failed.is_empty())
}

fn print_violations(report: &Report) {
    for violation in &report.violations {
        println!("seed {}: {violation}", report.seed);
    }
    println!("see: sim replay {}", report.seed);
}

/// The fewest orders with which a seed still fails: the shortest story to read.
fn print_smallest(seed: u64) {
    if let Some(orders) = smallest(seed) {
        println!("the shortest: sim replay {seed} --orders {orders}");
    }
}

fn trace(from: u64, seeds: u64, step: u64) {
    with_clock(|| {
        activate(None);
        for index in 0..seeds {
            let report = run_seed(from.wrapping_add(index.wrapping_mul(step)), Printing::Off);
            let Report { seed, hash, bookings, steps, commits, micros, .. } = report;
            let faults = report.counts.faults_in_all();
            println!(
                "seed {seed}: trace {hash:016x}, {bookings} bookings, {steps} steps, {commits} commits, {faults} faults, \
                 {micros} us"
            );
        }
    });
}

fn replay(seed: u64, defect: Option<&str>, orders: usize) -> ExitCode {
    let planted = match defect.map(named) {
        None => None,
        Some(Some(defect)) => Some(defect),
        Some(None) => {
            let names: Vec<String> = Defect::ALL.iter().map(|(defect, _)| name(*defect)).collect();
            eprintln!("sim: no such defect; there are: {}", names.join(", "));
            return ExitCode::FAILURE;
        }
    };
    let report = with_clock(|| {
        activate(planted);
        run_seed_with(seed, Printing::On, orders)
    });
    for violation in &report.violations {
        println!("seed {seed}: {violation}");
    }
    let faults = report.counts.faults_in_all();
    println!(
        "{} violations in seed {seed}, {} bookings, {faults} faults, trace {:016x}",
        report.violations.len(),
        report.bookings,
        report.hash
    );
    verdict(report.violations.is_empty())
}

fn defects(seeds: u64, jobs: usize) -> ExitCode {
    let caught = catch_all(1, seeds, jobs);
    for ((defect, what), caught) in Defect::ALL.iter().zip(&caught) {
        let name = name(*defect);
        match caught {
            Some(caught) => {
                let (seed, invariant) = (caught.seed, caught.violation.invariant);
                println!("{name}: {what}: caught by seed {seed}: {invariant}");
            }
            None => println!("{name}: {what}: MISSED in {seeds} seeds"),
        }
    }
    let count = caught.iter().flatten().count();
    println!("{count} of {} defects caught", caught.len());
    verdict(count == caught.len())
}

/// The name of a defect on the command line, such as `no-tombstone`.
fn name(defect: Defect) -> String {
    let mut name = String::new();
    for letter in format!("{defect:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

fn named(text: &str) -> Option<Defect> {
    Defect::ALL.iter().map(|(defect, _)| *defect).find(|defect| name(*defect) == text)
}
