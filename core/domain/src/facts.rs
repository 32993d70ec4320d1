//! What the services tell each other: the payloads of the facts.
//!
//! Each struct is the JSON of the proto message of the same name in `facts.proto`; a test of the kit
//! holds the two together. To add a fact: write the message there and the struct here, name its
//! topic and kind in [`Published`], and read it where it matters.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{BookingId, EventId, TicketTypeId, UserId},
    money::Money,
    time::{Day, Time},
};

/// Why a booking ended, or shrank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CancelReason {
    /// The buyer gave it back.
    Buyer,
    /// It was not paid in time.
    Expired,
    /// The payment was declined too often.
    PaymentFailed,
    /// The organiser called the event off.
    EventCancelled,
}

impl CancelReason {
    /// The reason as a booking shows it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Buyer => "buyer",
            Self::Expired => "expired",
            Self::PaymentFailed => "payment_failed",
            Self::EventCancelled => "event_cancelled",
        }
    }
}

/// So many places of a ticket type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedLine {
    /// Which type.
    pub ticket_type_id: TicketTypeId,
    /// How many, at least one.
    pub quantity: u32,
    /// Numbered seats, where the event has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seat_ids: Vec<String>,
}

/// So many places of a ticket type, at a price each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedLine {
    /// Which type.
    pub ticket_type_id: TicketTypeId,
    /// How many.
    pub quantity: u32,
    /// The price of one.
    pub unit_price: Money,
}

/// How many places the lines have together.
#[must_use]
pub fn places(lines: &[PricedLine]) -> u32 {
    lines.iter().map(|line| line.quantity).sum()
}

/// A buyer asked for seats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingPlaced {
    /// The booking.
    pub booking_id: BookingId,
    /// Its event.
    pub event_id: EventId,
    /// The buyer.
    pub user_id: UserId,
    /// What was asked for.
    pub lines: Vec<PlacedLine>,
    /// A code for a lower price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promo_code: Option<String>,
    /// When.
    pub at: Time,
}

/// A held booking was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingPaid {
    /// The booking.
    pub booking_id: BookingId,
    /// Its event.
    pub event_id: EventId,
    /// The buyer.
    pub user_id: UserId,
    /// What was paid.
    pub amount: Money,
    /// When.
    pub at: Time,
}

/// A booking ended, or shrank. It says what the booking keeps, so that hearing it twice changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingCancelled {
    /// The booking.
    pub booking_id: BookingId,
    /// Its event.
    pub event_id: EventId,
    /// The buyer.
    pub user_id: UserId,
    /// Why.
    pub reason: CancelReason,
    /// Counts the cancellations of this booking from 1.
    pub cancel_number: u32,
    /// What it still wants.
    #[serde(default)]
    pub keeps: Vec<PlacedLine>,
    /// When.
    pub at: Time,
}

/// Seats were set aside until they are paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatsHeld {
    /// The booking.
    pub booking_id: BookingId,
    /// Its event.
    pub event_id: EventId,
    /// The buyer.
    pub user_id: UserId,
    /// What was taken, with prices.
    pub lines: Vec<PricedLine>,
    /// What is to be paid.
    pub total: Money,
    /// Until when.
    pub expires_at: Time,
    /// When.
    pub at: Time,
}

/// Seats belong to a booking for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatsSold {
    /// The booking.
    pub booking_id: BookingId,
    /// Its event.
    pub event_id: EventId,
    /// The buyer.
    pub user_id: UserId,
    /// What was sold, with prices.
    pub lines: Vec<PricedLine>,
    /// What it cost.
    pub total: Money,
    /// When.
    pub at: Time,
}

/// No seats for this booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatsRefused {
    /// The booking.
    pub booking_id: BookingId,
    /// Its event.
    pub event_id: EventId,
    /// The buyer.
    pub user_id: UserId,
    /// A stable code such as `sold_out`.
    pub reason: String,
    /// When.
    pub at: Time,
}

/// Seats came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatsReleased {
    /// The booking.
    pub booking_id: BookingId,
    /// Its event.
    pub event_id: EventId,
    /// The buyer.
    pub user_id: UserId,
    /// Why.
    pub reason: CancelReason,
    /// The cancellation that gave them back.
    pub cancel_number: u32,
    /// What was given back now; empty where the booking had nothing.
    #[serde(default)]
    pub lines: Vec<PricedLine>,
    /// What the booking still has.
    #[serde(default)]
    pub keeps: Vec<PricedLine>,
    /// The seats had been sold, not only held.
    #[serde(default)]
    pub was_sold: bool,
    /// When.
    pub at: Time,
}

