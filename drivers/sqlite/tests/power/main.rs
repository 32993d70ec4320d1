//! Power loss: what a writer asked the system for is recorded, and the disk is built as it may be after a cut at each
//! sync and each answer. From every such disk each answered commit comes back, whole, and none by halves.
//!
//! What the checks find is checked as well: with `synchronous` weakened, or an answer before its commit, they must see
//! commits lost.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod disk;
mod image;
mod recording;
mod writer;

use disk::{Disk, Loss};
use image::Verdict;
use recording::{Event, Recording};
use writer::Way;

/// Different orders in which a cut leaves what was not synced, at each point; `BOXOFFICE_POWER_SEEDS` asks for more.
const SEEDS: u64 = 4;

/// What became of the disks of a recording.
#[derive(Debug, Default)]
struct Outcome {
    disks: usize,
    bad: Vec<String>,
}

/// Cuts the power around each sync and after each answer, in every way.
fn cut(recording: &Recording, way: Way) -> Outcome {
    let seeds =
        std::env::var("BOXOFFICE_POWER_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SEEDS);
    let ways = [Loss::Everything, Loss::Nothing, Loss::Torn(1), Loss::Torn(2)];
    let ways: Vec<Loss> = ways.into_iter().chain((0..seeds).map(Loss::Shuffled)).collect();
    let (mut outcome, mut disk, mut acked) = (Outcome::default(), Disk::default(), 0);
    for (number, event) in recording.events.iter().enumerate() {
        let is_sync = matches!(event, Event::Sync { .. });
        if is_sync {
            try_all(&Cut { disk: &disk, way, acked, number }, &ways, &mut outcome);
        }
        match event {
            Event::Answer(count) => acked = *count,
            event => disk.apply(event),
        }
        if is_sync || matches!(event, Event::Answer(_)) {
            try_all(&Cut { disk: &disk, way, acked, number }, &ways, &mut outcome);
        }
    }
    assert_eq!(acked, writer::COMMITS, "the writer was heard to the end");
    outcome
}

/// Where the power is cut: how the disk is, and what was answered.
struct Cut<'a> {
    disk: &'a Disk,
    way: Way,
    acked: usize,
    /// The number of the event.
    number: usize,
}

fn try_all(cut: &Cut<'_>, ways: &[Loss], outcome: &mut Outcome) {
    let Cut { disk, way, acked, number } = *cut;
    for loss in ways {
        outcome.disks += 1;
        if let Verdict::Bad(why) = image::judge(&disk.after(loss, number as u64), acked, way) {
            outcome.bad.push(format!("event {number}, {loss:?}, {acked} answered: {why}"));
        }
    }
}

fn outcome_of(way: Way) -> Option<Outcome> {
    let recording = writer::record(way)?;
    let outcome = cut(&recording, way);
    println!("{way:?}: {} disks, {} of them bad", outcome.disks, outcome.bad.len());
    Some(outcome)
}

#[test]
fn an_answered_commit_outlives_a_cut_at_every_sync() {
    let Some(outcome) = outcome_of(Way::Store) else { return };
    assert!(outcome.disks > 500, "{}", outcome.disks);
    assert!(outcome.bad.is_empty(), "{:#?}", outcome.bad);
}

/// The log is copied into the database on a thread of its own, while commits go on.
#[test]
fn an_answered_commit_outlives_a_cut_while_the_log_is_copied() {
    let Some(recording) = writer::record(Way::StoreCopying) else { return };
    let copies = recording.writes_of_copiers();
    assert!(copies > 100, "the checkpointer wrote {copies} times");
    let outcome = cut(&recording, Way::StoreCopying);
    println!(
        "{copies} writes of the checkpointer, {} disks, {} of them bad",
        outcome.disks,
        outcome.bad.len()
    );
    assert!(outcome.disks > 500, "{}", outcome.disks);
    assert!(outcome.bad.is_empty(), "{:#?}", outcome.bad);
}

/// Who copies must sync too: what is in the database is no longer in the log.
#[test]
fn the_check_sees_commits_lost_where_the_copy_is_not_synced() {
    let Some(full) = outcome_of(Way::PlainCopying("full")) else { return };
    assert!(full.bad.is_empty(), "{:#?}", full.bad);
    let weak = outcome_of(Way::PlainCopying("off")).unwrap();
    assert!(!weak.bad.is_empty(), "a copy without a sync was not noticed");
}

/// The check notices exactly what it should: the plain writer that syncs is right, and no other one is.
#[test]
fn the_check_sees_commits_lost_where_syncs_are_weaker() {
    let Some(full) = outcome_of(Way::Plain("full")) else { return };
    assert!(full.bad.is_empty(), "{:#?}", full.bad);
    for synchronous in ["normal", "off"] {
        let weak = outcome_of(Way::Plain(synchronous)).unwrap();
        let lost = weak.bad.iter().filter(|why| why.contains("is lost")).count();
        assert!(lost > 0, "synchronous = {synchronous} was not noticed");
    }
}

#[test]
fn the_check_sees_an_answer_before_its_commit() {
    let Some(early) = outcome_of(Way::StoreAnsweringFirst) else { return };
    assert!(early.bad.iter().any(|why| why.contains("is lost")), "it was not noticed");
}
