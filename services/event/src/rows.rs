//! What the event service keeps.

use domain::{
    Day, EventId, Time,
    event::{Event, Hold, Inventory},
    facts::EventStatus,
    text,
};
use serde::{Deserialize, Serialize};
use store::{Key, Value};

/// The most words of a description that search looks at.
const MAX_DESCRIPTION_WORDS: usize = 400;

/// How often an event's page was read on a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Visits {
    /// The event.
    pub event_id: EventId,
    /// The day in UTC.
    pub date: Day,
    /// So far.
    pub visits: u64,
}

/// An event's ratings, as the feedback service tells them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rating {
    /// The event.
    pub event_id: EventId,
    /// The sum of all.
    pub sum: u64,
    /// How many.
    pub count: u64,
    /// Which telling this is.
    pub sequence: u64,
}

store::rows! {
    /// A row of the event service.
    pub enum EventRow in "event" {
        /// What the organiser wrote.
        Event(Event) in "event" by |event| event.id.0 => {
            status: PlainText = status_name(event.status).into(),
            organizer_id: PlainText = event.organizer_id.0.into(),
            starts_at: Int = Value::Int(event.draft.starts_at.micros()),
            ends_at: PlainInt = Value::Int(event.draft.ends_at.micros()),
            created_at: Int = Value::Int(event.created_at.micros()),
            city: PlainText = Value::Text(text::fold(&event.draft.venue.city)),
            country: PlainText = Value::Text(text::fold(&event.draft.venue.country)),
            categories: Set = Value::Set(event.draft.categories.iter().map(|category| text::fold(category)).collect()),
            words: Words = Value::Text(words(event)),
        } indexes [
            ["status", "starts_at"; "ends_at", "city", "country"],
            ["status", "created_at"; "ends_at", "city", "country"],
            ["status", "city", "starts_at"; "ends_at"],
            ["organizer_id", "starts_at"; "status"]
        ],
        /// What is taken of it.
        Inventory(Inventory) in "inventory" by |inventory| inventory.event_id.0 => {
        } indexes [],
        /// The seats of one booking.
        Hold(Hold) in "hold" by |hold| hold.booking_id.0 => {} indexes [],
        /// Visits of one day.
        Visits(Visits) in "visits" by |visits| visits_id(visits.event_id, visits.date) => {
        } indexes [],
        /// Ratings.
        Rating(Rating) in "rating" by |rating| rating.event_id.0 => {
        } indexes [],
    }
}

/// The name of a status in the store and on the wire.
#[must_use]
pub fn status_name(status: EventStatus) -> &'static str {
    match status {
        EventStatus::Draft => "DRAFT",
        EventStatus::Published => "PUBLISHED",
        EventStatus::Cancelled => "CANCELLED",
    }
}

fn visits_id(event_id: EventId, date: Day) -> String {
    format!("{event_id}/{date}")
}

/// Everything that search finds an event by, each word once.
fn words(event: &Event) -> String {
    let draft = &event.draft;
    let names = [&draft.title, &draft.venue.name, &draft.venue.city, &draft.venue.country];
    let mut words: Vec<String> = names.into_iter().flat_map(|text| text::search_words(text)).collect();
    words.extend(draft.categories.iter().flat_map(|category| text::search_words(category)));
    words.extend(text::search_words(&draft.description).into_iter().take(MAX_DESCRIPTION_WORDS));
    words.sort();
    words.dedup();
    words.join(" ")
}

/// The key of an event.
#[must_use]
pub fn event_key(id: EventId) -> Key {
    Key::new("event", id.0)
}

/// The key of what is taken of an event.
#[must_use]
pub fn inventory_key(id: EventId) -> Key {
    Key::new("inventory", id.0)
}

/// The key of the seats of a booking.
#[must_use]
pub fn hold_key(id: domain::BookingId) -> Key {
    Key::new("hold", id.0)
}

/// The key of an event's visits on a day.
#[must_use]
pub fn visits_key(id: EventId, date: Day) -> Key {
    Key::new("visits", visits_id(id, date))
}

/// The key of an event's ratings.
#[must_use]
pub fn rating_key(id: EventId) -> Key {
    Key::new("rating", id.0)
}

/// An event with everything that a reader sees of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventView {
    /// What the organiser wrote.
    pub event: Event,
    /// What is taken of it.
    pub inventory: Inventory,
    /// Its ratings.
    pub rating: Option<Rating>,
}

impl EventView {
    /// Its ETag: the version that `If-Match` compares, and what changes without the organiser.
    #[must_use]
    pub fn etag(&self) -> String {
        let ratings = self.rating.as_ref().map_or(0, |rating| rating.sequence);
        format!("\"{}-{}-{ratings}\"", self.event.version, self.inventory.sequence)
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_finished(&self, now: Time) -> bool {
        self.event.draft.ends_at <= now
    }
}
