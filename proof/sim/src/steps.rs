//! One step of the world: what a seed lets happen next.

use bus::{Position, Record};
use domain::facts::Published;
use kit::{Item, Machine, pipeline::Done};
use ticket::Sweep;

use crate::{
    faults::Fault,
    node::{Node, REPLICAS, poll},
    world::{SECOND, World},
};

/// The most steps of a seed, should its orders never all be placed.
const MOST_STEPS: u64 = 20_000;
/// Steps after the last order was placed.
const STEPS_AFTER_ORDERS: u64 = 120;
/// The most facts that come again at once.
const MOST_DUPLICATES: u64 = 12;
/// How far ahead of its turn a fact may come.
const MOST_EARLY: usize = 12;
/// The most reads for which a partition is stalled.
const MOST_STALLED_READS: u64 = 30;
/// The most payments that are remembered after nobody works on them any more.
const MOST_PAYING: usize = 48;
/// The longest pause between two steps, in microseconds.
const MOST_PAUSE: u64 = 300_000;

/// What can happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Buyers ask the ticket service.
    Ask,
    /// The event service's consumer steps.
    ConsumeBookings,
    /// The ticket service's consumer of seats steps.
    ConsumeSeats,
    /// The ticket service's consumer of events steps.
    ConsumeEvents,
    /// The ticket service sweeps.
    Sweep,
    /// A payment is asked of the provider.
    Capture,
    /// Some time passes.
    Tick,
    /// An organiser changes an event.
    Organise,
    /// An operator mends what cannot be read, or has parked facts tried again.
    Operate,
}

impl Step {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Ask,
        Self::ConsumeBookings,
        Self::ConsumeSeats,
        Self::ConsumeEvents,
        Self::Sweep,
        Self::Capture,
        Self::Tick,
        Self::Organise,
        Self::Operate,
    ];

    /// How often it is chosen in a usual seed, against the others.
    #[must_use]
    pub fn usual_weight(self) -> u64 {
        match self {
            Self::Ask => 30,
            Self::ConsumeBookings | Self::ConsumeSeats => 22,
            Self::Capture => 18,
            Self::Sweep | Self::ConsumeEvents => 6,
            Self::Tick => 5,
            Self::Operate => 3,
            Self::Organise => 1,
        }
    }
}

impl World {
    /// Whether more is to happen before everything comes to rest.
    #[must_use]
    pub(crate) fn is_going_on(&mut self) -> bool {
        if self.orders.len() < self.knobs.orders {
            self.last_step = self.steps + STEPS_AFTER_ORDERS;
        }
        self.steps < self.last_step.min(MOST_STEPS)
    }

    /// Lets one thing happen, and perhaps something go wrong.
    pub(crate) fn step(&mut self) {
        self.steps += 1;
        let pause = self.rng.below(MOST_PAUSE);
        self.pass(pause);
        self.disturb();
        match self.draw_step() {
            Step::Ask => self.ask(),
            Step::ConsumeBookings => self.consume_bookings(),
            Step::ConsumeSeats => self.consume_ticket(0),
            Step::ConsumeEvents => self.consume_ticket(1),
            Step::Sweep => self.sweep(),
            Step::Capture => self.capture(),
            Step::Tick => {
                let most = (self.knobs.hold_seconds / 3).max(2);
                let seconds = self.rng.between(1, most);
                self.pass(seconds.unsigned_abs() * SECOND.unsigned_abs());
            }
            Step::Organise => self.organise(),
            Step::Operate => self.operate(),
        }
        let (commits, effective) = {
            let witness = self.watcher.witness();
            (witness.commits, witness.effective)
        };
        self.note(format_args!("{commits} commits, {effective} with effect"));
        if self.paying.len() > MOST_PAYING {
            self.paying.remove(0);
        }
    }

    fn draw_step(&mut self) -> Step {
        let total: u64 = self.knobs.weights.iter().sum();
        let mut drawn = self.rng.below(total);
        for (step, weight) in Step::ALL.iter().zip(self.knobs.weights) {
            if drawn < weight {
                return *step;
            }
            drawn -= weight;
        }
        Step::Tick
    }

    /// Time passes.
    pub(crate) fn pass(&mut self, micros: u64) {
        self.time.set(self.time.micros() + micros.cast_signed());
    }

    /// What goes wrong between two steps.
    fn disturb(&mut self) {
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
        let early = ahead[1 + self.rng.index(last + 1)].position;
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
            let is_live = witness.holds.get(&id).is_some_and(domain::event::Hold::is_live);
            witness.require(!is_live, "a release is final", || format!("booking {id} still has seats"));
        }
    }

    /// The replica that steps a consumer: mostly the first, sometimes one that was thought gone.
    pub(crate) fn acting_replica(&mut self) -> usize {
        usize::from(self.faults.strikes(Fault::ZombieConsumer))
    }

    /// Lets the other replica of the event service act meanwhile.
    pub(crate) fn race_event(&mut self) {
        if self.faults.tries(Fault::Race) {
            let calls = self.rng.below(4);
            let rival = self.rng.index(REPLICAS - 1) + 1;
            self.event.race_consumer(calls, rival, 0);
        }
    }

    fn consume_bookings(&mut self) {
        let replica = self.acting_replica();
        if self.faults.tries(Fault::Race) {
            let calls = self.rng.below(4);
            self.event.race_consumer(calls, 1 - replica, 0);
        }
        let progress = self.event.step(replica, 0);
        self.note(format_args!("event {replica} consumes bookings: {progress:?}"));
    }

    fn consume_ticket(&mut self, partition: usize) {
        let replica = self.acting_replica();
        let race = self.race_ticket(1 - replica, partition);
        let progress = self.ticket.step(replica, partition);
        let what = ["seats", "events"][partition];
        self.note(format_args!("ticket {replica} consumes {what}: {progress:?}"));
        self.finish_race(race);
    }

    /// Looks for what is due, as the ticket service does by itself.
    pub(crate) fn sweep(&mut self) {
        let replica = self.acting_replica();
        let partition = self.rng.index(2);
        let race = self.race_ticket(1 - replica, partition);
        let pipeline = self.ticket.pipeline(replica).clone();
        let store = pipeline.store().clone();
        let sweep = Sweep::new(store, std::sync::Arc::new(pipeline), self.provider.clone());
        let now = self.ticket.environment(replica).now();
        let swept = poll(&self.faults, sweep.once(now));
        self.ticket.store.stand_down();
        if swept.is_none() {
            self.ticket.restart(replica);
        }
        self.note(format_args!("ticket {replica} sweeps: {}", match swept {
            None => "died",
            Some(Err(_)) => "failed",
            Some(Ok(())) => "done",
        }));
        self.finish_race(race);
    }

    fn operate(&mut self) {
        if self.watcher.witness().parked.is_empty() {
            return;
        }
        if self.rng.chance(5_000) {
            let mended = self.event.log.mend() + self.ticket.log.mend();
            self.note(format_args!("{mended} unreadable facts mended"));
        }
        let replica = self.acting_replica();
        if self.rng.chance(5_000) {
            self.race_event();
            self.event.redrive(0, 0);
        } else {
            let partition = self.rng.index(2);
            self.ticket.redrive(replica, partition);
        }
        let left = self.watcher.witness().parked.len();
        self.note(format_args!("redriven: {left} facts are still parked"));
    }
}

/// Where a consumer is by its store, and the facts that come next.
fn ahead<M: Machine>(node: &Node<M>, partition: usize) -> (Position, Vec<Record>) {
    let done = node.position(partition);
    (done, node.log.truth(&node.partitions[partition], done, MOST_EARLY))
}
