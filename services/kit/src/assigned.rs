//! A consumer of each partition that is assigned: started and stopped as the log says.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bus::{Assignments, Change, Log, Partition};
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    consumer::{Consumer, Pace},
    handle::Handle,
    machine::Machine,
};

/// How long a consumer may take to end its step when its partition is lost. After that it is abandoned: what it
/// still commits is fenced by its position.
const MAX_STOP: Duration = Duration::from_secs(5);

/// The consumers of one service that go at one pace.
pub(crate) struct Assigned<M: Machine> {
    pub handle: Handle<M>,
    pub log: Arc<dyn Log>,
    pub pace: Pace,
    pub tasks: TaskTracker,
    pub shutdown: CancellationToken,
}

/// A consumer that runs.
struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl<M: Machine> Assigned<M> {
    /// Follows the assignments until told to stop, or until there are no more changes: then what runs goes on.
    pub(crate) async fn run(self, mut assignments: Assignments) {
        let mut running: BTreeMap<Partition, Running> = BTreeMap::new();
        loop {
            let change = tokio::select! {
                change = assignments.next() => change,
                () = self.shutdown.cancelled() => return,
            };
            match change {
                Some(Change::Gained(partitions)) => {
                    for partition in partitions {
                        // A partition that is gained again is read by one consumer all the same.
                        if let Some(before) = running.remove(&partition) {
                            stop(&partition, before, Instant::now() + MAX_STOP).await;
                        }
                        let started = self.start(partition.clone());
                        running.insert(partition, started);
                    }
                }
                Some(Change::Lost(partitions, release)) => {
                    let lost: Vec<_> =
                        partitions.iter().filter_map(|partition| running.remove_entry(partition)).collect();
                    // All at once, so that the slowest alone is waited for.
                    lost.iter().for_each(|(_, consumer)| consumer.stop.cancel());
                    let until = Instant::now() + MAX_STOP;
                    for (partition, consumer) in lost {
                        stop(&partition, consumer, until).await;
                    }
                    drop(release);
                }
                None => return,
            }
        }
    }

    fn start(&self, partition: Partition) -> Running {
        let stop = self.shutdown.child_token();
        let (log, store) = (Arc::clone(&self.log), Arc::clone(self.handle.store()));
        let consumer = Consumer::new(partition, log, store, Arc::new(self.handle.clone()));
        let task = self.tasks.spawn(consumer.run(self.pace, stop.clone()));
        Running { stop, task }
    }
}

async fn stop(partition: &Partition, mut consumer: Running, until: Instant) {
    consumer.stop.cancel();
    if tokio::time::timeout_at(until, &mut consumer.task).await.is_err() {
        tracing::warn!(%partition, "a consumer did not stop in time and is abandoned");
        consumer.task.abort();
    }
}
