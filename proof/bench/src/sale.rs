//! The sale of one event: what the scenarios share that have one.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::{
    account::{Account, unique},
    booking::{self, Booking, Offer, Status},
    http::{Answer, Connection},
    ledger::Ledger,
    organizer::{self, Plan, Taken},
    scenario::{Outcome, named},
    target::Target,
};

/// The kinds of answers that a sale has.
pub const KINDS: &[&str] = &["booked", "sold_out"];
/// The first of them.
pub const BOOKED: usize = 0;
/// The second.
pub const SOLD_OUT: usize = 1;

/// The options of every sale.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Options {
    /// How many seats the event has; with fewer than are wanted the rest is answered `sold_out`
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    seats: u32,
    /// How many accounts book, in turn; making one costs two password hashes
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    buyers: u32,
}

/// An event on sale, with those who buy.
pub struct Sale {
    options: Options,
    organizer: Account,
    buyers: Vec<Account>,
    offer: Offer,
    ledger: Ledger,
    confirmed: u64,
    readers_behind: Option<Duration>,
}

impl Sale {
    /// Makes the accounts and the event.
    ///
    /// # Errors
    /// When the platform refuses.
    pub async fn open(target: &Target, options: &Options, price_minor: u32) -> anyhow::Result<Self> {
        let organizer = Account::register(target, "organizer").await?;
        let buyers = Account::register_many(target, "buyer", options.buyers).await?;
        let plan = Plan {
            title: &format!("On sale now {}", unique()),
            city: "Amsterdam",
            category: "music",
            seats: options.seats,
            price_minor,
        };
        let offer = organizer::publish(&mut Connection::to(target), &organizer, &plan).await?;
        let (options, ledger) = (options.clone(), Ledger::new(buyers.len()));
        Ok(Self { options, organizer, buyers, offer, ledger, confirmed: 0, readers_behind: None })
    }

    /// The buyer whose turn it is.
    pub fn buyer(&self, number: u64) -> &Account {
        &self.buyers[self.turn(number)]
    }

    /// A ticket, ready to be booked.
    pub fn offer(&self) -> &Offer {
        &self.offer
    }

    /// The buyer whose turn it is was answered.
    pub fn note(&self, number: u64, booking: &Booking<'_>) {
        self.ledger.note(self.turn(number), booking);
    }

    /// Books a ticket that is free of charge.
    ///
    /// # Errors
    /// When there was no answer.
    pub async fn book(&self, number: u64, connection: &mut Connection) -> anyhow::Result<Outcome> {
        let authorization = self.buyer(number).authorization();
        let answer = connection.call(&self.offer.call(&authorization)).await?;
        let Some(booking) = Booking::read(&answer) else { return Ok(without_booking(&answer)) };
        self.note(number, &booking);
        Ok(match booking.status {
            Status::Booked => Outcome::Done(BOOKED),
            Status::Rejected if booking.is_sold_out() => Outcome::Done(SOLD_OUT),
            Status::Pending => Outcome::Undecided,
            _ => Outcome::Failed(answer.tell()),
        })
    }

    /// What was answered is there, what is there is sold, and analytics catches up. Up to `unknown` more
    /// than were answered may be booked.
    ///
    /// # Errors
    /// When the platform does not answer.
    pub async fn check(&mut self, target: &Target, unknown: u64) -> anyhow::Result<Vec<String>> {
        let (mut connection, event_id) = (Connection::to(target), self.offer.event_id);
        // First, because reading all bookings again gives the readers time that a sale does not give them.
        let behind = organizer::wait_for_readers(&mut connection, &self.organizer, event_id).await;
        let mut found = self.ledger.check(target, &self.buyers, unknown).await?;
        match behind {
            Ok(behind) => self.readers_behind = Some(behind),
            Err(problem) => found.problems.push(problem.to_string()),
        }
        let booked = found.booked.get(&event_id).copied().unwrap_or_default();
        let until = Instant::now() + organizer::SETTLE_TIMEOUT;
        let taken = Taken::settled(&mut connection, event_id, booked, until).await?;
        found.problems.extend(taken.problems(event_id, booked, self.options.seats));
        self.confirmed = found.confirmed;
        Ok(found.problems)
    }

    /// With which options it ran.
    pub fn configuration(&self) -> Map<String, Value> {
        let Options { seats, buyers } = self.options;
        named([("seats", json!(seats)), ("buyers", json!(buyers))])
    }

    /// What the report says of it.
    pub fn details(&self) -> Map<String, Value> {
        let behind_ms = self.readers_behind.map(|behind| behind.as_millis());
        named([("bookings_read_again", json!(self.confirmed)), ("readers_behind_ms", json!(behind_ms))])
    }

    fn turn(&self, number: u64) -> usize {
        // The remainder fits, because the number of buyers does.
        usize::try_from(number % self.buyers.len() as u64).unwrap_or_default()
    }
}
/// What an answer without a booking comes to.
pub fn without_booking(answer: &Answer<'_>) -> Outcome {
    if booking::says_sold_out(answer) { Outcome::Done(SOLD_OUT) } else { Outcome::refused(answer) }
}
