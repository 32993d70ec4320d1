//! Reading the stores from end to end.

use std::collections::{BTreeMap, BTreeSet};

use analytics::AnalyticsRow;
use bus::{Log, LogError, Position, Topic};
use domain::{
    BookingId, EventId,
    analytics::EventStat,
    event::{Event, Hold, Inventory},
    facts::Published,
    feedback::{Holding, Rating, Summary},
    notification::Notification,
    ticket::Booking,
};
use event::EventRow;
use feedback::FeedbackRow;
use notification::NotificationRow;
use store::{Cursor, MAX_PAGE, Query, Row, Store, Value};
use ticket::TicketRow;

use super::Sources;

/// How many facts are read at a time.
const MAX_READ: usize = 1_000;

/// Facts that a service has not consumed yet.
#[derive(Debug, Default)]
pub(super) struct Lag {
    pub(super) facts: usize,
    /// The aggregates that they are about, parked ones too.
    pub(super) keys: BTreeSet<String>,
    /// Facts that it will never consume, because they are no longer kept.
    pub(super) missed: Vec<String>,
}

pub(super) async fn lag<R: Row>(
    store: &dyn Store<R>,
    log: &dyn Log,
    topics: &[Topic],
) -> anyhow::Result<Lag> {
    let mut lag = Lag::default();
    for partition in topics.iter().flat_map(|topic| log.partitions(*topic)) {
        let mut position = store.position(&partition).await?;
        loop {
            let batch = match log.read(&partition, position, MAX_READ).await {
                Err(error @ LogError::Trimmed { trimmed, .. }) => {
                    lag.missed.push(error.to_string());
                    position = Position(trimmed);
                    continue;
                }
                batch => batch?,
            };
            lag.facts += batch.records.len();
            let is_end = batch.records.is_empty() && batch.next == position;
            lag.keys.extend(batch.records.into_iter().map(|record| record.fact.key.clone()));
            position = batch.next;
            if is_end {
                break;
            }
        }
    }
    lag.keys.extend(store.parked().await?.into_iter().map(|parked| parked.record.fact.key.clone()));
    Ok(lag)
}

pub(super) async fn parked<R: Row>(store: &dyn Store<R>, notes: &mut Vec<String>) -> anyhow::Result<()> {
    for parked in store.parked().await? {
        let fact = &parked.record.fact;
        notes.push(format!("{} has parked {} of {}: {}", R::SERVICE, fact.kind, fact.key, parked.reason));
    }
    Ok(())
}

/// Every row of a table, page by page.
async fn rows<R: Row>(
    store: &dyn Store<R>,
    table: &'static str,
    mut take: impl FnMut(R),
) -> anyhow::Result<()> {
    let mut after = None;
    loop {
        let page = store.query(&Query::all(table).after(after.take())).await?;
        let is_last = page.len() < MAX_PAGE;
        after = page.last().map(|last| Cursor { value: Value::Null, id: last.row.key().id.to_string() });
        page.into_iter().for_each(|versioned| take(versioned.into_row()));
        if is_last {
            return Ok(());
        }
    }
}

/// An event with everything that is taken of it.
pub(super) struct Seats {
    pub(super) event: Event,
    pub(super) inventory: Option<Inventory>,
    pub(super) holds: Vec<Hold>,
}

pub(super) async fn seats(store: &dyn Store<EventRow>) -> anyhow::Result<BTreeMap<EventId, Seats>> {
    let mut seats = BTreeMap::new();
    rows(store, "event", |row| {
        if let EventRow::Event(event) = row {
            seats.insert(event.id, Seats { event, inventory: None, holds: Vec::new() });
        }
    })
    .await?;
    rows(store, "inventory", |row| {
        if let EventRow::Inventory(inventory) = row
            && let Some(seats) = seats.get_mut(&inventory.event_id)
        {
            seats.inventory = Some(inventory);
        }
    })
    .await?;
    rows(store, "hold", |row| {
        if let EventRow::Hold(hold) = row
            && let Some(seats) = seats.get_mut(&hold.event_id)
        {
            seats.holds.push(hold);
        }
    })
    .await?;
    Ok(seats)
}

