//! Faults off: everything must come to rest within a bounded number of rounds, and then add up.

use std::collections::BTreeMap;

use bus::Position;
use domain::{
    BookingId, EventId, PaymentId,
    event::{Hold, HoldState, inventory::holds_add_up},
    facts::EventStatus,
    ticket::{Booking, BookingStatus, PaymentStatus, RefundStatus, payment::Answer},
};
use event::EventRow;
use kit::consumer::Progress;
use ticket::TicketRow;

use crate::{
    relays::Marked,
    witness::Violation,
    world::{CONSUMERS, MOST_SKEW_SECONDS, SECOND, World},
};

/// The most rounds until nothing moves any more.
const MOST_ROUNDS: usize = 40;
/// The most steps of one consumer in a round.
const MOST_CONSUMER_STEPS: usize = 10_000;
/// One of so many seeds delivers its whole log again at the end.
const ONE_REDELIVERS_OF: u64 = 4;
/// Facts of one redelivery.
const REDELIVERED_AT_ONCE: usize = 512;

impl World {
    /// Ends the faults, lets time pass beyond every hold, and checks what must be true at the end.
    pub(crate) fn come_to_rest(&mut self) {
        self.faults.off();
        for number in 0..CONSUMERS {
            self.service(number).log().calm();
        }
        self.note(format_args!("faults off"));
        self.open_the_rest();
        let mut is_quiet = false;
        for _ in 0..MOST_ROUNDS {
            let before = self.watcher.witness().commits;
            self.round();
            if !self.is_sound() {
                return;
            }
            is_quiet = self.watcher.witness().commits == before;
            if is_quiet {
                break;
            }
        }
        let found = self.check_rest();
        let mut witness = self.watcher.witness();
        witness.require(is_quiet, "comes to rest", || format!("not within {MOST_ROUNDS} rounds"));
        witness.violations.extend(found);
        drop(witness);
        // Facts come again during every run; all of them at once is dear, so only some seeds do it.
        if self.is_sound() && self.rng.below(ONE_REDELIVERS_OF) == 0 {
            self.redeliver_everything();
        }
    }

    fn round(&mut self) {
        for number in 0..self.relays.len() {
            for _ in 0..MOST_CONSUMER_STEPS {
                if !self.relays[number].step(0, Marked::Yes) {
                    break;
                }
            }
        }
        for number in 0..CONSUMERS {
            self.drain(number);
        }
        self.pass_beyond_holds();
        self.sweep();
        while self.send_mail(0).is_some_and(|tried| tried > 0) {}
        let commits = self.watcher.witness().commits;
        self.note(format_args!("a round: {commits} commits"));
    }

    /// Tries what is parked again and consumes until there is nothing more.
    fn drain(&mut self, number: usize) {
        let service = self.service(number);
        for partition in 0..service.partitions().len() {
            service.redrive(0, partition);
            for _ in 0..MOST_CONSUMER_STEPS {
                // A fenced consumer finds its place at its next step.
                if service.step(0, partition) == Some(Progress::Idle) {
                    break;
                }
            }
        }
    }

    /// Whatever the sweep and the couriers have to look at is due from now on.
    fn pass_beyond_holds(&mut self) {
        let due = self.watcher.witness().bookings.values().filter_map(Booking::due_at).max();
        let mail = self.couriers.as_ref().and_then(|_| self.next_mail());
        let latest = due.into_iter().chain(mail).max().map_or(0, |due| due.micros());
        // By every replica's clock.
        self.time.set(self.time.micros().max(latest) + (MOST_SKEW_SECONDS + 1) * SECOND);
    }

