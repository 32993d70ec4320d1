//! One step of the world: what a seed lets happen next.

use bus::{Position, Topic};
use domain::planted::{Defect, planted};
use ticket::Sweep;

use crate::{
    faults::{Fault, Marker},
    node::{REPLICAS, Service, poll},
    relays::Marked,
    world::{CONSUMERS, EVENT, SECOND, TICKET, World},
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
    /// Any other consumer steps, of any service.
    ConsumeOther,
    /// Relays publish.
    Relay,
    /// Somebody does something with their account.
    Account,
    /// Somebody rates an event.
    Rate,
    /// Somebody reads an event's page.
    Visit,
    /// A courier sends mail.
    Mail,
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
        Self::ConsumeOther,
        Self::Relay,
        Self::Account,
        Self::Rate,
        Self::Visit,
        Self::Mail,
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
            Self::ConsumeOther => 14,
            Self::Relay => 40,
            Self::Account => 4,
            Self::Rate => 5,
            Self::Visit => 1,
            Self::Mail => 6,
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
            Step::ConsumeBookings => self.consume(EVENT, 0),
            Step::ConsumeSeats => self.consume(TICKET, 0),
            Step::ConsumeOther => self.consume_any(),
            Step::Relay => self.relay(),
            Step::Account => self.use_account(),
            Step::Rate => self.rate(),
            Step::Visit => self.visit(),
            Step::Mail => {
                let replica = self.acting_courier();
                self.send_mail(replica);
            }
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
        // What a seed does not have is not drawn.
        let mut weights = self.knobs.weights;
        if self.relays.is_empty() {
            weights[Step::Relay as usize] = 0;
        }
        if self.couriers.is_none() {
            weights[Step::Mail as usize] = 0;
        }
        let total: u64 = weights.iter().sum();
        let mut drawn = self.rng.below(total);
        for (step, weight) in Step::ALL.iter().zip(weights) {
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

    /// The replica that acts for a service: mostly the one that has its first partition, sometimes one that was
    /// thought gone.
    pub(crate) fn acting_replica(&mut self, service: usize) -> usize {
        self.acting_consumer(service, 0)
    }

    fn acting_consumer(&mut self, service: usize, partition: usize) -> usize {
        let owner = self.service(service).owner(partition);
        if self.faults.strikes(Fault::ZombieConsumer) { (owner + 1) % REPLICAS } else { owner }
    }

    fn acting_courier(&mut self) -> usize {
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

    fn consume(&mut self, service: usize, partition: usize) {
        let replica = self.acting_consumer(service, partition);
        let rival = (replica + 1) % REPLICAS;
        let race = match service {
            TICKET => self.race_ticket(rival, partition),
            other => {
                if self.faults.tries(Fault::Race) {
                    let calls = self.rng.below(4);
                    self.service(other).race_consumer(calls, rival, partition);
                }
                None
            }
        };
        let service = self.service(service);
        let progress = service.step(replica, partition);
        let (name, of) = (service.name(), service.partitions()[partition].clone());
        self.note(format_args!("{name} {replica} consumes {of}: {progress:?}"));
        self.finish_race(race);
    }

    fn consume_any(&mut self) {
        let service = self.rng.index(CONSUMERS);
        let partitions = self.service(service).partitions().len();
        let partition = self.rng.index(partitions);
        self.consume(service, partition);
    }

    /// Some relays publish; now and then one does that was thought gone.
    fn relay(&mut self) {
        let number = self.rng.index(self.relays.len());
        let replica = usize::from(self.faults.strikes(Fault::SecondRelay));
        let is_marked = if self.rng.chance(7_000) { Marked::Yes } else { Marked::Later };
        let has_moved = self.relays[number].step(replica, is_marked);
        self.note(format_args!("relay {number} {replica}: moved {has_moved}"));
    }

    /// Looks for what is due, as the ticket service does by itself.
    pub(crate) fn sweep(&mut self) {
        let replica = self.acting_replica(TICKET);
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
        let mut trimmed: u64 = self.relays.iter().map(|relay| relay.trim(before_us)).sum();
        for source in self.sources.clone() {
            for partition in
                Topic::ALL.into_iter().flat_map(|topic| bus::Log::partitions(source.as_ref(), topic))
            {
                let mut done = Position(u64::MAX);
                for number in 0..CONSUMERS {
                    let service = self.service(number);
                    if let Some(index) = service.partitions().iter().position(|mine| *mine == partition) {
                        done = done.min(service.position(index));
                    }
                }
                if planted(Defect::TrimmedBeforeRead) {
                    done = Position(u64::MAX);
                }
                for number in 0..CONSUMERS {
                    self.service(number).log().archive(&partition, done);
                }
                trimmed += source.trim(partition.topic, done, before_us);
            }
        }
        if trimmed > 0 {
            self.faults.mark(Marker::Trimmed);
        }
        self.note(format_args!("{trimmed} facts leave the logs"));
    }

    fn operate(&mut self) {
        if self.watcher.witness().parked.is_empty() {
            return;
        }
        if self.rng.chance(5_000) {
            let mended: usize = (0..CONSUMERS).map(|number| self.service(number).log().mend()).sum();
            self.note(format_args!("{mended} unreadable facts mended"));
        }
        let number = self.rng.index(CONSUMERS);
        let partition = {
            let partitions = self.service(number).partitions().len();
            self.rng.index(partitions)
        };
        let replica = self.acting_consumer(number, partition);
        if self.faults.tries(Fault::Race) {
            let calls = self.rng.below(4);
            self.service(number).race_consumer(calls, (replica + 1) % REPLICAS, partition);
        }
        self.service(number).redrive(replica, partition);
        let left = self.watcher.witness().parked.len();
        self.note(format_args!("redriven: {left} facts are still parked"));
    }
}