/// How often an event's page was read on a day, so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventVisited {
    /// The event.
    pub event_id: EventId,
    /// The day in UTC.
    pub date: Day,
    /// Visits on that day so far.
    pub visits: u64,
}

/// A gender, as far as somebody told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Gender {
    /// Male.
    Male,
    /// Female.
    Female,
    /// Other.
    Other,
}

/// A user as they now are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserUpserted {
    /// The user.
    pub user_id: UserId,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// If told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gender: Option<Gender>,
    /// If told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_year: Option<i32>,
    /// Grows with each change.
    pub version: u64,
}

/// A user is gone, and what the services hold about them goes too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserErased {
    /// The user.
    pub user_id: UserId,
}

/// The status of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EventStatus {
    /// Only its organiser sees it.
    Draft,
    /// Everybody sees it.
    Published,
    /// Called off.
    Cancelled,
}

/// The name of a ticket type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketTypeName {
    /// Which.
    pub id: TicketTypeId,
    /// Its name.
    pub name: String,
}

/// An event as it now is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventUpserted {
    /// The event.
    pub event_id: EventId,
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
    /// The place in one line; empty for an event on the net.
    pub place: String,
    /// The names of its ticket types.
    pub ticket_types: Vec<TicketTypeName>,
    /// Grows with each change.
    pub version: u64,
}

/// Somebody rated an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedbackRecorded {
    /// The event.
    pub event_id: EventId,
    /// Who.
    pub user_id: UserId,
    /// 1 to 5.
    pub rating: u32,
    /// Counts the edits of this rating from 1.
    pub edition: u32,
    /// The event's sum of ratings after it.
    pub rating_sum: u64,
    /// The event's number of ratings after it.
    pub rating_count: u64,
    /// Counts the ratings and edits of this event from 1.
    pub sequence: u64,
    /// When.
    pub at: Time,
}

macro_rules! published {
    ($($kind:literal $topic:literal $name:ident $key:ident;)*) => {
        /// Any fact that a service publishes.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each is documented at its struct")]
        pub enum Published {
            $($name($name),)*
        }

        impl Published {
            /// What happened, such as `seats.held`.
            #[must_use]
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$name(_) => $kind,)* }
            }

            /// The name of its topic.
            #[must_use]
            pub fn topic(&self) -> &'static str {
                match self { $(Self::$name(_) => $topic,)* }
            }

            /// The aggregate whose facts stay in order.
            #[must_use]
            pub fn key(&self) -> String {
                match self { $(Self::$name(fact) => fact.$key.to_string(),)* }
            }

            /// Whether nobody needs the earlier facts of its key any more, and nobody may keep them.
            #[must_use]
            pub fn ends_its_key(&self) -> bool {
                matches!(self, Self::UserErased(_))
            }

            /// Its payload as JSON.
            ///
            /// # Errors
            /// Never for the facts of this module, whose maps have text keys.
            pub fn payload(&self) -> serde_json::Result<String> {
                // Room for all but events with long titles, so that it does not grow step by step.
                let mut payload = Vec::with_capacity(512);
                match self { $(Self::$name(fact) => serde_json::to_writer(&mut payload, fact)?,)* }
                // JSON is always UTF-8.
                Ok(String::from_utf8(payload).unwrap_or_default())
            }

            /// Reads a fact of a kind.
            ///
            /// # Errors
            /// When the kind is unknown or the payload is not one of that kind.
            pub fn read(kind: &str, payload: &str) -> Result<Self, String> {
                match kind {
                    $($kind => serde_json::from_str(payload).map(Self::$name).map_err(|e| format!("{kind}: {e}")),)*
                    other => Err(format!("unknown kind of fact: {other}")),
                }
            }
        }

        $(impl From<$name> for Published {
            fn from(fact: $name) -> Self {
                Self::$name(fact)
            }
        })*
    };
}

published! {
    "booking.placed" "ticket-event" BookingPlaced event_id;
    "booking.paid" "ticket-event" BookingPaid event_id;
    "booking.cancelled" "ticket-event" BookingCancelled event_id;
    "seats.held" "ticket-status-event" SeatsHeld event_id;
    "seats.sold" "ticket-status-event" SeatsSold event_id;
    "seats.refused" "ticket-status-event" SeatsRefused event_id;
    "seats.released" "ticket-status-event" SeatsReleased event_id;
    "event.visited" "visit-event" EventVisited event_id;
    "user.upserted" "upsert-data" UserUpserted user_id;
    "user.erased" "upsert-data" UserErased user_id;
    "event.upserted" "upsert-data" EventUpserted event_id;
    "feedback.recorded" "feedback-event" FeedbackRecorded event_id;
}
