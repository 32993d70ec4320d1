//! The ticket service's behaviour: it starts bookings, follows their seats, and knows who holds what.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    BookingId, EventId, RefundId, Refusal, Time, UserId,
    facts::{EventStatus, EventUpserted, Published, UserUpserted},
    planted::{Defect, planted},
    ticket::{
        Booking, Command, TicketStatus, apply,
        code::TicketCode,
        decide,
        decide::EventOff,
        door::{self, Admission},
    },
};
use kit::{Machine, View};
use serde::{Deserialize, Serialize};
use store::{Change, Key, Store, StoreError};

use crate::{
    decisions::Decisions,
    figures::Figures,
    read_models::{called_off, erase, hear_event, hear_user, name_others, with_names},
    rows::{EventInfo, TicketRow, booking_key, event_key, user_key},
    sold_out::SoldOut,
};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub user_id: UserId,
    /// Sees all.
    pub is_admin: bool,
}

/// What can be asked of the ticket service.
#[derive(Debug, Clone, PartialEq)]
pub enum TicketCommand {
    /// A buyer's own command on a booking of theirs.
    Own(Actor, BookingId, EventId, Command),
    /// A command of the service itself, or of the event service, on a booking.
    Saga(BookingId, EventId, Command),
    /// At the door: a genuine code.
    CheckIn(Actor, EventId, TicketCode),
    /// A holder gives a ticket away.
    Transfer {
        /// Who.
        actor: Actor,
        /// Of which booking.
        booking_id: BookingId,
        /// Of which event.
        event_id: EventId,
        /// Which of its tickets.
        number: u16,
        /// To whom.
        to: UserId,
    },
    /// An event as it now is.
    EventUpserted(EventUpserted),
    /// Seats of an event came back.
    SeatsReleased(EventId),
    /// No booking of a called-off event is live any more.
    CalledOff(EventId),
    /// A user as they now are.
    UserUpserted(UserUpserted),
    /// A user is gone.
    UserErased(UserId),
}

/// What the ticket service answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum TicketReply {
    /// The booking as it now is.
    Booking(Box<Booking>),
    /// What the door says, and the booking that the ticket is of.
    Door(DoorAnswer, Option<Box<Booking>>),
    /// Nothing to say.
    Done,
}

/// What the door says; as [`Admission`], in a form that can be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is documented at Admission")]
pub enum DoorAnswer {
    Admitted,
    AlreadyAdmitted(Time),
    WrongEvent,
    Cancelled,
    Unpaid,
    Transferred,
}

impl From<Admission> for DoorAnswer {
    fn from(admission: Admission) -> Self {
        match admission {
            Admission::Admitted => Self::Admitted,
            Admission::AlreadyAdmitted(at) => Self::AlreadyAdmitted(at),
            Admission::WrongEvent => Self::WrongEvent,
            Admission::Cancelled => Self::Cancelled,
            Admission::Unpaid => Self::Unpaid,
            Admission::Transferred => Self::Transferred,
        }
    }
}

/// The ticket service's behaviour.
pub struct TicketMachine {
    decisions: Arc<Decisions>,
    sold_out: SoldOut,
    figures: Option<Arc<Figures>>,
}

impl TicketMachine {
    /// `decisions` is told of each booking that is decided.
    #[must_use]
    pub fn new(decisions: Arc<Decisions>) -> Self {
        Self { decisions, sold_out: SoldOut::default(), figures: None }
    }

    /// Counts what is committed.
    #[must_use]
    pub(crate) fn counting(self, figures: Arc<Figures>) -> Self {
        Self { figures: Some(figures), ..self }
    }

    /// What is sold out, as far as is known.
    #[must_use]
    pub(crate) fn sold_out(&self) -> &SoldOut {
        &self.sold_out
    }

    /// Keeps the hints up to date. They are only hints: should the commit fail, they are still true.
    fn hint(&self, view: &View<TicketRow>, command: &TicketCommand, now: Time) {
        match command {
            TicketCommand::Saga(id, _, Command::Refused(refused)) => {
                if let Some(booking) = booking(view, *id) {
                    self.sold_out.note(booking, &refused.reason, now);
                }
            }
            TicketCommand::Own(_, _, event_id, Command::Cancel { .. })
            | TicketCommand::Saga(_, event_id, Command::Expire | Command::CallOff(_))
            | TicketCommand::SeatsReleased(event_id) => self.sold_out.forget(*event_id),
            TicketCommand::EventUpserted(event) => self.sold_out.forget(event.event_id),
            _ => {}
        }
    }
}

#[async_trait]
impl Machine for TicketMachine {
    type Row = TicketRow;
    type Command = TicketCommand;
    type Reply = TicketReply;

