//! The event service's behaviour: organisers write events, and bookings take seats.

use domain::{
    BookingId, Day, EventId, Refusal, RefusalKind, TicketTypeId, Time, UserId,
    event::{
        Event, Hold, Inventory, TicketType, details,
        inventory::debug_assert_sound,
        seats::{self, Seats},
    },
    facts::{
        BookingCancelled, BookingPaid, BookingPlaced, EventStatus, EventVisited, FeedbackRecorded, Published,
    },
    planted::{Defect, planted},
    refusal::Check,
};
use kit::{Machine, View};
use serde::{Deserialize, Serialize};
use store::{Change, Key};

use crate::{
    patch::{EventPatch, TypePatch, check_type},
    recent::RecentPages,
    rows::{EventRow, EventView, Rating, Visits, event_key, hold_key, inventory_key, rating_key, visits_key},
    watching::Changes,
};

/// Who asks for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub user_id: UserId,
    /// May change everything.
    pub is_admin: bool,
}

/// A change of one event by its organiser.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// Changes some fields.
    Update(Box<EventPatch>),
    /// Deletes a draft.
    Delete,
    /// Puts a draft on sale.
    Publish,
    /// Calls it off.
    Cancel,
    /// Adds a ticket type.
    AddType(TicketType),
    /// Changes some fields of a ticket type.
    UpdateType(TicketTypeId, TypePatch),
    /// Removes a ticket type.
    DeleteType(TicketTypeId),
}

/// What can be asked of the event service.
#[derive(Debug, Clone, PartialEq)]
pub enum EventCommand {
    /// An organiser writes a new event.
    Create(Box<Event>),
    /// An organiser changes one.
    Edit {
        /// Which.
        event_id: EventId,
        /// Who.
        actor: Actor,
        /// The version that they saw, if they said.
        expected: Option<u64>,
        /// What.
        edit: Edit,
    },
    /// A buyer wants seats.
    Placed(BookingPlaced),
    /// A held booking was paid.
    Paid(BookingPaid),
    /// A booking ended or shrank.
    Cancelled(BookingCancelled),
    /// Somebody read the event's page, so many times.
    Visited(EventId, Day, u64),
    /// Somebody rated the event.
    Rated(FeedbackRecorded),
}

/// What the event service answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum EventReply {
    /// The event as it now is.
    Event(Box<EventView>),
    /// Nothing to say.
    Done,
}

/// The event service's behaviour.
pub struct EventMachine {
    hold_seconds: i64,
    recent: RecentPages,
    changes: Changes,
}

impl EventMachine {
    /// `hold_seconds`: how long seats are held for payment.
    #[must_use]
    pub fn new(hold_seconds: i64) -> Self {
        Self { hold_seconds, recent: RecentPages::default(), changes: Changes::default() }
    }

    /// Pages of the event list that were asked for lately.
    pub(crate) fn recent(&self) -> &RecentPages {
        &self.recent
    }

    /// Who watches what is left.
    pub(crate) fn changes(&self) -> &Changes {
        &self.changes
    }

    fn seats<'a>(&self, view: &'a View<EventRow>, event_id: EventId, booking_id: BookingId) -> Seats<'a> {
        let hold = match view.get(&hold_key(booking_id)) {
            Some(EventRow::Hold(hold)) => Some(hold),
            _ => None,
        };
        Seats {
            event: event(view, event_id),
            inventory: inventory(view, event_id),
            hold,
            hold_seconds: self.hold_seconds,
        }
    }
}

impl Machine for EventMachine {
    type Row = EventRow;
    type Command = EventCommand;
    type Reply = EventReply;

    fn keys(&self, command: &EventCommand) -> Vec<Key> {
        let of_event = |id| vec![event_key(id), inventory_key(id), rating_key(id)];
        let of_seats = |event, booking| vec![event_key(event), inventory_key(event), hold_key(booking)];
        match command {
            EventCommand::Create(event) => of_event(event.id),
            EventCommand::Edit { event_id, .. } => of_event(*event_id),
            EventCommand::Placed(placed) => of_seats(placed.event_id, placed.booking_id),
            EventCommand::Paid(paid) => of_seats(paid.event_id, paid.booking_id),
            EventCommand::Cancelled(cancelled) => of_seats(cancelled.event_id, cancelled.booking_id),
            EventCommand::Visited(event_id, date, _) => vec![visits_key(*event_id, *date)],
            EventCommand::Rated(rated) => vec![rating_key(rated.event_id)],
        }
    }

    fn makes(&self, command: &EventCommand) -> Option<Key> {
        match command {
            EventCommand::Placed(placed) => Some(hold_key(placed.booking_id)),
            _ => None,
        }
    }

