//! Clusters to test on.

use std::{sync::Arc, time::Duration};

use bus::{Assignments, Change, Fact, Log, Partition, Publisher, Topic};
use kafka::{KafkaLog, KafkaPublisher, Settings, parked_topic};
use rdkafka::{mocking::MockCluster, producer::DefaultProducerContext};

/// How long a test waits for what should come.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A cluster in this process that can be told to fail. It must stay where it was made.
pub struct Mock {
    pub cluster: MockCluster<'static, DefaultProducerContext>,
}

impl Mock {
    /// With the topics of the platform.
    pub fn start(brokers: i32, partitions: i32) -> Self {
        let cluster = MockCluster::new(brokers).unwrap();
        for topic in Topic::ALL {
            cluster.create_topic(topic.name(), partitions, brokers).unwrap();
            cluster.create_topic(&parked_topic(topic), 1, brokers).unwrap();
        }
        Self { cluster }
    }

    pub fn url(&self) -> String {
        format!("kafka://{}", self.cluster.bootstrap_servers())
    }
}

pub fn settings(url: &str) -> Settings {
    Settings::from_url(url).unwrap()
}

/// Publishes facts of several topics.
pub async fn publish(publisher: &KafkaPublisher, facts: &[Arc<Fact>]) {
    for topic in Topic::ALL {
        let of_topic: Vec<_> = facts.iter().filter(|fact| fact.topic == topic).cloned().collect();
        publisher.publish(topic, &of_topic).await.unwrap();
    }
}

/// Waits until a reader of a log was given so many partitions.
pub async fn assigned(log: &dyn Log, topics: &[Topic], count: usize) -> Vec<Partition> {
    let mut assignments = Assignments::of(log, topics);
    let mut partitions: Vec<Partition> = Vec::new();
    let gathered = tokio::time::timeout(PATIENCE, async {
        while partitions.len() < count {
            match assignments.next().await {
                Some(Change::Gained(gained)) => partitions.extend(gained),
                Some(Change::Lost(lost, _)) => partitions.retain(|one| !lost.contains(one)),
                None => panic!("the log is gone"),
            }
        }
    });
    gathered.await.unwrap_or_else(|_| panic!("no {count} partitions were assigned"));
    partitions
}

/// A log that was joined, and has everything of these topics.
pub async fn joined(settings: &Settings, group: &str, topics: &[Topic], partitions: usize) -> KafkaLog {
    let log = KafkaLog::join(settings, group, topics).unwrap();
    assigned(&log, topics, partitions).await;
    log
}
