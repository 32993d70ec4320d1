//! What must hold of seats after every commit of the event service.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{
    BookingId, Day, EventId, Money, TicketTypeId, Time, UserId,
    event::{Event, Hold, HoldState, details::MAX_PER_BOOKING},
    facts::{
        CancelReason, EventStatus, PricedLine, Published, SeatsHeld, SeatsRefused, SeatsReleased, SeatsSold,
        places,
    },
    notification::Kind,
};
use event::EventRow;

use crate::{
    faults::Marker,
    witness::{Seen, Witness, said},
};

/// What was held, sold, refused and given back, as the event service told it.
#[derive(Default)]
pub(crate) struct Ledger {
    /// What each booking was told first: held, or sold at once.
    pub held: BTreeMap<BookingId, SeatsHeld>,
    /// What each booking was told of its sale.
    pub sold: BTreeMap<BookingId, SeatsSold>,
    /// Why a booking got no seats.
    pub refused: BTreeMap<BookingId, String>,
    /// What buyers are to be told, with who they are.
    pub mails: BTreeMap<(BookingId, Kind), UserId>,
    /// Sales and returns by event and day.
    pub days: BTreeMap<(EventId, Day), (u64, u64)>,
    /// Bookings sold, and earnings, by event.
    pub earned: BTreeMap<EventId, (u64, i64)>,
    /// Who had a ticket of an event at some time.
    pub holders: BTreeSet<(EventId, UserId)>,
    /// The sum and the number of the ratings of an event.
    pub ratings: BTreeMap<EventId, (i64, i64)>,
}

impl Witness {
    /// Looks at a commit of the event service: carries its facts out by rules of its own, one by one, and compares.
    pub(crate) fn see_seats(&mut self, seen: Seen<EventRow>) {
        let is_kept = seen.removed.is_empty();
        self.require(is_kept, "durable", || "a row of the event service was removed".to_owned());
        let now = Time::from_micros(seen.at_us);
        let mut changed: BTreeSet<BookingId> = BTreeSet::new();
        let mut upserts: Vec<EventId> = Vec::new();
        for fact in &seen.facts {
            match said(fact).as_ref() {
                Ok(Published::SeatsHeld(fact)) => {
                    changed.insert(fact.booking_id);
                    self.hear_held(fact, now);
                }
                Ok(Published::SeatsSold(fact)) => {
                    changed.insert(fact.booking_id);
                    self.hear_sold(fact, now);
                }
                Ok(Published::SeatsRefused(fact)) => {
                    changed.insert(fact.booking_id);
                    self.hear_refused(fact, now);
                }
                Ok(Published::SeatsReleased(fact)) => {
                    changed.insert(fact.booking_id);
                    self.hear_released(fact, now);
                }
                Ok(Published::EventUpserted(fact)) => upserts.push(fact.event_id),
                _ => {}
            }
        }
        let mut touched: BTreeSet<EventId> = BTreeSet::new();
        for row in seen.rows {
            match Arc::unwrap_or_clone(row) {
                EventRow::Hold(hold) => {
                    touched.insert(hold.event_id);
                    changed.remove(&hold.booking_id);
                    let by_facts = self.holds.get(&hold.booking_id).cloned();
                    self.require(by_facts.as_ref() == Some(&hold), "a hold is what its facts say", || {
                        format!("{hold:?}, and by its facts {by_facts:?}")
                    });
                }
                EventRow::Inventory(inventory) => {
                    touched.insert(inventory.event_id);
                    self.inventories.insert(inventory.event_id, inventory);
                }
                EventRow::Event(event) => {
                    touched.insert(event.id);
                    upserts.retain(|id| *id != event.id);
                    self.see_event(event);
                }
                EventRow::Visits(_) | EventRow::Rating(_) => {}
            }
        }
        self.require(changed.is_empty(), "one fact for each transition", || {
            format!("seats of {changed:?} were told of and not written")
        });
        self.require(upserts.is_empty(), "one fact for each transition", || {
            format!("events {upserts:?} were told of and not written")
        });
        for id in touched {
            self.check_figures(id);
        }
    }

