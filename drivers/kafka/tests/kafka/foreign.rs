//! What is on a topic and no fact of ours, what is parked, and what the log cannot take.

use std::{sync::Arc, time::Duration};

use bus::{Fact, Log, LogError, Partition, Position, PublishError, Publisher};
use kafka::{KafkaLog, KafkaPublisher, Settings};
use kit::{Environment, relay::ParkedRelay};
use rdkafka::{
    ClientConfig, Message,
    consumer::{BaseConsumer, Consumer},
    message::Headers,
    producer::{BaseProducer, BaseRecord, Producer},
};
use store::{MemoryStore, Store};

use crate::{
    cluster::{Mock, PATIENCE, Service, TOPIC, settings, until_sold},
    ledger::{LedgerRow, sold},
};

/// Publishes what is no fact of ours.
fn publish_foreign(settings: &Settings, key: Option<&str>, value: &[u8]) {
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", settings.servers()).create().unwrap();
    let topic = settings.topic(TOPIC);
    let mut record = BaseRecord::<str, [u8]>::to(&topic).partition(0).payload(value);
    if let Some(key) = key {
        record = record.key(key);
    }
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(PATIENCE).unwrap();
}

/// The headers of every record of a topic.
fn headers(settings: &Settings, topic: &str, count: usize) -> Vec<Vec<(String, String)>> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", settings.servers()).set("group.id", "looking");
    let consumer: BaseConsumer = config.set("auto.offset.reset", "earliest").create().unwrap();
    consumer.subscribe(&[topic]).unwrap();
    let until = std::time::Instant::now() + PATIENCE;
    let mut found = Vec::new();
    while found.len() < count && std::time::Instant::now() < until {
        let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) else { continue };
        let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap_or_default().to_vec()).unwrap();
        let headers = message.headers().unwrap().iter();
        found.push(headers.map(|header| (header.key.to_owned(), text(header.value))).collect());
    }
    assert_eq!(found.len(), count, "records of {topic}");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_fact_is_parked_with_its_key_and_told() {
    let mock = Mock::start(1);
    let settings = settings(&mock.url());
    mock.create_topics(&settings, 1);
    let publisher = Arc::new(KafkaPublisher::new(&settings).unwrap());
    let publish = async |fact: Fact| publisher.publish(TOPIC, &[Arc::new(fact)]).await.unwrap();
    publish(sold(1, 1)).await;
    publish_foreign(&settings, Some(&sold(1, 1).key), b"\xff\xfe not ours");
    publish_foreign(&settings, None, b"{}");
    publish(sold(1, 2)).await;
    publish(sold(2, 1)).await;

    let store = Arc::new(MemoryStore::<LedgerRow>::new(&[]));
    let service = Service::start(&settings, Arc::clone(&store) as _);
    until_sold(&store, 2).await;
    let parked = store.parked().await.unwrap();
    let places: Vec<u64> = parked.iter().map(|parked| parked.record.position.0).collect();
    assert_eq!(places, [2, 3, 4], "two that are no facts, and one behind the first: {parked:#?}");
    assert!(parked[0].reason.contains("unreadable"), "{}", parked[0].reason);
    assert!(parked[0].record.fact.payload.contains("it has no header ce_id"));
    assert!(parked[1].record.fact.payload.contains("it has no key"));

    let port = Arc::clone(&store) as Arc<dyn Store<LedgerRow>>;
    let relay = ParkedRelay::new(&port, publisher, &Environment::system());
    assert_eq!(relay.step().await.unwrap(), 3);
    let told = headers(&settings, &settings.parked_topic(TOPIC), 3);
    for (name, value) in [
        ("parked_service", "ledger"),
        ("parked_partition", "0"),
        ("parked_position", "4"),
        ("ce_type", "seats.sold"),
        ("ce_specversion", "1.0"),
        ("ce_source", "event"),
        ("ce_time", "1970-01-01T00:00:00.000002Z"),
        ("content-type", "application/json"),
    ] {
        assert!(told[2].contains(&(name.to_owned(), value.to_owned())), "{name}: {:?}", told[2]);
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_that_is_too_large_is_refused_by_its_name_and_nothing_after_it_arrives() {
    let mock = Mock::start(1);
    let settings = settings(&mock.url());
    mock.create_topics(&settings, 1);
    let publisher = KafkaPublisher::new(&settings).unwrap();
    let large = Fact { payload: "x".repeat(2_000_000), ..sold(1, 2) };
    let batch = [Arc::new(sold(1, 1)), Arc::new(large), Arc::new(sold(1, 3))];
    let refused = publisher.publish(TOPIC, &batch).await;
    assert!(matches!(refused, Err(PublishError::Refused { fact, .. }) if fact == batch[1].id), "{refused:?}");
    publisher.publish(TOPIC, &[Arc::new(sold(1, 9))]).await.unwrap();
    let log = KafkaLog::alone(&settings, &[TOPIC]).await.unwrap();
    let partition = Partition { topic: TOPIC, name: "0".to_owned() };
    let read = log.read(&partition, Position::default(), 10).await.unwrap();
    let ids: Vec<_> = read.records.iter().map(|record| record.fact.id).collect();
    assert!(!ids.contains(&batch[2].id), "a fact without the one before it");
    assert_eq!(ids.last(), Some(&sold(1, 9).id), "and it publishes on");
}

#[test]
fn the_client_library_takes_every_setting() {
    for url in ["kafka://one:9092", "kafka://ada:secret@one:9092?sasl=plain&compression=snappy&prefix=a."] {
        KafkaPublisher::new(&settings(url)).unwrap();
        KafkaLog::join(&settings(url), "ledger", &[TOPIC]).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_is_beyond_the_end_is_told_so() {
    let mock = Mock::start(1);
    let settings = settings(&mock.url());
    mock.create_topics(&settings, 1);
    let publisher = KafkaPublisher::new(&settings).unwrap();
    publisher.publish(TOPIC, &[Arc::new(sold(1, 1))]).await.unwrap();
    let log = KafkaLog::alone(&settings, &[TOPIC]).await.unwrap();
    let partition = log.partitions(TOPIC).remove(0);
    let beyond = log.read(&partition, Position(2), 10).await;
    assert!(matches!(beyond, Err(LogError::Ahead { after: 2, newest: 1, .. })), "{beyond:?}");
    let end = log.read(&partition, Position(1), 10).await.unwrap();
    assert_eq!((end.records.len(), end.next), (0, Position(1)));
}
