//! What the ticket service keeps of events and users, as it hears of them.

use domain::{
    EventId, Refusal, RefusalKind, UserId,
    facts::{EventStatus, EventUpserted, UserUpserted},
    planted::{Defect, planted},
    ticket::{Booking, Command},
};
use kit::View;
use store::{Condition, Cursor, Key, MAX_PAGE, Query, Row, Store, StoreError, Value};

use crate::{
    machine::{TicketReply, event},
    rows::{EventInfo, TicketRow, UserInfo, user_key},
};

/// The version of a user who is gone: newer than any telling.
const GONE: u64 = u64::MAX;
/// The most bookings of one user that an erasure looks at.
const MAX_LOOKED_AT: usize = 100 * MAX_PAGE;

/// An event as it now is, unless a later telling was heard before.
pub(crate) fn hear_event(view: &mut View<TicketRow>, told: &EventUpserted) -> TicketReply {
    let known = event(view, told.event_id);
    if known.is_some_and(|known| known.version >= told.version) && !planted(Defect::OldEventHeard) {
        return TicketReply::Done;
    }
    let was_off = known.is_some_and(|known| known.status == EventStatus::Cancelled);
    let is_off = told.status == EventStatus::Cancelled;
    view.put(EventInfo {
        id: told.event_id,
        organizer_id: told.organizer_id,
        status: told.status,
        title: told.title.clone(),
        starts_at: told.starts_at,
        ends_at: told.ends_at,
        time_zone: told.time_zone.clone(),
        place: told.place.clone(),
        ticket_types: told.ticket_types.clone(),
        version: told.version,
        calling_off: is_off && !was_off,
    });
    TicketReply::Done
}

/// No booking of a called-off event is live any more.
pub(crate) fn called_off(view: &mut View<TicketRow>, id: EventId) -> TicketReply {
    if let Some(known) = event(view, id).filter(|known| known.calling_off) {
        view.put(EventInfo { calling_off: false, ..known.clone() });
    }
    TicketReply::Done
}

/// A user as they now are, unless a later telling was heard before.
pub(crate) fn hear_user(view: &mut View<TicketRow>, told: &UserUpserted) -> TicketReply {
    let known = match view.get(&user_key(told.user_id)) {
        Some(TicketRow::User(user)) => user.version,
        _ => 0,
    };
    if told.version > known {
        let (id, name, email) = (told.user_id, told.name.clone(), told.email.clone());
        view.put(UserInfo { id, name, email, version: told.version });
    }
    TicketReply::Done
}

/// Forgets who a user is, but for a mark that they are gone. Their bookings stay, with nothing in them that names a person.
pub(crate) fn erase(view: &mut View<TicketRow>, user: UserId) -> TicketReply {
    // The mark is newer than any telling, so an old one that is heard again does not bring them back.
    let mark = UserInfo { id: user, name: String::new(), email: String::new(), version: GONE };
    let is_marked = matches!(view.get(&user_key(user)), Some(TicketRow::User(known)) if *known == mark);
    if !is_marked {
        view.put(mark);
    }
    let bookings = view.table("booking").filter_map(|row| match row {
        TicketRow::Booking(booking) if booking.user_id == user => Some(booking.clone()),
        _ => None,
    });
    let named: Vec<Booking> = bookings.filter(names_somebody).collect();
    for mut booking in named {
        booking.attendees.clear();
        for ticket in &mut booking.tickets {
            ticket.attendee = None;
        }
        view.put(booking);
    }
    TicketReply::Done
}

fn names_somebody(booking: &Booking) -> bool {
    !booking.attendees.is_empty() || booking.tickets.iter().any(|ticket| ticket.attendee.is_some())
}

/// The bookings of a user in which somebody is named.
pub(crate) async fn with_names(store: &dyn Store<TicketRow>, user: UserId) -> Result<Vec<Key>, StoreError> {
    let (mut named, mut after) = (Vec::new(), None);
    for _ in 0..MAX_LOOKED_AT / MAX_PAGE {
        let bought = Condition::Is("user_id", Value::from(user.0));
        let page = store.query(&Query::all("booking").filter(bought).after(after)).await?;
        named.extend(page.iter().filter_map(|versioned| match versioned.row.as_ref() {
            TicketRow::Booking(booking) if names_somebody(booking) => Some(versioned.row.key()),
            _ => None,
        }));
        let Some(last) = page.last().filter(|_| page.len() == MAX_PAGE) else { return Ok(named) };
        after = Some(Cursor { value: Value::Null, id: last.row.key().id.to_string() });
    }
    tracing::warn!(bookings = MAX_LOOKED_AT, "an erasure leaves out what is beyond");
    Ok(named)
}

/// Lets somebody say in a new booking who comes, unless they are gone: a token outlives its account by minutes. Their row
/// is written with the booking, so an erasure at the same moment is decided once more, and finds it.
pub(crate) fn name_others(view: &mut View<TicketRow>, command: &Command) -> Result<(), Refusal> {
    let Command::Place { user_id, attendees, .. } = command else { return Ok(()) };
    if attendees.is_empty() {
        return Ok(());
    }
    let Some(TicketRow::User(known)) = view.get(&user_key(*user_id)) else { return Ok(()) };
    if known.version == GONE {
        return Err(Refusal::new(RefusalKind::Unauthenticated, "unauthenticated", "the account is erased"));
    }
    let known = known.clone();
    view.put(known);
    Ok(())
}
