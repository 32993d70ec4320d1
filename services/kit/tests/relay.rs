//! The relay and its lease: what is committed reaches the log, in order, whatever fails on the way.
#![allow(clippy::unwrap_used, reason = "in a test, what is missing is a failure")]

#[path = "../testing/ledger.rs"]
mod ledger;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bus::{Fact, Log, MemoryLog, ParkedFact, Partition, Position, PublishError, Publisher, Record, Topic};
use domain::Time;
use kit::{
    Consumer, Environment, Pipeline,
    clock::{Clock, SystemEntropy},
    consumer::Progress,
    lease::Lease,
    relay::{self, ParkedRelay, Relay, RelayError, Relayed},
};
use ledger::{Ledger, LedgerRow, sales, sold, written};
use store::{Commit, CommitId, MemoryStore, Parked, ParkedChange, Store};
use tokio_util::sync::CancellationToken;

const TOPIC: Topic = Topic::TicketStatusEvent;

/// What goes wrong with a batch.
#[derive(Clone, Copy)]
enum Loss {
    /// Nothing of it arrives.
    All,
    /// So many facts arrive, and nobody is told.
    AllBut(usize),
    /// Everything arrives, and nobody is told.
    Answer,
}

/// A log elsewhere, with losses in the order in which batches meet them.
struct Elsewhere {
    log: Arc<MemoryLog>,
    losses: Mutex<VecDeque<Loss>>,
    parked: Mutex<Vec<ParkedFact>>,
}

impl Elsewhere {
    fn new(losses: &[Loss]) -> Arc<Self> {
        Arc::new(Self {
            log: Arc::new(MemoryLog::new("elsewhere", &[TOPIC])),
            losses: Mutex::new(losses.iter().copied().collect()),
            parked: Mutex::default(),
        })
    }
}

#[async_trait]
impl Publisher for Elsewhere {
    async fn publish(&self, _topic: Topic, facts: &[Arc<Fact>]) -> Result<(), PublishError> {
        let loss = self.losses.lock().unwrap().pop_front();
        let arrive = match loss {
            Some(Loss::All) => 0,
            Some(Loss::AllBut(missing)) => facts.len() - missing,
            Some(Loss::Answer) | None => facts.len(),
        };
        self.log.append(&facts[..arrive]);
        loss.map_or(Ok(()), |_| Err(PublishError::Unavailable("told so".to_owned())))
    }

    async fn publish_parked(&self, parked: &[ParkedFact]) -> Result<(), PublishError> {
        if self.losses.lock().unwrap().pop_front().is_some() {
            return Err(PublishError::Unavailable("told so".to_owned()));
        }
        self.parked.lock().unwrap().extend_from_slice(parked);
        Ok(())
    }
}

/// A producer with facts in its outbox.
struct Producer {
    store: Arc<MemoryStore<LedgerRow>>,
    outbox: Partition,
}

impl Producer {
    async fn with(facts: Vec<Arc<Fact>>) -> Self {
        let store = Arc::new(MemoryStore::new(&[TOPIC]));
        let outbox = store.log().partitions(TOPIC).remove(0);
        let producer = Self { store, outbox };
        producer.publish(facts).await;
        producer
    }

    async fn publish(&self, facts: Vec<Arc<Fact>>) {
        let commit = Commit { facts, ..new_commit() };
        self.store.commit(commit).await.unwrap();
    }

    fn port(&self) -> Arc<dyn Store<LedgerRow>> {
        Arc::clone(&self.store) as _
    }

    fn relay(&self, elsewhere: &Arc<Elsewhere>) -> Relay<LedgerRow> {
        let (log, publisher) = (self.store.log() as _, Arc::clone(elsewhere) as _);
        Relay::new(self.outbox.clone(), log, &self.port(), publisher, &Environment::system())
    }
}

fn new_commit() -> Commit<LedgerRow> {
    Commit::new(CommitId(Environment::system().id()), 0)
}

async fn relay_all(relay: &mut Relay<LedgerRow>) {
    while relay.step().await.unwrap() != Relayed::Idle {}
    relay.mark().await.unwrap();
}

/// What a consumer of the log elsewhere makes of it.
async fn consumed(elsewhere: &Elsewhere) -> ledger::Written {
    let store = Arc::new(MemoryStore::new(&[]));
    let pipeline = Pipeline::new(Arc::new(Ledger), Arc::clone(&store) as _, Environment::system());
    let partition = elsewhere.log.partitions(TOPIC).remove(0);
    let log = Arc::clone(&elsewhere.log) as _;
    let mut consumer = Consumer::new(partition, log, Arc::clone(&store) as _, Arc::new(pipeline));
    while consumer.step().await.unwrap() != Progress::Idle {}
    written(&store)
}

