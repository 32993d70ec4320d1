//! Between the messages of the contract and the types of the domain.

use domain::{
    Currency, EventId, Money, Refusal, TicketTypeId, Time,
    event::{EventDraft, TicketType, TicketTypeDraft, Venue},
    refusal::Check,
};
use prost_types::Timestamp;
use proto::v1;

use crate::{
    patch::{EventPatch, TypePatch},
    rows::EventView,
};

/// Whose eyes an event is shown to: hidden ticket types are for its organiser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Eyes {
    Organiser,
    Anybody,
}

pub(crate) fn event_id(text: &str) -> Result<EventId, Refusal> {
    text.parse().map_err(|_| Refusal::not_found("event"))
}

pub(crate) fn ticket_type_id(text: &str) -> Result<TicketTypeId, Refusal> {
    text.parse().map_err(|_| Refusal::not_found("ticket type"))
}

pub(crate) fn timestamp(time: Time) -> Timestamp {
    Timestamp { seconds: time.seconds(), nanos: time.subsecond_nanos() }
}

pub(crate) fn read_time(check: &mut Check, field: &str, time: Option<Timestamp>) -> Option<Time> {
    let time = time?;
    let read = Time::from_parts(time.seconds, time.nanos);
    if read.is_none() {
        check.fail(field, "must be a time in the years 1 to 9999");
    }
    read
}

fn require_time(check: &mut Check, field: &str, time: Option<Timestamp>) -> Time {
    if time.is_none() {
        check.fail(field, "must be given, as 2026-11-22T19:00:00Z");
    }
    read_time(check, field, time).unwrap_or(Time::from_micros(0))
}

fn read_count(check: &mut Check, field: &str, count: i32) -> u32 {
    u32::try_from(count).unwrap_or_else(|_| {
        check.fail(field, "must not be negative");
        0
    })
}

fn read_venue(venue: Option<v1::Venue>) -> Venue {
    let venue = venue.unwrap_or_default();
    Venue {
        name: trim(venue.name),
        address: trim(venue.address),
        city: trim(venue.city),
        country: trim(venue.country),
    }
}

fn trim(text: String) -> String {
    text.trim().to_owned()
}

fn read_money(check: &mut Check, field: &str, money: Option<v1::Money>, default: Currency) -> Money {
    let Some(money) = money else { return Money::zero(default) };
    match Currency::try_from(money.currency) {
        Ok(currency) => Money { currency, minor: money.minor },
        Err(reason) => {
            check.fail(format!("{field}.currency"), reason);
            Money { currency: default, minor: money.minor }
        }
    }
}

/// The currency of a free ticket type that names none: that of its neighbours.
pub(crate) fn usual_currency(prices: impl Iterator<Item = Option<String>>) -> Currency {
    prices.flatten().find_map(|code| Currency::try_from(code).ok()).unwrap_or(Currency::EUR)
}

pub(crate) fn draft(check: &mut Check, request: &v1::CreateEventRequest) -> EventDraft {
    EventDraft {
        title: request.title.trim().to_owned(),
        description: request.description.clone(),
        starts_at: require_time(check, "starts_at", request.starts_at),
        ends_at: require_time(check, "ends_at", request.ends_at),
        time_zone: request.time_zone.clone(),
        venue: read_venue(request.venue.clone()),
        online: request.online,
        categories: request.categories.iter().map(|category| category.trim().to_owned()).collect(),
        image_url: request.image_url.clone(),
        website_url: request.website_url.clone(),
        capacity: request.capacity.map(|capacity| read_count(check, "capacity", capacity)),
    }
}

pub(crate) fn type_draft(
    check: &mut Check,
    prefix: &str,
    input: v1::TicketTypeInput,
    currency: Currency,
) -> TicketTypeDraft {
    TicketTypeDraft {
        name: trim(input.name),
        price: read_money(check, &format!("{prefix}price"), input.price, currency),
        quantity: read_count(check, &format!("{prefix}quantity"), input.quantity),
        max_per_booking: input
            .max_per_booking
            .map(|most| read_count(check, &format!("{prefix}max_per_booking"), most)),
        sales_start: read_time(check, &format!("{prefix}sales_start"), input.sales_start),
        sales_end: read_time(check, &format!("{prefix}sales_end"), input.sales_end),
        hidden: input.hidden,
    }
}

