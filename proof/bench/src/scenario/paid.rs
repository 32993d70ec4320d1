//! Tickets that cost money: seats are held, paid with the card of the simulator that pays, and booked.

use std::cell::RefCell;

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{Outcome, Scenario};
use crate::{
    booking::{Booking, Status, waiting},
    http::{Call, Connection},
    load::{Tally, latency},
    report::Latency,
    sale::{self, BOOKED, SOLD_OUT, Sale},
    target::Target,
};

/// The card of the simulator that pays.
const PAYMENT: &[u8] = br#"{"payment_method":"4242424242424242"}"#;
/// What a ticket costs, in cents.
const PRICE_MINOR: u32 = 2_500;

/// The scenario `paid`.
pub struct Paid {
    sale: Sale,
    /// How long payments took, in microseconds; the rest of an answer's time is the hold's.
    payments: RefCell<Histogram<u64>>,
}

impl Scenario for Paid {
    type Options = sale::Options;

    const NAME: &str = "paid";
    const KINDS: &[&str] = sale::KINDS;

    async fn set_up(target: &Target, options: &sale::Options) -> anyhow::Result<Self> {
        let sale = Sale::open(target, options, PRICE_MINOR).await?;
        Ok(Self { sale, payments: RefCell::new(latency()?) })
    }

    async fn attempt(&self, number: u64, connection: &mut Connection) -> anyhow::Result<Outcome> {
        let authorization = self.sale.buyer(number).authorization();
        let answer = connection.call(&self.sale.offer().call(&authorization)).await?;
        let Some(held) = Booking::read(&answer) else { return Ok(sale::without_booking(&answer)) };
        match held.status {
            Status::Held => {}
            Status::Pending => return Ok(Outcome::Undecided),
            Status::Rejected if held.is_sold_out() => return Ok(Outcome::Done(SOLD_OUT)),
            _ => return Ok(Outcome::Failed(answer.tell())),
        }
        let (path, since) = (format!("/v1/bookings/{}:pay", held.id), Instant::now());
        let answer = connection.call(&waiting(Call::post(&path, PAYMENT)).by(&authorization)).await?;
        let Some(paid) = Booking::read(&answer) else { return Ok(Outcome::refused(&answer)) };
        self.sale.note(number, &paid);
        self.payments.borrow_mut().saturating_record(u64::try_from(since.elapsed().as_micros())?);
        Ok(match paid.status {
            Status::Booked => Outcome::Done(BOOKED),
            Status::Held => Outcome::Undecided,
            _ => Outcome::Failed(answer.tell()),
        })
    }

    async fn check(&mut self, target: &Target, tally: &Tally) -> anyhow::Result<Vec<String>> {
        self.sale.check(target, tally.unknown() + tally.undecided).await
    }

    fn configuration(&self) -> Map<String, Value> {
        self.sale.configuration()
    }

    fn details(&self) -> Map<String, Value> {
        let mut details = self.sale.details();
        let payments = Latency::of(&self.payments.borrow());
        details.insert("payments".to_owned(), json!(payments));
        details
    }
}
