//! Tickets that cost money: seats are held, paid with the card of the simulator that pays, and booked.

use std::cell::RefCell;

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{Outcome, Scenario, named};
use crate::{
    account::{Account, unique},
    booking::{Booking, Offer, Status, waiting},
    http::{Call, Connection},
    ledger::Ledger,
    load::{Tally, latency},
    organizer::{self, Taken},
    report::Latency,
    target::Target,
};

/// The card of the simulator that pays.
const PAYMENT: &[u8] = br#"{"payment_method":"4242424242424242"}"#;
/// What a ticket costs.
const PRICE_MINOR: u32 = 2_500;

/// The options of the scenario.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How many seats the event has
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    seats: u32,
    /// How many accounts book
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    buyers: u32,
}

/// The scenario `paid`.
pub struct Paid {
    options: Options,
    buyers: Vec<Account>,
    offer: Offer,
    ledger: Ledger,
    confirmed: u64,
    /// How long payments took, in microseconds; the rest of an answer's time is the hold's.
    payments: RefCell<Histogram<u64>>,
}

impl Scenario for Paid {
    type Options = Options;

    const NAME: &str = "paid";
    const KINDS: &[&str] = &["booked", "sold_out"];

    async fn set_up(target: &Target, options: &Options) -> anyhow::Result<Self> {
        let organizer = Account::register(target, "organizer").await?;
        let buyers = Account::register_many(target, "buyer", options.buyers).await?;
        let plan = organizer::Plan {
            title: &format!("Paid {}", unique()),
            city: "Amsterdam",
            category: "music",
            seats: options.seats,
            price_minor: PRICE_MINOR,
        };
        let offer = organizer::publish(&mut Connection::to(target), &organizer, &plan).await?;
        let (options, ledger) = (options.clone(), Ledger::new(buyers.len()));
        Ok(Self { options, buyers, offer, ledger, confirmed: 0, payments: RefCell::new(latency()?) })
    }

    async fn attempt(&self, number: u64, connection: &mut Connection) -> anyhow::Result<Outcome> {
        let buyer = usize::try_from(number)? % self.buyers.len();
        let authorization = self.buyers[buyer].authorization();
        let answer = connection.call(&self.offer.call(&authorization)).await?;
        let Some(held) = Booking::read(&answer) else { return Ok(Outcome::refused(&answer)) };
        match held.status {
            Status::Held => {}
            Status::Pending => return Ok(Outcome::Undecided),
            Status::Rejected if held.is_sold_out() => return Ok(Outcome::Done(1)),
            _ => return Ok(Outcome::Failed(answer.tell())),
        }
        let (path, since) = (format!("/v1/bookings/{}:pay", held.id), Instant::now());
        let answer = connection.call(&waiting(Call::post(&path, PAYMENT)).by(&authorization)).await?;
        let took = u64::try_from(since.elapsed().as_micros())?;
        let Some(paid) = Booking::read(&answer) else { return Ok(Outcome::refused(&answer)) };
        self.ledger.note(buyer, &paid);
        self.payments.borrow_mut().saturating_record(took);
        Ok(match paid.status {
            Status::Booked => Outcome::Done(0),
            Status::Held => Outcome::Undecided,
            _ => Outcome::Failed(answer.tell()),
        })
    }

    async fn check(&mut self, target: &Target, tally: &Tally) -> anyhow::Result<Vec<String>> {
        let (mut connection, event_id) = (Connection::to(target), self.offer.event_id);
        let unknown = tally.unknown() + tally.undecided;
        let mut found = self.ledger.check(target, &self.buyers, unknown).await?;
        let booked = found.booked.get(&event_id).copied().unwrap_or_default();
        let until = Instant::now() + organizer::SETTLE_TIMEOUT;
        let taken = Taken::settled(&mut connection, event_id, booked, until).await?;
        found.problems.extend(taken.problems(event_id, booked, self.options.seats));
        self.confirmed = found.confirmed;
        Ok(found.problems)
    }

    fn configuration(&self) -> Map<String, Value> {
        let Options { seats, buyers } = self.options;
        named([("seats", json!(seats)), ("buyers", json!(buyers))])
    }

    fn details(&self) -> Map<String, Value> {
        let payments = Latency::of(&self.payments.borrow());
        named([("bookings_read_again", json!(self.confirmed)), ("payments", json!(payments))])
    }
}
