//! The world of one seed: six services on their stores, what carries their facts, a payment provider, a mail server,
//! organisers, buyers, strangers, and time.

use std::{collections::BTreeMap, sync::Arc};

use analytics::{AnalyticsMachine, AnalyticsRow};
use bus::{MemoryLog, Topic};
use domain::{EventId, Time, UserId};
use event::{EventMachine, EventRow};
use feedback::{FeedbackMachine, FeedbackRow};
use kit::{Environment, Machine};
use notification::{NotificationMachine, NotificationRow};
use store::{MemoryStore, Row};
use ticket::{TicketMachine, TicketRow, decisions::Decisions};
use user::{UserMachine, UserRow};
use uuid::Uuid;

use crate::{
    accounts::Person,
    actors::{Order, Paying},
    faults::Faults,
    log::SimLog,
    mail::{Couriers, SimMailer},
    node::{Node, Parts, REPLICAS, Service},
    provider::SimProvider,
    relays::{Relaying, Relays},
    rng::{Rng, SimClock, SimEntropy, SimTime},
    store::{SimStore, Watch, open},
    trace::{Printing, Trace},
    witness::{Violation, Watcher, Witness},
};

/// When every world begins: 2026-01-01T00:00:00Z.
pub const BEGINNING_MICROS: i64 = 1_767_225_600_000_000;
/// Microseconds of a second.
pub const SECOND: i64 = 1_000_000;
/// How far a replica's clock may be off, in seconds.
pub(crate) const MOST_SKEW_SECONDS: i64 = 3;

/// One of so many seeds has couriers.
const ONE_HAS_COURIER_OF: u64 = 10;
/// The most orders of a seed with couriers.
const MOST_ORDERS_WITH_MAIL: i64 = 60;

/// The number of each service that consumes, for [`World::service`].
pub(crate) const EVENT: usize = 0;
pub(crate) const TICKET: usize = 1;
/// How many services consume.
pub(crate) const CONSUMERS: usize = 5;

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
    /// Whether facts travel by relays and a log elsewhere, or are read from the outboxes.
    pub is_relayed: bool,
    /// Whether couriers send mail. Writing one takes as long as several bookings, so few seeds have them.
    pub has_courier: bool,
}