    fn check_rest(&mut self) -> Vec<Violation> {
        let mut found = Findings::default();
        self.check_consumers(&mut found);
        self.check_stores(&mut found);
        self.check_keys(&mut found);
        self.check_money(&mut found);
        self.check_followers(&mut found);
        let witness = self.watcher.witness();
        for booking in witness.bookings.values() {
            check_booking(booking, witness.holds.get(&booking.id), &mut found);
            let event = witness.events.get(&booking.event_id);
            let is_off = event.is_some_and(|event| event.status == EventStatus::Cancelled);
            found.require(!is_off || !booking.status.is_live(), "a cancelled event has no bookings", || {
                format!("booking {} is {}", booking.id, booking.status.name())
            });
        }
        for hold in witness.holds.values() {
            found.require(witness.bookings.contains_key(&hold.booking_id), "a hold has a booking", || {
                format!("hold of booking {}", hold.booking_id)
            });
        }
        for info in witness.infos.values() {
            found.require(!info.calling_off, "at rest", || format!("event {} is being called off", info.id));
        }
        found.0
    }

    fn check_consumers(&mut self, found: &mut Findings) {
        let parked = self.watcher.witness().parked.len();
        found.require(parked == 0, "nothing parked", || format!("{parked} facts"));
        let unpublished = self.watcher.witness().unpublished();
        found.require(unpublished == 0, "every fact is published", || format!("{unpublished} are not"));
        for number in 0..CONSUMERS {
            let service = self.service(number);
            let name = service.name();
            for (index, partition) in service.partitions().iter().enumerate() {
                let left = service.log().truth(partition, service.position(index), 1).len();
                found.require(left == 0, "at rest", || format!("{name} has not read all of {partition}"));
            }
            let parked = service.parked();
            found.require(parked == 0, "nothing parked", || format!("{parked} at {name}"));
        }
    }

    /// The stores hold what the witness saw committed, and the events' figures are those of their holds.
    fn check_stores(&self, found: &mut Findings) {
        let witness = self.watcher.witness();
        let mut holds: BTreeMap<EventId, Vec<Hold>> = BTreeMap::new();
        self.event.store.inner().inspect(|row| {
            if let EventRow::Hold(hold) = row {
                let is_same = witness.holds.get(&hold.booking_id) == Some(hold);
                found.require(is_same, "durable", || format!("hold of booking {}", hold.booking_id));
                holds.entry(hold.event_id).or_default().push(hold.clone());
            }
        });
        let count: usize = holds.values().map(Vec::len).sum();
        found.require(count == witness.holds.len(), "durable", || "a hold is gone".to_owned());
        for (id, inventory) in &witness.inventories {
            for text in holds_add_up(inventory, holds.get(id).map_or(&[], Vec::as_slice)) {
                found.add("holds add up", text);
            }
        }
        let mut bookings = 0;
        self.ticket.store.inner().inspect(|row| {
            if let TicketRow::Booking(booking) = row {
                bookings += 1;
                let is_same = witness.bookings.get(&booking.id) == Some(booking);
                found.require(is_same, "durable", || format!("booking {}", booking.id));
            }
        });
        found.require(bookings == witness.bookings.len(), "durable", || "a booking is gone".to_owned());
    }

    /// One order is one booking at most, and the one that was answered.
    fn check_keys(&self, found: &mut Findings) {
        let witness = self.watcher.witness();
        for (number, order) in self.orders.iter().enumerate() {
            let there: Vec<&BookingId> =
                order.candidates.iter().filter(|id| witness.bookings.contains_key(id)).collect();
            found.require(there.len() <= 1, "one key, one booking", || format!("order {number}: {there:?}"));
            let is_kept = order.answered.is_none_or(|id| there == [&id]);
            found.require(is_kept, "answered is durable", || format!("order {number}: {there:?}"));
        }
    }