    /// A booking waits for its seats.
    const SOON_AGAIN: &'static [&'static str] = &["booking"];

    fn keys(&self, command: &TicketCommand) -> Vec<Key> {
        match command {
            TicketCommand::Own(_, booking, event, Command::Place { user_id, attendees, .. })
                if !attendees.is_empty() =>
            {
                vec![booking_key(*booking), event_key(*event), user_key(*user_id)]
            }
            TicketCommand::Own(_, booking, event, _)
            | TicketCommand::Saga(booking, event, _)
            | TicketCommand::Transfer { booking_id: booking, event_id: event, .. } => {
                vec![booking_key(*booking), event_key(*event)]
            }
            TicketCommand::CheckIn(_, event, code) => {
                vec![booking_key(code.ticket_id.parts().0), event_key(*event)]
            }
            TicketCommand::EventUpserted(event) => vec![event_key(event.event_id)],
            TicketCommand::SeatsReleased(_) => Vec::new(),
            TicketCommand::CalledOff(event) => vec![event_key(*event)],
            TicketCommand::UserUpserted(user) => vec![user_key(user.user_id)],
            TicketCommand::UserErased(user) => vec![user_key(*user)],
        }
    }

    fn makes(&self, command: &TicketCommand) -> Option<Key> {
        match command {
            TicketCommand::Own(_, booking, _, Command::Place { .. }) => Some(booking_key(*booking)),
            _ => None,
        }
    }

    fn searches(&self, command: &TicketCommand) -> bool {
        matches!(command, TicketCommand::UserErased(_))
    }

    async fn search(
        &self,
        store: &dyn Store<TicketRow>,
        command: &TicketCommand,
    ) -> Result<Vec<Key>, StoreError> {
        match command {
            TicketCommand::UserErased(user) => with_names(store, *user).await,
            _ => Ok(Vec::new()),
        }
    }

    fn decide(
        &self,
        view: &mut View<TicketRow>,
        command: &TicketCommand,
        now: Time,
    ) -> Result<TicketReply, Refusal> {
        self.hint(view, command, now);
        match command {
            TicketCommand::Own(actor, booking_id, _, command) => own(view, *actor, *booking_id, command, now),
            TicketCommand::Saga(booking_id, event_id, command) => {
                saga(view, *booking_id, *event_id, command, now)
            }
            TicketCommand::CheckIn(actor, event_id, code) => check_in(view, *actor, *event_id, *code, now),
            TicketCommand::Transfer { actor, booking_id, event_id, number, to } => {
                transfer(view, *actor, *booking_id, *event_id, *number, *to, now)
            }
            TicketCommand::EventUpserted(event) => Ok(hear_event(view, event)),
            TicketCommand::SeatsReleased(_) => Ok(TicketReply::Done),
            TicketCommand::CalledOff(event_id) => Ok(called_off(view, *event_id)),
            TicketCommand::UserUpserted(user) => Ok(hear_user(view, user)),
            TicketCommand::UserErased(user) => Ok(erase(view, *user)),
        }
    }

    fn hear(&self, fact: &Published) -> Option<TicketCommand> {
        // Should the event be known to be called off, the refund's id follows from the booking's.
        let off = |booking: BookingId| EventOff::Yes(RefundId(booking.0));
        match fact {
            Published::SeatsHeld(held) => {
                let (booking, event) = (held.booking_id, held.event_id);
                Some(TicketCommand::Saga(booking, event, Command::Held(held.clone(), off(booking))))
            }
            Published::SeatsSold(sold) => {
                let (booking, event) = (sold.booking_id, sold.event_id);
                Some(TicketCommand::Saga(booking, event, Command::Sold(sold.clone(), off(booking))))
            }
            Published::SeatsRefused(refused) => {
                let (booking, event) = (refused.booking_id, refused.event_id);
                Some(TicketCommand::Saga(booking, event, Command::Refused(refused.clone())))
            }
            Published::SeatsReleased(released) => Some(TicketCommand::SeatsReleased(released.event_id)),
            Published::EventUpserted(event) => Some(TicketCommand::EventUpserted(event.clone())),
            Published::UserUpserted(user) => Some(TicketCommand::UserUpserted(user.clone())),
            Published::UserErased(user) => Some(TicketCommand::UserErased(user.user_id)),
            _ => None,
        }
    }

    fn committed(&self, changes: &[Change<TicketRow>]) {
        if let Some(figures) = &self.figures {
            figures.committed(changes);
        }
        let rows = changes.iter().filter_map(|change| change.row.as_deref());
        self.decisions.tell(rows.filter_map(|row| match row {
            TicketRow::Booking(booking) => Some(booking),
            _ => None,
        }));
    }
}

fn booking(view: &View<TicketRow>, id: BookingId) -> Option<&Booking> {
    match view.get(&booking_key(id)) {
        Some(TicketRow::Booking(booking)) => Some(booking),
        _ => None,
    }
}

