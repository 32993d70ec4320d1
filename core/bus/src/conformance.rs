//! What every log must do, as small named cases.

use uuid::Uuid;

use crate::{
    assignment::{Assignments, Change},
    fact::{Fact, FactId, Memo, Topic},
    log::{Log, LogError, Partition, Position},
};

/// Runs every case. `open` gives a fresh log that publishes [`Topic::TicketEvent`] and
/// [`Topic::VisitEvent`] and holds the given facts, committed in that order.
///
/// # Panics
/// When the log breaks the contract; the message names the case.
pub async fn run<L: Log, F: Future<Output = L>>(open: impl Fn(Vec<Fact>) -> F) {
    an_empty_log_gives_nothing(&open(vec![]).await).await;
    facts_are_read_in_order(&open(samples(5)).await).await;
    reading_on_from_a_position_skips_nothing(&open(samples(7)).await).await;
    reading_twice_gives_the_same(&open(samples(3)).await).await;
    topics_do_not_mix(&open(mixed()).await).await;
    a_batch_is_bounded(&open(samples(9)).await).await;
    an_unknown_partition_is_an_error(&open(vec![]).await).await;
    waiting_returns_when_there_is_more(&open(samples(1)).await).await;
    every_attribute_survives(&open(samples(1)).await).await;
    every_partition_is_assigned(&open(samples(1)).await).await;
}

/// A fact for suites: the number is its key and its payload.
#[must_use]
pub fn sample(topic: Topic, number: u32) -> Fact {
    Fact {
        id: FactId(Uuid::from_u128(u128::from(number) + 1)),
        source: "suite",
        kind: "sample.made".to_owned(),
        topic,
        key: format!("key-{number}"),
        time_us: i64::from(number) * 1_000,
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        payload: format!("{{\"number\":{number}}}"),
        memo: Memo::default(),
    }
}

fn samples(count: u32) -> Vec<Fact> {
    (0..count).map(|number| sample(Topic::TicketEvent, number)).collect()
}

fn mixed() -> Vec<Fact> {
    (0..6)
        .map(|number| {
            let topic = if number % 2 == 0 { Topic::TicketEvent } else { Topic::VisitEvent };
            sample(topic, number)
        })
        .collect()
}

fn partition(log: &impl Log, topic: Topic) -> Partition {
    let mut partitions = log.partitions(topic);
    assert_eq!(partitions.len(), 1, "the suite expects one partition of {}", topic.name());
    partitions.remove(0)
}

async fn read_all(log: &impl Log, topic: Topic, step: usize) -> Vec<String> {
    let partition = partition(log, topic);
    let mut position = Position::default();
    let mut keys = Vec::new();
    loop {
        let batch = log.read(&partition, position, step).await.expect("a read succeeds");
        if batch.records.is_empty() && batch.next == position {
            return keys;
        }
        assert!(batch.next >= position, "next never goes back");
        position = batch.next;
        keys.extend(batch.records.into_iter().map(|record| record.fact.key.clone()));
    }
}

async fn an_empty_log_gives_nothing(log: &impl Log) {
    assert!(read_all(log, Topic::TicketEvent, 10).await.is_empty());
    assert!(log.partitions(Topic::FeedbackEvent).is_empty(), "only its own topics");
}

async fn facts_are_read_in_order(log: &impl Log) {
    let keys = read_all(log, Topic::TicketEvent, 100).await;
    assert_eq!(keys, ["key-0", "key-1", "key-2", "key-3", "key-4"]);
}

async fn reading_on_from_a_position_skips_nothing(log: &impl Log) {
    for step in 1..=8 {
        assert_eq!(read_all(log, Topic::TicketEvent, step).await.len(), 7, "step {step}");
    }
}

async fn reading_twice_gives_the_same(log: &impl Log) {
    let once = read_all(log, Topic::TicketEvent, 2).await;
    assert_eq!(once, read_all(log, Topic::TicketEvent, 2).await);
}

async fn topics_do_not_mix(log: &impl Log) {
    assert_eq!(read_all(log, Topic::TicketEvent, 2).await, ["key-0", "key-2", "key-4"]);
    assert_eq!(read_all(log, Topic::VisitEvent, 2).await, ["key-1", "key-3", "key-5"]);
}

async fn a_batch_is_bounded(log: &impl Log) {
    let partition = partition(log, Topic::TicketEvent);
    let batch = log.read(&partition, Position::default(), 4).await.expect("a read succeeds");
    assert_eq!(batch.records.len(), 4);
    assert_eq!(batch.next, batch.records[3].position);
}

async fn an_unknown_partition_is_an_error(log: &impl Log) {
    let unknown = Partition { topic: Topic::TicketEvent, name: "nobody".to_owned() };
    let answer = log.read(&unknown, Position::default(), 1).await;
    assert!(matches!(answer, Err(LogError::UnknownPartition(_))));
}

async fn waiting_returns_when_there_is_more(log: &impl Log) {
    let partition = partition(log, Topic::TicketEvent);
    log.wait(&partition, Position::default()).await.expect("there is one already");
}

async fn every_attribute_survives(log: &impl Log) {
    let partition = partition(log, Topic::TicketEvent);
    let batch = log.read(&partition, Position::default(), 1).await.expect("a read succeeds");
    assert_eq!(*batch.records[0].fact, sample(Topic::TicketEvent, 0));
}

async fn every_partition_is_assigned(log: &impl Log) {
    let mut assignments = Assignments::of(log, &[Topic::TicketEvent, Topic::FeedbackEvent]);
    let mut assigned = Vec::new();
    while assigned != log.partitions(Topic::TicketEvent) {
        match assignments.next().await {
            Some(Change::Gained(partitions)) => assigned.extend(partitions),
            other => panic!("only reader, only its own topics, and yet: {other:?}"),
        }
    }
}
