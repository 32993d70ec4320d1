//! What goes wrong between two steps: restarts, clocks, stalls, and facts out of their turn.

use bus::{Position, Record};
use domain::{event::Hold, facts::Published};
use kit::{Item, Machine, pipeline::Done};

use crate::{
    faults::Fault,
    node::{Node, REPLICAS},
    world::{SECOND, World},
};

/// The most facts that come again at once.
const MOST_DUPLICATES: u64 = 12;
/// How far ahead of its turn a fact may come.
const MOST_EARLY: usize = 48;
/// The most reads for which a partition is stalled.
const MOST_STALLED_READS: u64 = 30;

impl World {
    /// What goes wrong between two steps.
    pub(crate) fn disturb(&mut self) {
        if self.faults.strikes(Fault::Restart) {
            let replica = self.rng.index(REPLICAS);
            let is_event = self.rng.chance(5_000);
            self.note(format_args!("restart of {} {replica}", if is_event { "event" } else { "ticket" }));
            if is_event { self.event.restart(replica) } else { self.ticket.restart(replica) }
        }
        if self.faults.strikes(Fault::ClockJump) {
            let seconds = self.rng.between(-60, self.knobs.hold_seconds * 2);
            self.note(format_args!("the clock jumps by {seconds} s"));
            self.time.set(self.time.micros() + seconds * SECOND);
        }
        if self.faults.strikes(Fault::Stall) {
            let reads = 1 + self.rng.below(MOST_STALLED_READS);
            let stalled = self.rng.index(3);
            let (log, partition) = match stalled {
                0 => (&self.event.log, &self.event.partitions[0]),
                other => (&self.ticket.log, &self.ticket.partitions[other - 1]),
            };
            log.stall(partition.topic, reads);
            self.note(format_args!("partition {stalled} stalls for {reads} reads"));
        }
        if self.faults.tries(Fault::Duplicate) {
            self.deliver_again();
        }
        if self.faults.tries(Fault::EarlyCopy) {
            self.deliver_early();
        }
    }

    fn deliver_again(&mut self) {
        let which = self.rng.index(3);
        let most = 1 + self.rng.below(MOST_DUPLICATES) as usize;
        let done = match which {
            0 => self.event.position(0),
            other => self.ticket.position(other - 1),
        };
        if done == Position(0) {
            return;
        }
        let after = Position(self.rng.below(done.0));
        let most = most.min((done.0 - after.0) as usize);
        self.faults.count(Fault::Duplicate);
        self.note(format_args!("partition {which}: {most} facts after {} again", after.0));
        self.deliver_out_of_turn(which, after, most);
    }

    fn deliver_early(&mut self) {
        let which = self.rng.index(3);
        let (done, ahead) = match which {
            0 => ahead(&self.event, 0),
            other => ahead(&self.ticket, other - 1),
        };
        // The very next one is not early.
        let Some(last) = ahead.len().checked_sub(2) else { return };
        let any = &ahead[1 + self.rng.index(last + 1)];
        // What undoes something is worth most before what it undoes.
        let undoes = ahead.iter().skip(1).find(|record| record.fact.kind == "booking.cancelled");
        let early = undoes.filter(|_| self.rng.chance(5_000)).unwrap_or(any).position;
        self.faults.count(Fault::EarlyCopy);
        self.note(format_args!("partition {which}: fact {} while at {}", early.0, done.0));
        self.deliver_out_of_turn(which, Position(early.0 - 1), 1);
    }

    fn deliver_out_of_turn(&mut self, which: usize, after: Position, most: usize) {
        if which > 0 {
            let item = self.ticket.out_of_turn(which - 1, after, most);
            self.ticket.run(0, &[item]);
            return;
        }
        let item = self.event.out_of_turn(0, after, most);
        let outcome = self.event.run(0, std::slice::from_ref(&item));
        let is_done = match outcome.as_deref() {
            Some([Ok(Done::Delivered(delivered))]) => delivered.poison.is_none(),
            _ => false,
        };
        if let (true, Item::Redrive(copies)) = (is_done, item) {
            copies.iter().for_each(|copy| self.note_heard(&copy.record));
        }
    }

    /// A cancellation of a whole booking that was heard, in turn or not, is final.
    fn note_heard(&mut self, record: &Record) {
        if record.fact.kind != "booking.cancelled" {
            return;
        }
        let read = Published::read(&record.fact.kind, &record.fact.payload);
        if let Ok(Published::BookingCancelled(cancelled)) = read
            && cancelled.keeps.is_empty()
        {
            let mut witness = self.watcher.witness();
            let id = cancelled.booking_id;
            witness.ended.insert(id);
            let is_live = witness.holds.get(&id).is_some_and(Hold::is_live);
            witness.require(!is_live, "a release is final", || format!("booking {id} still has seats"));
        }
    }
}

/// Where a consumer is by its store, and the facts that come next.
fn ahead<M: Machine>(node: &Node<M>, partition: usize) -> (Position, Vec<Record>) {
    let done = node.position(partition);
    (done, node.log.truth(&node.partitions[partition], done, MOST_EARLY))
}
