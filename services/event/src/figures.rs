//! What is counted of events and seats, and the first invariant: never more taken than there is.
//!
//! Nothing on the way of a booking is counted here. A check goes through all events, some at a time, and begins
//! anew at the end; its figures are those of the last pass. A small platform is checked every few seconds, one
//! with a hundred thousand events every ten minutes.

use std::{sync::Arc, time::Duration};

use domain::{
    Time,
    event::{Event, Inventory},
    facts::EventStatus,
};
use kit::{
    Environment, Metrics,
    metrics::{Family, FloatGauge},
};
use prometheus_client::metrics::{counter::Counter, gauge::Gauge};
use store::{Cursor, Query, Row, Store, StoreError, Value};
use tokio_util::sync::CancellationToken;

use crate::rows::{EventRow, event_key, inventory_key, status_name};

/// How often it goes on.
const GO_ON_EVERY: Duration = Duration::from_secs(5);
/// How many events it looks at before it rests.
const EVENTS_AT_ONCE: usize = 1_000;
/// How many are read together.
const PAGE: usize = 200;

/// The figures of the event service.
struct Figures {
    oversold: Gauge,
    seats: Family<Gauge, 1>,
    events: Family<Gauge, 1>,
    checked_at: FloatGauge,
    failed: Counter,
}

/// What a pass has counted so far.
#[derive(Default)]
struct Pass {
    after: Option<Cursor>,
    oversold: i64,
    free: i64,
    held: i64,
    sold: i64,
    by_status: [i64; STATUSES.len()],
}

const STATUSES: [EventStatus; 3] = [EventStatus::Draft, EventStatus::Published, EventStatus::Cancelled];

/// The check of the inventory of every event.
pub(crate) struct InventoryCheck {
    store: Arc<dyn Store<EventRow>>,
    environment: Environment,
    figures: Figures,
    pass: Pass,
}

impl InventoryCheck {
    /// A check that has not begun.
    pub(crate) fn new(store: Arc<dyn Store<EventRow>>, metrics: &Metrics, environment: Environment) -> Self {
        let failed = metrics.failed_looks("inventory");
        let figures = metrics.register(|catalogue| Figures {
            failed,
            oversold: catalogue.gauge(
                "boxoffice_oversold_events",
                "Events of which more places are held and sold than there are; must be 0",
            ),
            seats: catalogue.gauges(
                "boxoffice_seats",
                &["state"],
                "Places of published events: free, held for payment, sold",
            ),
            events: catalogue.gauges("boxoffice_events", &["status"], "Events by status"),
            checked_at: catalogue.float_gauge(
                "boxoffice_inventory_checked_timestamp_seconds",
                "When the last pass through all events ended, in seconds since 1970 UTC; 0 before the first",
            ),
        });
        Self { store, environment, figures, pass: Pass::default() }
    }

    /// Goes on until told to stop.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        loop {
            if self.go_on().await.is_err() {
                self.figures.failed.inc();
            }
            tokio::select! {
                () = tokio::time::sleep(GO_ON_EVERY) => {}
                () = shutdown.cancelled() => return,
            }
        }
    }

    /// Looks at the next [`EVENTS_AT_ONCE`], or at those that are left of this pass.
    async fn go_on(&mut self) -> Result<(), StoreError> {
        for _ in 0..EVENTS_AT_ONCE / PAGE {
            let query = Query::all("inventory").after(self.pass.after.clone()).limit(PAGE);
            let page = self.store.query(&query).await?;
            let (count, last) = (page.len(), page.last().map(|last| last.row.key().id.to_string()));
            let inventories = page.into_iter().filter_map(|versioned| match versioned.into_row() {
                EventRow::Inventory(inventory) => Some(inventory),
                _ => None,
            });
            self.look_at(inventories.collect()).await?;
            if let Some(id) = last {
                self.pass.after = Some(Cursor { value: Value::Null, id });
            }
            if count < PAGE {
                self.end_pass();
                break;
            }
        }
        Ok(())
    }

    async fn look_at(&mut self, inventories: Vec<Inventory>) -> Result<(), StoreError> {
        let keys: Vec<_> = inventories.iter().map(|inventory| event_key(inventory.event_id)).collect();
        let events = self.store.load(&keys, &[]).await?.rows;
        for (inventory, event) in inventories.iter().zip(events) {
            let Some(EventRow::Event(event)) = event.map(store::Versioned::into_row) else { continue };
            self.pass.count(&event, inventory);
            // The two were not read at one moment: whether it is so is seen when they are.
            if !inventory.violations(&event).is_empty() && self.is_oversold(&event).await? {
                self.pass.oversold += 1;
                self.figures.oversold.set(self.pass.oversold.max(self.figures.oversold.get()));
            }
        }
        Ok(())
    }

    async fn is_oversold(&self, event: &Event) -> Result<bool, StoreError> {
        let keys = [event_key(event.id), inventory_key(event.id)];
        let loaded = self.store.load(&keys, &[]).await?;
        let mut rows = loaded.rows.into_iter().map(|row| row.map(store::Versioned::into_row));
        let (Some(Some(EventRow::Event(event))), Some(Some(EventRow::Inventory(inventory)))) =
            (rows.next(), rows.next())
        else {
            return Ok(false);
        };
        let violations = inventory.violations(&event);
        if !violations.is_empty() {
            tracing::error!(?violations, "an event is oversold");
        }
        Ok(!violations.is_empty())
    }

    fn end_pass(&mut self) {
        let pass = std::mem::take(&mut self.pass);
        let figures = &self.figures;
        figures.oversold.set(pass.oversold);
        for (state, count) in [("free", pass.free), ("held", pass.held), ("sold", pass.sold)] {
            figures.seats.with([state]).set(count);
        }
        for (status, count) in STATUSES.into_iter().zip(pass.by_status) {
            figures.events.with([status_name(status)]).set(count);
        }
        figures.checked_at.set(seconds(self.environment.now()));
    }
}

