//! The pipeline and the consumer, with the smallest machine that shows what they promise: named counters.
#![allow(clippy::unwrap_used, reason = "in a test, what is missing is a failure")]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use bus::{Fact, FactId, Log, LogError, Partition, Position, Topic};
use domain::{
    EventId, Refusal, Time,
    facts::{EventVisited, Published},
};
use kit::{
    Consumer, Environment, Idempotency, Item, Machine, Pipeline, Request, View,
    consumer::{ConsumeError, MAX_TRIES, Progress},
    pipeline::{Delivery, Done, NotDone},
};
use serde::{Deserialize, Serialize};
use store::{
    AnswerKey, Commit, CommitId, Key, MemoryStore, ParkedChange, Store,
    faulty::{Fault, FaultPlan, FaultyStore},
};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Counter {
    name: String,
    count: u64,
}

store::rows! {
    /// A named counter.
    pub enum CounterRow in "counter" {
        /// One.
        Counter(Counter) in "counter" by |counter| &counter.name => {} indexes []
    }
}

struct Counting;

impl Machine for Counting {
    type Row = CounterRow;
    /// Adds to a counter.
    type Command = (String, u64);
    type Reply = u64;

    fn keys(&self, command: &(String, u64)) -> Vec<Key> {
        vec![Key::new("counter", &command.0)]
    }

    fn decide(
        &self,
        view: &mut View<CounterRow>,
        (name, by): &(String, u64),
        _now: Time,
    ) -> Result<u64, Refusal> {
        let before = match view.get(&Key::new("counter", name)) {
            Some(CounterRow::Counter(counter)) => counter.count,
            None => 0,
        };
        let count = before + by;
        view.put(Counter { name: name.clone(), count });
        if *by == 0 {
            return Err(Refusal::conflict("nothing", "adding nothing is refused, after it was put"));
        }
        Ok(count)
    }

    fn hear(&self, fact: &Published) -> Option<(String, u64)> {
        match fact {
            Published::EventVisited(visited) => Some((visited.event_id.to_string(), visited.visits)),
            _ => None,
        }
    }
}

/// Faults in the order in which commits meet them; none once they are used up.
#[derive(Default)]
struct Planned(Mutex<VecDeque<Fault>>);

impl FaultPlan for Planned {
    fn read(&self) -> Fault {
        Fault::None
    }

    fn commit(&self) -> Fault {
        self.0.lock().unwrap().pop_front().unwrap_or(Fault::None)
    }
}

fn pipeline(faults: &[Fault]) -> Pipeline<Counting> {
    let plan = Planned(Mutex::new(faults.iter().copied().collect()));
    let memory = Arc::new(MemoryStore::new(&[]));
    Pipeline::new(
        Arc::new(Counting),
        Arc::new(FaultyStore::new(memory, Arc::new(plan))),
        Environment::system(),
    )
}

fn add(name: &str, by: u64) -> Item<(String, u64)> {
    Item::Request(Request { command: (name.to_owned(), by), idempotency: None, traceparent: None })
}

fn add_once(name: &str, by: u64, key: &str) -> Item<(String, u64)> {
    let idempotency = Idempotency { key: AnswerKey(key.to_owned()), fingerprint: format!("{name} {by}") };
    Item::Request(Request {
        command: (name.to_owned(), by),
        idempotency: Some(idempotency),
        traceparent: None,
    })
}

async fn answers(
    pipeline: &Pipeline<Counting>,
    items: &[Item<(String, u64)>],
) -> Vec<Result<(u64, bool), String>> {
    let readable = |outcome| match outcome {
        Ok(Done::Answered { reply, replayed }) => Ok((reply, replayed)),
        Ok(Done::Delivered(_)) => Err("delivered".to_owned()),
        Err(NotDone::Refused(refusal)) => Err(refusal.code.to_owned()),
        Err(NotDone::Unknown(_)) => Err("unknown".to_owned()),
        Err(other) => Err(format!("{other:?}")),
    };
    pipeline.run(items).await.into_iter().map(readable).collect()
}

async fn count(pipeline: &Pipeline<Counting>, name: &str) -> u64 {
    let loaded = pipeline.store().load(&[Key::new("counter", name)], &[]).await.unwrap();
    loaded.rows[0].as_ref().map_or(0, |versioned| match versioned.row.as_ref() {
        CounterRow::Counter(counter) => counter.count,
    })
}

