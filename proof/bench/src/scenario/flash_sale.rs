//! One hot event, and everybody wants a ticket of it.

use std::{cell::RefCell, time::Duration};

use anyhow::Context;
use hyper::{body::Bytes, header::HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};

use super::{Outcome, Scenario};
use crate::{
    account::{Account, unique},
    cli::Cli,
    client::{Answer, Call, Connection},
    load::Tally,
    target::Target,
};

/// Signing in is slow by design, and who books does not change the cost of a booking: few are enough.
const BUYERS: usize = 4;
/// Every so many answered bookings, one is read again afterwards.
const SAMPLE_EVERY: u64 = 100;
/// The most bookings that are read again.
const MAX_SAMPLE: usize = 500;
/// How long the last bookings may take to be decided after the load has ended.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long readers such as analytics may take to catch up.
const FOLLOW_TIMEOUT: Duration = Duration::from_secs(120);
/// The pause between two looks at something that is still changing.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The scenario `flash-sale`.
pub struct FlashSale {
    organizer: Account,
    buyers: Vec<Account>,
    connection: Connection,
    event_id: String,
    seats: u32,
    booking: Call,
    answered: RefCell<Answered>,
    follow_ms: Option<u64>,
}

/// Bookings to look at after the run, each with the number of its request.
#[derive(Default)]
struct Answered {
    count: u64,
    sample: Vec<(u64, String)>,
    undecided: Vec<(u64, String)>,
}

/// What is needed of a booking.
#[derive(Deserialize)]
struct Booking<'a> {
    #[serde(borrow)]
    id: &'a str,
    status: &'a str,
    #[serde(default)]
    reason: &'a str,
}

impl Scenario for FlashSale {
    const NAME: &str = "flash-sale";

    async fn set_up(target: &Target, cli: &Cli) -> anyhow::Result<Self> {
        let organizer = Account::register(target, "organizer").await?;
        let mut buyers = Vec::new();
        for number in 0..BUYERS {
            buyers.push(Account::register(target, &format!("buyer-{number}")).await?);
        }
        let mut connection = Connection::to(target);
        let event = publish(&mut connection, &organizer, cli.seats).await?;
        let event_id = event["id"].as_str().context("an event has no id")?.to_owned();
        let lines = json!([{ "ticket_type_id": event["ticket_types"][0]["id"], "quantity": 1 }]);
        let mut booking = Call::post("/v1/bookings", &json!({ "event_id": event_id, "lines": lines }))?;
        booking.prefer = Some(HeaderValue::from_static("wait=10"));
        let answered = RefCell::default();
        Ok(Self {
            organizer,
            buyers,
            connection,
            event_id,
            seats: cli.seats,
            booking,
            answered,
            follow_ms: None,
        })
    }

    fn call(&self, number: u64) -> Call {
        self.booking.clone().by(self.buyer(number).authorization())
    }

    fn judge(&self, number: u64, answer: &Answer) -> Outcome {
        match read(&answer.body) {
            Some(booking) if answer.status.is_success() => {
                self.answered.borrow_mut().note(number, &booking);
                booking.outcome()
            }
            _ => Outcome::Failed,
        }
    }

    async fn check(&mut self, tally: &Tally) -> anyhow::Result<Vec<String>> {
        let mut problems = Vec::new();
        let late = self.booked_late(&mut problems).await?;
        self.check_sold(tally.booked + late, tally.unknown, &mut problems).await?;
        self.check_sample(&mut problems).await?;
        self.wait_for_readers(&mut problems).await?;
        Ok(problems)
    }

    fn details(&self) -> Map<String, Value> {
        let mut details = Map::new();
        details.insert("seats".to_owned(), self.seats.into());
        details.insert("buyers".to_owned(), BUYERS.into());
        details.insert("readers_behind_ms".to_owned(), self.follow_ms.into());
        details
    }
}

impl FlashSale {
    fn buyer(&self, number: u64) -> &Account {
        &self.buyers[usize::try_from(number).unwrap_or_default() % self.buyers.len()]
    }

    /// Waits for bookings whose answer came before their decision; how many of them are BOOKED.
    async fn booked_late(&mut self, problems: &mut Vec<String>) -> anyhow::Result<u64> {
        let undecided = std::mem::take(&mut self.answered.get_mut().undecided);
        let until = Instant::now() + SETTLE_TIMEOUT;
        let mut booked = 0;
        for (number, id) in undecided {
            let mut status = self.status(number, &id).await?;
            while status == "PENDING" && Instant::now() < until {
                sleep(LOOK_EVERY).await;
                status = self.status(number, &id).await?;
            }
            match status.as_str() {
                "BOOKED" => booked += 1,
                "REJECTED" => {}
                other => problems.push(format!("booking {id} came to rest as {other}")),
            }
        }
        Ok(booked)
    }

