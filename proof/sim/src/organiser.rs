//! What organisers do: they put events on sale, change them, and call them off.

use domain::{
    Currency, EventId, Money, TicketTypeId, Time, UserId,
    event::{Event, EventDraft, TicketType, TicketTypeDraft, Venue},
    facts::EventStatus,
};
use event::{Actor, Edit, EventCommand};
use kit::{Item, Request};

use crate::world::{BEGINNING_MICROS, EVENT, World, uuid};

/// How often an event is changed by somebody else than its organiser, in 10,000.
const BY_STRANGERS: u32 = 1_000;
/// The most tries to put an event on sale while its store has faults.
const MOST_TRIES: usize = 100;

impl World {
    /// Puts one to three events on sale.
    pub(crate) fn put_on_sale(&mut self) {
        for number in 0..self.rng.between(1, 3) {
            let event = self.draw_event(number);
            let id = event.id;
            self.starts.insert(id, event.draft.starts_at);
            let create = request(EventCommand::Create(Box::new(event)));
            for _ in 0..MOST_TRIES {
                // A repeated try finds the event there already.
                self.event.run(0, std::slice::from_ref(&create));
                if self.watcher.witness().events.contains_key(&id) {
                    self.shows.push(id);
                    break;
                }
            }
        }
        self.note(format_args!("{} events on sale", self.shows.len()));
    }

    fn draw_event(&mut self, number: i64) -> Event {
        let rng = &mut self.rng;
        let now = Time::from_micros(BEGINNING_MICROS);
        // Some begin soon, so that they are rated while they are still sold.
        let is_soon = rng.chance(4_000);
        let starts_at =
            now.plus_seconds(if is_soon { rng.between(1, 300) } else { rng.between(1_200, 20_000) });
        let kinds = rng.between(1, 3);
        let ticket_types: Vec<TicketType> = (0..kinds)
            .map(|index| {
                let is_free = rng.chance(2_500);
                let minor = if is_free { 0 } else { rng.between(1, 90) * 100 };
                let draft = TicketTypeDraft {
                    name: format!("type {index}"),
                    price: Money { minor, ..Money::zero(Currency::EUR) },
                    quantity: rng.between(2, 100) as u32,
                    max_per_booking: rng.chance(3_000).then(|| rng.between(2, 4) as u32),
                    sales_start: rng.chance(1_000).then(|| now.plus_seconds(rng.between(1, 200))),
                    sales_end: rng.chance(2_000).then(|| now.plus_seconds(rng.between(250, 3_000))),
                    hidden: false,
                };
                TicketType { id: TicketTypeId(uuid(rng)), draft }
            })
            .collect();
        let places: u32 = ticket_types.iter().map(|kind| kind.draft.quantity).sum();
        let capacity =
            rng.chance(5_000).then(|| (places / 2).max(1) + rng.below(u64::from(places)) as u32 / 2);
        Event {
            id: EventId(uuid(rng)),
            organizer_id: self.organizer,
            status: EventStatus::Published,
            version: 1,
            draft: draft(number, starts_at, starts_at.plus_seconds(rng.between(60, 7_200)), capacity),
            ticket_types,
            created_at: now,
            updated_at: now,
        }
    }

    /// Changes one event.
    pub(crate) fn organise(&mut self) {
        if self.shows.is_empty() {
            return;
        }
        let event_id = *self.rng.pick(&self.shows);
        let edit = self.draw_edit(event_id);
        self.note(format_args!("organiser: {edit:?}"));
        // Sometimes it is not the organiser who asks.
        let is_stranger = self.rng.chance(BY_STRANGERS);
        let user_id = if is_stranger { UserId(uuid(&mut self.rng)) } else { self.organizer };
        let actor = Actor { user_id, is_admin: false };
        let item = request(EventCommand::Edit { event_id, actor, expected: None, edit });
        self.race_event();
        let replica = self.acting_replica(EVENT);
        let outcome = self.event.run(replica, std::slice::from_ref(&item)).and_then(|mut all| all.pop());
        let is_done = matches!(outcome, Some(Ok(_)));
        let mut witness = self.watcher.witness();
        witness
            .require(!is_stranger || !is_done, "nobody reaches what is another's", || event_id.to_string());
    }

    fn draw_edit(&mut self, event_id: EventId) -> Edit {
        if self.rng.chance(self.knobs.called_off) {
            return Edit::Cancel;
        }
        let rng = &mut self.rng;
        let witness = self.watcher.witness();
        let event = &witness.events[&event_id];
        if rng.chance(4_000) {
            // The patches are not named outside of the event service: they are changed in place.
            let mut edit = Edit::Update(Box::default());
            if let Edit::Update(patch) = &mut edit {
                patch.capacity = Some(rng.chance(7_000).then(|| rng.between(1, 120) as u32));
            }
            return edit;
        }
        let kind = rng.pick(&event.ticket_types);
        let mut edit = Edit::UpdateType(kind.id, Default::default());
        if let Edit::UpdateType(_, patch) = &mut edit {
            if rng.chance(5_000) {
                patch.quantity = Some(rng.between(1, 80) as u32);
            } else if kind.draft.price.minor > 0 {
                patch.price = Some(Money { minor: rng.between(1, 90) * 100, ..kind.draft.price });
            }
        }
        edit
    }
}

fn draft(number: i64, starts_at: Time, ends_at: Time, capacity: Option<u32>) -> EventDraft {
    EventDraft {
        title: format!("event {number}"),
        description: String::new(),
        starts_at,
        ends_at,
        time_zone: "Europe/Berlin".to_owned(),
        venue: Venue::default(),
        online: true,
        categories: Vec::new(),
        image_url: String::new(),
        website_url: String::new(),
        capacity,
    }
}

fn request(command: EventCommand) -> Item<EventCommand> {
    Item::Request(Request { command, idempotency: None, traceparent: None })
}
