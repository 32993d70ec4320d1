//! At the door: whether a code admits; and giving a ticket to somebody else.

use crate::{
    ids::{EventId, UserId},
    planted::{Defect, planted},
    refusal::Refusal,
    ticket::{
        booking::{Booking, BookingStatus, Ticket, TicketStatus},
        code::TicketCode,
    },
    time::Time,
};

/// What the door says to a code that is genuine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Come in.
    Admitted,
    /// Somebody came in with it before, at that time.
    AlreadyAdmitted(Time),
    /// It is for another event.
    WrongEvent,
    /// It was cancelled.
    Cancelled,
    /// Its booking is not paid.
    Unpaid,
    /// It was given to somebody else, who has the new code.
    Transferred,
}

/// Whether a genuine code admits to an event.
#[must_use]
pub fn admit(booking: &Booking, code: TicketCode, event_id: EventId) -> Admission {
    if code.event_id != event_id || booking.event_id != event_id {
        return Admission::WrongEvent;
    }
    let (_, number) = code.ticket_id.parts();
    let Some(ticket) = booking.ticket(number) else {
        return match booking.status {
            BookingStatus::Pending | BookingStatus::Held => Admission::Unpaid,
            _ => Admission::Cancelled,
        };
    };
    if ticket.generation != code.generation && !planted(Defect::OldCodeAdmits) {
        return Admission::Transferred;
    }
    match (ticket.status, ticket.admitted_at) {
        (TicketStatus::Cancelled, _) => Admission::Cancelled,
        (TicketStatus::Admitted, Some(at)) if !planted(Defect::AdmitsTwice) => Admission::AlreadyAdmitted(at),
        (TicketStatus::Admitted | TicketStatus::Valid, _) => Admission::Admitted,
    }
}

/// Notes that a ticket has admitted.
pub fn mark_admitted(ticket: &mut Ticket, now: Time) {
    ticket.status = TicketStatus::Admitted;
    ticket.admitted_at = Some(now);
}

/// Whether its holder may give a ticket away now.
///
/// # Errors
/// When it is cancelled or used, or the event has started.
pub fn may_transfer(
    ticket: &Ticket,
    to: UserId,
    event_starts_at: Option<Time>,
    now: Time,
) -> Result<(), Refusal> {
    match ticket.status {
        TicketStatus::Cancelled => {
            return Err(Refusal::conflict("not_transferable", "the ticket was cancelled"));
        }
        TicketStatus::Admitted => return Err(Refusal::conflict("not_transferable", "the ticket was used")),
        TicketStatus::Valid => {}
    }
    if event_starts_at.is_some_and(|start| start <= now) {
        return Err(Refusal::conflict("not_transferable", "the event has started"));
    }
    if ticket.holder_id == to {
        return Err(Refusal::field("email", "must be somebody else's: the ticket is theirs already"));
    }
    Ok(())
}

/// Gives a ticket to somebody; the code changes with the generation.
pub fn transfer(ticket: &mut Ticket, to: UserId) {
    ticket.holder_id = to;
    ticket.generation += u32::from(!planted(Defect::TransferKeepsCode));
    ticket.attendee = None;
}
