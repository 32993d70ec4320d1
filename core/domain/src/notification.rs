//! The notification service's rules: which facts give a mail, and when it is tried again.

mod mail;

use serde::{Deserialize, Serialize};

pub use mail::{Captured, Mail, MailError, Mailbox, Mailer, Reading, Sending};

use crate::{
    facts::{
        CancelReason, EventUpserted, PricedLine, SeatsRefused, SeatsReleased, SeatsSold, TicketTypeName,
        UserUpserted,
    },
    ids::{BookingId, EventId, TicketTypeId, UserId},
    money::Money,
    planted::{Defect, planted},
    time::Time,
};

/// How often a mail is tried: with the pauses below for about five hours.
pub const MAX_TRIES: u32 = 16;
/// The pause after the first try that failed; it doubles up to [`MAX_PAUSE_SECONDS`].
pub const FIRST_PAUSE_SECONDS: i64 = 2;
/// The longest pause between two tries.
pub const MAX_PAUSE_SECONDS: i64 = 3_600;
/// How long a try may take. After that, whoever tried is taken for dead and it is tried again.
pub const TRY_SECONDS: i64 = 300;

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    /// The places are the buyer's.
    Booked,
    /// The booking ended.
    Cancelled,
    /// There were no places.
    Refused,
    /// The booking was not paid in time.
    Expired,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Booked, Self::Cancelled, Self::Refused, Self::Expired];

    /// Its name, as in the proto.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Booked => "BOOKED",
            Self::Cancelled => "CANCELLED",
            Self::Refused => "REFUSED",
            Self::Expired => "EXPIRED",
        }
    }

    /// The subject of a mail about an event.
    #[must_use]
    pub fn subject(self, title: &str) -> String {
        match self {
            Self::Booked => format!("Your tickets for {title}"),
            Self::Cancelled => format!("Your booking for {title} was cancelled"),
            Self::Refused => format!("No tickets for {title}"),
            Self::Expired => format!("Your booking for {title} has expired"),
        }
    }
}

/// Where a mail is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// It is to be sent.
    Queued,
    /// The mail server took it.
    Sent,
    /// Given up.
    Failed,
}

impl Status {
    /// Its name, as in the proto.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Sent => "SENT",
            Self::Failed => "FAILED",
        }
    }
}

/// So many places of a ticket type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Which type.
    pub ticket_type_id: TicketTypeId,
    /// How many.
    pub quantity: u32,
}

/// What a user is told of a booking: one for each booking and kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// The booking.
    pub booking_id: BookingId,
    /// What about.
    pub kind: Kind,
    /// Who is told.
    pub user_id: UserId,
    /// The event.
    pub event_id: EventId,
    /// Why, as a stable code; empty for a sale.
    pub reason: String,
    /// The places that it is about.
    pub lines: Vec<Line>,
    /// What was paid, where something was sold.
    pub total: Option<Money>,
    /// Where the mail is on its way.
    pub status: Status,
    /// How often it was tried.
    pub tries: u32,
    /// When it is tried next, if it is queued.
    pub next_try_at: Time,
    /// As it was sent; empty until then.
    pub subject: String,
    /// Why it was given up, as a stable code; empty otherwise.
    pub failure: String,
    /// When the thing happened.
    pub at: Time,
    /// W3C trace context of what led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

impl Notification {
    /// The mail about a sale.
    #[must_use]
    pub fn of_sale(fact: &SeatsSold) -> Self {
        let about = (fact.booking_id, fact.user_id, fact.event_id);
        Self { lines: lines(&fact.lines), total: Some(fact.total), ..queued(about, Kind::Booked, fact.at) }
    }

    /// The mail about a refusal.
    #[must_use]
    pub fn of_refusal(fact: &SeatsRefused) -> Self {
        let about = (fact.booking_id, fact.user_id, fact.event_id);
        Self { reason: fact.reason.clone(), ..queued(about, Kind::Refused, fact.at) }
    }

    /// The mail about a release; none where the booking keeps places.
    #[must_use]
    pub fn of_release(fact: &SeatsReleased) -> Option<Self> {
        if !fact.keeps.is_empty() && !planted(Defect::PartialReturnToldAsEnd) {
            return None;
        }
        let kind = if fact.reason == CancelReason::Expired { Kind::Expired } else { Kind::Cancelled };
        let about = (fact.booking_id, fact.user_id, fact.event_id);
        let (reason, lines) = (fact.reason.code().to_owned(), lines(&fact.lines));
        Some(Self { reason, lines, ..queued(about, kind, fact.at) })
    }

