//! One hot event, and everybody wants a ticket of it.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Outcome, Scenario};
use crate::{
    account::{Account, unique},
    booking::{Booking, Offer, Status},
    http::Connection,
    ledger::Ledger,
    load::Tally,
    organizer::{self, Taken},
    target::Target,
};

const BOOKED: usize = 0;
const SOLD_OUT: usize = 1;

/// The options of the sale.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// How many seats the event has; with fewer than are wanted the rest is answered `sold_out`
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    seats: u32,
    /// How many accounts book, in turn; making one costs two password hashes
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    buyers: u32,
}

/// The scenario `flash-sale`.
pub struct FlashSale {
    options: Options,
    organizer: Account,
    buyers: Vec<Account>,
    offer: Offer,
    ledger: Ledger,
    confirmed: u64,
    readers_behind: Option<Duration>,
}

impl Scenario for FlashSale {
    type Options = Options;

    const NAME: &str = "flash-sale";
    const KINDS: &[&str] = &["booked", "sold_out"];

    async fn set_up(target: &Target, options: &Options) -> anyhow::Result<Self> {
        let organizer = Account::register(target, "organizer").await?;
        let buyers = Account::register_many(target, "buyer", options.buyers).await?;
        let title = format!("On sale now {}", unique());
        let plan = organizer::Plan {
            title: &title,
            city: "Amsterdam",
            category: "music",
            seats: options.seats,
            price_minor: 0,
        };
        let offer = organizer::publish(&mut Connection::to(target), &organizer, &plan).await?;
        let (options, ledger) = (options.clone(), Ledger::new(buyers.len()));
        Ok(Self { options, organizer, buyers, offer, ledger, confirmed: 0, readers_behind: None })
    }

    async fn attempt(&self, number: u64, connection: &mut Connection) -> anyhow::Result<Outcome> {
        let buyer = usize::try_from(number)? % self.buyers.len();
        let authorization = self.buyers[buyer].authorization();
        let answer = connection.call(&self.offer.call(&authorization)).await?;
        let Some(booking) = Booking::read(&answer) else { return Ok(Outcome::refused(&answer)) };
        self.ledger.note(buyer, &booking);
        Ok(match booking.status {
            Status::Booked => Outcome::Done(BOOKED),
            Status::Rejected if booking.is_sold_out() => Outcome::Done(SOLD_OUT),
            Status::Pending => Outcome::Undecided,
            _ => Outcome::Failed(answer.tell()),
        })
    }

    async fn check(&mut self, target: &Target, tally: &Tally) -> anyhow::Result<Vec<String>> {
        let (mut connection, event_id) = (Connection::to(target), self.offer.event_id);
        let unknown = tally.unknown() + tally.undecided;
        let mut found = self.ledger.check(target, &self.buyers, unknown).await?;
        let booked = found.booked.get(&event_id).copied().unwrap_or_default();
        let taken = Taken::read(&mut connection, event_id).await?;
        found.problems.extend(taken.problems(event_id, booked, self.options.seats));
        match organizer::wait_for_readers(&mut connection, &self.organizer, event_id, taken.sold).await {
            Ok(behind) => self.readers_behind = Some(behind),
            Err(problem) => found.problems.push(problem.to_string()),
        }
        self.confirmed = found.confirmed;
        Ok(found.problems)
    }

    fn configuration(&self) -> Map<String, Value> {
        let Options { seats, buyers } = self.options;
        Map::from_iter([("seats".to_owned(), json!(seats)), ("buyers".to_owned(), json!(buyers))])
    }

    fn details(&self) -> Map<String, Value> {
        let behind_ms = self.readers_behind.map(|behind| behind.as_millis());
        Map::from_iter([
            ("bookings_read_again".to_owned(), json!(self.confirmed)),
            ("readers_behind_ms".to_owned(), json!(behind_ms)),
        ])
    }
}