    fn see_event(&mut self, event: Event) {
        let before = self.events.get(&event.id);
        let version = before.map_or(1, |before| before.version + 1);
        let is_back = before.is_some_and(|before| {
            before.status == EventStatus::Cancelled && event.status != EventStatus::Cancelled
        });
        let is_same_owner = before.is_none_or(|before| before.organizer_id == event.organizer_id);
        self.require(event.version == version, "versions grow by one", || {
            format!("event {} is at {} and not at {version}", event.id, event.version)
        });
        self.require(!is_back && is_same_owner, "an end is an end", || format!("event {}", event.id));
        self.events.insert(event.id, event);
    }

    /// What a booking asked for, if it was there to ask.
    fn asked(&self, id: BookingId) -> Option<Vec<(TicketTypeId, u32)>> {
        let lines = self.bookings.get(&id)?.lines.iter();
        Some(lines.map(|line| (line.placed.ticket_type_id, line.placed.quantity)).collect())
    }

    /// The first time that seats of a booking are decided.
    fn hear_first(&mut self, id: BookingId, event_id: EventId, now: Time, outcome: Result<(), &str>) {
        let has_hold = self.holds.contains_key(&id);
        self.require(!has_hold, "a hold resolves once", || format!("booking {id} was decided again"));
        let was_released = outcome.is_ok() && self.ended.contains(&id);
        self.require(!was_released, "a release is final", || {
            format!("booking {id} got seats after its release was heard")
        });
        let Some(asked) = self.asked(id) else {
            return self.violate("a hold has a booking", format!("booking {id}"));
        };
        let expected = self.verdict(event_id, &asked, now);
        self.require(expected == outcome, "seats are given as the rules say", || {
            format!("booking {id}: {outcome:?}, and by the rules {expected:?}")
        });
    }

