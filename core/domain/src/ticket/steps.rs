//! What happens to a booking, step by step, and what it then is.

use crate::{
    facts::{CancelReason, Published},
    ids::{PaymentId, RefundId},
    money::Money,
    ticket::booking::{
        Booking, BookingStatus, Line, Payment, PaymentStatus, Refund, RefundStatus, Ticket, TicketStatus,
    },
    time::Time,
};

/// One thing that happened to a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as the fields of the booking that they set")]
pub enum Step {
    Placed(Box<Booking>),
    Held { lines: Vec<Line>, total: Money, expires_at: Time },
    Rejected { reason: String },
    Booked { lines: Vec<Line>, total: Money, tickets: Vec<Ticket> },
    PaymentStarted(Payment),
    PaymentAnswered { id: PaymentId, status: PaymentStatus },
    Ended { status: BookingStatus, reason: CancelReason },
    TicketsCancelled { numbers: Vec<u16> },
    RefundDue(Refund),
    Refunded(RefundId),
}

/// What follows from a command: steps of the booking, and facts for the others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    /// In order.
    pub steps: Vec<Step>,
    /// To publish in the same commit.
    pub facts: Vec<Published>,
}

/// The booking after a decision; `None` stays `None` without a [`Step::Placed`].
#[must_use]
pub fn apply(booking: Option<&Booking>, decision: &Decision) -> Option<Booking> {
    let mut after = booking.cloned();
    for step in &decision.steps {
        match (step, &mut after) {
            (Step::Placed(placed), _) => after = Some((**placed).clone()),
            (step, Some(booking)) => apply_step(booking, step),
            (_, None) => {}
        }
    }
    after
}

/// The booking after one step.
pub(super) fn apply_step(booking: &mut Booking, step: &Step) {
    match step {
        Step::Placed(placed) => booking.clone_from(placed),
        Step::Held { lines, total, expires_at } => {
            booking.status = BookingStatus::Held;
            booking.lines.clone_from(lines);
            booking.total = Some(*total);
            booking.expires_at = Some(*expires_at);
        }
        Step::Rejected { reason } => {
            booking.status = BookingStatus::Rejected;
            booking.reason.clone_from(reason);
        }
        Step::Booked { lines, total, tickets } => {
            booking.status = BookingStatus::Booked;
            booking.lines.clone_from(lines);
            booking.total = Some(*total);
            booking.tickets.clone_from(tickets);
        }
        Step::PaymentStarted(payment) => booking.payments.push(payment.clone()),
        Step::PaymentAnswered { id, status } => {
            let open = booking.payments.iter_mut().find(|payment| payment.id == *id);
            if let Some(payment) = open {
                payment.status = *status;
            }
        }
        Step::Ended { status, reason } => {
            booking.status = *status;
            reason.code().clone_into(&mut booking.reason);
            booking.cancel_number += 1;
            for ticket in &mut booking.tickets {
                ticket.status = TicketStatus::Cancelled;
            }
        }
        Step::TicketsCancelled { numbers } => {
            booking.cancel_number += 1;
            for ticket in booking.tickets.iter_mut().filter(|ticket| numbers.contains(&ticket.number)) {
                ticket.status = TicketStatus::Cancelled;
            }
        }
        Step::RefundDue(refund) => booking.refunds.push(refund.clone()),
        Step::Refunded(id) => {
            for refund in booking.refunds.iter_mut().filter(|refund| refund.id == *id) {
                refund.status = RefundStatus::Refunded;
            }
        }
    }
}