#[tokio::test]
async fn what_is_committed_is_published_once_and_in_order() {
    let (producer, elsewhere) = (Producer::with(sales(3, 1_000)).await, Elsewhere::new(&[]));
    relay_all(&mut producer.relay(&elsewhere)).await;
    producer.publish(vec![Arc::new(sold(1, 1_001))]).await;
    relay_all(&mut producer.relay(&elsewhere)).await;
    let written = consumed(&elsewhere).await;
    assert_eq!(written, ledger::Written { sales: 3_001, repetitions: 0, is_in_order: true });
}

#[tokio::test]
async fn a_batch_that_is_lost_in_part_is_published_again_from_its_beginning() {
    let losses = [Loss::All, Loss::AllBut(1), Loss::AllBut(700), Loss::Answer, Loss::All];
    let (producer, elsewhere) = (Producer::with(sales(2, 1_000)).await, Elsewhere::new(&losses));
    let mut relay = producer.relay(&elsewhere);
    for _ in losses {
        assert!(matches!(relay.step().await, Err(RelayError::Publish(_))));
    }
    relay_all(&mut relay).await;
    let written = consumed(&elsewhere).await;
    assert_eq!((written.sales, written.is_in_order), (2_000, true));
    assert_eq!(written.repetitions, 1_023 + 324 + 1_024, "what arrived and was not known to");
}

#[tokio::test]
async fn a_crash_between_publishing_and_the_mark_repeats_facts_and_harms_nothing() {
    let (producer, elsewhere) = (Producer::with(sales(2, 100)).await, Elsewhere::new(&[]));
    for _ in 0..3 {
        let mut crashes = producer.relay(&elsewhere);
        assert_eq!(crashes.step().await.unwrap(), Relayed::Published(200));
    }
    relay_all(&mut producer.relay(&elsewhere)).await;
    let ids: Vec<_> = elsewhere.log.all().iter().map(|fact| fact.id).collect();
    assert_eq!(ids[..200], ids[200..400], "the same facts");
    let written = consumed(&elsewhere).await;
    assert_eq!(written, ledger::Written { sales: 200, repetitions: 600, is_in_order: true });
}

#[tokio::test]
async fn a_relay_that_was_paused_cannot_take_the_mark_back() {
    let (producer, elsewhere) = (Producer::with(sales(1, 10)).await, Elsewhere::new(&[]));
    let mut paused = producer.relay(&elsewhere);
    paused.step().await.unwrap();
    producer.publish(vec![Arc::new(sold(1, 11))]).await;
    relay_all(&mut producer.relay(&elsewhere)).await;
    let port = producer.port();
    let mark = relay::published(port.as_ref(), &producer.outbox).await.unwrap();
    assert!(matches!(paused.mark().await, Err(RelayError::Overtaken)));
    assert_eq!(relay::published(port.as_ref(), &producer.outbox).await.unwrap(), mark);
    relay_all(&mut paused).await;
    assert_eq!(consumed(&elsewhere).await.repetitions, 10, "it went on where the other one was");
}

#[tokio::test]
async fn facts_stay_until_they_are_published_however_old_they_are() {
    let (producer, elsewhere) = (Producer::with(sales(1, 10)).await, Elsewhere::new(&[]));
    let (port, log) = (producer.port(), producer.store.log());
    let trim = || relay::trim(port.as_ref(), log.as_ref(), &[TOPIC], i64::MAX);
    assert_eq!(trim().await.unwrap(), 0);
    let mut relay = producer.relay(&elsewhere);
    relay.step().await.unwrap();
    assert_eq!(trim().await.unwrap(), 0, "published, and not yet surely");
    relay.mark().await.unwrap();
    assert_eq!(trim().await.unwrap(), 9, "all but the newest, which holds the place");
}

#[tokio::test]
async fn parked_facts_are_told_in_order_and_again_only_after_a_failure() {
    let (producer, elsewhere) = (Producer::with(vec![]).await, Elsewhere::new(&[Loss::All]));
    let partition = Partition { topic: TOPIC, name: "7".to_owned() };
    let park = async |position: u64| {
        let record = Record { position: Position(position), fact: Arc::new(sold(1, 1)) };
        let parked = Parked { partition: partition.clone(), record, reason: "odd".to_owned(), at_us: 5 };
        let commit = Commit { parked: vec![ParkedChange::Park(parked)], ..new_commit() };
        producer.store.commit(commit).await.unwrap();
    };
    let relay = ParkedRelay::new(&producer.port(), Arc::clone(&elsewhere) as _, &Environment::system());
    park(3).await;
    park(9).await;
    assert!(relay.step().await.is_err());
    assert_eq!(relay.step().await.unwrap(), 2);
    park(10).await;
    assert_eq!(relay.step().await.unwrap(), 1);
    assert_eq!(relay.step().await.unwrap(), 0);
    let told = elsewhere.parked.lock().unwrap();
    let positions: Vec<u64> = told.iter().map(|told| told.record.position.0).collect();
    assert_eq!(positions, [3, 9, 10]);
    assert_eq!((told[0].service, told[0].reason.as_str(), &told[0].partition), ("ledger", "odd", &partition));
}

