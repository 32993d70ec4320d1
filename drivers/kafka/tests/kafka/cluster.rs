//! Clusters to test on, and services on them.

use std::{sync::Arc, time::Duration};

use bus::{Assignments, Change, Fact, Log, Partition, Publisher, Topic};
use kafka::{KafkaLog, KafkaPublisher, Settings};
use kit::{
    Environment, Pace, Pipeline, Runtime,
    relay::{self, Outbox},
};
use rdkafka::{mocking::MockCluster, producer::DefaultProducerContext};
use store::{Commit, CommitId, MemoryStore, Store};

use crate::ledger::{Ledger, LedgerRow, Written, written};

/// How long a test waits for what should come.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// The topic of the ledger.
pub const TOPIC: Topic = Topic::TicketStatusEvent;

/// A cluster in this process that can be told to fail. It must stay where it was made.
pub struct Mock {
    pub cluster: MockCluster<'static, DefaultProducerContext>,
    brokers: i32,
}

impl Mock {
    pub fn start(brokers: i32) -> Self {
        Self { cluster: MockCluster::new(brokers).unwrap(), brokers }
    }

    /// The topics of the platform. The mock cluster cannot be asked to create them.
    pub fn create_topics(&self, settings: &Settings, partitions: i32) {
        for topic in Topic::ALL {
            self.cluster.create_topic(&settings.topic(topic), partitions, self.brokers).unwrap();
            self.cluster.create_topic(&settings.parked_topic(topic), 1, self.brokers).unwrap();
        }
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

/// Waits until readers of a log were given so many partitions.
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

/// One process of the service that keeps the ledger.
pub struct Service {
    pub log: Arc<KafkaLog>,
    runtime: Runtime,
}

impl Service {
    /// On a store that it may share with others of its kind.
    pub fn start(settings: &Settings, store: Arc<dyn Store<LedgerRow>>) -> Self {
        let log = Arc::new(KafkaLog::join(settings, "ledger", &[TOPIC]).unwrap());
        let runtime = Runtime::new();
        let handle = runtime.start(Pipeline::new(Arc::new(Ledger), store, Environment::system()));
        runtime.consume(&handle, &(Arc::clone(&log) as _), &[TOPIC], Pace::Prompt);
        Self { log, runtime }
    }

    /// The order in which a service stops.
    pub async fn stop(self) {
        self.runtime.stop().await;
        self.log.leave().await;
    }
}

/// One process of a service that publishes sales.
pub struct Producer {
    runtime: Runtime,
}

impl Producer {
    pub fn start(settings: &Settings, store: &Arc<MemoryStore<LedgerRow>>) -> Self {
        let runtime = Runtime::new();
        let outbox = Outbox {
            store: Arc::clone(store) as Arc<dyn Store<LedgerRow>>,
            log: store.log(),
            publishes: &[TOPIC],
            keep: Duration::from_secs(3_600),
        };
        let publisher = Arc::new(KafkaPublisher::new(settings).unwrap()) as Arc<dyn Publisher>;
        relay::start(&runtime, outbox, &publisher, &Environment::system());
        Self { runtime }
    }

    pub async fn stop(self) {
        self.runtime.stop().await;
    }
}

/// Puts facts into an outbox.
pub async fn commit(store: &MemoryStore<LedgerRow>, facts: &[Arc<Fact>]) {
    let id = CommitId(Environment::system().id());
    store.commit(Commit { facts: facts.to_vec(), ..Commit::new(id, 0) }).await.unwrap();
}

/// Waits until a ledger has so many sales.
pub async fn until_sold(store: &MemoryStore<LedgerRow>, sales: usize) -> Written {
    let wait = async {
        while written(store).sales < sales {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    waited.unwrap_or_else(|_| panic!("waited in vain for {sales} sales: {:?}", written(store)));
    written(store)
}
