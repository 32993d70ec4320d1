//! What must hold of seats after every commit of the event service.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    EventId, Time,
    event::{Event, Hold, HoldState, details::MAX_PER_BOOKING},
    facts::EventStatus,
};
use event::EventRow;

use crate::{
    faults::Marker,
    witness::{Seen, Told, Witness},
};

impl Witness {
    /// Looks at a commit of the event service.
    pub(crate) fn see_seats(&mut self, seen: Seen<EventRow>) {
        self.require(seen.removed == 0, "durable", || "a row of the event service was removed".to_owned());
        self.count_seat_facts(&seen);
        let mut touched: BTreeSet<EventId> = BTreeSet::new();
        let mut events: Vec<Event> = Vec::new();
        for row in seen.rows {
            match Arc::unwrap_or_clone(row) {
                EventRow::Hold(hold) => {
                    touched.insert(hold.event_id);
                    self.see_hold(hold, Time::from_micros(seen.at_us));
                }
                EventRow::Inventory(inventory) => {
                    touched.insert(inventory.event_id);
                    self.inventories.insert(inventory.event_id, inventory);
                }
                EventRow::Event(event) => events.push(event),
                EventRow::Visits(_) | EventRow::Rating(_) => {}
            }
        }
        // Holds of this commit were decided by the event as it was before it.
        for event in events {
            touched.insert(event.id);
            self.events.insert(event.id, event);
        }
        for id in touched {
            self.check_figures(id);
        }
    }

    fn count_seat_facts(&mut self, seen: &Seen<EventRow>) {
        for (kind, id) in &seen.facts {
            let told = self.told.entry(*id).or_default();
            match kind.as_str() {
                "seats.held" => told.held += 1,
                "seats.sold" => told.sold += 1,
                "seats.refused" => told.refused += 1,
                _ => told.released += 1,
            }
            let has_ended = self.bookings.get(id).is_some_and(|booking| !booking.status.is_live());
            if kind == "seats.held" && has_ended {
                self.faults.mark(Marker::LateHold);
            }
        }
    }

    fn see_hold(&mut self, hold: Hold, now: Time) {
        let before = self.holds.get(&hold.booking_id).cloned();
        self.check_hold_transition(before.as_ref(), &hold);
        self.check_hold_facts(&hold);
        if hold.is_live() && before.is_none() {
            let found = self.events.get(&hold.event_id).and_then(|event| broken_limit(event, &hold, now));
            if let Some(found) = found {
                self.violate("limits of a booking", format!("booking {}: {found}", hold.booking_id));
            }
            let was_released = self.ended.contains(&hold.booking_id);
            self.require(!was_released, "a release is final", || {
                format!("booking {} got seats after its release was heard", hold.booking_id)
            });
        }
        for (hold, sign) in before.as_ref().map(|before| (before, -1)).into_iter().chain([(&hold, 1)]) {
            for line in hold.lines.iter().filter(|_| hold.is_live()) {
                let (held, sold) = self.sums.entry((hold.event_id, line.ticket_type_id)).or_default();
                let count = if hold.state == HoldState::Sold { sold } else { held };
                *count += sign * i64::from(line.quantity);
            }
        }
        self.holds.insert(hold.booking_id, hold);
    }

    fn check_hold_transition(&mut self, before: Option<&Hold>, after: &Hold) {
        use HoldState::{Held, Refused, Released, Sold};
        let Some(before) = before else {
            if let Released { .. } = after.state
                && self.told.get(&after.booking_id).is_some_and(|told| told.held + told.sold == 0)
            {
                self.faults.mark(Marker::ReleaseBeforeHold);
            }
            return;
        };
        let shrinks = after.cancel_number > before.cancel_number
            && after.lines.iter().all(|line| {
                let old = before.lines.iter().find(|old| old.ticket_type_id == line.ticket_type_id);
                old.is_some_and(|old| line.quantity <= old.quantity)
            });
        let is_legal = match (&before.state, &after.state) {
            (Held { .. }, Sold) => before.lines == after.lines,
            (Held { .. } | Sold, Released { .. }) => after.lines.is_empty() && shrinks,
            (Sold, Sold) => shrinks,
            (Refused { .. } | Released { .. }, _) | (Held { .. }, _) | (Sold, _) => false,
        };
        self.require(is_legal, "a hold resolves once", || {
            format!("booking {}: {:?} to {:?}", after.booking_id, before, after)
        });
    }

    fn check_hold_facts(&mut self, hold: &Hold) {
        let told = self.told.get(&hold.booking_id).copied().unwrap_or_default();
        let Told { held, sold, refused, released, .. } = told;
        let is_told = match hold.state {
            HoldState::Held { .. } => (held, sold, refused, released) == (1, 0, 0, 0),
            HoldState::Sold => sold == 1 && held <= 1 && refused == 0 && released <= hold.cancel_number,
            HoldState::Refused { .. } => (held, sold, refused, released) == (0, 0, 1, 0),
            HoldState::Released { .. } => held <= 1 && sold <= 1 && refused == 0 && released >= 1,
        };
        self.require(is_told && released <= hold.cancel_number, "one fact for each transition", || {
            format!("booking {}: the hold is {:?}, and told was {told:?}", hold.booking_id, hold.state)
        });
    }

    /// Never more taken than there is, and the figures count what the holds have.
    fn check_figures(&mut self, id: EventId) {
        let (Some(event), Some(inventory)) = (self.events.get(&id), self.inventories.get(&id)) else {
            return;
        };
        let mut found: Vec<(&'static str, String)> =
            inventory.violations(event).into_iter().map(|text| ("no oversell", text)).collect();
        for stock in &inventory.stocks {
            let (held, sold) = self.sums.get(&(id, stock.ticket_type_id)).copied().unwrap_or_default();
            if (i64::from(stock.held), i64::from(stock.sold)) != (held, sold) {
                let text = format!(
                    "event {id}: type {} counts {} held and {} sold, its holds have {held} and {sold}",
                    stock.ticket_type_id, stock.held, stock.sold
                );
                found.push(("holds add up", text));
            }
        }
        for (invariant, text) in found {
            self.violate(invariant, text);
        }
    }
}

/// What a new hold breaks of what its organiser allows.
fn broken_limit(event: &Event, hold: &Hold, now: Time) -> Option<String> {
    if event.status != EventStatus::Published || event.draft.ends_at <= now {
        return Some("the event is not on sale".to_owned());
    }
    let mut places = 0;
    for line in &hold.lines {
        let Some(kind) = event.ticket_type(line.ticket_type_id) else {
            return Some("an unknown ticket type".to_owned());
        };
        let draft = &kind.draft;
        let has_begun = draft.sales_start.is_none_or(|start| start <= now);
        let has_ended = draft.sales_end.is_some_and(|end| end <= now);
        if !has_begun || has_ended {
            return Some("outside of the sales window".to_owned());
        }
        if line.quantity > draft.max_per_booking.unwrap_or(MAX_PER_BOOKING) {
            return Some(format!("{} of one type", line.quantity));
        }
        if line.unit_price != draft.price {
            return Some("another price".to_owned());
        }
        places += line.quantity;
    }
    (places > MAX_PER_BOOKING).then(|| format!("{places} places"))
}