/// A clock that follows tokio's, which tests move, and may be wrong.
struct Skewed {
    start: tokio::time::Instant,
    ahead_us: AtomicI64,
}

impl Clock for Skewed {
    fn now(&self) -> Time {
        let since = i64::try_from(self.start.elapsed().as_micros()).unwrap();
        Time::from_micros(1_795_370_400_000_000 + since + self.ahead_us.load(Ordering::SeqCst))
    }
}

/// Several who want one lease.
struct Contest {
    store: Arc<dyn Store<LedgerRow>>,
    clock: Arc<Skewed>,
    working: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

const TERM: Duration = Duration::from_secs(6);

impl Contest {
    fn new() -> Self {
        let clock = Skewed { start: tokio::time::Instant::now(), ahead_us: AtomicI64::new(0) };
        Self {
            store: Arc::new(MemoryStore::new(&[])),
            clock: Arc::new(clock),
            working: Arc::default(),
            most: Arc::default(),
        }
    }

    /// Wants it from now on; what it counts is how often it began to work.
    fn enter(&self, ahead_us: i64) -> Contestant {
        let clock = Skewed { start: self.clock.start, ahead_us: AtomicI64::new(ahead_us) };
        let environment = Environment::new(Arc::new(clock), Arc::new(SystemEntropy));
        let lease = Lease::new(&self.store, &environment, "job", TERM);
        let (shutdown, begun) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        let (stop, count) = (shutdown.clone(), Arc::clone(&begun));
        let (working, most) = (Arc::clone(&self.working), Arc::clone(&self.most));
        let task = tokio::spawn(async move {
            let job = async |end: CancellationToken| {
                count.fetch_add(1, Ordering::SeqCst);
                most.fetch_max(working.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                end.cancelled().await;
                working.fetch_sub(1, Ordering::SeqCst);
            };
            lease.run(&stop, job).await;
        });
        Contestant { shutdown, begun, task }
    }
}

struct Contestant {
    shutdown: CancellationToken,
    begun: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Contestant {
    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn one_works_and_the_other_takes_over_when_it_stops() {
    let contest = Contest::new();
    let first = contest.enter(0);
    pass(1).await;
    let second = contest.enter(0);
    pass(1_000).await;
    assert_eq!((first.begun(), second.begun()), (1, 0), "a holder that renews stays");
    first.shutdown.cancel();
    first.task.await.unwrap();
    pass(2).await;
    assert_eq!(second.begun(), 1, "it was given back, so nobody waits for its end");
    assert_eq!(contest.most.load(Ordering::SeqCst), 1, "never two at once");
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_crashes_is_followed_when_its_term_is_over() {
    let contest = Contest::new();
    let first = contest.enter(0);
    pass(1).await;
    let second = contest.enter(0);
    first.task.abort();
    pass(TERM.as_secs() - 2).await;
    assert_eq!(second.begun(), 0, "it may be at work still");
    pass(3).await;
    assert_eq!(second.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_holder_whose_clock_is_an_hour_ahead_is_followed_all_the_same() {
    let contest = Contest::new();
    let ahead = contest.enter(3_600_000_000);
    pass(1).await;
    let second = contest.enter(0);
    ahead.task.abort();
    pass(TERM.as_secs() - 2).await;
    assert_eq!(second.begun(), 0);
    pass(4).await;
    assert_eq!(second.begun(), 1, "its lease has stood still for a term");
    pass(1_000).await;
    assert_eq!(second.begun(), 1, "and the clock that says less keeps it all the same");
}

#[tokio::test(start_paused = true)]
async fn who_takes_over_by_a_clock_that_is_ahead_ends_the_work_of_the_other() {
    let contest = Contest::new();
    let first = contest.enter(0);
    pass(1).await;
    let ahead = contest.enter(3_600_000_000);
    pass(TERM.as_secs()).await;
    assert_eq!((first.begun(), ahead.begun()), (1, 1));
    assert_eq!(contest.working.load(Ordering::SeqCst), 1, "the first one has noticed");
    pass(1_000).await;
    assert_eq!((first.begun(), ahead.begun()), (1, 1), "and they do not take turns");
}

#[tokio::test(start_paused = true)]
async fn an_outbox_that_something_else_publishes_is_kept_short_by_age_alone() {
    let old = Arc::new(sold(1, 1));
    let producer = Producer::with(vec![Arc::clone(&old), Arc::new(sold(2, 1))]).await;
    let runtime = kit::Runtime::new();
    let outbox = relay::Outbox {
        store: producer.port(),
        log: producer.store.log() as _,
        publishes: &[TOPIC],
        keep: Duration::from_secs(60),
    };
    relay::keep_short(&runtime, outbox, &Environment::system());
    pass(120).await;
    // The newest stays, so that positions go on from it.
    let left = producer.store.log().all();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_ne!(left[0].id, old.id);
    runtime.stop().await;
}
