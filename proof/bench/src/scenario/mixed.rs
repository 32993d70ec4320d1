//! An ordinary day: of a hundred requests 90 look, 8 book and 2 cancel.

use std::{cell::RefCell, collections::VecDeque};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Outcome, Scenario, named};
use crate::{
    account::Account,
    booking::{Booking, Status, waiting},
    browsing::Browsing,
    catalogue,
    http::{Call, Connection},
    ledger::{Cancel, Ledger},
    load::Tally,
    random::{pick, random},
    target::Target,
};

const BROWSED: usize = 0;
const BOOKED: usize = 1;
const CANCELLED: usize = 2;

/// The options of the scenario.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    #[command(flatten)]
    catalogue: catalogue::Options,
    /// How many accounts book
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    buyers: u32,
}

/// The scenario `mixed`.
pub struct Mixed {
    options: Options,
    browsing: Browsing,
    buyers: Vec<Account>,
    ledger: Ledger,
    /// Bookings that can be cancelled, with their buyers.
    cancellable: RefCell<VecDeque<(usize, Uuid)>>,
    confirmed: u64,
}

impl Scenario for Mixed {
    type Options = Options;

    const NAME: &str = "mixed";
    const KINDS: &[&str] = &["browsed", "booked", "cancelled"];

    async fn set_up(target: &Target, options: &Options) -> anyhow::Result<Self> {
        let browsing = Browsing::set_up(target, &options.catalogue).await?;
        let buyers = Account::register_many(target, "buyer", options.buyers).await?;
        let (options, ledger) = (options.clone(), Ledger::new(buyers.len()));
        Ok(Self { options, browsing, buyers, ledger, cancellable: RefCell::default(), confirmed: 0 })
    }

    async fn attempt(&self, number: u64, connection: &mut Connection) -> anyhow::Result<Outcome> {
        match random(number, 2) % 100 {
            0..8 => self.book(number, connection).await,
            8..10 => self.cancel(number, connection).await,
            _ => self.browse(number, connection).await,
        }
    }

    async fn check(&mut self, target: &Target, tally: &Tally) -> anyhow::Result<Vec<String>> {
        let unknown = tally.unknown() + tally.undecided;
        let mut found = self.ledger.check(target, &self.buyers, unknown).await?;
        let problems = self.browsing.catalogue.check(target, &found).await?;
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

impl Mixed {
    async fn browse(&self, number: u64, connection: &mut Connection) -> anyhow::Result<Outcome> {
        let outcome = self.browsing.look(number, connection).await?;
        Ok(if matches!(outcome, Outcome::Done(_)) { Outcome::Done(BROWSED) } else { outcome })
    }

    async fn book(&self, number: u64, connection: &mut Connection) -> anyhow::Result<Outcome> {
        let catalogue = &self.browsing.catalogue;
        let offer = &catalogue.offers[catalogue.popularity.pick(random(number, 3))];
        let buyer = pick(random(number, 4), self.buyers.len());
        let authorization = self.buyers[buyer].authorization();
        let answer = connection.call(&offer.call(&authorization)).await?;
        let Some(booking) = Booking::read(&answer) else { return Ok(Outcome::refused(&answer)) };
        self.ledger.note(buyer, &booking);
        Ok(match booking.status {
            Status::Booked => {
                self.cancellable.borrow_mut().push_back((buyer, booking.id));
                Outcome::Done(BOOKED)
            }
            Status::Pending => Outcome::Undecided,
            _ => Outcome::Failed(answer.tell()),
        })
    }

    /// Cancels the oldest booking; looks around when there is none yet.
    async fn cancel(&self, number: u64, connection: &mut Connection) -> anyhow::Result<Outcome> {
        let oldest = self.cancellable.borrow_mut().pop_front();
        let Some((buyer, id)) = oldest else { return self.browse(number, connection).await };
        self.ledger.note_cancel(buyer, id, Cancel::Unknown);
        let (path, authorization) = (format!("/v1/bookings/{id}:cancel"), self.buyers[buyer].authorization());
        let answer = connection.call(&waiting(Call::post(&path, b"")).by(&authorization)).await?;
        let Some(booking) = Booking::read(&answer) else { return Ok(Outcome::refused(&answer)) };
        if booking.id != id || booking.status != Status::Cancelled {
            return Ok(Outcome::Failed(answer.tell()));
        }
        self.ledger.note_cancel(buyer, id, Cancel::Done);
        Ok(Outcome::Done(CANCELLED))
    }
}