    fn decide(
        &self,
        view: &mut View<EventRow>,
        command: &EventCommand,
        now: Time,
    ) -> Result<EventReply, Refusal> {
        match command {
            EventCommand::Create(event) => create(view, event),
            EventCommand::Edit { event_id, actor, expected, edit } => {
                edit_event(view, *event_id, *actor, *expected, edit, now)
            }
            EventCommand::Placed(placed) => {
                let outcome = seats::take(self.seats(view, placed.event_id, placed.booking_id), placed, now);
                Ok(settle_seats(view, placed.event_id, placed.booking_id, outcome))
            }
            EventCommand::Paid(paid) => {
                let outcome = seats::sell(self.seats(view, paid.event_id, paid.booking_id), paid, now);
                Ok(settle_seats(view, paid.event_id, paid.booking_id, outcome))
            }
            EventCommand::Cancelled(cancelled) => {
                let (event_id, booking_id) = (cancelled.event_id, cancelled.booking_id);
                let outcome = seats::release(self.seats(view, event_id, booking_id), cancelled, now);
                Ok(settle_seats(view, event_id, booking_id, outcome))
            }
            EventCommand::Visited(event_id, date, count) => Ok(visit(view, *event_id, *date, *count)),
            EventCommand::Rated(rated) => Ok(rate(view, rated)),
        }
    }

    fn committed(&self, changes: &[Change<EventRow>]) {
        if changes.iter().any(|change| change.key.table == "event") {
            self.recent.forget();
        }
        if changes.iter().any(|change| change.key.table == "inventory") {
            self.changes.tell();
        }
    }

    fn hear(&self, fact: &Published) -> Option<EventCommand> {
        match fact {
            Published::BookingPlaced(placed) => Some(EventCommand::Placed(placed.clone())),
            Published::BookingPaid(paid) => Some(EventCommand::Paid(paid.clone())),
            Published::BookingCancelled(cancelled) => Some(EventCommand::Cancelled(cancelled.clone())),
            Published::FeedbackRecorded(rated) => Some(EventCommand::Rated(rated.clone())),
            _ => None,
        }
    }
}

fn event(view: &View<EventRow>, id: EventId) -> Option<&Event> {
    match view.get(&event_key(id)) {
        Some(EventRow::Event(event)) => Some(event),
        _ => None,
    }
}

fn inventory(view: &View<EventRow>, id: EventId) -> Option<&Inventory> {
    match view.get(&inventory_key(id)) {
        Some(EventRow::Inventory(inventory)) => Some(inventory),
        _ => None,
    }
}

fn rating(view: &View<EventRow>, id: EventId) -> Option<&Rating> {
    match view.get(&rating_key(id)) {
        Some(EventRow::Rating(rating)) => Some(rating),
        _ => None,
    }
}

/// Writes what became of the seats: the figures, the booking's hold, and the fact, together.
fn settle_seats(
    view: &mut View<EventRow>,
    event_id: EventId,
    booking_id: BookingId,
    outcome: seats::Outcome,
) -> EventReply {
    let Some(fact) = outcome else { return EventReply::Done };
    let mut figures = inventory(view, event_id).cloned();
    let before: Option<Hold> = match view.get(&hold_key(booking_id)) {
        Some(EventRow::Hold(hold)) => Some(hold.clone()),
        _ => None,
    };
    let sequence = figures.as_ref().map(|inventory| inventory.sequence);
    let hold = seats::apply(figures.as_mut(), before.as_ref(), &fact);
    if let Some(figures) = figures.filter(|figures| Some(figures.sequence) != sequence) {
        if let Some(event) = event(view, event_id) {
            debug_assert_sound(&figures, event);
        }
        view.put(figures);
    }
    if let Some(hold) = hold {
        view.put(hold);
    }
    view.publish(fact);
    EventReply::Done
}

fn create(view: &mut View<EventRow>, event: &Event) -> Result<EventReply, Refusal> {
    if view.get(&event_key(event.id)).is_some() {
        return Err(Refusal::conflict("already_exists", "an event with this external_id exists already"));
    }
    let mut check = Check::default();
    event.draft.check(&mut check);
    details::check_types(&mut check, &event.type_drafts());
    check.finish()?;
    let mut event = event.clone();
    if event.status == EventStatus::Published {
        event.status = EventStatus::Draft;
        event.status = event.publish()?;
    }
    Ok(write(view, event.clone(), Inventory::empty(&event)))
}

