//! What the ticket service keeps: bookings, and what it heard of events and users.

use domain::{
    BookingId, EventId, Time, UserId,
    facts::{EventStatus, TicketTypeName},
    text,
    ticket::Booking,
};
use serde::{Deserialize, Serialize};
use store::{Key, Value};

/// What the ticket service knows of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventInfo {
    /// The event.
    pub id: EventId,
    /// Whose it is.
    pub organizer_id: UserId,
    /// Its status.
    pub status: EventStatus,
    /// Its title.
    pub title: String,
    /// When it starts.
    pub starts_at: Time,
    /// When it ends.
    pub ends_at: Time,
    /// Its time zone (IANA).
    pub time_zone: String,
    /// The place in one line.
    pub place: String,
    /// The names of its ticket types.
    pub ticket_types: Vec<TicketTypeName>,
    /// Of which telling.
    pub version: u64,
    /// It was called off, and its bookings are not all ended yet.
    pub calling_off: bool,
}

/// What the ticket service knows of a user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserInfo {
    /// The user.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Of which telling.
    pub version: u64,
}

store::rows! {
    /// A row of the ticket service.
    pub enum TicketRow in "ticket" {
        /// A booking with its tickets.
        Booking(Booking) in "booking" by |booking| booking.id.0 => {
            user_id: Text = booking.user_id.0.into(),
            event_id: Text = booking.event_id.0.into(),
            status: PlainText = booking.status.name().into(),
            due_at: SparseInt = booking.due_at().map_or(Value::Null, |due| Value::Int(due.micros())),
            holders: Set = Value::Set(other_holders(booking)),
        } indexes [],
        /// An event.
        Event(EventInfo) in "event" by |event| event.id.0 => {
            calling_off: SparseInt = if event.calling_off { Value::Int(1) } else { Value::Null },
        } indexes [],
        /// A user.
        User(UserInfo) in "user" by |user| user.id.0 => {
            email: Text = Value::Text(email_key(&user.email)),
        } indexes [],
    }
}

/// The holders of its tickets that are not the buyer.
fn other_holders(booking: &Booking) -> Vec<String> {
    let others =
        booking.tickets.iter().map(|ticket| ticket.holder_id).filter(|holder| *holder != booking.user_id);
    let mut holders: Vec<String> = others.map(|holder| holder.to_string()).collect();
    holders.sort();
    holders.dedup();
    holders
}

/// An address as it is compared.
#[must_use]
pub fn email_key(email: &str) -> String {
    text::fold(email)
}

/// The key of a booking.
#[must_use]
pub fn booking_key(id: BookingId) -> Key {
    Key::new("booking", id.0)
}

/// The key of what is known of an event.
#[must_use]
pub fn event_key(id: EventId) -> Key {
    Key::new("event", id.0)
}

/// The key of what is known of a user.
#[must_use]
pub fn user_key(id: UserId) -> Key {
    Key::new("user", id.0)
}
