//! Many events, made through the API by several organisers.

use std::cell::Cell;

use anyhow::Context;
use futures_util::future::try_join_all;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    account::{Account, unique},
    booking::Offer,
    http::Connection,
    ledger::Found,
    organizer::{self, Plan, Taken},
    progress::Progress,
    random::Zipf,
    target::Target,
};

/// How many accounts organise.
const ORGANIZERS: u32 = 4;
/// How many connections make events at the same time.
const CONNECTIONS: usize = 64;
/// How many events are compared with their bookings afterwards: the most popular ones, and as many others.
const MAX_COMPARED: usize = 50;

/// Where events take place.
pub const CITIES: &[&str] = &[
    "Amsterdam",
    "Berlin",
    "Copenhagen",
    "Dublin",
    "Edinburgh",
    "Florence",
    "Geneva",
    "Hamburg",
    "Innsbruck",
    "Jena",
    "Krakow",
    "Lisbon",
    "Madrid",
    "Naples",
    "Oslo",
    "Prague",
    "Riga",
    "Stockholm",
    "Turin",
    "Vienna",
];
/// What they are.
pub const CATEGORIES: &[&str] = &["music", "theatre", "sport", "science", "food", "film", "dance"];
/// What is in their titles.
pub const WORDS: &[&str] = &[
    "Jazz", "Opera", "Marathon", "Rust", "Cheese", "Western", "Tango", "Brass", "Chamber", "Comedy", "Garden",
];

/// Events that are on sale.
pub struct Catalogue {
    /// From the most popular one on.
    pub offers: Vec<Offer>,
    /// Which of them is wanted.
    pub popularity: Zipf,
}

/// What all events of a catalogue have in common.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Options {
    /// How many events there are
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub events: u32,
    /// How unequal they are: the nth is wanted in proportion to 1 / n to the power of this
    #[arg(long, default_value_t = 1.0)]
    pub exponent: f64,
}

/// The seats of each event: the most popular one does not sell out.
const SEATS: u32 = 1_000_000;

impl Catalogue {
    /// Makes and publishes the events.
    ///
    /// # Errors
    /// When the platform refuses.
    pub async fn publish(target: &Target, options: &Options) -> anyhow::Result<Self> {
        anyhow::ensure!((0.0..=10.0).contains(&options.exponent), "--exponent must be from 0 to 10");
        let organizers = Account::register_many(target, "organizer", ORGANIZERS).await?;
        let (run, next) = (unique(), Cell::new(0));
        let progress = Progress::new("events published", options.events.into());
        let workers = (0..CONNECTIONS).map(|_| async {
            let (mut connection, mut made) = (Connection::to(target), Vec::new());
            while next.get() < options.events {
                let number = next.replace(next.get() + 1);
                made.push((number, publish(&mut connection, &organizers, number, &run).await?));
                progress.step(1);
            }
            anyhow::Ok(made)
        });
        let mut made: Vec<_> = try_join_all(workers).await?.into_iter().flatten().collect();
        made.sort_unstable_by_key(|(number, _)| *number);
        let offers: Vec<_> = made.into_iter().map(|(_, offer)| offer).collect();
        let popularity = Zipf::new(offers.len(), options.exponent);
        Ok(Self { offers, popularity })
    }

    /// Compares what events have sold with the bookings that were found.
    ///
    /// # Errors
    /// When the platform does not answer.
    pub async fn check(&self, target: &Target, found: &Found) -> anyhow::Result<Vec<String>> {
        let mut connection = Connection::to(target);
        let (mut problems, until) = (Vec::new(), Instant::now() + organizer::SETTLE_TIMEOUT);
        for event_id in self.sample() {
            let booked = found.booked.get(&event_id).copied().unwrap_or_default();
            let taken = Taken::settled(&mut connection, event_id, booked, until).await?;
            problems.extend(taken.problems(event_id, booked, SEATS));
        }
        let ours: u64 = self.offers.iter().filter_map(|offer| found.booked.get(&offer.event_id)).sum();
        let all: u64 = found.booked.values().sum();
        if ours != all {
            problems.push(format!("{} bookings are of events that were not asked for", all - ours));
        }
        Ok(problems)
    }

    /// The most popular events, and as many from all over the rest.
    fn sample(&self) -> Vec<Uuid> {
        let (popular, others) = self.offers.split_at(self.offers.len().min(MAX_COMPARED));
        let others = others.iter().step_by(others.len() / MAX_COMPARED + 1);
        popular.iter().chain(others).map(|offer| offer.event_id).collect()
    }
}

async fn publish(
    connection: &mut Connection,
    organizers: &[Account],
    number: u32,
    run: &str,
) -> anyhow::Result<Offer> {
    let of = |names: &[&'static str]| names[number as usize % names.len()];
    let title = format!("{} {} in {} {run}", of(WORDS), number, of(CITIES));
    let (city, category) = (of(CITIES), of(CATEGORIES));
    let plan = Plan { title: &title, city, category, seats: SEATS, price_minor: 0 };
    let organizer = &organizers[number as usize % organizers.len()];
    let made = organizer::publish(connection, organizer, &plan).await;
    made.with_context(|| format!("event {number} cannot be made"))
}