#[tokio::test]
async fn commands_of_one_batch_see_each_other_and_a_refusal_takes_back_only_itself() {
    let pipeline = pipeline(&[]);
    let outcomes = answers(&pipeline, &[add("a", 2), add("a", 0), add("a", 3), add("b", 1)]).await;
    assert_eq!(outcomes, [Ok((2, false)), Err("nothing".to_owned()), Ok((5, false)), Ok((1, false))]);
    assert_eq!((count(&pipeline, "a").await, count(&pipeline, "b").await), (5, 1));
}

#[tokio::test]
async fn one_key_is_carried_out_once_together_later_and_never_with_another_body() {
    let pipeline = pipeline(&[]);
    let together = answers(&pipeline, &[add_once("a", 2, "k"), add_once("a", 2, "k")]).await;
    assert_eq!(together, [Ok((2, false)), Ok((2, true))]);
    let later = answers(&pipeline, &[add("a", 1), add_once("a", 2, "k"), add_once("a", 9, "k")]).await;
    assert_eq!(later, [Ok((3, false)), Ok((2, true)), Err("idempotency_key_reused".to_owned())]);
    assert_eq!(count(&pipeline, "a").await, 3);
}

#[tokio::test]
async fn a_commit_that_was_done_but_not_answered_is_answered_and_not_repeated() {
    let pipeline = pipeline(&[Fault::DoneButTimedOut]);
    assert_eq!(answers(&pipeline, &[add("a", 2)]).await, [Ok((2, false))]);
    assert_eq!(count(&pipeline, "a").await, 2);
}

#[tokio::test]
async fn a_commit_that_was_lost_is_decided_again() {
    let pipeline = pipeline(&[Fault::Lost]);
    assert_eq!(answers(&pipeline, &[add("a", 2), add("b", 1)]).await, [Ok((2, false)), Ok((1, false))]);
    assert_eq!(count(&pipeline, "a").await, 2);
}

#[tokio::test]
async fn a_commit_that_is_refused_changes_nothing_and_says_so() {
    let pipeline = pipeline(&[Fault::Refused]);
    assert!(answers(&pipeline, &[add("a", 2)]).await[0].as_ref().unwrap_err().contains("Unavailable"));
    assert_eq!(count(&pipeline, "a").await, 0);
}

#[tokio::test]
async fn two_pipelines_on_one_store_lose_no_addition() {
    let store = Arc::new(MemoryStore::new(&[]));
    let make = || Pipeline::new(Arc::new(Counting), Arc::clone(&store) as _, Environment::system());
    let (one, other) = (make(), make());
    let items: Vec<_> = (0..200).map(|_| add("a", 1)).collect();
    let (a, b) = tokio::join!(answers(&one, &items), answers(&other, &items));
    assert!(a.iter().chain(&b).all(Result::is_ok));
    assert_eq!(count(&one, "a").await, 400);
}

/// An event, by number.
fn event(number: u128) -> EventId {
    EventId(Uuid::from_u128(number))
}

fn visited(number: u128) -> Fact {
    let date = domain::Day::parse("2026-11-22").unwrap();
    let fact: Published = EventVisited { event_id: event(number), date, visits: 1 }.into();
    Fact {
        id: FactId(Uuid::from_u128(number)),
        source: "event",
        kind: fact.kind().to_owned(),
        topic: Topic::VisitEvent,
        key: fact.key(),
        time_us: 0,
        traceparent: None,
        payload: fact.payload().unwrap(),
        memo: bus::Memo::default(),
    }
}

fn unreadable(number: u128) -> Fact {
    Fact { payload: "{}".to_owned(), ..visited(number) }
}

struct Stage {
    store: Arc<MemoryStore<CounterRow>>,
    log: Arc<bus::MemoryLog>,
    pipeline: Pipeline<Counting>,
    partition: Partition,
}

impl Stage {
    fn with(facts: &[Fact]) -> Self {
        let store = Arc::new(MemoryStore::new(&[]));
        let log = Arc::new(bus::MemoryLog::new("event", &[Topic::VisitEvent]));
        log.append(&facts.iter().cloned().map(Arc::new).collect::<Vec<_>>());
        let pipeline = Pipeline::new(Arc::new(Counting), Arc::clone(&store) as _, Environment::system());
        let partition = log.partitions(Topic::VisitEvent).remove(0);
        Self { store, log, pipeline, partition }
    }

    fn consumer(&self) -> Consumer<Counting> {
        let (log, store) = (Arc::clone(&self.log) as _, Arc::clone(&self.store) as _);
        Consumer::new(self.partition.clone(), log, store, Arc::new(self.pipeline.clone()))
    }

    async fn visits(&self, number: u128) -> u64 {
        count(&self.pipeline, &event(number).to_string()).await
    }
}

