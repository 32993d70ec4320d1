//! The world of one seed: two services on their stores, a provider, organisers, buyers, and time.

use std::{collections::BTreeMap, sync::Arc};

use bus::Topic;
use domain::{EventId, Time, UserId};
use event::{EventMachine, EventRow};
use kit::Environment;
use store::{MemoryStore, Row};
use ticket::{TicketMachine, TicketRow, decisions::Decisions};
use uuid::Uuid;

use crate::{
    actors::{Order, Paying},
    faults::Faults,
    log::SimLog,
    node::{Node, Parts, REPLICAS},
    provider::SimProvider,
    rng::{Rng, SimClock, SimEntropy, SimTime},
    store::SimStore,
    trace::{Printing, Trace},
    witness::{Violation, Watcher, Witness},
};

/// When every world begins: 2026-01-01T00:00:00Z.
pub const BEGINNING_MICROS: i64 = 1_767_225_600_000_000;
/// Microseconds of a second.
pub const SECOND: i64 = 1_000_000;
/// How far a replica's clock may be off, in seconds.
const MOST_SKEW_SECONDS: i64 = 3;

/// What differs between seeds beside the faults.
#[derive(Debug, Clone)]
pub struct Knobs {
    /// Orders that are placed.
    pub orders: usize,
    /// The most requests of one batch.
    pub most_requests: u64,
    /// How long seats are held.
    pub hold_seconds: i64,
    /// How often each kind of step is chosen, by [`crate::steps::Step`].
    pub weights: [u64; crate::steps::Step::ALL.len()],
    /// How often an order has an idempotency key, in 10,000.
    pub keyed: u32,
    /// How often a payment is declined, in 10,000.
    pub declined: u32,
    /// How often an organiser's step calls an event off, in 10,000.
    pub called_off: u32,
}

impl Knobs {
    fn draw(rng: &mut Rng) -> Self {
        let most_requests: u64 = *rng.pick(&[2, 8, 32, 64, 128]);
        // Small batches give fine interleavings, large ones many bookings: a seed is one or the other.
        let most_orders = 60 + 4 * most_requests.cast_signed();
        Self {
            orders: rng.between(20, most_orders) as usize,
            most_requests,
            hold_seconds: rng.between(30, 900),
            weights: std::array::from_fn(|index| {
                let usual = crate::steps::Step::ALL[index].usual_weight();
                (usual * rng.between(3, 20) as u64).div_ceil(10)
            }),
            keyed: rng.between(3_000, 10_000) as u32,
            declined: *rng.pick(&[0, 1_000, 3_000, 8_000]),
            called_off: rng.between(0, 2_000) as u32,
        }
    }
}

/// The world of one seed.
pub struct World {
    pub(crate) rng: Rng,
    pub(crate) time: Arc<SimTime>,
    pub(crate) knobs: Knobs,
    pub(crate) faults: Arc<Faults>,
    pub(crate) watcher: Watcher,
    pub(crate) event: Node<EventMachine>,
    pub(crate) ticket: Node<TicketMachine>,
    pub(crate) provider: Arc<SimProvider>,
    pub(crate) shows: Vec<EventId>,
    /// When each event starts; no organiser moves one here.
    pub(crate) starts: BTreeMap<EventId, Time>,
    pub(crate) organizer: UserId,
    pub(crate) buyers: Vec<UserId>,
    pub(crate) orders: Vec<Order>,
    /// Orders that have no answer yet and are asked for again.
    pub(crate) unanswered: Vec<usize>,
    pub(crate) paying: Vec<Paying>,
    pub(crate) trace: Trace,
    pub(crate) steps: u64,
    /// The step after which the faults end.
    pub(crate) last_step: u64,
}

fn ticket_machine(_hold_seconds: i64) -> TicketMachine {
    TicketMachine::new(Arc::new(Decisions::default()))
}

