//! What is sold out as far as is known, so that a storm of those who come too late is told at once.
//!
//! Whether there is a seat is for the event service to say, and usually every wish becomes a booking that it
//! decides. What it has refused thousands of times it would refuse again, until seats come back; so in a storm
//! such wishes are answered without asking it, and without a booking. A hint is taken back when a booking of the
//! event ends, when the event changes, and in any case after [`HINT_SECONDS`]: then the next wish asks again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{EventId, TicketTypeId, Time, facts::PlacedLine, ticket::Booking};
use hashlink::LruCache;

/// How long a refusal is taken to hold.
const HINT_SECONDS: i64 = 1;
/// So many refusals are a storm.
const STORM: u32 = 5_000;
/// The most events with hints.
const MAX_EVENTS: usize = 1_024;
/// The reason of the event service that stands for all wishes alike.
const SOLD_OUT: &str = "sold_out";

/// So many places of a ticket type were refused, last at this time.
#[derive(Debug, Clone, Copy)]
struct Hint {
    ticket_type_id: TicketTypeId,
    quantity: u32,
    at: Time,
    /// Of this ticket type, since seats came back.
    refusals: u32,
}

/// The hints by event.
pub struct SoldOut(Mutex<LruCache<EventId, Vec<Hint>>>);

impl Default for SoldOut {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(MAX_EVENTS)))
    }
}

impl SoldOut {
    /// Notes that a booking was refused. Of several ticket types nobody knows which was the one.
    pub(crate) fn note(&self, refused: &Booking, reason: &str, now: Time) {
        let [line] = refused.lines.as_slice() else { return };
        if reason != SOLD_OUT {
            return;
        }
        let (ticket_type_id, quantity) = (line.placed.ticket_type_id, line.placed.quantity);
        let mut events = self.events();
        let hints = events.entry(refused.event_id).or_insert_with(Vec::new);
        let Some(known) = hints.iter_mut().find(|known| known.ticket_type_id == ticket_type_id) else {
            hints.push(Hint { ticket_type_id, quantity, at: now, refusals: 1 });
            return;
        };
        known.refusals = known.refusals.saturating_add(1);
        // The fewest places that were refused lately.
        if quantity <= known.quantity || !is_fresh(known, now) {
            (known.quantity, known.at) = (quantity, now);
        }
    }

    /// Takes the hints of an event back.
    pub(crate) fn forget(&self, event_id: EventId) {
        self.events().remove(&event_id);
    }

    /// Whether a wish is one of a storm, and would be refused.
    pub(crate) fn refuses(&self, event_id: EventId, lines: &[PlacedLine], now: Time) -> bool {
        let events = self.events();
        let Some(hints) = events.peek(&event_id) else { return false };
        lines.iter().any(|line| {
            let is_refused =
                |hint: &&Hint| hint.ticket_type_id == line.ticket_type_id && hint.quantity <= line.quantity;
            hints.iter().find(is_refused).is_some_and(|hint| hint.refusals >= STORM && is_fresh(hint, now))
        })
    }

    fn events(&self) -> MutexGuard<'_, LruCache<EventId, Vec<Hint>>> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_fresh(hint: &Hint, now: Time) -> bool {
    now < hint.at.plus_seconds(HINT_SECONDS)
}

#[cfg(test)]
mod tests {
    use domain::{
        BookingId, UserId,
        ticket::{Command, apply, decide},
    };
    use uuid::Uuid;

    use super::*;

    const NOW: Time = Time::from_micros(1_800_000_000_000_000);

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn wish(ticket_type: u128, quantity: u32) -> PlacedLine {
        PlacedLine { ticket_type_id: TicketTypeId(id(ticket_type)), quantity, seat_ids: Vec::new() }
    }

    fn booking(lines: Vec<PlacedLine>) -> Booking {
        let command = Command::Place {
            id: BookingId::from_bits(1 << 16),
            event_id: EventId(id(7)),
            user_id: UserId(id(8)),
            lines,
            promo_code: None,
            attendees: Vec::new(),
        };
        apply(None, &decide(None, &command, NOW).unwrap()).unwrap()
    }

    fn storm(sold_out: &SoldOut, refused: &Booking) {
        (0..STORM).for_each(|_| sold_out.note(refused, "sold_out", NOW));
    }

    #[test]
    fn only_a_storm_is_answered_without_a_booking() {
        let (sold_out, event) = (SoldOut::default(), EventId(id(7)));
        let refused = booking(vec![wish(1, 2)]);
        (1..STORM).for_each(|_| sold_out.note(&refused, "sold_out", NOW));
        assert!(!sold_out.refuses(event, &[wish(1, 2)], NOW));
        sold_out.note(&refused, "sold_out", NOW);
        assert!(sold_out.refuses(event, &[wish(1, 2)], NOW));
    }

    #[test]
    fn what_was_refused_is_refused_again_for_a_moment() {
        let (sold_out, event) = (SoldOut::default(), EventId(id(7)));
        storm(&sold_out, &booking(vec![wish(1, 2)]));
        assert!(sold_out.refuses(event, &[wish(1, 2)], NOW));
        assert!(sold_out.refuses(event, &[wish(9, 1), wish(1, 3)], NOW), "more of it, beside another");
        assert!(!sold_out.refuses(event, &[wish(1, 1)], NOW), "one may be left");
        assert!(!sold_out.refuses(event, &[wish(9, 2)], NOW), "another ticket type");
        assert!(!sold_out.refuses(EventId(id(6)), &[wish(1, 2)], NOW), "another event");
        assert!(
            !sold_out.refuses(event, &[wish(1, 2)], NOW.plus_seconds(HINT_SECONDS)),
            "it has to ask again"
        );
    }

    #[test]
    fn a_hint_is_taken_back_and_learned_from_plain_refusals_alone() {
        let (sold_out, event) = (SoldOut::default(), EventId(id(7)));
        storm(&sold_out, &booking(vec![wish(1, 1)]));
        sold_out.forget(event);
        (0..STORM).for_each(|_| sold_out.note(&booking(vec![wish(1, 1)]), "sales_ended", NOW));
        storm(&sold_out, &booking(vec![wish(1, 1), wish(2, 1)]));
        assert!(!sold_out.refuses(event, &[wish(1, 9)], NOW));
        storm(&sold_out, &booking(vec![wish(1, 4)]));
        sold_out.note(&booking(vec![wish(1, 2)]), "sold_out", NOW);
        assert!(sold_out.refuses(event, &[wish(1, 2)], NOW), "the fewest that were refused count");
    }
}
