//! The same seeds on every store: what the simulator asked of its memory stores is asked of each driver, on the real
//! servers. Each must answer the same, and have the same at the end.
//!
//! A world follows from its seed and from the answers of its stores, so equal answers are the same run.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod contents;
mod place;
mod replay;

use bus::Topic;
use place::{Kind, Place};
use sim::{
    run::with_clock,
    tape::{Asked, record},
};
use store::Row;

/// The seeds.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_store_ends_with_one_digest() {
    let places: Vec<Place> = Kind::ALL.iter().filter_map(|kind| Place::start(*kind)).collect();
    for seed in SEEDS {
        let recorded = std::thread::spawn(move || with_clock(|| record(seed))).join().unwrap();
        assert!(recorded.violations.is_empty(), "seed {seed}: {:?}", recorded.violations);
        tokio::join!(
            one_digest(&places, seed, event::PUBLISHES, &recorded.event),
            one_digest(&places, seed, ticket::PUBLISHES, &recorded.ticket),
            one_digest(&places, seed, user::PUBLISHES, &recorded.user),
            one_digest(&places, seed, feedback::PUBLISHES, &recorded.feedback),
            one_digest(&places, seed, notification::PUBLISHES, &recorded.notification),
            one_digest(&places, seed, analytics::PUBLISHES, &recorded.analytics),
        );
    }
}

/// Asks each store what the simulator asked, and compares what they have then.
async fn one_digest<R: Row>(places: &[Place], seed: u64, topics: &'static [Topic], tape: &[Asked<R>]) {
    let mut first: Option<contents::Contents> = None;
    for place in places {
        let opened = place.open::<R>(topics).await;
        let began = std::time::Instant::now();
        replay::ask_again(opened.store.as_ref(), tape, |what| {
            format!("seed {seed}, {} on {}: {what}", R::SERVICE, place.kind.name())
        })
        .await;
        let contents = contents::of(opened.store.as_ref(), opened.log.as_ref(), topics, tape).await;
        println!(
            "seed {seed:>3} {:>8} {:>10}: {:016x} ({} questions, {} lines, {:?})",
            R::SERVICE,
            place.kind.name(),
            contents.digest(),
            tape.len(),
            contents.lines(),
            began.elapsed(),
        );
        match &first {
            None => first = Some(contents),
            Some(first) => {
                let which = format!("seed {seed}, {} on {}", R::SERVICE, place.kind.name());
                first.assert_same(&contents, &which);
            }
        }
        opened.close.await;
    }
}