/// The fields that were sent, by the mask that the gateway filled; without one, those that are set.
pub(crate) fn event_patch(request: v1::UpdateEventRequest) -> Result<EventPatch, Refusal> {
    let mut check = Check::default();
    let mut patch = EventPatch::default();
    for path in &request.update_mask.clone().unwrap_or_default().paths {
        match path.as_str() {
            "title" => patch.title = Some(trim(request.title.clone().unwrap_or_default())),
            "description" => patch.description = Some(request.description.clone().unwrap_or_default()),
            "starts_at" => patch.starts_at = Some(require_time(&mut check, "starts_at", request.starts_at)),
            "ends_at" => patch.ends_at = Some(require_time(&mut check, "ends_at", request.ends_at)),
            "time_zone" => patch.time_zone = Some(request.time_zone.clone().unwrap_or_default()),
            "venue" => patch.venue = Some(read_venue(request.venue.clone())),
            "online" => patch.online = Some(request.online.unwrap_or_default()),
            "categories" => {
                patch.categories = Some(request.categories.iter().map(|c| c.trim().to_owned()).collect())
            }
            "image_url" => patch.image_url = Some(request.image_url.clone().unwrap_or_default()),
            "website_url" => patch.website_url = Some(request.website_url.clone().unwrap_or_default()),
            "capacity" => {
                patch.capacity = Some(request.capacity.map(|c| read_count(&mut check, "capacity", c)))
            }
            other => check
                .fail("update_mask", format!("must name fields of the event that can change, not {other}")),
        }
    }
    check.finish().map(|()| patch)
}

pub(crate) fn type_patch(
    request: v1::UpdateTicketTypeRequest,
    currency: Currency,
) -> Result<TypePatch, Refusal> {
    let mut check = Check::default();
    let mut patch = TypePatch::default();
    for path in &request.update_mask.clone().unwrap_or_default().paths {
        match path.as_str() {
            "name" => patch.name = Some(trim(request.name.clone().unwrap_or_default())),
            "price" => patch.price = Some(read_money(&mut check, "price", request.price.clone(), currency)),
            "quantity" => {
                patch.quantity =
                    Some(read_count(&mut check, "quantity", request.quantity.unwrap_or_default()))
            }
            "max_per_booking" => {
                let most =
                    request.max_per_booking.map(|most| read_count(&mut check, "max_per_booking", most));
                patch.max_per_booking = Some(most);
            }
            "sales_start" => {
                patch.sales_start = Some(read_time(&mut check, "sales_start", request.sales_start))
            }
            "sales_end" => patch.sales_end = Some(read_time(&mut check, "sales_end", request.sales_end)),
            "hidden" => patch.hidden = Some(request.hidden.unwrap_or_default()),
            other => check
                .fail("update_mask", format!("must name fields of the type that can change, not {other}")),
        }
    }
    check.finish().map(|()| patch)
}

pub(crate) fn to_event(view: &EventView, eyes: Eyes, now: Time) -> v1::Event {
    let EventView { event, inventory, rating } = view;
    let draft = &event.draft;
    let shown = |kind: &&TicketType| eyes == Eyes::Organiser || !kind.draft.hidden;
    let count = rating.as_ref().map_or(0, |rating| rating.count);
    v1::Event {
        id: event.id.to_string(),
        status: to_status(event.status).into(),
        version: i64::try_from(event.version).unwrap_or(i64::MAX),
        organizer_id: event.organizer_id.to_string(),
        title: draft.title.clone(),
        description: draft.description.clone(),
        starts_at: Some(timestamp(draft.starts_at)),
        ends_at: Some(timestamp(draft.ends_at)),
        time_zone: draft.time_zone.clone(),
        venue: Some(to_venue(&draft.venue)),
        online: draft.online,
        categories: draft.categories.clone(),
        image_url: draft.image_url.clone(),
        website_url: draft.website_url.clone(),
        ticket_types: event
            .ticket_types
            .iter()
            .filter(shown)
            .map(|kind| to_ticket_type(kind, inventory.available(event, kind.id)))
            .collect(),
        capacity: draft.capacity.map(to_count),
        finished: view.is_finished(now),
        average_rating: rating.as_ref().filter(|_| count > 0).map(|rating| rating.sum as f64 / count as f64),
        rating_count: i32::try_from(count).unwrap_or(i32::MAX),
        created_at: Some(timestamp(event.created_at)),
        updated_at: Some(timestamp(event.updated_at)),
    }
}

pub(crate) fn to_count(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn to_status(status: domain::facts::EventStatus) -> v1::event::Status {
    match status {
        domain::facts::EventStatus::Draft => v1::event::Status::Draft,
        domain::facts::EventStatus::Published => v1::event::Status::Published,
        domain::facts::EventStatus::Cancelled => v1::event::Status::Cancelled,
    }
}

fn to_venue(venue: &Venue) -> v1::Venue {
    v1::Venue {
        name: venue.name.clone(),
        address: venue.address.clone(),
        city: venue.city.clone(),
        country: venue.country.clone(),
    }
}

pub(crate) fn to_ticket_type(kind: &TicketType, available: u32) -> v1::TicketType {
    let draft = &kind.draft;
    v1::TicketType {
        id: kind.id.to_string(),
        name: draft.name.clone(),
        price: Some(v1::Money {
            currency: draft.price.currency.as_str().to_owned(),
            minor: draft.price.minor,
        }),
        quantity: to_count(draft.quantity),
        max_per_booking: draft.max_per_booking.map(to_count),
        sales_start: draft.sales_start.map(timestamp),
        sales_end: draft.sales_end.map(timestamp),
        hidden: draft.hidden,
        available: to_count(available),
    }
}
