//! What goes wrong between two steps: restarts, clocks, stalls, and facts out of their turn.

use bus::{Position, Record};
use domain::{event::Hold, facts::Published};

use crate::{
    faults::Fault,
    node::REPLICAS,
    world::{CONSUMERS, EVENT, SECOND, World},
};

/// The most facts that come again at once.
const MOST_DUPLICATES: u64 = 12;
/// How far ahead of its turn a fact may come.
const MOST_EARLY: usize = 48;
/// The most reads for which a partition is stalled.
const MOST_STALLED_READS: u64 = 30;
/// How often it is a partition of the saga that is disturbed, in 10,000; else it is any.
const OF_THE_SAGA: u32 = 6_000;

impl World {
    /// What goes wrong between two steps.
    pub(crate) fn disturb(&mut self) {
        if self.faults.strikes(Fault::Restart) {
            let replica = self.rng.index(REPLICAS);
            let number = self.rng.index(CONSUMERS);
            self.service(number).restart(replica);
            self.note(format_args!("restart of service {number}, replica {replica}"));
        }
        if self.faults.strikes(Fault::ClockJump) {
            let seconds = self.rng.between(-60, self.knobs.hold_seconds * 2);
            self.note(format_args!("the clock jumps by {seconds} s"));
            self.time.set(self.time.micros() + seconds * SECOND);
        }
        if self.faults.strikes(Fault::Stall) {
            let reads = 1 + self.rng.below(MOST_STALLED_READS);
            let (number, partition) = self.draw_partition();
            self.service(number).log().stall(partition, reads);
            self.note(format_args!("partition {partition} of service {number} stalls for {reads} reads"));
        }
        if self.faults.strikes(Fault::Rebalance) {
            let (number, partition) = self.draw_partition();
            self.service(number).rebalance(partition);
            self.note(format_args!("partition {partition} of service {number} is given to another"));
        }
        if self.faults.tries(Fault::Duplicate) {
            self.deliver_again();
        }
        if self.faults.tries(Fault::EarlyCopy) {
            self.deliver_early();
        }
    }

    /// A service and one of its partitions.
    fn draw_partition(&mut self) -> (usize, usize) {
        if self.rng.chance(OF_THE_SAGA) {
            return *self.rng.pick(&[(0, 0), (1, 0), (1, 1)]);
        }
        let number = self.rng.index(CONSUMERS);
        let partitions = self.service(number).partitions().len();
        (number, self.rng.index(partitions))
    }

    fn deliver_again(&mut self) {
        let (number, partition) = self.draw_partition();
        let most = 1 + self.rng.below(MOST_DUPLICATES) as usize;
        let done = self.service(number).position(partition);
        if done == Position(0) {
            return;
        }
        let after = Position(self.rng.below(done.0));
        let most = most.min((done.0 - after.0) as usize);
        self.faults.count(Fault::Duplicate);
        self.note(format_args!(
            "service {number}, partition {partition}: {most} facts after {} again",
            after.0
        ));
        self.deliver_out_of_turn((number, partition), after, most);
    }

    fn deliver_early(&mut self) {
        let (number, partition) = self.draw_partition();
        let service = self.service(number);
        let done = service.position(partition);
        let ahead = service.log().truth(&service.partitions()[partition].clone(), done, MOST_EARLY);
        // The very next one is not early.
        let Some(last) = ahead.len().checked_sub(2) else { return };
        let any = &ahead[1 + self.rng.index(last + 1)];
        // What undoes something is worth most before what it undoes.
        let undoing = ["booking.cancelled", "seats.released", "user.erased"];
        let undoes = ahead.iter().skip(1).find(|record| undoing.contains(&record.fact.kind.as_str()));
        let early = undoes.filter(|_| self.rng.chance(5_000)).unwrap_or(any).position;
        self.faults.count(Fault::EarlyCopy);
        self.note(format_args!(
            "service {number}, partition {partition}: fact {} while at {}",
            early.0, done.0
        ));
        self.deliver_out_of_turn((number, partition), Position(early.0 - 1), 1);
    }

    fn deliver_out_of_turn(&mut self, (number, partition): (usize, usize), after: Position, most: usize) {
        let (records, failed) = self.service(number).deliver(partition, after, most);
        if number == EVENT && failed.is_none() {
            records.iter().for_each(|record| self.note_heard(record));
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
