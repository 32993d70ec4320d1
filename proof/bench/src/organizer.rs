//! Events for the load: made and published through the API, and looked at afterwards.

use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::{
    account::Account,
    booking::Offer,
    http::{Call, Connection},
};

/// How long the last changes of all events may take.
pub const SETTLE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long readers such as analytics may take to catch up.
const FOLLOW_TIMEOUT: Duration = Duration::from_secs(120);
/// The pause between two looks at something that is still changing.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What distinguishes an event.
pub struct Plan<'a> {
    /// Its title.
    pub title: &'a str,
    /// Where it takes place.
    pub city: &'a str,
    /// What it is.
    pub category: &'a str,
    /// How many places it has.
    pub seats: u32,
    /// What a place costs, in cents; 0 is free of charge.
    pub price_minor: u32,
}

/// Makes an event and publishes it.
///
/// # Errors
/// When the platform refuses.
pub async fn publish(
    connection: &mut Connection,
    organizer: &Account,
    plan: &Plan<'_>,
) -> anyhow::Result<Offer> {
    let event = json!({
        "title": plan.title,
        "starts_at": "2099-06-01T18:00:00Z",
        "ends_at": "2099-06-01T22:00:00Z",
        "time_zone": "UTC",
        "venue": { "name": "Arena", "city": plan.city, "country": "Netherlands" },
        "categories": [plan.category],
        "ticket_types": [{
            "name": "Admission",
            "quantity": plan.seats,
            "price": { "currency": "EUR", "minor": plan.price_minor },
        }],
        "publish": true,
    });
    let (body, authorization) = (event.to_string(), organizer.authorization());
    let event = connection.json(&Call::post("/v1/events", body.as_bytes()).by(&authorization)).await?;
    Ok(Offer::new(id(&event)?, id(&event["ticket_types"][0])?))
}

/// What is taken of an event with one ticket type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Sold.
    pub sold: u64,
    /// Held to be paid.
    pub held: u64,
    /// Left.
    pub available: u64,
}

impl Taken {
    /// Asks.
    ///
    /// # Errors
    /// When the platform does not answer.
    pub async fn read(connection: &mut Connection, event_id: Uuid) -> anyhow::Result<Self> {
        let path = format!("/v1/events/{event_id}/availability");
        let figures = &connection.json(&Call::get(&path)).await?["ticket_types"][0];
        let figure = |name: &str| {
            figures[name].as_u64().with_context(|| format!("the availability has no figure `{name}`"))
        };
        Ok(Self { sold: figure("sold")?, held: figure("held")?, available: figure("available")? })
    }

    /// As [`Taken::read`], once it has sold so many, or when the time for that is over: cancellations give
    /// their seats back a moment after they are answered.
    ///
    /// # Errors
    /// When the platform does not answer.
    pub async fn settled(
        connection: &mut Connection,
        event_id: Uuid,
        booked: u64,
        until: Instant,
    ) -> anyhow::Result<Self> {
        loop {
            let taken = Self::read(connection, event_id).await?;
            if taken.sold == booked || Instant::now() > until {
                return Ok(taken);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// What is wrong with it, for an event with so many seats and so many BOOKED bookings of one place.
    pub fn problems(self, event_id: Uuid, booked: u64, seats: u32) -> Vec<String> {
        let Self { sold, held, available } = self;
        let mut problems = Vec::new();
        if sold != booked {
            problems.push(format!("{booked} bookings of event {event_id} are BOOKED, it has sold {sold}"));
        }
        if sold + held > u64::from(seats) {
            problems.push(format!("{sold} sold and {held} held of the {seats} seats of event {event_id}"));
        }
        if sold + held + available != u64::from(seats) {
            problems
                .push(format!("{sold} sold, {held} held, {available} left: event {event_id} has {seats}"));
        }
        problems
    }
}

/// Waits until analytics counts as many bookings of an event as it has sold, or the sale was faster only
/// because it left work behind; how long that took.
///
/// # Errors
/// When it takes too long, or the platform does not answer.
pub async fn wait_for_readers(
    connection: &mut Connection,
    organizer: &Account,
    event_id: Uuid,
) -> anyhow::Result<Duration> {
    let path = format!("/v1/analytics/events/{event_id}/popularity");
    let start = Instant::now();
    loop {
        let sold = Taken::read(connection, event_id).await?.sold;
        let authorization = organizer.authorization();
        let figures = connection.json(&Call::get(&path).by(&authorization)).await?;
        let booked = figures["booked"].as_u64().unwrap_or_default();
        if booked == sold {
            return Ok(start.elapsed());
        }
        let problem = || format!("analytics counts {booked} bookings after {FOLLOW_TIMEOUT:?}, not {sold}");
        anyhow::ensure!(start.elapsed() < FOLLOW_TIMEOUT, problem());
        sleep(LOOK_EVERY).await;
    }
}

fn id(value: &Value) -> anyhow::Result<Uuid> {
    let text = value["id"].as_str().context("what was made has no id")?;
    text.parse().with_context(|| format!("{text} is no id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_add_up_and_are_sold_to_bookings_only() {
        let taken = |sold, held, available| Taken { sold, held, available };
        assert!(taken(3, 1, 6).problems(Uuid::nil(), 3, 10).is_empty());
        assert_eq!(taken(3, 1, 6).problems(Uuid::nil(), 4, 10).len(), 1);
        assert_eq!(taken(3, 1, 5).problems(Uuid::nil(), 3, 10).len(), 1);
        assert_eq!(taken(11, 0, 0).problems(Uuid::nil(), 11, 10).len(), 2);
    }
}
