//! One's own bookings: see, pay, cancel.

mod cancel;
mod list;
mod pay;
mod show;

use std::collections::BTreeMap;

use axum::Router;
use futures_util::future::join_all;
use proto::v1::{Booking, Event, GetEventRequest, booking};

use crate::{i18n::Text, visit::Visit};

#[cfg(test)]
pub(crate) use cancel::CancelPage;
#[cfg(test)]
pub(crate) use list::BookingsPage;
#[cfg(test)]
pub(crate) use show::BookingPage;

/// The routes of this subject.
pub(crate) fn routes() -> Router {
    Router::new().merge(list::routes()).merge(show::routes()).merge(pay::routes()).merge(cancel::routes())
}

/// An event, where it can be seen: its bookings are shown also where it cannot.
pub(crate) async fn event_of(visit: &Visit, event_id: &str) -> Option<Event> {
    let request = visit.request_look_up(GetEventRequest { event_id: event_id.to_owned() });
    visit.ask(visit.services().event().get_event(request)).await.ok()
}

/// The events of some bookings, by their ids.
async fn events_of(visit: &Visit, bookings: &[Booking]) -> BTreeMap<String, Event> {
    let mut ids: Vec<&str> = bookings.iter().map(|booking| booking.event_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let events = join_all(ids.into_iter().map(|id| event_of(visit, id))).await;
    events.into_iter().flatten().map(|event| (event.id.clone(), event)).collect()
}

/// How a booking stands, in a word.
fn status_word(text: Text, booking: &Booking) -> &'static str {
    match booking.status() {
        booking::Status::Pending | booking::Status::Unspecified => text.booking_pending(),
        booking::Status::Held => text.booking_held(),
        booking::Status::Booked => text.booking_booked(),
        booking::Status::Rejected => text.booking_rejected(),
        booking::Status::Cancelled => text.booking_cancelled(),
        booking::Status::Expired => text.booking_expired(),
    }
}

/// A booking for samples.
#[cfg(test)]
fn sample(status: booking::Status) -> Booking {
    use prost_types::Timestamp;
    use proto::v1::{BookingLine, Money, Refund, Ticket, refund, ticket};
    let euros = |minor| Money { currency: "EUR".to_owned(), minor };
    let ticket = |id: &str, status: ticket::Status| Ticket {
        id: id.to_owned(),
        ticket_type_id: "t1".to_owned(),
        status: status.into(),
        attendee_name: "<b>Ana".to_owned(),
        ..Ticket::default()
    };
    Booking {
        id: "b1".to_owned(),
        event_id: "e1".to_owned(),
        status: status.into(),
        reason: "sold_out".to_owned(),
        lines: vec![BookingLine {
            ticket_type_id: "t1".to_owned(),
            quantity: 2,
            unit_price: Some(euros(2_500)),
            ..BookingLine::default()
        }],
        total: Some(euros(5_000)),
        expires_at: Some(Timestamp { seconds: 1_800_000_600, nanos: 0 }),
        created_at: Some(Timestamp { seconds: 1_799_990_000, nanos: 0 }),
        tickets: vec![ticket("k1", ticket::Status::Valid), ticket("k2", ticket::Status::Cancelled)],
        refunds: vec![Refund {
            amount: Some(euros(2_500)),
            status: refund::Status::Due.into(),
            ..Refund::default()
        }],
        ..Booking::default()
    }
}
