//! What every log must do.

use std::{cell::Cell, sync::Arc, time::Duration};

use bus::{Fact, Topic};
use engines::kafka::Kafka;
use kafka::{KafkaLog, KafkaPublisher, Settings, TopicOptions, create_topics};

use crate::cluster::{Mock, joined, publish, settings};

const TOPICS: [Topic; 2] = [Topic::TicketEvent, Topic::VisitEvent];

async fn published(settings: &Settings, facts: Vec<Fact>) {
    let publisher = KafkaPublisher::new(settings).unwrap();
    publish(&publisher, &facts.into_iter().map(Arc::new).collect::<Vec<_>>()).await;
}

/// Gives each case topics of its own on one cluster.
struct Fresh {
    url: String,
    cases: Cell<u32>,
}

impl Fresh {
    fn on(url: String) -> Self {
        Self { url, cases: Cell::new(0) }
    }

    fn next(&self) -> Settings {
        self.cases.set(self.cases.get() + 1);
        settings(&format!("{}?prefix=case{}.", self.url, self.cases.get()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_of_a_group_conforms_on_the_mock() {
    let mock = Mock::start(1);
    let fresh = Fresh::on(mock.url());
    bus::conformance::run(|facts| {
        let settings = fresh.next();
        mock.create_topics(&settings, 1);
        async move {
            published(&settings, facts).await;
            joined(&settings, "suite", &TOPICS, 2).await
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_everything_conforms_on_the_mock() {
    let mock = Mock::start(1);
    let fresh = Fresh::on(mock.url());
    bus::conformance::run(|facts| {
        let settings = fresh.next();
        mock.create_topics(&settings, 1);
        async move {
            published(&settings, facts).await;
            KafkaLog::alone(&settings, &TOPICS).await.unwrap()
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_conform_on_apache_kafka() {
    if engines::wanted("Apache Kafka", engines::kafka::jars()).is_none() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let kafka = Kafka::start(directory.path(), 1).unwrap();
    let fresh = Fresh::on(format!("kafka://{}", kafka.servers()));
    let options = TopicOptions { partitions: 1, replication: 1, keep_facts: Duration::from_secs(3_600) };
    let open = |facts| {
        let (settings, options) = (fresh.next(), options.clone());
        async move {
            create_topics(&settings, &options).await.unwrap();
            published(&settings, facts).await;
            settings
        }
    };
    bus::conformance::run(|facts| {
        let opened = open(facts);
        async move { joined(&opened.await, "suite", &TOPICS, 2).await }
    })
    .await;
    bus::conformance::run(|facts| {
        let opened = open(facts);
        async move { KafkaLog::alone(&opened.await, &TOPICS).await.unwrap() }
    })
    .await;
}