    /// The provider's ledger and the bookings agree to the cent.
    fn check_money(&self, found: &mut Findings) {
        let (witness, ledger) = (self.watcher.witness(), self.provider.ledger());
        let mut known: BTreeMap<PaymentId, &Booking> = BTreeMap::new();
        for booking in witness.bookings.values() {
            let mut taken = 0;
            for payment in &booking.payments {
                known.insert(payment.id, booking);
                let at_provider = ledger.payments.get(&payment.id).map(|(answer, _)| *answer);
                let agrees = match payment.status {
                    PaymentStatus::Captured => at_provider == Some(Answer::Captured),
                    PaymentStatus::Declined => at_provider == Some(Answer::Declined),
                    PaymentStatus::Started | PaymentStatus::Voided => false,
                };
                found.require(agrees, "money", || {
                    format!("booking {}: {payment:?} is {at_provider:?}", booking.id)
                });
                if payment.status == PaymentStatus::Captured {
                    taken += payment.amount.minor - ledger.refunded(payment.id);
                }
            }
            let worth = worth(booking);
            found.require(taken == worth, "money", || {
                format!("booking {} is {} and keeps {taken} of {worth}", booking.id, booking.status.name())
            });
            let all_paid = booking.refunds.iter().all(|refund| refund.status == RefundStatus::Refunded);
            found.require(all_paid, "refunds are paid", || format!("booking {}", booking.id));
        }
        for (id, (answer, _)) in &ledger.payments {
            let is_lost = *answer == Answer::Captured && !known.contains_key(id);
            found.require(!is_lost, "money", || format!("payment {id} was captured for no booking"));
        }
    }

    fn redeliver(&mut self, number: usize) -> Vec<String> {
        let service = self.service(number);
        let mut failed = Vec::new();
        for partition in 0..service.partitions().len() {
            let mut after = Position(0);
            loop {
                let (records, why) = service.deliver(partition, after, REDELIVERED_AT_ONCE);
                let Some(last) = records.last() else { break };
                after = last.position;
                failed.extend(why);
            }
        }
        failed
    }

    /// Every fact so far once more, to everybody: nothing may change.
    fn redeliver_everything(&mut self) {
        let before = self.watcher.witness().effective;
        let mut failed = Vec::new();
        for number in 0..CONSUMERS {
            failed.extend(self.redeliver(number));
        }
        let mut witness = self.watcher.witness();
        let changed = witness.effective - before;
        witness.require(changed == 0, "redelivery changes nothing", || format!("{changed} commits"));
        witness.require(failed.is_empty(), "redelivery changes nothing", || failed.join("; "));
    }
}

fn check_booking(booking: &Booking, hold: Option<&Hold>, found: &mut Findings) {
    let is_open = matches!(booking.status, BookingStatus::Pending | BookingStatus::Held);
    found.require(!is_open, "every booking ends", || {
        format!("booking {} is {}", booking.id, booking.status.name())
    });
    let Some(hold) = hold else {
        return found.add("holds equal bookings", format!("booking {} was never heard of", booking.id));
    };
    if booking.status != BookingStatus::Booked {
        let text = || format!("booking {} is {} and has seats", booking.id, booking.status.name());
        return found.require(!hold.is_live(), "holds equal bookings", text);
    }
    let kept = booking.kept_lines();
    let is_same = kept.len() == hold.lines.len()
        && kept
            .iter()
            .zip(&hold.lines)
            .all(|(kept, held)| (kept.ticket_type_id, kept.quantity) == (held.ticket_type_id, held.quantity));
    found.require(is_same && hold.state == HoldState::Sold, "holds equal bookings", || {
        format!("booking {} keeps {kept:?}, its hold is {hold:?}", booking.id)
    });
}

/// What a booking's valid tickets cost.
fn worth(booking: &Booking) -> i64 {
    if booking.status != BookingStatus::Booked {
        return 0;
    }
    let price = |id| {
        let line = booking.lines.iter().find(|line| line.placed.ticket_type_id == id);
        line.and_then(|line| line.unit_price).map_or(0, |price| price.minor)
    };
    booking.kept_lines().iter().map(|kept| price(kept.ticket_type_id) * i64::from(kept.quantity)).sum()
}

/// What was found at the end.
#[derive(Default)]
pub(crate) struct Findings(pub Vec<Violation>);

impl Findings {
    pub(crate) fn add(&mut self, invariant: &'static str, detail: String) {
        self.0.push(Violation { invariant, detail });
    }

    pub(crate) fn require(&mut self, holds: bool, invariant: &'static str, detail: impl FnOnce() -> String) {
        if !holds {
            self.add(invariant, detail());
        }
    }
}
