//! A booking: one buyer's order for one event, with its payments, refunds and tickets.

use serde::{Deserialize, Serialize};

use crate::{
    facts::PlacedLine,
    ids::{BookingId, EventId, PaymentId, RefundId, TicketId, TicketTypeId, UserId},
    money::Money,
    time::Time,
};

/// The most lines of a booking.
pub const MAX_LINES: usize = 20;
/// How long a payment may stay without an answer before the provider is asked, in seconds.
pub const SETTLE_AFTER_SECONDS: i64 = 20;
/// The most characters of an attendee's name.
pub const MAX_ATTENDEE_NAME: usize = 120;

/// Where a booking is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BookingStatus {
    /// Seats are asked for.
    Pending,
    /// Seats are set aside, to be paid.
    Held,
    /// Tickets are issued.
    Booked,
    /// There were no seats for it.
    Rejected,
    /// Ended by its buyer, a declined payment or the organiser.
    Cancelled,
    /// Not paid in time.
    Expired,
}

impl BookingStatus {
    /// The name on the wire and in the stores.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Held => "HELD",
            Self::Booked => "BOOKED",
            Self::Rejected => "REJECTED",
            Self::Cancelled => "CANCELLED",
            Self::Expired => "EXPIRED",
        }
    }

    /// Whether it may still have seats.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Pending | Self::Held | Self::Booked)
    }
}

/// So many places of a ticket type; the price is known once the seats are taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What was asked for.
    #[serde(flatten)]
    pub placed: PlacedLine,
    /// The price of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<Money>,
}

/// Who will come with a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attendee {
    /// Their name.
    pub name: String,
    /// Their address; may be empty.
    pub email: String,
}

/// What became of an attempt to take money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PaymentStatus {
    /// Asked for, not yet answered.
    Started,
    /// The money is ours.
    Captured,
    /// Refused by the provider.
    Declined,
    /// Called off before it was captured.
    Voided,
}

/// One attempt to take money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Its id, also at the provider.
    pub id: PaymentId,
    /// What became of it.
    pub status: PaymentStatus,
    /// How much.
    pub amount: Money,
    /// When it was started.
    pub created_at: Time,
}

/// What became of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefundStatus {
    /// Owed to the buyer.
    Due,
    /// Paid back.
    Refunded,
}

/// One giving back of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Its id, also at the provider.
    pub id: RefundId,
    /// The payment that it gives back.
    pub payment_id: PaymentId,
    /// What became of it.
    pub status: RefundStatus,
    /// How much.
    pub amount: Money,
    /// When it became due.
    pub created_at: Time,
}

/// Whether a ticket admits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TicketStatus {
    /// It admits, once.
    Valid,
    /// It has admitted.
    Admitted,
    /// It does not.
    Cancelled,
}

/// One admission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// From 1 within the booking; with the booking's id it makes the ticket's.
    pub number: u16,
    /// Of which type.
    pub ticket_type_id: TicketTypeId,
    /// Whether it admits.
    pub status: TicketStatus,
    /// Who holds it: the buyer, or who it was transferred to.
    pub holder_id: UserId,
    /// Counts the transfers; a code of an earlier generation no longer admits.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub generation: u32,
    /// Who will come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attendee: Option<Attendee>,
    /// When it admitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admitted_at: Option<Time>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// One buyer's order for one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booking {
    /// Its id.
    pub id: BookingId,
    /// Its event.
    pub event_id: EventId,
    /// The buyer.
    pub user_id: UserId,
    /// Where it is in its life.
    pub status: BookingStatus,
    /// Why it was rejected or ended; else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What was asked for.
    pub lines: Vec<Line>,
    /// A code for a lower price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promo_code: Option<String>,
    /// Who will come, in the order of the tickets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attendees: Vec<Attendee>,
    /// What is to be paid, or was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Money>,
    /// When the seats are lost if they are not paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// The tickets, once booked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tickets: Vec<Ticket>,
    /// Every attempt to take money.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<Payment>,
    /// What is given back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<Refund>,
    /// Counts the cancellations of this booking, whole or in part.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cancel_number: u32,
    /// When it was placed.
    pub created_at: Time,
}

impl Booking {
    /// The ticket with this number.
    #[must_use]
    pub fn ticket(&self, number: u16) -> Option<&Ticket> {
        self.tickets.iter().find(|ticket| ticket.number == number)
    }

    /// The id of one of its tickets.
    #[must_use]
    pub fn ticket_id(&self, ticket: &Ticket) -> TicketId {
        self.id.ticket(ticket.number)
    }