impl Knobs {
    fn draw(rng: &mut Rng) -> Self {
        let most_requests: u64 = *rng.pick(&[2, 8, 32, 64, 128]);
        let has_courier = rng.below(ONE_HAS_COURIER_OF) == 0;
        // Small batches give fine interleavings, large ones many bookings: a seed is one or the other.
        let most_orders = 60 + 4 * most_requests.cast_signed();
        Self {
            orders: rng.between(20, if has_courier { MOST_ORDERS_WITH_MAIL } else { most_orders }) as usize,
            most_requests,
            hold_seconds: rng.between(30, 900),
            weights: std::array::from_fn(|index| {
                let usual = crate::steps::Step::ALL[index].usual_weight();
                (usual * rng.between(3, 20) as u64).div_ceil(10)
            }),
            keyed: rng.between(3_000, 10_000) as u32,
            declined: *rng.pick(&[0, 1_000, 3_000, 8_000]),
            called_off: rng.between(0, 2_000) as u32,
            is_relayed: rng.chance(3_000),
            has_courier,
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
    pub(crate) user: Node<UserMachine>,
    pub(crate) feedback: Node<FeedbackMachine>,
    pub(crate) notification: Node<NotificationMachine>,
    pub(crate) analytics: Node<AnalyticsMachine>,
    /// What the consumers read: each producer's.
    pub(crate) sources: Vec<Arc<MemoryLog>>,
    /// None where consumers read the outboxes.
    pub(crate) relays: Vec<Box<dyn Relaying>>,
    pub(crate) provider: Arc<SimProvider>,
    pub(crate) mailer: Arc<SimMailer>,
    pub(crate) couriers: Option<Couriers>,
    pub(crate) shows: Vec<EventId>,
    /// When each event starts; no organiser moves one here.
    pub(crate) starts: BTreeMap<EventId, Time>,
    pub(crate) organizer: UserId,
    pub(crate) buyers: Vec<UserId>,
    /// Everybody who has, had or will have an account.
    pub(crate) people: Vec<Person>,
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

/// The stores of all services, and what their consumers read of each.
struct Stores {
    event: Arc<MemoryStore<EventRow>>,
    ticket: Arc<MemoryStore<TicketRow>>,
    user: Arc<MemoryStore<UserRow>>,
    feedback: Arc<MemoryStore<FeedbackRow>>,
    notification: Arc<MemoryStore<NotificationRow>>,
    analytics: Arc<MemoryStore<AnalyticsRow>>,
    sources: Vec<Arc<MemoryLog>>,
}

impl Stores {
    fn open(is_relayed: bool) -> Self {
        let (event, ticket) = (open::<EventRow>(event::PUBLISHES), open::<TicketRow>(ticket::PUBLISHES));
        let (user, feedback) = (open::<UserRow>(user::PUBLISHES), open::<FeedbackRow>(feedback::PUBLISHES));
        let sources = match is_relayed {
            true => vec![
                elsewhere::<EventRow>(event::PUBLISHES),
                elsewhere::<TicketRow>(ticket::PUBLISHES),
                elsewhere::<UserRow>(user::PUBLISHES),
                elsewhere::<FeedbackRow>(feedback::PUBLISHES),
            ],
            false => vec![event.log(), ticket.log(), user.log(), feedback.log()],
        };
        let (notification, analytics) = (open(notification::PUBLISHES), open(analytics::PUBLISHES));
        Self { event, ticket, user, feedback, notification, analytics, sources }
    }
}

/// A log elsewhere, for the facts of one service.
fn elsewhere<R: Row>(topics: &[Topic]) -> Arc<MemoryLog> {
    Arc::new(MemoryLog::new(R::SERVICE, topics))
}

/// What all nodes of a world share.
struct Common {
    faults: Arc<Faults>,
    watcher: Watcher,
    time: Arc<SimTime>,
    hold_seconds: i64,
}

impl Common {
    fn node<M: Machine>(
        &self,
        rng: &mut Rng,
        store: Arc<MemoryStore<M::Row>>,
        log: Arc<SimLog>,
        machine: fn(i64) -> M,
    ) -> Node<M>
    where
        Watcher: Watch<M::Row>,
    {
        let watch = Arc::new(self.watcher.clone());
        Node::new(Parts {
            name: M::Row::SERVICE,
            store: Arc::new(SimStore::new(store, Arc::clone(&self.faults), watch, Arc::clone(&log))),
            log,
            faults: Arc::clone(&self.faults),
            machine,
            hold_seconds: self.hold_seconds,
            environments: environments(rng, &self.time),
        })
    }

    fn relays<M: Machine>(
        &self,
        rng: &mut Rng,
        node: &Node<M>,
        topics: &'static [Topic],
        log: &Arc<MemoryLog>,
    ) -> Box<dyn Relaying> {
        let environments = environments(rng, &self.time);
        Box::new(Relays::new(&node.store, topics, Arc::clone(log), &self.faults, &self.watcher, environments))
    }
}

impl World {
    /// The world of a seed, with its events on sale.
    #[must_use]
    pub fn new(seed: u64, printing: Printing) -> Self {
        Self::with_orders(seed, printing, usize::MAX)
    }

    /// As [`World::new`], with no more orders than this: for finding the fewest that still fail.
    #[must_use]
    pub fn with_orders(seed: u64, printing: Printing, most_orders: usize) -> Self {
        let mut rng = Rng::new(seed);
        let mut knobs = Knobs::draw(&mut rng);
        knobs.orders = knobs.orders.min(most_orders);
        let faults = Arc::new(Faults::new(rng.fork()));
        let time = Arc::new(SimTime::default());
        time.set(BEGINNING_MICROS);
        let stores = Stores::open(knobs.is_relayed);
        let reads = |rng: &mut Rng, topics: &[Topic]| {
            let most = *rng.pick(&[2, 16, 64, 256, 512]);
            Arc::new(SimLog::new(&stores.sources, topics, Arc::clone(&faults), most))
        };
        let event_reads = reads(&mut rng, event::CONSUMES);
        let ticket_reads = reads(&mut rng, ticket::CONSUMES);
        let user_reads = reads(&mut rng, user::CONSUMES);
        let feedback_reads = reads(&mut rng, feedback::CONSUMES);
        let notification_reads = reads(&mut rng, notification::CONSUMES);
        let analytics_reads = reads(&mut rng, analytics::CONSUMES);
        let all = [
            (EventRow::SERVICE, &event_reads),
            (TicketRow::SERVICE, &ticket_reads),
            (UserRow::SERVICE, &user_reads),
            (FeedbackRow::SERVICE, &feedback_reads),
            (NotificationRow::SERVICE, &notification_reads),
            (AnalyticsRow::SERVICE, &analytics_reads),
        ];
        let all: BTreeMap<_, _> = all.into_iter().map(|(name, log)| (name, Arc::clone(log))).collect();
        let watcher =
            Watcher::new(Witness::new(Arc::clone(&faults), all, knobs.hold_seconds, knobs.is_relayed));
        let common = Common {
            faults: Arc::clone(&faults),
            watcher: watcher.clone(),
            time: Arc::clone(&time),
            hold_seconds: knobs.hold_seconds,
        };
        let event = common.node(&mut rng, stores.event, event_reads, EventMachine::new);
        let ticket = common.node(&mut rng, stores.ticket, ticket_reads, ticket_machine);
        let user = common.node(&mut rng, stores.user, user_reads, |_| UserMachine);
        let feedback = common.node(&mut rng, stores.feedback, feedback_reads, |_| FeedbackMachine);
        let notification =
            common.node(&mut rng, stores.notification, notification_reads, |_| NotificationMachine::new());
        let analytics = common.node(&mut rng, stores.analytics, analytics_reads, |_| AnalyticsMachine);
        let relays = match knobs.is_relayed {
            true => vec![
                common.relays(&mut rng, &event, event::PUBLISHES, &stores.sources[0]),
                common.relays(&mut rng, &ticket, ticket::PUBLISHES, &stores.sources[1]),
                common.relays(&mut rng, &user, user::PUBLISHES, &stores.sources[2]),
                common.relays(&mut rng, &feedback, feedback::PUBLISHES, &stores.sources[3]),
            ],
            false => Vec::new(),
        };
        let mailer = Arc::new(SimMailer::new(Arc::clone(&faults)));
        let couriers = knobs.has_courier.then(|| Couriers::new(&notification, &mailer));
        let organizer = UserId(uuid(&mut rng));
        let provider = Arc::new(SimProvider::new(Arc::clone(&faults)));
        let mut world = Self {
            rng,
            time,
            knobs,
            faults,
            watcher,
            event,
            ticket,
            user,
            feedback,
            notification,
            analytics,
            sources: stores.sources,
            relays,
            provider,
            mailer,
            couriers,
            shows: Vec::new(),
            starts: BTreeMap::new(),
            organizer,
            buyers: Vec::new(),
            people: Vec::new(),
            orders: Vec::new(),
            unanswered: Vec::new(),
            paying: Vec::new(),
            trace: Trace::new(printing),
            steps: 0,
            last_step: 0,
        };
        world.put_on_sale();
        world.open_accounts();
        world
    }

    /// A service that consumes, by its number below [`CONSUMERS`].
    pub(crate) fn service(&mut self, number: usize) -> &mut dyn Service {
        match number {
            EVENT => &mut self.event,
            TICKET => &mut self.ticket,
            2 => &mut self.feedback,
            3 => &mut self.notification,
            _ => &mut self.analytics,
        }
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
        self.watcher.witness().violations.is_empty()
            && self.provider.ledger().violations.is_empty()
            && self.mailer.violations().is_empty()
    }

    /// What must never be, and was.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let mut found = self.watcher.witness().violations.clone();
        let of_provider = self.provider.ledger().violations.clone();
        found.extend(of_provider.into_iter().map(|detail| Violation { invariant: "money", detail }));
        let of_mailer = self.mailer.violations();
        found.extend(of_mailer.into_iter().map(|detail| Violation { invariant: "one mail", detail }));
        found
    }

    /// Notes a line of the trace.
    pub(crate) fn note(&mut self, line: std::fmt::Arguments<'_>) {
        self.trace.note(self.steps, self.time.micros() - BEGINNING_MICROS, line);
    }
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