    /// Whether seats may be taken, by the witness's own figures.
    fn verdict(&self, id: EventId, asked: &[(TicketTypeId, u32)], now: Time) -> Result<(), &'static str> {
        let event = self.events.get(&id).ok_or("event_not_found")?;
        match event.status {
            EventStatus::Published if event.draft.ends_at > now => {}
            EventStatus::Published => return Err("event_ended"),
            EventStatus::Draft => return Err("event_not_published"),
            EventStatus::Cancelled => return Err("event_cancelled"),
        }
        let taken = |kind: TicketTypeId| {
            let (held, sold) = self.sums.get(&(id, kind)).copied().unwrap_or_default();
            held + sold
        };
        let mut places = 0;
        for (kind, quantity) in asked {
            let draft = &event.ticket_type(*kind).ok_or("unknown_ticket_type")?.draft;
            if draft.sales_start.is_some_and(|start| start > now) {
                return Err("sales_not_started");
            }
            if draft.sales_end.is_some_and(|end| end <= now) {
                return Err("sales_ended");
            }
            if *quantity > draft.max_per_booking.unwrap_or(MAX_PER_BOOKING) {
                return Err("over_limit");
            }
            if taken(*kind) + i64::from(*quantity) > i64::from(draft.quantity) {
                return Err("sold_out");
            }
            places += quantity;
        }
        if places > MAX_PER_BOOKING {
            return Err("over_limit");
        }
        let in_all: i64 = event.ticket_types.iter().map(|kind| taken(kind.id)).sum();
        match event.draft.capacity {
            Some(capacity) if in_all + i64::from(places) > i64::from(capacity) => Err("sold_out"),
            _ => Ok(()),
        }
    }

    /// Prices and sum of what was taken are those of the event now.
    fn check_price(&mut self, id: BookingId, event_id: EventId, lines: &[PricedLine], total: Money) {
        let asked = self.asked(id).unwrap_or_default();
        let is_asked = lines.iter().map(|line| (line.ticket_type_id, line.quantity)).eq(asked);
        let sum: i64 = lines.iter().map(|line| line.unit_price.minor * i64::from(line.quantity)).sum();
        let event = self.events.get(&event_id);
        let price = |line: &PricedLine| {
            event.and_then(|event| event.ticket_type(line.ticket_type_id)).map(|kind| kind.draft.price)
        };
        let is_priced = lines.iter().all(|line| price(line) == Some(line.unit_price));
        self.require(is_asked && is_priced && sum == total.minor, "seats at their price", || {
            format!("booking {id}: {lines:?} for {total}")
        });
    }

    fn check_about(&mut self, id: BookingId, event_id: EventId, user_id: UserId, at: Time, now: Time) {
        let is_right = self
            .bookings
            .get(&id)
            .is_some_and(|booking| booking.event_id == event_id && booking.user_id == user_id);
        self.require(is_right && at == now, "a fact says what happened", || {
            format!("booking {id} of event {event_id} by {user_id} at {at}")
        });
    }

    fn hear_held(&mut self, fact: &SeatsHeld, now: Time) {
        let (id, event_id) = (fact.booking_id, fact.event_id);
        self.check_about(id, event_id, fact.user_id, fact.at, now);
        self.hear_first(id, event_id, now, Ok(()));
        self.check_price(id, event_id, &fact.lines, fact.total);
        let is_in_time = fact.expires_at == now.plus_seconds(self.hold_seconds) && !fact.total.is_zero();
        self.require(is_in_time, "a hold lasts as long as it should", || {
            format!("booking {id} until {}", fact.expires_at)
        });
        if self.bookings.get(&id).is_some_and(|booking| !booking.status.is_live()) {
            self.faults.mark(Marker::LateHold);
        }
        self.ledger.held.insert(id, fact.clone());
        let state = HoldState::Held { expires_at: fact.expires_at };
        self.write_hold(id, event_id, fact.user_id, fact.lines.clone(), state, 0);
    }

    fn hear_sold(&mut self, fact: &SeatsSold, now: Time) {
        let (id, event_id, user_id) = (fact.booking_id, fact.event_id, fact.user_id);
        self.check_about(id, event_id, user_id, fact.at, now);
        let cancel_number = match self.holds.get(&id).cloned() {
            None => {
                self.hear_first(id, event_id, now, Ok(()));
                self.check_price(id, event_id, &fact.lines, fact.total);
                self.require(fact.total.is_zero(), "sold only when paid", || format!("booking {id}"));
                0
            }
            Some(hold) => {
                let is_held = matches!(hold.state, HoldState::Held { .. }) && hold.lines == fact.lines;
                self.require(is_held, "a hold resolves once", || format!("booking {id} sold from {hold:?}"));
                let paid = self.bookings.get(&id).and_then(|booking| booking.captured_payment());
                let is_paid = paid.is_some_and(|payment| payment.amount == fact.total);
                self.require(is_paid, "sold only when paid", || format!("booking {id} for {}", fact.total));
                hold.cancel_number
            }
        };
        let places = u64::from(places(&fact.lines));
        let day = self.ledger.days.entry((event_id, now.day())).or_default();
        day.0 += places;
        let earned = self.ledger.earned.entry(event_id).or_default();
        earned.0 += 1;
        earned.1 += fact.total.minor;
        self.ledger.holders.insert((event_id, user_id));
        self.ledger.mails.insert((id, Kind::Booked), user_id);
        let before = self.ledger.sold.insert(id, fact.clone());
        self.require(before.is_none(), "a hold resolves once", || format!("booking {id} was sold twice"));
        self.write_hold(id, event_id, user_id, fact.lines.clone(), HoldState::Sold, cancel_number);
    }

    fn hear_refused(&mut self, fact: &SeatsRefused, now: Time) {
        let (id, event_id) = (fact.booking_id, fact.event_id);
        self.check_about(id, event_id, fact.user_id, fact.at, now);
        self.hear_first(id, event_id, now, Err(&fact.reason));
        self.ledger.refused.insert(id, fact.reason.clone());
        self.ledger.mails.insert((id, Kind::Refused), fact.user_id);
        let state = HoldState::Refused { reason: fact.reason.clone() };
        self.write_hold(id, event_id, fact.user_id, Vec::new(), state, 0);
    }

    fn hear_released(&mut self, fact: &SeatsReleased, now: Time) {
        let (id, event_id, user_id) = (fact.booking_id, fact.event_id, fact.user_id);
        self.check_about(id, event_id, user_id, fact.at, now);
        let before = self.holds.get(&id).cloned();
        let lines =
            before.as_ref().filter(|hold| hold.is_live()).map_or(Vec::new(), |hold| hold.lines.clone());
        let was_sold = before.as_ref().is_some_and(|hold| hold.state == HoldState::Sold);
        let number = before.as_ref().map_or(0, |hold| hold.cancel_number);
        let may_be = before.as_ref().is_none_or(Hold::is_live) && fact.cancel_number > number;
        self.require(may_be && was_sold == fact.was_sold, "a hold resolves once", || {
            format!("booking {id}: {fact:?} of {before:?}")
        });
        self.check_return(fact, &lines);
        if before.is_none() {
            self.faults.mark(Marker::ReleaseBeforeHold);
        }
        if was_sold {
            let value: i64 = fact.lines.iter().map(|l| l.unit_price.minor * i64::from(l.quantity)).sum();
            self.ledger.days.entry((event_id, now.day())).or_default().1 += u64::from(places(&fact.lines));
            self.ledger.earned.entry(event_id).or_default().1 -= value;
        }
        if fact.keeps.is_empty() {
            let kind = if fact.reason == CancelReason::Expired { Kind::Expired } else { Kind::Cancelled };
            self.ledger.mails.insert((id, kind), user_id);
        }
        let state = match before {
            Some(hold) if !fact.keeps.is_empty() => hold.state,
            _ => HoldState::Released { reason: fact.reason },
        };
        self.write_hold(id, event_id, user_id, fact.keeps.clone(), state, fact.cancel_number);
    }

    /// What comes back is what the booking had, less what it said that it keeps: exactly that.
    fn check_return(&mut self, fact: &SeatsReleased, lines: &[PricedLine]) {
        let id = fact.booking_id;
        let Some((reason, keeps)) = self.cancels.get(&(id, fact.cancel_number)).cloned() else {
            return self.violate("a release has a cancellation", format!("booking {id}: {fact:?}"));
        };
        let kept = |kind: TicketTypeId| {
            let keep = keeps.iter().find(|(keep, _)| *keep == kind);
            keep.map_or(0, |(_, quantity)| *quantity)
        };
        let (mut returned, mut left) = (Vec::new(), Vec::new());
        for line in lines {
            let keep = kept(line.ticket_type_id).min(line.quantity);
            if line.quantity > keep {
                returned.push(PricedLine { quantity: line.quantity - keep, ..line.clone() });
            }
            if keep > 0 {
                left.push(PricedLine { quantity: keep, ..line.clone() });
            }
        }
        let is_exact = fact.lines == returned && fact.keeps == left && fact.reason == reason;
        self.require(is_exact, "exactly what was held comes back", || {
            format!("booking {id}: {fact:?}, and it was to be {returned:?} back, {left:?} kept, {reason:?}")
        });
    }

    fn write_hold(
        &mut self,
        booking_id: BookingId,
        event_id: EventId,
        user_id: UserId,
        lines: Vec<PricedLine>,
        state: HoldState,
        cancel_number: u32,
    ) {
        let hold = Hold { booking_id, event_id, user_id, lines, state, cancel_number };
        let before = self.holds.remove(&booking_id);
        for (hold, sign) in before.as_ref().map(|before| (before, -1)).into_iter().chain([(&hold, 1)]) {
            for line in hold.lines.iter().filter(|_| hold.is_live()) {
                let (held, sold) = self.sums.entry((hold.event_id, line.ticket_type_id)).or_default();
                let count = if hold.state == HoldState::Sold { sold } else { held };
                *count += sign * i64::from(line.quantity);
            }
        }
        self.holds.insert(booking_id, hold);
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