    /// The payment that is asked for and not yet answered.
    #[must_use]
    pub fn open_payment(&self) -> Option<&Payment> {
        self.payments.iter().find(|payment| payment.status == PaymentStatus::Started)
    }

    /// The payment that was captured.
    #[must_use]
    pub fn captured_payment(&self) -> Option<&Payment> {
        self.payments.iter().find(|payment| payment.status == PaymentStatus::Captured)
    }

    /// The places of tickets that are not cancelled, by type, in the order of the lines.
    #[must_use]
    pub fn kept_lines(&self) -> Vec<PlacedLine> {
        let kept = |id: TicketTypeId| {
            let alive = |t: &&Ticket| t.ticket_type_id == id && t.status != TicketStatus::Cancelled;
            u32::try_from(self.tickets.iter().filter(alive).count()).unwrap_or(u32::MAX)
        };
        self.lines
            .iter()
            .map(|line| PlacedLine { quantity: kept(line.placed.ticket_type_id), ..line.placed.clone() })
            .filter(|line| line.quantity > 0)
            .collect()
    }

    /// The booking as the saga first decided it, for repeating an answer that waited for the decision.
    #[must_use]
    pub fn as_decided(&self) -> Self {
        let is_free = self.total.is_some_and(Money::is_zero);
        let mut first = match (self.status, self.total) {
            // Rejected, or ended before it was decided: it is as it was.
            (BookingStatus::Rejected, _) | (_, None) => return self.clone(),
            _ if is_free => self.as_booked(),
            _ => Self { status: BookingStatus::Held, tickets: Vec::new(), ..self.as_booked() },
        };
        first.payments.clear();
        first
    }

    /// The booking as it was when its tickets were issued, for repeating an answer to its payment.
    #[must_use]
    pub fn as_booked(&self) -> Self {
        let mut first = self.clone();
        first.status = BookingStatus::Booked;
        first.reason.clear();
        first.refunds.clear();
        first.cancel_number = 0;
        for ticket in &mut first.tickets {
            ticket.status = TicketStatus::Valid;
            ticket.holder_id = self.user_id;
            ticket.generation = 0;
            ticket.admitted_at = None;
        }
        first
    }

    /// When somebody must look at it again: to end its hold, settle its payment or pay it back.
    #[must_use]
    pub fn due_at(&self) -> Option<Time> {
        let refund =
            self.refunds.iter().filter(|r| r.status == RefundStatus::Due).map(|r| r.created_at).min();
        let payment =
            self.open_payment().map(|payment| payment.created_at.plus_seconds(SETTLE_AFTER_SECONDS));
        let is_unpaid = self.status == BookingStatus::Held && self.captured_payment().is_none();
        let expiry = self.expires_at.filter(|_| is_unpaid && payment.is_none());
        [refund, payment, expiry].into_iter().flatten().min()
    }

    /// What is wrong with it: the invariants of one booking.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut require = |holds: bool, what: &str| {
            if !holds {
                found.push(format!("booking {}: {what}", self.id));
            }
        };
        let wanted: u64 = self.lines.iter().map(|line| u64::from(line.placed.quantity)).sum();
        let has_tickets = !self.tickets.is_empty();
        match self.status {
            BookingStatus::Booked => {
                require(self.tickets.len() as u64 == wanted, "is BOOKED without a ticket for each place");
                let alive = self.tickets.iter().any(|t| t.status != TicketStatus::Cancelled);
                require(alive, "is BOOKED and all its tickets are cancelled");
                let is_free = self.total.is_some_and(Money::is_zero);
                require(is_free || self.captured_payment().is_some(), "is BOOKED and was not paid");
            }
            BookingStatus::Cancelled => {
                let none_alive = self.tickets.iter().all(|t| t.status == TicketStatus::Cancelled);
                require(none_alive, "is CANCELLED and has a valid ticket");
            }
            _ => require(!has_tickets, "has tickets and is not booked"),
        }
        let captures: Vec<_> = self.payments.iter().filter(|p| p.status == PaymentStatus::Captured).collect();
        require(captures.len() <= 1, "was paid more than once");
        let taken: i64 = captures.iter().map(|payment| payment.amount.minor).sum();
        let given_back: i64 = self.refunds.iter().map(|refund| refund.amount.minor).sum();
        require(given_back <= taken, "gives back more than it took");
        let ended = matches!(self.status, BookingStatus::Cancelled | BookingStatus::Expired);
        require(!ended || given_back == taken, "has ended and keeps money");
        found
    }
}