pub(crate) fn event(view: &View<TicketRow>, id: EventId) -> Option<&EventInfo> {
    match view.get(&event_key(id)) {
        Some(TicketRow::Event(event)) => Some(event),
        _ => None,
    }
}

/// A buyer's command: only on a booking of their own; another's is as good as unknown.
fn own(
    view: &mut View<TicketRow>,
    actor: Actor,
    id: BookingId,
    command: &Command,
    now: Time,
) -> Result<TicketReply, Refusal> {
    let is_foreign = |booking: &Booking| booking.user_id != actor.user_id && !actor.is_admin;
    if booking(view, id).is_some_and(is_foreign) && !planted(Defect::OwnerNotChecked) {
        return Err(Refusal::not_found("booking"));
    }
    name_others(view, command)?;
    carry_out(view, id, command, now)
}

/// A command of the saga: whether the event is called off is looked up, not heard.
fn saga(
    view: &mut View<TicketRow>,
    id: BookingId,
    event_id: EventId,
    command: &Command,
    now: Time,
) -> Result<TicketReply, Refusal> {
    let is_off = event(view, event_id).is_some_and(|event| event.status == EventStatus::Cancelled)
        && !planted(Defect::EventCancelMissesLateHolds);
    match command {
        Command::Held(held, _) if !is_off => {
            carry_out(view, id, &Command::Held(held.clone(), EventOff::No), now)
        }
        Command::Sold(sold, _) if !is_off => {
            carry_out(view, id, &Command::Sold(sold.clone(), EventOff::No), now)
        }
        command => carry_out(view, id, command, now),
    }
}

fn carry_out(
    view: &mut View<TicketRow>,
    id: BookingId,
    command: &Command,
    now: Time,
) -> Result<TicketReply, Refusal> {
    let before = booking(view, id);
    let decision = decide(before, command, now)?;
    let Some(after) = apply(before, &decision) else { return Ok(TicketReply::Done) };
    if !decision.steps.is_empty() {
        view.put(after.clone());
    }
    for fact in decision.facts {
        view.publish(fact);
    }
    Ok(TicketReply::Booking(Box::new(after)))
}

fn check_in(
    view: &mut View<TicketRow>,
    actor: Actor,
    event_id: EventId,
    code: TicketCode,
    now: Time,
) -> Result<TicketReply, Refusal> {
    may_see_door(event(view, event_id), actor)?;
    let (booking_id, number) = code.ticket_id.parts();
    let Some(found) = booking(view, booking_id) else {
        // The signature is ours, so the booking was there once.
        return Ok(TicketReply::Door(DoorAnswer::Cancelled, None));
    };
    let admission = door::admit(found, code, event_id);
    let mut after = found.clone();
    if admission == Admission::Admitted
        && let Some(ticket) = after.tickets.iter_mut().find(|ticket| ticket.number == number)
    {
        door::mark_admitted(ticket, now);
        view.put(after.clone());
    }
    let shown = (admission != Admission::WrongEvent).then(|| Box::new(after));
    Ok(TicketReply::Door(admission.into(), shown))
}

/// Whether somebody may see who comes to an event.
///
/// # Errors
/// When the event is unknown, or another's.
pub(crate) fn may_see_door(event: Option<&EventInfo>, actor: Actor) -> Result<&EventInfo, Refusal> {
    match event {
        None => Err(Refusal::not_found("event")),
        Some(event) if event.organizer_id == actor.user_id || actor.is_admin => Ok(event),
        Some(event) if planted(Defect::DoorOpenToAll) => Ok(event),
        Some(event) if event.status == EventStatus::Draft => Err(Refusal::not_found("event")),
        Some(_) => Err(Refusal::forbidden("only the organiser of the event may do that")),
    }
}

fn transfer(
    view: &mut View<TicketRow>,
    actor: Actor,
    booking_id: BookingId,
    event_id: EventId,
    number: u16,
    to: UserId,
    now: Time,
) -> Result<TicketReply, Refusal> {
    let mut after = booking(view, booking_id).cloned().ok_or_else(|| Refusal::not_found("ticket"))?;
    let starts_at = event(view, event_id).map(|event| event.starts_at);
    let mine = |ticket: &&mut domain::ticket::Ticket| {
        ticket.number == number && (ticket.holder_id == actor.user_id || planted(Defect::TransferByAnybody))
    };
    let ticket = after.tickets.iter_mut().find(mine).ok_or_else(|| Refusal::not_found("ticket"))?;
    door::may_transfer(ticket, to, starts_at, now)?;
    door::transfer(ticket, to);
    view.put(after.clone());
    Ok(TicketReply::Booking(Box::new(after)))
}

/// Whether a ticket is still worth something.
pub(crate) fn is_alive(ticket: &domain::ticket::Ticket) -> bool {
    ticket.status != TicketStatus::Cancelled
}