pub(super) async fn bookings(store: &dyn Store<TicketRow>) -> anyhow::Result<BTreeMap<BookingId, Booking>> {
    let mut bookings = BTreeMap::new();
    rows(store, "booking", |row| {
        if let TicketRow::Booking(booking) = row {
            bookings.insert(booking.id, booking);
        }
    })
    .await?;
    Ok(bookings)
}

/// How often each fact about a booking was published.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Told {
    pub(super) placed: u32,
    pub(super) paid: u32,
    pub(super) cancelled: u32,
}

/// The facts about bookings that are kept.
#[derive(Debug, Default)]
pub(super) struct Announced {
    pub(super) told: BTreeMap<BookingId, Told>,
    /// The latest time of a fact that is no longer kept.
    pub(super) trimmed_us: Option<i64>,
}

impl Announced {
    fn of(&mut self, booking: BookingId) -> &mut Told {
        self.told.entry(booking).or_default()
    }
}

pub(super) async fn published(stores: &Sources) -> anyhow::Result<Announced> {
    let mut announced = Announced::default();
    for partition in stores.bookings.partitions(Topic::TicketEvent) {
        let mut position = Position::default();
        loop {
            let batch = match stores.bookings.read(&partition, position, MAX_READ).await {
                Err(LogError::Trimmed { trimmed, latest_us, .. }) => {
                    announced.trimmed_us = Some(latest_us);
                    position = Position(trimmed);
                    continue;
                }
                batch => batch?,
            };
            if batch.records.is_empty() && batch.next == position {
                break;
            }
            position = batch.next;
            for record in batch.records {
                match Published::read(&record.fact.kind, &record.fact.payload) {
                    Ok(Published::BookingPlaced(fact)) => announced.of(fact.booking_id).placed += 1,
                    Ok(Published::BookingPaid(fact)) => announced.of(fact.booking_id).paid += 1,
                    Ok(Published::BookingCancelled(fact)) => announced.of(fact.booking_id).cancelled += 1,
                    _ => {}
                }
            }
        }
    }
    Ok(announced)
}

pub(super) async fn notifications(store: &dyn Store<NotificationRow>) -> anyhow::Result<Vec<Notification>> {
    let mut notifications = Vec::new();
    rows(store, "notification", |row| {
        if let NotificationRow::Notification(notification) = row {
            notifications.push(notification);
        }
    })
    .await?;
    Ok(notifications)
}

/// What the feedback service keeps.
#[derive(Default)]
pub(super) struct FeedbackRows {
    pub(super) ratings: Vec<Rating>,
    pub(super) summaries: Vec<Summary>,
    pub(super) holdings: Vec<Holding>,
}

pub(super) async fn feedback(store: &dyn Store<FeedbackRow>) -> anyhow::Result<FeedbackRows> {
    let mut found = FeedbackRows::default();
    for table in ["rating", "summary", "holding"] {
        rows(store, table, |row| match row {
            FeedbackRow::Rating(rating) => found.ratings.push(rating),
            FeedbackRow::Summary(summary) => found.summaries.push(summary),
            FeedbackRow::Holding(holding) => found.holdings.push(holding),
            _ => {}
        })
        .await?;
    }
    Ok(found)
}

pub(super) async fn figures(store: &dyn Store<AnalyticsRow>) -> anyhow::Result<BTreeMap<EventId, EventStat>> {
    let mut figures = BTreeMap::new();
    rows(store, "event_stat", |row| {
        if let AnalyticsRow::Event(stat) = row {
            figures.insert(stat.event_id, stat);
        }
    })
    .await?;
    Ok(figures)
}