#[tokio::test]
async fn a_fact_is_counted_once_however_often_its_consumer_starts_anew() {
    let stage = Stage::with(&[visited(1), visited(2), visited(1)]);
    for _ in 0..3 {
        let mut consumer = stage.consumer();
        while consumer.step().await.unwrap() != Progress::Idle {}
    }
    assert_eq!((stage.visits(1).await, stage.visits(2).await), (2, 1));
}

#[tokio::test]
async fn a_fact_that_cannot_be_read_is_parked_and_holds_up_its_own_key_alone() {
    let stage = Stage::with(&[visited(1), unreadable(1), visited(1), visited(2)]);
    let mut consumer = stage.consumer();
    for _ in 0..MAX_TRIES {
        assert_eq!(consumer.step().await.unwrap(), Progress::Stuck);
    }
    while consumer.step().await.unwrap() != Progress::Idle {}
    assert_eq!((stage.visits(1).await, stage.visits(2).await), (1, 1));
    let parked = stage.store.parked().await.unwrap();
    assert_eq!(parked.len(), 2, "the unreadable fact, and the one behind it");
    assert!(parked[0].reason.contains("missing field"), "{}", parked[0].reason);

    stage.log.append(&[Arc::new(visited(1)), Arc::new(visited(2))]);
    let mut restarted = stage.consumer();
    while restarted.step().await.unwrap() != Progress::Idle {}
    assert_eq!((stage.visits(1).await, stage.visits(2).await), (1, 2));
}

#[tokio::test]
async fn parked_facts_are_done_in_order_once_they_can_be() {
    let stage = Stage::with(&[unreadable(1), visited(1)]);
    let mut consumer = stage.consumer();
    for _ in 0..=MAX_TRIES {
        consumer.step().await.unwrap();
    }
    assert_eq!(stage.store.parked().await.unwrap().len(), 2);
    // The first still cannot be read, so nothing behind it is done.
    consumer.redrive().await.unwrap();
    assert_eq!((stage.visits(1).await, stage.store.parked().await.unwrap().len()), (0, 2));
}

#[tokio::test]
async fn a_consumer_that_runs_goes_on_with_a_key_that_was_redriven_elsewhere() {
    let stage = Stage::with(&[unreadable(1)]);
    let mut consumer = stage.consumer();
    for _ in 0..=MAX_TRIES {
        consumer.step().await.unwrap();
    }
    stage.log.append(&[Arc::new(visited(1))]);
    consumer.step().await.unwrap();
    assert_eq!(stage.store.parked().await.unwrap().len(), 2, "behind the first one");

    // As when both could be processed by now.
    let unpark = |position| ParkedChange::Unpark(stage.partition.clone(), Position(position));
    let id = CommitId(Environment::system().id());
    let redriven = Commit { parked: vec![unpark(1), unpark(2)], ..Commit::new(id, 0) };
    stage.store.commit(redriven).await.unwrap();
    stage.log.append(&[Arc::new(visited(1))]);
    consumer.step().await.unwrap();
    assert_eq!((stage.visits(1).await, stage.store.parked().await.unwrap().len()), (1, 0));
}

#[tokio::test]
async fn a_consumer_that_lost_its_place_can_do_no_harm() {
    let stage = Stage::with(&[visited(1)]);
    let batch = stage.log.read(&stage.partition, Position::default(), 10).await.unwrap();
    let mut consumer = stage.consumer();
    while consumer.step().await.unwrap() != Progress::Idle {}
    let late = Delivery {
        partition: stage.partition.clone(),
        from: Position::default(),
        records: batch.records,
        to: batch.next,
        blocked: Default::default(),
        park_first: None,
    };
    let outcome = stage.pipeline.run(&[Item::Delivery(late)]).await.remove(0);
    assert!(matches!(outcome, Err(NotDone::Fenced(Position(1)))), "{outcome:?}");
    assert_eq!(stage.visits(1).await, 1);
}

#[tokio::test]
async fn a_consumer_from_before_what_is_kept_says_so_and_passes_over_nothing() {
    let stage = Stage::with(&[visited(1), visited(2), visited(3)]);
    stage.log.trim(Topic::VisitEvent, Position(2), i64::MAX);
    let mut late = stage.consumer();
    for _ in 0..2 {
        let refused = late.step().await;
        assert!(
            matches!(refused, Err(ConsumeError::Log(LogError::Trimmed { trimmed: 2, .. }))),
            "{refused:?}"
        );
    }
    assert_eq!(stage.visits(3).await, 0);
    assert_eq!(stage.store.position(&stage.partition).await.unwrap(), Position::default());
}
