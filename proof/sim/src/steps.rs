//! One step of the world: what a seed lets happen next.

use ticket::Sweep;

use crate::{
    faults::Fault,
    node::{REPLICAS, poll},
    world::{SECOND, World},
};

/// The most steps of a seed, should its orders never all be placed.
const MOST_STEPS: u64 = 20_000;
/// Steps after the last order was placed.
const STEPS_AFTER_ORDERS: u64 = 120;
/// The most payments that are remembered after nobody works on them any more.
const MOST_PAYING: usize = 48;
/// The most payments that are asked for in one step.
const MOST_CAPTURES: u64 = 8;
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
    /// What is old and done by all leaves the outboxes.
    Trim,
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
        Self::Trim,
    ];

    /// How often it is chosen in a usual seed, against the others.
    #[must_use]
    pub fn usual_weight(self) -> u64 {
        match self {
            Self::Ask => 30,
            Self::ConsumeBookings | Self::ConsumeSeats => 22,
            Self::Capture => 18,
            Self::Sweep | Self::Tick => 5,
            Self::ConsumeEvents => 6,
            Self::Operate => 3,
            Self::Trim | Self::Organise => 2,
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
        self.faults.bury();
        let pause = self.rng.below(MOST_PAUSE);
        self.pass(pause);
        self.disturb();
        match self.draw_step() {
            Step::Ask => self.ask(),
            Step::ConsumeBookings => self.consume_bookings(),
            Step::ConsumeSeats => self.consume_ticket(0),
            Step::ConsumeEvents => self.consume_ticket(1),
            Step::Sweep => self.sweep(),
            Step::Capture => {
                for _ in 0..=self.rng.below(MOST_CAPTURES) {
                    self.capture();
                }
            }
            Step::Tick => {
                let most = (self.knobs.hold_seconds / 3).max(2);
                let seconds = self.rng.between(1, most);
                self.pass(seconds.unsigned_abs() * SECOND.unsigned_abs());
            }
            Step::Organise => self.organise(),
            Step::Operate => self.operate(),
            Step::Trim => self.trim(),
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
        let race = match self.race_to_pay(1 - replica) {
            None => self.race_ticket(1 - replica, partition),
            race => race,
        };
        let pipeline = self.ticket.pipeline(replica).clone();
        let store = pipeline.store().clone();
        let sweep = Sweep::new(store, std::sync::Arc::new(pipeline), self.provider.clone());
        let now = self.ticket.environment(replica).now();
        let swept = poll(&self.faults, sweep.once(now));
        self.ticket.store.stand_down();
        if swept.is_none() {
            self.ticket.restart(replica);
        }
        self.note(format_args!(
            "ticket {replica} sweeps: {}",
            match swept {
                None => "died",
                Some(Err(_)) => "failed",
                Some(Ok(())) => "done",
            }
        ));
        self.finish_race(race);
    }

    /// As the platform does it: up to where the slowest consumer is, whatever its replicas have in memory.
    fn trim(&mut self) {
        let seconds_kept = self.rng.between(0, self.knobs.hold_seconds);
        let before_us = self.time.micros() - seconds_kept * SECOND;
        let trimmed = self.event.trim_what_it_read(self.ticket.store.inner().as_ref(), before_us)
            + self.ticket.trim_what_it_read(self.event.store.inner().as_ref(), before_us);
        self.note(format_args!("{trimmed} facts leave the outboxes"));
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