impl Pass {
    fn count(&mut self, event: &Event, inventory: &Inventory) {
        if let Some(number) = STATUSES.iter().position(|status| *status == event.status) {
            self.by_status[number] += 1;
        }
        if event.status != EventStatus::Published {
            return;
        }
        for stock in &inventory.stocks {
            self.held += i64::from(stock.held);
            self.sold += i64::from(stock.sold);
        }
        let by_type: u64 =
            event.ticket_types.iter().map(|kind| u64::from(inventory.available(event, kind.id))).sum();
        let free = by_type.min(u64::from(inventory.shared_available(event)));
        self.free += i64::try_from(free).unwrap_or(i64::MAX);
    }
}

fn seconds(time: Time) -> f64 {
    time.micros() as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::{
        Currency, EventId, Money, TicketTypeId, UserId,
        event::{EventDraft, Stock, TicketType, TicketTypeDraft, Venue},
    };
    use store::{Change, Commit, CommitId, MemoryStore};
    use uuid::Uuid;

    use super::*;

    /// More than one page.
    const EVENTS: u128 = 450;
    const QUANTITY: u32 = 10;

    fn event(number: u128) -> Event {
        let at = Time::from_micros(0);
        let draft = EventDraft {
            title: "Village Brass".to_owned(),
            description: String::new(),
            starts_at: at,
            ends_at: at,
            time_zone: "UTC".to_owned(),
            venue: Venue::default(),
            online: false,
            categories: Vec::new(),
            image_url: String::new(),
            website_url: String::new(),
            capacity: None,
        };
        let standing = TicketTypeDraft {
            name: "Standing".to_owned(),
            price: Money::zero(Currency::EUR),
            quantity: QUANTITY,
            max_per_booking: None,
            sales_start: None,
            sales_end: None,
            hidden: false,
        };
        Event {
            id: EventId(Uuid::from_u128(number)),
            organizer_id: UserId(Uuid::from_u128(1)),
            status: EventStatus::Published,
            version: 1,
            draft,
            ticket_types: vec![TicketType { id: TicketTypeId(Uuid::from_u128(number)), draft: standing }],
            created_at: at,
            updated_at: at,
        }
    }

    /// Takes over an inventory, whatever was there.
    async fn put(store: &MemoryStore<EventRow>, rows: Vec<EventRow>) {
        let keys: Vec<_> = rows.iter().map(Row::key).collect();
        let known = store.load(&keys, &[]).await.unwrap().rows;
        let changes = rows.into_iter().zip(known).map(|(row, known)| {
            let expected = known.map_or(0, |known| known.version);
            Change::new(row.key(), expected, Some(row))
        });
        let id = CommitId(Environment::system().id());
        store.commit(Commit { changes: changes.collect(), ..Commit::new(id, 0) }).await.unwrap();
    }

    fn with(event: &Event, held: u32, sold: u32) -> EventRow {
        let stocks = vec![Stock { ticket_type_id: event.ticket_types[0].id, held, sold }];
        Inventory { event_id: event.id, sequence: 1, stocks }.into()
    }

    fn figure(metrics: &Metrics, series: &str) -> Option<f64> {
        let text = metrics.text();
        let value = text.lines().find_map(|line| line.strip_prefix(series));
        value.map(|value| value.trim().parse().unwrap())
    }

    #[tokio::test]
    async fn an_event_of_which_too_much_is_taken_is_counted_until_it_is_mended() {
        let store = Arc::new(MemoryStore::<EventRow>::new(&[]));
        let mut rows = Vec::new();
        for number in 0..EVENTS {
            let event = event(number);
            rows.push(with(&event, 1, 2));
            rows.push(event.into());
        }
        put(&store, rows).await;
        let metrics = Metrics::new();
        let mut check = InventoryCheck::new(Arc::clone(&store) as _, &metrics, Environment::system());
        check.go_on().await.unwrap();
        assert_eq!(figure(&metrics, "boxoffice_oversold_events"), Some(0.0));
        let seats = ["held", "sold", "free"]
            .map(|state| figure(&metrics, &format!("boxoffice_seats{{state=\"{state}\"}}")).unwrap());
        let events = EVENTS as f64;
        assert_eq!(seats, [events, events * 2.0, events * 7.0], "every event once");
        assert_eq!(figure(&metrics, "boxoffice_events{status=\"PUBLISHED\"}"), Some(events));

        let last = event(EVENTS - 1);
        put(&store, vec![with(&last, 5, QUANTITY - 4)]).await;
        check.go_on().await.unwrap();
        assert_eq!(figure(&metrics, "boxoffice_oversold_events"), Some(1.0));

        put(&store, vec![with(&last, 5, QUANTITY - 5)]).await;
        check.go_on().await.unwrap();
        assert_eq!(figure(&metrics, "boxoffice_oversold_events"), Some(0.0));
    }
}
