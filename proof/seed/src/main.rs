//! Fills a data directory with many events and tickets, to measure how a large platform behaves.
//!
//! ```text
//! cargo run --release -p seed -- --data-dir DIR
//! ```
//!
//! What it writes is what the platform would have written: every row comes of the domain's own decisions, facts
//! of the last days are in the outboxes, and `boxoffice audit` is clean. It writes past the services, in large
//! commits, because ten million tickets over REST take an hour. Nobody can sign in to the accounts that it makes.

#![allow(missing_docs, reason = "a tool, not a library")]

mod catalogue;
mod clock;
mod facts;
mod people;
mod sales;
mod writer;

use std::{path::PathBuf, time::Instant};

use boxoffice::{data_dir::DataDir, retention, stores::Stores};
use clap::Parser;
use domain::Time;

use crate::{
    clock::{SECONDS_OF_A_DAY, SeedClock},
    people::People,
    sales::Sales,
    writer::Writer,
};

/// How long the outboxes keep facts by default, in days.
const KEEP_FACTS_DAYS: i64 = 7;
/// Sales began so many days ago.
const SALES_DAYS: i64 = 365;
/// The events of one round of commits.
const EVENTS_AT_ONCE: u32 = 400;

/// Fills an empty data directory with events, accounts and tickets.
#[derive(Debug, Parser)]
struct Options {
    /// Where; it is made
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// How many events
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    events: u32,
    /// How many tickets, all events together; rounded to whole bookings
    #[arg(long, default_value_t = 10_000_000)]
    tickets: u64,
    /// How many accounts
    #[arg(long, default_value_t = 250_000, value_parser = clap::value_parser!(u32).range(2_000..=100_000_000))]
    users: u32,
    /// How many tickets each booking has
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=50))]
    per_booking: u32,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    anyhow::ensure!(!options.data_dir.exists(), "{} is there already", options.data_dir.display());
    let data = DataDir::open(&options.data_dir)?;
    let stores = Stores::open(&data)?;
    let clock = SeedClock::new();
    let now = clock.real();
    let keep_since = now.plus_seconds(-KEEP_FACTS_DAYS * SECONDS_OF_A_DAY);
    let filled = fill(&options, &stores, &clock, now, keep_since).await;
    stores.close().await;
    filled
}

async fn fill(
    options: &Options,
    stores: &Stores,
    clock: &SeedClock,
    now: Time,
    keep_since: Time,
) -> anyhow::Result<()> {
    let started = Instant::now();
    let first_sale = now.plus_seconds(-SALES_DAYS * SECONDS_OF_A_DAY);
    let mut writer = Writer::new(stores.clone(), clock.environment());
    let people = People::register(options.users, clock, first_sale, &mut writer).await?;
    eprintln!("{} accounts after {:.0?}", options.users, started.elapsed());
    let bookings = options.tickets / u64::from(options.per_booking);
    let mut sales = Sales {
        people: &people,
        clock,
        bookings,
        events: options.events,
        per_booking: options.per_booking,
        first_sale,
        now,
        keep_since,
    };
    let mut event = 0;
    while event < options.events {
        let end = (event + EVENTS_AT_ONCE).min(options.events);
        let round = sales.of_events(event..end)?;
        writer.write(round, now).await?;
        if end.is_multiple_of(EVENTS_AT_ONCE * 25) || end == options.events {
            eprintln!("{end} events after {:.0?}", started.elapsed());
        }
        event = end;
    }
    let trimmed = retention::trim(stores, keep_since.micros()).await?;
    eprintln!("{bookings} bookings, {trimmed} facts trimmed, after {:.0?}", started.elapsed());
    Ok(())
}
