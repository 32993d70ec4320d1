//! The simulator itself: seeds hold, repeat exactly, meet every fault, and catch every planted defect.

use std::sync::OnceLock;

use domain::planted::{Defect, activate};
use sim::{
    crashes::{CrashPoint, Transition},
    faults::{Fault, Marker},
    invariants::INVARIANTS,
    run::{Summary, catch_all, cores, run_many, run_seed, with_clock},
    trace::Printing,
};

/// Seeds that are run once for several tests.
const SEEDS: u64 = 200;
/// Seeds that are run twice.
const REPEATED_SEEDS: u64 = 50;
/// The most seeds until a defect must be caught.
const SEEDS_PER_DEFECT: u64 = 2_000;

fn summary() -> &'static Summary {
    static SUMMARY: OnceLock<Summary> = OnceLock::new();
    SUMMARY.get_or_init(|| run_many(1, SEEDS, cores(), |_| {}))
}

#[test]
fn nothing_is_violated() {
    for report in &summary().failed {
        for violation in &report.violations {
            println!("seed {}: {violation}", report.seed);
        }
    }
    assert!(summary().failed.is_empty(), "see the seeds above, and `sim replay SEED`");
    assert_eq!(summary().seeds, SEEDS);
}

#[test]
fn every_fault_and_every_situation_occurs() {
    let counts = &summary().counts;
    for fault in Fault::ALL {
        assert!(counts.faults[*fault as usize] > 0, "never: {}", fault.name());
    }
    for marker in Marker::ALL {
        assert!(counts.markers[*marker as usize] > 0, "never: {}", marker.name());
    }
}

#[test]
fn processes_die_around_the_steps_of_a_booking() {
    use CrashPoint::{AfterCommit, AtProvider, BeforeCommit, Published};
    use Transition as T;
    let counts = &summary().counts;
    let often = [T::Placed, T::Held, T::PaymentStarted, T::PendingCancelled, T::SeatsHeld, T::SeatsRefused];
    for transition in often {
        for point in [BeforeCommit, AfterCommit] {
            let count = counts.crashes_at(transition, point);
            assert!(count > 0, "never: {}, {}", transition.name(), point.name());
        }
    }
    for transition in [T::Placed, T::PendingCancelled, T::SeatsHeld] {
        assert!(counts.crashes_at(transition, Published) > 0, "never published: {}", transition.name());
    }
    let answered: u64 = Transition::ALL.iter().map(|of| counts.crashes_at(*of, AtProvider)).sum();
    assert!(answered > 0);
    for transition in Transition::ALL {
        for point in CrashPoint::ALL.iter().filter(|point| !point.is_of(*transition)) {
            let count = counts.crashes_at(*transition, *point);
            assert_eq!(count, 0, "cannot be: {}, {}", transition.name(), point.name());
        }
    }
}

#[test]
fn a_seed_repeats_exactly() {
    with_clock(|| {
        activate(None);
        for seed in 1..=REPEATED_SEEDS {
            let (first, second) = (run_seed(seed, Printing::Off), run_seed(seed, Printing::Off));
            assert_eq!(first.hash, second.hash, "seed {seed}");
            assert_eq!(first.counts, second.counts, "seed {seed}");
            assert_eq!(first.micros, second.micros, "seed {seed}");
        }
    });
}

#[test]
fn every_planted_defect_is_caught() {
    let caught = catch_all(1, SEEDS_PER_DEFECT, cores());
    for caught in caught.iter().flatten() {
        let name = caught.violation.invariant;
        assert!(INVARIANTS.iter().any(|rule| rule.name == name), "not on the list: {name}");
    }
    let missed: Vec<Defect> = Defect::ALL
        .iter()
        .zip(&caught)
        .filter(|(_, caught)| caught.is_none())
        .map(|((d, _), _)| *d)
        .collect();
    assert!(missed.is_empty(), "missed in {SEEDS_PER_DEFECT} seeds each: {missed:?}");
}

#[test]
fn the_page_lists_every_invariant() {
    let page = include_str!("../../../docs/invariants.md");
    assert_eq!(page, sim::invariants::page(), "write it anew: sim invariants > docs/invariants.md");
    for (index, one) in INVARIANTS.iter().enumerate() {
        assert!(INVARIANTS[..index].iter().all(|other| other.name != one.name), "twice: {}", one.name);
    }
}
