//! Several processes of one service share the partitions, and take over from each other.

use std::{
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use bus::{Log, Partition, Publisher};
use engines::kafka::Kafka;
use kafka::{KafkaLog, KafkaPublisher, Settings, TopicOptions, create_topics};
use store::{
    MemoryStore,
    faulty::{Fault, FaultPlan, FaultyStore},
};

use crate::{
    cluster::{Mock, PATIENCE, Service, TOPIC, assigned, settings, until_sold},
    ledger::{LedgerRow, Written, sales},
};

const PARTITIONS: i32 = 6;
const EVENTS: u32 = 20;
/// By which a child process of the tests is told where to read.
const URL: &str = "BOXOFFICE_TEST_KAFKA_URL";

fn ledger() -> Arc<MemoryStore<LedgerRow>> {
    Arc::new(MemoryStore::new(&[]))
}

async fn publish(settings: &Settings, each: std::ops::RangeInclusive<u32>) {
    let publisher = KafkaPublisher::new(settings).unwrap();
    let from = (each.start() - 1) * EVENTS;
    let all = sales(EVENTS, *each.end());
    publisher.publish(TOPIC, &all[from as usize..]).await.unwrap();
}

fn has(log: &KafkaLog) -> usize {
    let mut assignments = bus::Assignments::of(log, &[TOPIC]);
    let first = futures_util::FutureExt::now_or_never(assignments.next());
    match first.flatten() {
        Some(bus::Change::Gained(partitions)) => partitions.len(),
        _ => 0,
    }
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("waited in vain: {what}"));
}

/// Two processes come, share, and go; each fact is done once.
async fn share_and_take_over(settings: &Settings) {
    let store = ledger();
    let first = Service::start(settings, Arc::clone(&store) as _);
    until("the first has all", || has(&first.log) == 6).await;
    publish(settings, 1..=100).await;
    let second = Service::start(settings, Arc::clone(&store) as _);
    publish(settings, 101..=150).await;
    until("both have some", || has(&first.log) == 3 && has(&second.log) == 3).await;
    publish(settings, 151..=200).await;
    first.stop().await;
    publish(settings, 201..=250).await;
    until("the second has all", || has(&second.log) == 6).await;
    let written = until_sold(&store, 250 * EVENTS as usize).await;
    assert_eq!(written, Written { sales: 5_000, repetitions: 0, is_in_order: true });
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_the_partitions_on_the_mock() {
    let mock = Mock::start(1);
    let settings = settings(&mock.url());
    mock.create_topics(&settings, PARTITIONS);
    share_and_take_over(&settings).await;
}

/// A store whose commits wait at a gate, once it is shut.
struct Gate(Mutex<Option<mpsc::Receiver<()>>>);

impl FaultPlan for Gate {
    fn read(&self) -> Fault {
        Fault::None
    }

    fn commit(&self) -> Fault {
        if let Some(gate) = self.0.lock().unwrap().take() {
            // It is opened by a message or, when the test ends, by the drop of the sender.
            let _ = gate.recv();
        }
        Fault::None
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_commit_that_comes_after_another_took_over_is_refused() {
    let mock = Mock::start(1);
    let settings = settings(&mock.url());
    mock.create_topics(&settings, 1);
    let store = ledger();
    let (open, gate) = mpsc::channel();
    let gated = FaultyStore::new(Arc::clone(&store) as _, Arc::new(Gate(Mutex::new(Some(gate)))));
    let zombie = Service::start(&settings, Arc::new(gated));
    until("the zombie reads", || has(&zombie.log) == 1).await;
    publish(&settings, 1..=10).await;
    // Its first commit is on its way, and stays there. Its partition goes to another all the same.
    tokio::time::sleep(Duration::from_secs(1)).await;
    zombie.log.leave().await;
    let other = Service::start(&settings, Arc::clone(&store) as _);
    let written = until_sold(&store, 10 * EVENTS as usize).await;
    open.send(()).unwrap();
    publish(&settings, 11..=20).await;
    let more = until_sold(&store, 20 * EVENTS as usize).await;
    for written in [written, more] {
        assert_eq!((written.repetitions, written.is_in_order), (0, true), "nothing was done twice");
    }
    tokio::time::timeout(PATIENCE, zombie.stop()).await.unwrap();
    other.stop().await;
}

/// Another process in the group, which reads and does nothing.
struct Silent(Child);

impl Silent {
    fn start(url: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "groups::a_silent_member", "--ignored"]).env(URL, url);
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "it is started by another test, as a process of its own"]
fn a_silent_member() {
    let settings = settings(&std::env::var(URL).unwrap());
    let _log = KafkaLog::join(&settings, "ledger", &[TOPIC]).unwrap();
    // Longer than any test waits.
    std::thread::sleep(PATIENCE * 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn apache_kafka_gives_the_partitions_of_a_killed_process_to_another() {
    if engines::wanted("Apache Kafka", engines::kafka::jars()).is_none() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let kafka = Kafka::start(directory.path(), 1).unwrap();
    let url = format!("kafka://{}?session_timeout_ms=3000", kafka.servers());
    let settings = settings(&url);
    let options = TopicOptions { partitions: 6, replication: 1, ..TopicOptions::default() };
    create_topics(&settings, &options).await.unwrap();

    share_and_take_over(&settings).await;

    let store = ledger();
    let alive = Service::start(&settings, Arc::clone(&store) as _);
    assigned(alive.log.as_ref() as &dyn Log, &[TOPIC], 6).await;
    let silent = Silent::start(&url);
    until("it shares with the silent one", || has(&alive.log) == 3).await;
    publish(&settings, 251..=300).await;
    drop(silent);
    let written = until_sold(&store, 300 * EVENTS as usize).await;
    assert_eq!(written, Written { sales: 6_000, repetitions: 0, is_in_order: true });
    assert_eq!(has(&alive.log), 6);
    lag_is_told(&settings, &alive.log).await;
    alive.stop().await;
}

/// Tools see how far the group is.
async fn lag_is_told(settings: &Settings, log: &KafkaLog) {
    use rdkafka::consumer::{BaseConsumer, Consumer};
    let mut config = rdkafka::ClientConfig::new();
    config.set("bootstrap.servers", settings.servers()).set("group.id", settings.group("ledger"));
    let tool: BaseConsumer = config.create().unwrap();
    let partitions: Vec<Partition> = log.partitions(TOPIC);
    let behind = || {
        let topic = settings.topic(TOPIC);
        let mut list = rdkafka::TopicPartitionList::new();
        for partition in &partitions {
            list.add_partition(&topic, partition.name.parse().unwrap());
        }
        let committed = tool.committed_offsets(list, PATIENCE).unwrap();
        let offset = |one: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| one.offset().to_raw();
        committed
            .elements()
            .iter()
            .map(|one| {
                let end = tool.fetch_watermarks(&topic, one.partition(), PATIENCE).unwrap().1;
                end - offset(one).unwrap().max(0)
            })
            .sum::<i64>()
    };
    until("the lag is none", || behind() == 0).await;
}