    /// The event has sold what was answered, and not more than it has.
    async fn check_sold(
        &mut self,
        booked: u64,
        unknown: u64,
        problems: &mut Vec<String>,
    ) -> anyhow::Result<()> {
        let path = format!("/v1/events/{}/availability", self.event_id);
        let figures = self.connection.json(&Call::get(&path)?).await?;
        let figures = &figures["ticket_types"][0];
        let (sold, held, available) = (&figures["sold"], &figures["held"], &figures["available"]);
        let sold = sold.as_u64().context("the availability has no figure `sold`")?;
        // A request without an answer may have been carried out.
        if !(booked..=booked + unknown).contains(&sold) {
            problems.push(format!("{booked} bookings were answered BOOKED, the event says {sold} are sold"));
        }
        if sold > u64::from(self.seats) {
            problems.push(format!("{sold} of {} seats are sold", self.seats));
        }
        let sum = sold + held.as_u64().unwrap_or_default() + available.as_u64().unwrap_or_default();
        if sum != u64::from(self.seats) {
            problems.push(format!("sold, held and available are {sum}, the event has {}", self.seats));
        }
        Ok(())
    }

    /// What was answered BOOKED is there for its buyer.
    async fn check_sample(&mut self, problems: &mut Vec<String>) -> anyhow::Result<()> {
        for (number, id) in std::mem::take(&mut self.answered.get_mut().sample) {
            let status = self.status(number, &id).await?;
            if status != "BOOKED" {
                problems.push(format!("booking {id} was answered BOOKED and reads {status}"));
            }
        }
        Ok(())
    }

    /// What follows the sale must catch up, or the sale was faster only because it left work behind.
    async fn wait_for_readers(&mut self, problems: &mut Vec<String>) -> anyhow::Result<()> {
        let path = format!("/v1/events/{}/availability", self.event_id);
        let sold = self.connection.json(&Call::get(&path)?).await?["ticket_types"][0]["sold"].clone();
        let path = format!("/v1/analytics/events/{}/popularity", self.event_id);
        let start = Instant::now();
        loop {
            let call = Call::get(&path)?.by(self.organizer.authorization());
            let booked = self.connection.json(&call).await?["booked"].clone();
            if booked.as_u64().unwrap_or_default() == sold.as_u64().unwrap_or_default() {
                self.follow_ms = u64::try_from(start.elapsed().as_millis()).ok();
                return Ok(());
            }
            if start.elapsed() > FOLLOW_TIMEOUT {
                problems
                    .push(format!("analytics counts {booked} bookings after {FOLLOW_TIMEOUT:?}, not {sold}"));
                return Ok(());
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn status(&mut self, number: u64, id: &str) -> anyhow::Result<String> {
        let authorization = self.buyer(number).authorization();
        let call = Call::get(&format!("/v1/bookings/{id}"))?.by(authorization);
        let answer = self.connection.call(&call).await?;
        if !answer.status.is_success() {
            return Ok(answer.status.to_string());
        }
        Ok(read(&answer.body).context("a booking has no status")?.status.to_owned())
    }
}

impl Answered {
    fn note(&mut self, number: u64, booking: &Booking<'_>) {
        match booking.outcome() {
            Outcome::Booked => {
                if self.count.is_multiple_of(SAMPLE_EVERY) && self.sample.len() < MAX_SAMPLE {
                    self.sample.push((number, booking.id.to_owned()));
                }
                self.count += 1;
            }
            Outcome::Other => self.undecided.push((number, booking.id.to_owned())),
            Outcome::Rejected | Outcome::Failed => {}
        }
    }
}

impl Booking<'_> {
    fn outcome(&self) -> Outcome {
        match (self.status, self.reason) {
            ("BOOKED", _) => Outcome::Booked,
            ("REJECTED", "sold_out") => Outcome::Rejected,
            ("PENDING", _) => Outcome::Other,
            _ => Outcome::Failed,
        }
    }
}

/// The body as a booking; none when it is something else.
fn read(body: &Bytes) -> Option<Booking<'_>> {
    serde_json::from_slice(body).ok()
}

async fn publish(connection: &mut Connection, organizer: &Account, seats: u32) -> anyhow::Result<Value> {
    let event = json!({
        "title": format!("On sale now {}", unique()),
        "starts_at": "2099-06-01T18:00:00Z",
        "ends_at": "2099-06-01T22:00:00Z",
        "time_zone": "UTC",
        "venue": { "name": "Arena", "city": "Amsterdam", "country": "Netherlands" },
        "ticket_types": [{
            "name": "Admission", "quantity": seats, "price": { "currency": "EUR", "minor": 0 },
        }],
    });
    let create = Call::post("/v1/events", &event)?.by(organizer.authorization());
    let event = connection.json(&create).await?;
    let id = event["id"].as_str().context("an event has no id")?;
    let publish = Call::post(&format!("/v1/events/{id}:publish"), &json!({}))?.by(organizer.authorization());
    connection.json(&publish).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_by_its_status_and_reason() {
        for (body, expected) in [
            (r#"{"id":"1","status":"BOOKED","tickets":[{"status":"VALID"}]}"#, Some(Outcome::Booked)),
            (r#"{"id":"1","status":"REJECTED","reason":"sold_out"}"#, Some(Outcome::Rejected)),
            (r#"{"id":"1","status":"REJECTED","reason":"sales_closed"}"#, Some(Outcome::Failed)),
            (r#"{"id":"1","status":"PENDING"}"#, Some(Outcome::Other)),
            (r#"{"status":503,"code":"unavailable"}"#, None),
        ] {
            let body = Bytes::from_static(body.as_bytes());
            assert_eq!(read(&body).map(|booking| booking.outcome()), expected, "{body:?}");
        }
    }
}