impl World {
    /// The world of a seed, with its events on sale.
    #[must_use]
    pub fn new(seed: u64, printing: Printing) -> Self {
        let mut rng = Rng::new(seed);
        let knobs = Knobs::draw(&mut rng);
        let faults = Arc::new(Faults::new(rng.fork()));
        let time = Arc::new(SimTime::default());
        time.set(BEGINNING_MICROS);
        let event_store = Arc::new(MemoryStore::<EventRow>::new(event::PUBLISHES));
        let ticket_store = Arc::new(MemoryStore::<TicketRow>::new(ticket::PUBLISHES));
        let most = *rng.pick(&[2, 16, 64, 256, 512]);
        let event_reads = Arc::new(SimLog::new(ticket_store.log(), Arc::clone(&faults), most));
        let most = *rng.pick(&[2, 16, 64, 256, 512]);
        let ticket_reads = Arc::new(SimLog::new(event_store.log(), Arc::clone(&faults), most));
        let reads = [(EventRow::SERVICE, &event_reads), (TicketRow::SERVICE, &ticket_reads)];
        let reads: BTreeMap<_, _> = reads.into_iter().map(|(name, log)| (name, Arc::clone(log))).collect();
        let watcher = Watcher::new(Witness::new(Arc::clone(&faults), reads));
        let mut environments = || environments(&mut rng, &time);
        let event = Node::new(Parts {
            name: EventRow::SERVICE,
            store: stored(event_store, &faults, &watcher, &event_reads),
            log: event_reads,
            topics: &[Topic::TicketEvent],
            faults: Arc::clone(&faults),
            machine: EventMachine::new,
            hold_seconds: knobs.hold_seconds,
            environments: environments(),
        });
        let ticket = Node::new(Parts {
            name: TicketRow::SERVICE,
            store: stored(ticket_store, &faults, &watcher, &ticket_reads),
            log: ticket_reads,
            topics: ticket::CONSUMES,
            faults: Arc::clone(&faults),
            machine: ticket_machine,
            hold_seconds: knobs.hold_seconds,
            environments: environments(),
        });
        let organizer = UserId(uuid(&mut rng));
        let buyers = (0..rng.between(2, 12)).map(|_| UserId(uuid(&mut rng))).collect();
        let provider = Arc::new(SimProvider::new(Arc::clone(&faults)));
        let mut world = Self {
            rng,
            time,
            knobs,
            faults,
            watcher,
            event,
            ticket,
            provider,
            shows: Vec::new(),
            starts: BTreeMap::new(),
            organizer,
            buyers,
            orders: Vec::new(),
            unanswered: Vec::new(),
            paying: Vec::new(),
            trace: Trace::new(printing),
            steps: 0,
            last_step: 0,
        };
        world.put_on_sale();
        world
    }

    /// Lets everything happen, ends the faults, and lets everything come to rest.
    pub fn run(&mut self) {
        while self.is_going_on() && self.is_sound() {
            self.step();
        }
        if self.is_sound() {
            self.come_to_rest();
        }
    }

    /// Whether nothing has been found that must never be.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.watcher.witness().violations.is_empty() && self.provider.ledger().violations.is_empty()
    }

    /// What must never be, and was.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let mut found = self.watcher.witness().violations.clone();
        let of_provider = self.provider.ledger().violations.clone();
        found.extend(of_provider.into_iter().map(|detail| Violation { invariant: "money", detail }));
        found
    }

    /// Notes a line of the trace.
    pub(crate) fn note(&mut self, line: std::fmt::Arguments<'_>) {
        self.trace.note(self.steps, self.time.micros() - BEGINNING_MICROS, line);
    }
}

fn stored<R: Row>(
    inner: Arc<MemoryStore<R>>,
    faults: &Arc<Faults>,
    watcher: &Watcher,
    reads: &Arc<SimLog>,
) -> Arc<SimStore<R>>
where
    Watcher: crate::store::Watch<R>,
{
    Arc::new(SimStore::new(inner, Arc::clone(faults), Arc::new(watcher.clone()), Arc::clone(reads)))
}

/// The clock and ids of each replica; all but the first may have a clock that is a little off.
fn environments(rng: &mut Rng, time: &Arc<SimTime>) -> Vec<Environment> {
    let of_replica = |index| {
        let off = if index == 0 { 0 } else { rng.between(-MOST_SKEW_SECONDS, MOST_SKEW_SECONDS) };
        let clock = SimClock { time: Arc::clone(time), skew_micros: off * SECOND };
        Environment::new(Arc::new(clock), Arc::new(SimEntropy::new(rng.fork())))
    };
    (0..REPLICAS).map(of_replica).collect()
}

/// A fresh id.
pub(crate) fn uuid(rng: &mut Rng) -> Uuid {
    Uuid::from_u64_pair(rng.bits(), rng.bits())
}
