//! Runs seeds: one at a time, or many on all cores.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use domain::planted::{Defect, activate};

use crate::{
    crashes::{CrashPoint, Transition, places},
    faults::{Counts, Fault, Marker},
    trace::Printing,
    witness::Violation,
    world::{BEGINNING_MICROS, World},
};

/// Beyond the orders of any seed.
const MOST_ORDERS: usize = 1_000;

/// What became of one seed.
#[derive(Debug, Clone)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Bookings that were made.
    pub bookings: u64,
    /// Steps that were taken.
    pub steps: u64,
    /// Commits of all services.
    pub commits: u64,
    /// Simulated time, in microseconds.
    pub micros: i64,
    /// The hash of its trace.
    pub hash: u64,
    /// Faults and situations.
    pub counts: Counts,
    /// What must never be, and was.
    pub violations: Vec<Violation>,
}

/// Runs one seed on this thread, which must be inside of [`with_clock`]. A panic is a violation.
#[must_use]
pub fn run_seed(seed: u64, printing: Printing) -> Report {
    run_seed_with(seed, printing, usize::MAX)
}

/// As [`run_seed`], with no more orders than this.
#[must_use]
pub fn run_seed_with(seed: u64, printing: Printing, most_orders: usize) -> Report {
    let run = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::with_orders(seed, printing, most_orders);
        world.run();
        report(seed, &world)
    }));
    run.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        let detail = text.unwrap_or_else(|| "with something that is not text".to_owned());
        let violations = vec![Violation { invariant: "no panic", detail }];
        Report {
            seed,
            bookings: 0,
            steps: 0,
            commits: 0,
            micros: 0,
            hash: 0,
            counts: Counts::default(),
            violations,
        }
    })
}

fn report(seed: u64, world: &World) -> Report {
    let (bookings, commits) = {
        let witness = world.watcher.witness();
        (witness.bookings.len() as u64, witness.commits)
    };
    Report {
        seed,
        bookings,
        commits,
        steps: world.steps,
        micros: world.time.micros() - BEGINNING_MICROS,
        hash: world.trace.hash(),
        counts: world.faults.counts(),
        violations: world.violations(),
    }
}

/// Does something where timeouts can be made. None ever fires: whatever is awaited is ready or never is.
///
/// # Panics
/// When the operating system gives no timer.
pub fn with_clock<T>(act: impl FnOnce() -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime for timeouts");
    let _inside = runtime.enter();
    act()
}

/// What became of many seeds.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// Seeds that were run.
    pub seeds: u64,
    /// Bookings that were made.
    pub bookings: u64,
    /// Steps that were taken.
    pub steps: u64,
    /// Commits of all services.
    pub commits: u64,
    /// Simulated time, in microseconds.
    pub micros: i64,
    /// Faults and situations.
    pub counts: Counts,
    /// Seeds with a violation, in their order.
    pub failed: Vec<Report>,
}

impl Summary {
    fn add(&mut self, report: Report) {
        self.seeds += 1;
        self.bookings += report.bookings;
        self.steps += report.steps;
        self.commits += report.commits;
        self.micros += report.micros;
        self.counts.add(&report.counts);
        if !report.violations.is_empty() {
            self.failed.push(report);
        }
    }
}

/// The fewest orders with which a seed still fails; none when it does not fail. What happens after the last order is
/// the same for each number, what happens before it is not, so every number is tried from below.
#[must_use]
pub fn smallest(seed: u64) -> Option<usize> {
    with_clock(|| {
        activate(None);
        (0..MOST_ORDERS).find(|orders| !run_seed_with(seed, Printing::Off, *orders).violations.is_empty())
    })
}

impl Summary {
    /// The places around the steps of bookings at which no process died.
    pub fn never_crashed_at(&self) -> impl Iterator<Item = (Transition, CrashPoint)> {
        places().filter(|(transition, point)| self.counts.crashes_at(*transition, *point) == 0)
    }

