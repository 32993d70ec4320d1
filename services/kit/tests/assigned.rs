//! Consumers follow what the log assigns: they start, and they have stopped before somebody else is let in.
#![allow(clippy::unwrap_used, reason = "in a test, what is missing is a failure")]

#[path = "../testing/ledger.rs"]
mod ledger;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bus::{Batch, Log, LogError, MemoryLog, Partition, Position, Reader, Topic, release};
use kit::{Environment, Pace, Pipeline, Runtime};
use ledger::{Ledger, LedgerRow, sold, written};
use store::{
    MemoryStore, Store,
    faulty::{Fault, FaultPlan, FaultyStore},
};

const TOPIC: Topic = Topic::TicketStatusEvent;
const PATIENCE: Duration = Duration::from_secs(20);

/// A log whose partitions are assigned as a test says.
struct Assigning {
    log: MemoryLog,
    reader: Mutex<Option<Reader>>,
}

impl Assigning {
    fn new() -> Arc<Self> {
        Arc::new(Self { log: MemoryLog::new("0", &[TOPIC]), reader: Mutex::default() })
    }

    fn partition(&self) -> Partition {
        self.log.partitions(TOPIC).remove(0)
    }

    fn sell(&self, numbers: std::ops::RangeInclusive<u32>) {
        self.log.append(&numbers.map(|number| Arc::new(sold(1, number))).collect::<Vec<_>>());
    }

    fn give(&self) {
        self.reader.lock().unwrap().as_ref().unwrap().gained(&[self.partition()]);
    }

    /// Takes the partition away and waits for the release, as a broker's client does: on a thread of its own.
    async fn take_away(&self, at_most: Duration) -> bool {
        let (release, released) = release();
        self.reader.lock().unwrap().as_ref().unwrap().lost(&[self.partition()], release);
        tokio::task::spawn_blocking(move || released.wait(at_most)).await.unwrap()
    }
}

#[async_trait]
impl Log for Assigning {
    fn partitions(&self, topic: Topic) -> Vec<Partition> {
        self.log.partitions(topic)
    }

    fn assign(&self, reader: Reader) {
        *self.reader.lock().unwrap() = Some(reader);
    }

    async fn read(&self, partition: &Partition, after: Position, most: usize) -> Result<Batch, LogError> {
        self.log.read(partition, after, most).await
    }

    async fn wait(&self, partition: &Partition, after: Position) -> Result<(), LogError> {
        self.log.wait(partition, after).await
    }
}

fn start(log: &Arc<Assigning>, store: Arc<dyn Store<LedgerRow>>) -> Runtime {
    let runtime = Runtime::new();
    let handle = runtime.start(Pipeline::new(Arc::new(Ledger), store, Environment::system()));
    runtime.consume(&handle, &(Arc::clone(log) as _), &[TOPIC], Pace::Prompt);
    runtime
}

async fn until_sold(store: &MemoryStore<LedgerRow>, sales: usize) {
    let wait = async {
        while written(store).sales < sales {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{:?}", written(store)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_is_read_while_it_is_assigned_and_only_then() {
    let (log, store) = (Assigning::new(), Arc::new(MemoryStore::new(&[])));
    let runtime = start(&log, Arc::clone(&store) as _);
    log.sell(1..=10);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(written(&store).sales, 0, "it was not assigned yet");
    log.give();
    until_sold(&store, 10).await;
    assert!(log.take_away(PATIENCE).await, "it is released");
    log.sell(11..=20);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(written(&store).sales, 10, "somebody else reads it now");
    log.give();
    until_sold(&store, 20).await;
    let expected = ledger::Written { sales: 20, repetitions: 0, is_in_order: true };
    assert_eq!(written(&store), expected, "it went on where it was");
    runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_its_way_into_the_store_is_there_before_the_release() {
    /// A commit takes a moment.
    struct Slow;
    impl FaultPlan for Slow {
        fn read(&self) -> Fault {
            Fault::None
        }
        fn commit(&self) -> Fault {
            std::thread::sleep(Duration::from_millis(200));
            Fault::None
        }
    }
    let (log, store) = (Assigning::new(), Arc::new(MemoryStore::new(&[])));
    let slow = FaultyStore::new(Arc::clone(&store) as _, Arc::new(Slow));
    let runtime = start(&log, Arc::new(slow));
    log.sell(1..=10);
    log.give();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(written(&store).sales, 0, "the commit is on its way");
    assert!(log.take_away(PATIENCE).await);
    assert_eq!(written(&store).sales, 10, "and has arrived");
    assert_eq!(store.position(&log.partition()).await.unwrap(), Position(10));
    runtime.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_stops_holds_nobody_up() {
    let (log, store) = (Assigning::new(), Arc::new(MemoryStore::new(&[])));
    let runtime = start(&log, store);
    log.give();
    tokio::time::timeout(PATIENCE, runtime.stop()).await.unwrap();
    assert!(log.take_away(Duration::from_secs(1)).await, "a reader that is gone releases at once");
}
