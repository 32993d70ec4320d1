//! The log fails, and what is committed reaches its consumers all the same, in order.

use std::{sync::Arc, time::Duration};

use bus::{Fact, Log, LogError, Position, Publisher, Topic};
use engines::kafka::Kafka;
use kafka::{KafkaLog, KafkaPublisher, Settings, TopicOptions, TopicOutcome, create_topics};
use rdkafka::{
    admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier},
    client::DefaultClientContext,
    types::{RDKafkaApiKey, RDKafkaRespErr},
};
use store::MemoryStore;

use crate::{
    cluster::{Mock, PATIENCE, Producer, Service, TOPIC, commit, settings, until_sold},
    ledger::{LedgerRow, sales},
};

const EVENTS: u32 = 20;

fn producer_store() -> Arc<MemoryStore<LedgerRow>> {
    Arc::new(MemoryStore::new(&[TOPIC]))
}

/// Sales are committed, a hundred each tenth of a second, while something is done to the cluster.
async fn sell_while(store: &MemoryStore<LedgerRow>, each: u32, meanwhile: impl Future<Output = ()>) {
    let all = sales(EVENTS, each);
    let sell = async {
        for some in all.chunks(100) {
            commit(store, some).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::join!(sell, meanwhile);
}

/// A producer and a consumer on a cluster to which something is done.
async fn nothing_is_lost_while(settings: &Settings, each: u32, meanwhile: impl Future<Output = ()>) {
    let (producer, consumer) = (producer_store(), Arc::new(MemoryStore::new(&[])));
    let relay = Producer::start(settings, &producer);
    let service = Service::start(settings, Arc::clone(&consumer) as _);
    sell_while(&producer, each, meanwhile).await;
    let written = until_sold(&consumer, (each * EVENTS) as usize).await;
    assert!(written.is_in_order, "the order of a key was not kept: {written:?}");
    relay.stop().await;
    service.stop().await;
}

async fn seconds(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_waits_while_no_broker_answers() {
    let mock = Mock::start(3);
    // Shorter than the brokers are away, so that batches are given up.
    // One request at a time: see below.
    let settings = settings(&format!("{}?delivery_timeout_ms=1000&max_in_flight=1", mock.url()));
    mock.create_topics(&settings, 4);
    nothing_is_lost_while(&settings, 400, async {
        for _ in 0..2 {
            seconds(1.0).await;
            (1..=3).for_each(|broker| mock.cluster.broker_down(broker).unwrap());
            seconds(2.5).await;
            (1..=3).for_each(|broker| mock.cluster.broker_up(broker).unwrap());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_that_refuse_or_hang_up_cost_nothing_but_time() {
    use RDKafkaRespErr as E;
    let mock = Mock::start(3);
    // One request at a time: the mock cluster checks sequence numbers of transactions only, so it would take the second
    // of two requests of which it refused the first. Apache Kafka does not.
    let settings = settings(&format!("{}?delivery_timeout_ms=1500&max_in_flight=1", mock.url()));
    mock.create_topics(&settings, 4);
    let errors = [
        E::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        E::RD_KAFKA_RESP_ERR__TRANSPORT,
        E::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        E::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        E::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
        E::RD_KAFKA_RESP_ERR__TRANSPORT,
    ];
    nothing_is_lost_while(&settings, 300, async {
        for round in 0..12 {
            seconds(0.4).await;
            mock.cluster.request_errors(RDKafkaApiKey::Produce, &errors);
            mock.cluster.request_errors(RDKafkaApiKey::Fetch, &[E::RD_KAFKA_RESP_ERR__TRANSPORT]);
            // The leader moves.
            mock.cluster.partition_leader(&settings.topic(TOPIC), round % 4, Some(1 + round % 3)).unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_relay_of_the_same_database_takes_over() {
    let mock = Mock::start(1);
    let settings = settings(&mock.url());
    mock.create_topics(&settings, 4);
    let (producer, consumer) = (producer_store(), Arc::new(MemoryStore::new(&[])));
    let service = Service::start(&settings, Arc::clone(&consumer) as _);
    let (first, second) = (Producer::start(&settings, &producer), Producer::start(&settings, &producer));
    sell_while(&producer, 150, async {
        seconds(1.0).await;
        first.stop().await;
    })
    .await;
    let written = until_sold(&consumer, 150 * EVENTS as usize).await;
    assert_eq!((written.repetitions, written.is_in_order), (0, true), "one was at work at a time");
    second.stop().await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn apache_kafka_is_killed_and_loses_what_it_may_lose() {
    if engines::wanted("Apache Kafka", engines::kafka::jars()).is_none() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut kafka = Kafka::start(directory.path(), 1).unwrap();
    let url = format!("kafka://{}?delivery_timeout_ms=2000&session_timeout_ms=3000", kafka.servers());
    let settings = settings(&url);
    let options = TopicOptions { partitions: 4, replication: 1, keep_facts: Duration::from_secs(3_600) };
    let created = create_topics(&settings, &options).await.unwrap();
    assert!(created.len() == 10 && created.iter().all(|(_, outcome)| *outcome == TopicOutcome::Created));
    let again = create_topics(&settings, &options).await.unwrap();
    assert!(again.iter().all(|(_, outcome)| *outcome == TopicOutcome::WasThere));

    nothing_is_lost_while(&settings, 400, async {
        seconds(2.0).await;
        kafka.kill(0);
        seconds(3.0).await;
        kafka.restart(0).unwrap();
    })
    .await;

    what_was_deleted_is_told(&settings).await;
    what_was_compacted_is_read_on(&settings).await;
}

fn admin(settings: &Settings) -> AdminClient<DefaultClientContext> {
    rdkafka::ClientConfig::new().set("bootstrap.servers", settings.servers()).create().unwrap()
}

/// Facts before a position are deleted, as by retention.
async fn delete_before(settings: &Settings, topic: Topic, number: i32, offset: i64) {
    let admin = admin(settings);
    let mut list = rdkafka::TopicPartitionList::new();
    list.add_partition_offset(&settings.topic(topic), number, rdkafka::Offset::Offset(offset)).unwrap();
    let deleted = admin.delete_records(&list, &AdminOptions::new()).await.unwrap();
    deleted.elements().iter().for_each(|one| one.error().unwrap());
}

async fn what_was_deleted_is_told(settings: &Settings) {
    let log = KafkaLog::alone(settings, &[TOPIC]).await.unwrap();
    let partition = log.partitions(TOPIC).remove(0);
    let number = partition.name.parse().unwrap();
    let all = log.read(&partition, Position::default(), 200).await.unwrap();
    // This reader is in the middle when it happens, and has more of it at hand.
    let middle = all.records[49].position;
    delete_before(settings, TOPIC, number, all.records[99].position.0.cast_signed()).await;
    for after in [Position::default(), middle] {
        let answer = log.read(&partition, after, 10).await;
        let Err(LogError::Trimmed { trimmed, .. }) = answer else { panic!("{after:?}: {answer:?}") };
        assert_eq!(Position(trimmed), all.records[99].position);
    }
    let rest = log.read(&partition, all.records[99].position, 100).await.unwrap();
    assert_eq!(rest.records[0], all.records[100]);
}

/// Has a topic compacted soon, and in small segments: the newest one never is.
async fn compact_soon(settings: &Settings, topic: Topic) {
    let name = settings.topic(topic);
    let change = AlterConfig::new(ResourceSpecifier::Topic(&name))
        .set("cleanup.policy", "compact")
        .set("segment.ms", "500")
        .set("max.compaction.lag.ms", "500");
    let altered = admin(settings).alter_configs(&[change], &AdminOptions::new()).await.unwrap();
    altered.into_iter().for_each(|one| drop(one.unwrap()));
}

async fn what_was_compacted_is_read_on(settings: &Settings) {
    const TOPIC: Topic = Topic::UpsertData;
    compact_soon(settings, TOPIC).await;
    let publisher = KafkaPublisher::new(settings).unwrap();
    let of_one = |fact| Arc::new(Fact { key: "one".to_owned(), ..fact });
    let facts: Vec<_> = (0..10).map(|number| of_one(bus::conformance::sample(TOPIC, number))).collect();
    publisher.publish(TOPIC, &facts).await.unwrap();
    let log = KafkaLog::alone(settings, &[TOPIC]).await.unwrap();
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        let mut records = Vec::new();
        for partition in log.partitions(TOPIC) {
            records.extend(log.read(&partition, Position::default(), 1_000).await.unwrap().records);
        }
        assert!(records.is_sorted_by_key(|record| record.position));
        if !records.is_empty() && !records.iter().any(|record| record.fact == facts[0]) {
            assert!(records[0].position > Position(1), "what is read first is what is left: {records:?}");
            return;
        }
        assert!(tokio::time::Instant::now() < until, "nothing was compacted: {}", records.len());
        seconds(0.7).await;
        // Each begins a new segment, so that those before it may be compacted.
        publisher.publish(TOPIC, &facts[9..]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_brokers_of_which_one_is_killed_go_on() {
    if engines::wanted("Apache Kafka", engines::kafka::jars()).is_none() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut kafka = Kafka::start(directory.path(), 3).unwrap();
    let url = format!("kafka://{}?delivery_timeout_ms=10000", kafka.servers());
    let settings = settings(&url);
    let options = TopicOptions { partitions: 6, replication: 3, ..TopicOptions::default() };
    create_topics(&settings, &options).await.unwrap();
    nothing_is_lost_while(&settings, 500, async {
        for broker in 0..2 {
            seconds(2.0).await;
            kafka.kill(broker);
            seconds(4.0).await;
            kafka.restart(broker).unwrap();
        }
    })
    .await;
}