/// Writes an event with its figures and tells the others.
fn write(view: &mut View<EventRow>, event: Event, inventory: Inventory) -> EventReply {
    let rating = rating(view, event.id).cloned();
    debug_assert_sound(&inventory, &event);
    view.publish(event.upserted());
    view.put(event.clone());
    view.put(inventory.clone());
    EventReply::Event(Box::new(EventView { event, inventory, rating }))
}

fn edit_event(
    view: &mut View<EventRow>,
    event_id: EventId,
    actor: Actor,
    expected: Option<u64>,
    edit: &Edit,
    now: Time,
) -> Result<EventReply, Refusal> {
    let (event, inventory) = match (event(view, event_id), inventory(view, event_id)) {
        (Some(event), Some(inventory)) => (event.clone(), inventory.clone()),
        _ => return Err(Refusal::not_found("event")),
    };
    if event.organizer_id != actor.user_id && !actor.is_admin && !planted(Defect::OrganiserNotChecked) {
        return Err(match event.status {
            EventStatus::Draft => Refusal::not_found("event"),
            _ => Refusal::forbidden("only its organiser may change the event"),
        });
    }
    if expected.is_some_and(|expected| expected != event.version) {
        let detail = format!("the event is at version {} by now: read it again", event.version);
        return Err(Refusal::new(RefusalKind::VersionMismatch, "version_mismatch", detail));
    }
    if let Edit::Delete = edit {
        return delete(view, &event);
    }
    let mut changed = changed_event(&event, &inventory, edit, now)?;
    changed.version += 1;
    changed.updated_at = now;
    let mut figures = inventory;
    figures.follow(&changed);
    if !figures.violations(&changed).is_empty() {
        return Err(Refusal::conflict(
            "capacity_below_sold",
            "there are more places sold and held than that",
        ));
    }
    Ok(write(view, changed, figures))
}

fn delete(view: &mut View<EventRow>, event: &Event) -> Result<EventReply, Refusal> {
    if event.status != EventStatus::Draft {
        return Err(Refusal::conflict(
            "not_a_draft",
            "only a draft can be deleted; a published event is cancelled",
        ));
    }
    view.remove(event_key(event.id));
    view.remove(inventory_key(event.id));
    Ok(EventReply::Done)
}

fn changed_event(event: &Event, inventory: &Inventory, edit: &Edit, now: Time) -> Result<Event, Refusal> {
    let mut changed = event.clone();
    if event.status == EventStatus::Cancelled {
        return Err(Refusal::conflict("already_cancelled", "the event was cancelled"));
    }
    match edit {
        Edit::Delete => {}
        Edit::Publish => changed.status = event.publish()?,
        Edit::Cancel => changed.status = event.cancel(now)?,
        Edit::Update(patch) => {
            patch.apply(&mut changed.draft);
            let mut check = Check::default();
            changed.draft.check(&mut check);
            check.finish()?;
        }
        Edit::AddType(kind) => {
            changed.ticket_types.push(kind.clone());
            check_type(&changed, &kind.draft)?;
        }
        Edit::UpdateType(id, patch) => {
            let kind = changed.ticket_types.iter_mut().find(|kind| kind.id == *id);
            let kind = kind.ok_or_else(|| Refusal::not_found("ticket type"))?;
            patch.apply(&mut kind.draft);
            let draft = kind.draft.clone();
            check_type(&changed, &draft)?;
        }
        Edit::DeleteType(id) => {
            event.ticket_type(*id).ok_or_else(|| Refusal::not_found("ticket type"))?;
            changed.ticket_types.retain(|kind| kind.id != *id);
            if inventory.taken(*id) > 0 {
                return Err(Refusal::conflict("ticket_type_in_use", "places of this type are held or sold"));
            }
            if changed.ticket_types.is_empty() && event.status == EventStatus::Published {
                return Err(Refusal::conflict("ticket_type_in_use", "a published event needs a ticket type"));
            }
        }
    }
    Ok(changed)
}

fn visit(view: &mut View<EventRow>, event_id: EventId, date: Day, count: u64) -> EventReply {
    let before = match view.get(&visits_key(event_id, date)) {
        Some(EventRow::Visits(visits)) => visits.visits,
        _ => 0,
    };
    let visits = before.saturating_add(count);
    view.put(Visits { event_id, date, visits });
    view.publish(EventVisited { event_id, date, visits });
    EventReply::Done
}

fn rate(view: &mut View<EventRow>, rated: &FeedbackRecorded) -> EventReply {
    let known = rating(view, rated.event_id).map_or(0, |rating| rating.sequence);
    if rated.sequence > known || planted(Defect::OldRatingsShown) {
        view.put(Rating {
            event_id: rated.event_id,
            sum: rated.rating_sum,
            count: rated.rating_count,
            sequence: rated.sequence,
        });
    }
    EventReply::Done
}