    fn crashes(&self) -> serde_json::Map<String, serde_json::Value> {
        let mut rows = serde_json::Map::new();
        for (transition, point) in places() {
            let row = rows.entry(transition.name()).or_insert_with(|| serde_json::json!({}));
            row[point.name()] = self.counts.crashes_at(transition, point).into();
        }
        rows
    }

    /// What was counted, for whoever writes a report.
    #[must_use]
    pub fn json(&self, seconds: f64) -> serde_json::Value {
        let by_name = |names: Vec<(&'static str, u64)>| -> serde_json::Map<String, serde_json::Value> {
            names.into_iter().map(|(name, count)| (name.to_owned(), count.into())).collect()
        };
        let faults = Fault::ALL.iter().map(|fault| (fault.name(), self.counts.faults[*fault as usize]));
        let seen = Marker::ALL.iter().map(|marker| (marker.name(), self.counts.markers[*marker as usize]));
        let failed = self.failed.iter().flat_map(|report| {
            let text = |violation: &Violation| format!("seed {}: {violation}", report.seed);
            report.violations.iter().map(text)
        });
        let never = self.never_crashed_at().map(|(of, point)| format!("{}, {}", of.name(), point.name()));
        serde_json::json!({
            "seeds": self.seeds,
            "bookings": self.bookings,
            "steps": self.steps,
            "commits": self.commits,
            "simulated_seconds": self.micros / 1_000_000,
            "seconds": seconds,
            "faults": self.counts.faults_in_all(),
            "faults_by_kind": by_name(faults.collect()),
            "situations": by_name(seen.collect()),
            "crashes": self.crashes(),
            "never_crashed_at": never.collect::<Vec<_>>(),
            "failed_seeds": self.failed.len(),
            "violations": failed.collect::<Vec<_>>(),
        })
    }
}

/// Runs seeds on so many threads. `progress` is told of each seed, in whatever order they end.
#[must_use]
pub fn run_many(from: u64, seeds: u64, jobs: usize, progress: impl Fn(&Report) + Sync) -> Summary {
    let next = AtomicU64::new(0);
    let summary = Mutex::new(Summary::default());
    let work = || {
        with_clock(|| {
            activate(None);
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= seeds {
                    return;
                }
                let report = run_seed(from.wrapping_add(index), Printing::Off);
                progress(&report);
                summary.lock().unwrap_or_else(PoisonError::into_inner).add(report);
            }
        });
    };
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(work);
        }
    });
    let mut summary = summary.into_inner().unwrap_or_else(PoisonError::into_inner);
    summary.failed.sort_by_key(|report| report.seed);
    summary
}

/// How a defect was caught.
#[derive(Debug, Clone)]
pub struct Caught {
    /// The first seed that caught it.
    pub seed: u64,
    /// What it broke.
    pub violation: Violation,
}

/// Plants a defect and runs seeds on this thread until one catches it.
#[must_use]
pub fn catch(defect: Defect, from: u64, seeds: u64) -> Option<Caught> {
    with_clock(|| {
        activate(Some(defect));
        let caught = (from..from.saturating_add(seeds)).find_map(|seed| {
            let violation = run_seed(seed, Printing::Off).violations.into_iter().next()?;
            Some(Caught { seed, violation })
        });
        activate(None);
        caught
    })
}

/// Tries every defect on so many threads; in the order of [`Defect::ALL`].
#[must_use]
pub fn catch_all(from: u64, seeds: u64, jobs: usize) -> Vec<Option<Caught>> {
    let next = AtomicU64::new(0);
    let caught = Mutex::new(vec![None; Defect::ALL.len()]);
    let work = || loop {
        let index = next.fetch_add(1, Ordering::Relaxed) as usize;
        let Some((defect, _)) = Defect::ALL.get(index) else { return };
        let found = catch(*defect, from, seeds);
        caught.lock().unwrap_or_else(PoisonError::into_inner)[index] = found;
    };
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(work);
        }
    });
    caught.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// How many threads run seeds.
#[must_use]
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}
