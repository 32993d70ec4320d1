//! A log in memory: the outbox of the memory store, and what the simulator reads.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{
    fact::{Fact, Topic},
    log::{Batch, Log, LogError, Partition, Position, Record},
};

/// Facts of one producer, in the order of their commits.
pub struct MemoryLog {
    name: String,
    topics: Vec<Topic>,
    /// In order; a forgotten fact leaves its place empty, so that positions do not move.
    facts: Mutex<Vec<Option<Arc<Fact>>>>,
    newest: watch::Sender<u64>,
}

impl MemoryLog {
    /// An empty log of the producer `name`, which publishes on `topics`.
    #[must_use]
    pub fn new(name: &str, topics: &[Topic]) -> Self {
        Self {
            name: name.to_owned(),
            topics: topics.to_vec(),
            facts: Mutex::new(Vec::new()),
            newest: watch::Sender::new(0),
        }
    }

    /// Appends facts and wakes the readers.
    pub fn append(&self, facts: &[Arc<Fact>]) {
        let length = {
            let mut kept = self.facts();
            kept.extend(facts.iter().cloned().map(Some));
            kept.len() as u64
        };
        self.newest.send_replace(length);
    }

    /// Every fact so far.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Fact>> {
        self.facts().iter().flatten().cloned().collect()
    }

    /// Removes the facts of a key.
    pub fn forget(&self, topic: Topic, key: &str) {
        for slot in self.facts().iter_mut() {
            slot.take_if(|fact| fact.topic == topic && fact.key == key);
        }
    }

    fn facts(&self) -> MutexGuard<'_, Vec<Option<Arc<Fact>>>> {
        // A panic while the lock was held can only have happened in `Vec::extend`; what is there is whole.
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Log for MemoryLog {
    fn partitions(&self, topic: Topic) -> Vec<Partition> {
        let mine = self.topics.contains(&topic);
        mine.then(|| Partition { topic, name: self.name.clone() }).into_iter().collect()
    }

    async fn read(&self, partition: &Partition, after: Position, most: usize) -> Result<Batch, LogError> {
        if !self.partitions(partition.topic).contains(partition) {
            return Err(LogError::UnknownPartition(partition.to_string()));
        }
        let facts = self.facts();
        let start = usize::try_from(after.0).unwrap_or(usize::MAX).min(facts.len());
        let mut records = Vec::new();
        let mut next = after;
        for (offset, fact) in facts[start..].iter().enumerate() {
            if records.len() == most {
                break;
            }
            next = Position((start + offset + 1) as u64);
            if let Some(fact) = fact.as_ref().filter(|fact| fact.topic == partition.topic) {
                records.push(Record { position: next, fact: Arc::clone(fact) });
            }
        }
        Ok(Batch { records, next })
    }

    async fn wait(&self, _partition: &Partition, after: Position) -> Result<(), LogError> {
        let mut newest = self.newest.subscribe();
        // The sender lives as long as this log, so waiting cannot fail.
        let _ = newest.wait_for(|newest| *newest > after.0).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_memory_log_conforms() {
        crate::conformance::run(|facts| async move {
            let log = MemoryLog::new("suite", &[Topic::TicketEvent, Topic::VisitEvent]);
            log.append(&facts.into_iter().map(Arc::new).collect::<Vec<_>>());
            log
        })
        .await;
    }
}