    /// The id of its record: hearing of it twice leads to the same one.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", self.booking_id, self.kind.name())
    }

    /// The id of its mail, the same at each try, so that a mail program shows a repeated one once.
    #[must_use]
    pub fn message_id(&self) -> String {
        format!("{}.{}@boxoffice", self.booking_id, self.kind.name().to_ascii_lowercase())
    }

    /// The notification with a try begun; `None` when it is not due: sent, or being tried by another.
    #[must_use]
    pub fn begin_try(&self, now: Time) -> Option<Self> {
        let is_due = self.status == Status::Queued && self.next_try_at <= now;
        is_due.then(|| Self {
            tries: self.tries + 1,
            next_try_at: now.plus_seconds(TRY_SECONDS),
            ..self.clone()
        })
    }

    /// The notification after a try; `None` when that changes nothing.
    #[must_use]
    pub fn end_try(&self, this_try: u32, outcome: &Outcome, now: Time) -> Option<Self> {
        if self.status != Status::Queued {
            return None;
        }
        match outcome {
            Outcome::Sent { .. } if planted(Defect::SentNotNoted) => None,
            Outcome::Sent { subject } => {
                let (subject, failure) = (subject.clone(), String::new());
                Some(Self { status: Status::Sent, subject, failure, ..self.clone() })
            }
            // Another try began after this one was taken for dead: what it says counts.
            _ if self.tries != this_try => None,
            Outcome::Later { why } if self.tries < MAX_TRIES => Some(Self {
                next_try_at: now.plus_seconds(self.pause_seconds()),
                failure: why.clone(),
                ..self.clone()
            }),
            Outcome::Later { why } | Outcome::Never { why } => {
                Some(Self { status: Status::Failed, failure: why.clone(), ..self.clone() })
            }
        }
    }

    /// The pause after the try that has just failed.
    fn pause_seconds(&self) -> i64 {
        let doublings = self.tries.saturating_sub(1).min(MAX_TRIES);
        (FIRST_PAUSE_SECONDS << doublings).min(MAX_PAUSE_SECONDS)
    }
}

/// What became of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The mail server took it.
    Sent {
        /// The subject it had.
        subject: String,
    },
    /// It may go later.
    Later {
        /// Why not now, as a stable code.
        why: String,
    },
    /// It will never go.
    Never {
        /// Why not, as a stable code.
        why: String,
    },
}

fn queued(about: (BookingId, UserId, EventId), kind: Kind, at: Time) -> Notification {
    let (booking_id, user_id, event_id) = about;
    Notification {
        booking_id,
        kind,
        user_id,
        event_id,
        reason: String::new(),
        lines: Vec::new(),
        total: None,
        status: Status::Queued,
        tries: 0,
        next_try_at: at,
        subject: String::new(),
        failure: String::new(),
        at,
        traceparent: None,
    }
}

fn lines(priced: &[PricedLine]) -> Vec<Line> {
    let line = |line: &PricedLine| Line { ticket_type_id: line.ticket_type_id, quantity: line.quantity };
    priced.iter().map(line).collect()
}

/// Whom to write to. An erased user stays as a mark, so that an old fact does not bring them back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The user.
    pub user_id: UserId,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// The version of what is known.
    pub version: u64,
    /// The user is gone.
    pub is_erased: bool,
}

impl Recipient {
    /// The user as they now are; `None` when this is old.
    #[must_use]
    pub fn upserted(known: Option<&Self>, fact: &UserUpserted) -> Option<Self> {
        let is_news = known.is_none_or(|known| {
            !known.is_erased && (fact.version > known.version || planted(Defect::OldUserHeard))
        });
        is_news.then(|| Self {
            user_id: fact.user_id,
            name: fact.name.clone(),
            email: fact.email.clone(),
            version: fact.version,
            is_erased: false,
        })
    }

    /// The mark that a user is gone.
    #[must_use]
    pub fn erased(user_id: UserId) -> Self {
        Self { user_id, name: String::new(), email: String::new(), version: 0, is_erased: true }
    }
}

/// What a mail says of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occasion {
    /// The event.
    pub event_id: EventId,
    /// Its title.
    pub title: String,
    /// When it starts.
    pub starts_at: Time,
    /// Its time zone (IANA).
    pub time_zone: String,
    /// The place in one line, perhaps none.
    pub place: String,
    /// The names of its ticket types.
    pub ticket_types: Vec<TicketTypeName>,
    /// Grows with each change.
    pub version: u64,
}

impl From<&EventUpserted> for Occasion {
    fn from(fact: &EventUpserted) -> Self {
        Self {
            event_id: fact.event_id,
            title: fact.title.clone(),
            starts_at: fact.starts_at,
            time_zone: fact.time_zone.clone(),
            place: fact.place.clone(),
            ticket_types: fact.ticket_types.clone(),
            version: fact.version,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const NOW: Time = Time::from_micros(1_000_000_000);

    fn notification() -> Notification {
        let about = (BookingId::from_bits(1 << 16), UserId(Uuid::from_u128(1)), EventId(Uuid::from_u128(2)));
        queued(about, Kind::Booked, NOW)
    }

    #[test]
    fn tries_pause_longer_and_end() {
        let (mut notification, mut now, mut pauses) = (notification(), NOW, Vec::new());
        let later = Outcome::Later { why: "unreachable".to_owned() };
        while notification.status == Status::Queued {
            notification = notification.begin_try(now).unwrap();
            assert_eq!(notification.begin_try(now), None, "nobody else tries meanwhile");
            notification = notification.end_try(notification.tries, &later, now).unwrap();
            pauses.push((notification.next_try_at.micros() - now.micros()) / 1_000_000);
            now = notification.next_try_at;
        }
        assert_eq!((notification.tries, notification.status), (MAX_TRIES, Status::Failed));
        assert_eq!(pauses[..4], [2, 4, 8, 16]);
        assert_eq!(pauses[12], MAX_PAUSE_SECONDS);
    }

    #[test]
    fn a_try_that_was_taken_for_dead_may_only_say_that_it_succeeded() {
        let first = notification().begin_try(NOW).unwrap();
        let second = first.begin_try(NOW.plus_seconds(TRY_SECONDS)).unwrap();
        let never = Outcome::Never { why: "refused".to_owned() };
        assert_eq!(second.end_try(1, &never, NOW), None);
        let sent = second.end_try(1, &Outcome::Sent { subject: "s".to_owned() }, NOW).unwrap();
        assert_eq!(sent.status, Status::Sent);
        assert_eq!(sent.end_try(2, &never, NOW), None);
    }
}
