//! How a booking ends, or shrinks: the buyer gives it back, nobody pays, the event is called off.

use crate::{
    facts::{BookingCancelled, CancelReason, PlacedLine, Published},
    ids::RefundId,
    money::Money,
    planted::{Defect, planted},
    refusal::Refusal,
    ticket::{
        booking::{Booking, BookingStatus, Refund, RefundStatus, Ticket, TicketStatus},
        steps::{Decision, Step, apply_step},
    },
    time::Time,
};

pub(super) fn cancel(
    booking: &Booking,
    numbers: &[u16],
    refund_id: RefundId,
    now: Time,
) -> Result<Decision, Refusal> {
    match booking.status {
        BookingStatus::Cancelled | BookingStatus::Expired => {
            return Err(Refusal::conflict("already_cancelled", "the booking has ended"));
        }
        BookingStatus::Rejected => {
            return Err(Refusal::conflict(
                "not_cancellable",
                "the booking was rejected; there is nothing to cancel",
            ));
        }
        BookingStatus::Held if booking.open_payment().is_some() => {
            return Err(Refusal::conflict(
                "payment_in_progress",
                "a payment of this booking is not settled yet",
            ));
        }
        BookingStatus::Held if booking.captured_payment().is_some() => {
            return Err(Refusal::conflict("payment_in_progress", "the booking is just being confirmed"));
        }
        BookingStatus::Booked => return cancel_tickets(booking, numbers, refund_id, now),
        BookingStatus::Pending | BookingStatus::Held => {}
    }
    if !numbers.is_empty() {
        return Err(Refusal::field("ticket_ids", "must be left out: the booking has no tickets yet"));
    }
    let mut decision = Decision::default();
    end(&mut decision, booking, BookingStatus::Cancelled, CancelReason::Buyer, now);
    Ok(decision)
}

fn cancel_tickets(
    booking: &Booking,
    numbers: &[u16],
    refund_id: RefundId,
    now: Time,
) -> Result<Decision, Refusal> {
    let is_alive = |ticket: &Ticket| ticket.status != TicketStatus::Cancelled;
    let chosen: Vec<&Ticket> = match numbers {
        [] => booking.tickets.iter().filter(|ticket| is_alive(ticket)).collect(),
        some => booking.tickets.iter().filter(|ticket| some.contains(&ticket.number)).collect(),
    };
    if chosen.len() < numbers.len() {
        return Err(Refusal::field("ticket_ids", "must be tickets of this booking, each once"));
    }
    let is_used = chosen.iter().any(|ticket| ticket.status == TicketStatus::Admitted);
    if is_used && !planted(Defect::UsedTicketGivenBack) {
        return Err(Refusal::conflict("not_cancellable", "a ticket was used at the door"));
    }
    if !chosen.iter().all(|ticket| is_alive(ticket)) {
        return Err(Refusal::conflict("already_cancelled", "a ticket was cancelled before"));
    }
    let mut decision = Decision::default();
    owe_refund(&mut decision, booking, price_of(booking, &chosen), refund_id, now);
    if chosen.len() == booking.tickets.iter().filter(|ticket| is_alive(ticket)).count() {
        end(&mut decision, booking, BookingStatus::Cancelled, CancelReason::Buyer, now);
        return Ok(decision);
    }
    let step = Step::TicketsCancelled { numbers: chosen.iter().map(|ticket| ticket.number).collect() };
    let mut after = booking.clone();
    if !planted(Defect::PartialCancelKeepsAll) {
        apply_step(&mut after, &step);
    }
    decision.facts.push(cancelled(booking, CancelReason::Buyer, after.kept_lines(), now));
    decision.steps.push(step);
    Ok(decision)
}

fn price_of(booking: &Booking, tickets: &[&Ticket]) -> i64 {
    let unit = |ticket: &&Ticket| {
        let line = booking.lines.iter().find(|line| line.placed.ticket_type_id == ticket.ticket_type_id);
        line.and_then(|line| line.unit_price).map_or(0, |price| price.minor)
    };
    tickets.iter().map(unit).sum()
}

/// Ends a hold whose time is over. An open payment is settled first, by whoever sweeps.
pub(super) fn expire(booking: &Booking, now: Time) -> Decision {
    let is_due = booking.status == BookingStatus::Held && booking.expires_at.is_some_and(|end| end <= now);
    let is_paid = booking.captured_payment().is_some() && !planted(Defect::ExpireAfterPayment);
    let mut decision = Decision::default();
    let is_settled = booking.open_payment().is_none() || planted(Defect::ExpireDuringPayment);
    if is_due && !is_paid && is_settled {
        end(&mut decision, booking, BookingStatus::Expired, CancelReason::Expired, now);
    }
    decision
}

pub(super) fn call_off(booking: &Booking, refund_id: RefundId, now: Time) -> Decision {
    let mut decision = Decision::default();
    if !booking.status.is_live() || booking.open_payment().is_some() {
        return decision;
    }
    owe_everything(&mut decision, booking, refund_id, now);
    end(&mut decision, booking, BookingStatus::Cancelled, CancelReason::EventCancelled, now);
    decision
}

/// What was captured and not given back yet is owed to the buyer.
pub(super) fn owe_everything(decision: &mut Decision, booking: &Booking, refund_id: RefundId, now: Time) {
    let given_back: i64 = booking.refunds.iter().map(|refund| refund.amount.minor).sum();
    let captured = booking.captured_payment().map_or(0, |payment| payment.amount.minor);
    owe_refund(decision, booking, captured - given_back, refund_id, now);
}

fn owe_refund(decision: &mut Decision, booking: &Booking, minor: i64, id: RefundId, now: Time) {
    let Some(payment) = booking.captured_payment() else { return };
    if minor <= 0 || planted(Defect::RefundForgotten) {
        return;
    }
    let amount = match planted(Defect::RefundOfEverything) {
        true => payment.amount,
        false => Money { minor, ..payment.amount },
    };
    let refund = Refund { id, payment_id: payment.id, status: RefundStatus::Due, amount, created_at: now };
    decision.steps.push(Step::RefundDue(refund));
}

pub(super) fn refunded(booking: &Booking, id: RefundId) -> Decision {
    let is_due = |refund: &Refund| refund.id == id && refund.status == RefundStatus::Due;
    let due = booking.refunds.iter().any(is_due);
    Decision { steps: due.then_some(Step::Refunded(id)).into_iter().collect(), facts: vec![] }
}

pub(super) fn end(
    decision: &mut Decision,
    booking: &Booking,
    status: BookingStatus,
    reason: CancelReason,
    now: Time,
) {
    decision.steps.push(Step::Ended { status, reason });
    if !planted(Defect::CancelledFactNotPublished) {
        decision.facts.push(cancelled(booking, reason, Vec::new(), now));
    }
}

fn cancelled(booking: &Booking, reason: CancelReason, keeps: Vec<PlacedLine>, now: Time) -> Published {
    BookingCancelled {
        booking_id: booking.id,
        event_id: booking.event_id,
        user_id: booking.user_id,
        reason,
        cancel_number: booking.cancel_number + 1,
        keeps,
        at: now,
    }
    .into()
}
