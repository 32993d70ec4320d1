//! Many events, some much more popular than others, and bookings of all of them.

use serde_json::{Map, Value, json};

use super::{Outcome, Scenario, named};
use crate::{
    account::Account,
    booking::{Booking, Status},
    catalogue::{self, Catalogue},
    http::Connection,
    ledger::Ledger,
    load::Tally,
    random::{pick, random},
    target::Target,
};

/// The options of the scenario.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[command(flatten)]
    catalogue: catalogue::Options,
    /// How many accounts book
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    buyers: u32,
}

/// The scenario `spread`.
pub struct Spread {
    options: Options,
    catalogue: Catalogue,
    buyers: Vec<Account>,
    ledger: Ledger,
    confirmed: u64,
}

impl Scenario for Spread {
    type Options = Options;

    const NAME: &str = "spread";
    const KINDS: &[&str] = &["booked"];

    async fn set_up(target: &Target, options: &Options) -> anyhow::Result<Self> {
        let catalogue = Catalogue::publish(target, &options.catalogue).await?;
        let buyers = Account::register_many(target, "buyer", options.buyers).await?;
        let (options, ledger) = (options.clone(), Ledger::new(buyers.len()));
        Ok(Self { options, catalogue, buyers, ledger, confirmed: 0 })
    }

    async fn attempt(&self, number: u64, connection: &mut Connection) -> anyhow::Result<Outcome> {
        let event = self.catalogue.popularity.pick(random(number, 0));
        let buyer = pick(random(number, 1), self.buyers.len());
        let authorization = self.buyers[buyer].authorization();
        let answer = connection.call(&self.catalogue.offers[event].call(&authorization)).await?;
        let Some(booking) = Booking::read(&answer) else { return Ok(Outcome::refused(&answer)) };
        self.ledger.note(buyer, &booking);
        Ok(match booking.status {
            Status::Booked => Outcome::Done(0),
            Status::Pending => Outcome::Undecided,
            _ => Outcome::Failed(answer.tell()),
        })
    }

    async fn check(&mut self, target: &Target, tally: &Tally) -> anyhow::Result<Vec<String>> {
        let unknown = tally.unknown() + tally.undecided;
        let mut found = self.ledger.check(target, &self.buyers, unknown).await?;
        let problems = self.catalogue.check(target, &found).await?;
        found.problems.extend(problems);
        self.confirmed = found.confirmed;
        Ok(found.problems)
    }

    fn configuration(&self) -> Map<String, Value> {
        let Options { catalogue: catalogue::Options { events, exponent }, buyers } = self.options;
        named([("events", json!(events)), ("exponent", json!(exponent)), ("buyers", json!(buyers))])
    }

    fn details(&self) -> Map<String, Value> {
        named([("bookings_read_again", json!(self.confirmed))])
    }
}
