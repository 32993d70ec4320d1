//! A log in memory: the outbox of the memory store, and what the simulator reads.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{
    fact::{Fact, Retention, Topic},
    log::{Batch, Log, LogError, Partition, Position, Record},
};

/// Facts of one producer, in the order of their commits.
pub struct MemoryLog {
    name: String,
    topics: Vec<Topic>,
    kept: Mutex<Kept>,
    newest: watch::Sender<u64>,
}

#[derive(Default)]
struct Kept {
    /// In order; a fact that is gone leaves its place empty, so that positions do not move.
    facts: Vec<Option<Arc<Fact>>>,
    trimmed: BTreeMap<Topic, Trimmed>,
}

/// What was trimmed of a topic.
#[derive(Clone, Copy)]
struct Trimmed {
    up_to: u64,
    latest_us: i64,
}

impl MemoryLog {
    /// An empty log of the producer `name`, which publishes on `topics`.
    #[must_use]
    pub fn new(name: &str, topics: &[Topic]) -> Self {
        Self {
            name: name.to_owned(),
            topics: topics.to_vec(),
            kept: Mutex::default(),
            newest: watch::Sender::new(0),
        }
    }

    /// Appends facts and wakes the readers.
    pub fn append(&self, facts: &[Arc<Fact>]) {
        let length = {
            let mut kept = self.kept();
            kept.facts.extend(facts.iter().cloned().map(Some));
            kept.facts.len() as u64
        };
        self.newest.send_replace(length);
    }

    /// Every fact that is kept.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Fact>> {
        self.kept().facts.iter().flatten().cloned().collect()
    }

    /// Removes the facts of a key.
    pub fn forget(&self, topic: Topic, key: &str) {
        for slot in &mut self.kept().facts {
            slot.take_if(|fact| fact.topic == topic && fact.key == key);
        }
    }

    /// Removes the facts of a topic up to a position that were published before a time, but for those that the
    /// topic keeps; how many.
    pub fn trim(&self, topic: Topic, up_to: Position, before_us: i64) -> u64 {
        let mut kept = self.kept();
        let Some(newest) = kept.facts.iter().rposition(|fact| is_of(fact, topic)) else { return 0 };
        let keeps_newest_of_key = topic.retention() == Retention::NewestOfKey;
        let end = if keeps_newest_of_key { newest + 1 } else { newest };
        let up_to = usize::try_from(up_to.0).unwrap_or(usize::MAX);
        let before = kept.facts.len();
        let too_young = |fact: &Option<Arc<Fact>>| is_of(fact, topic) && is_since(fact, before_us);
        let first_to_stay = kept.facts.iter().position(too_young).unwrap_or(before);
        let end = end.min(up_to).min(first_to_stay);
        let facts = kept.facts[..end].iter().flatten().filter(|fact| fact.topic == topic);
        let Some(latest_us) = facts.map(|fact| fact.time_us).max() else { return 0 };
        let trimmed = kept.trimmed.entry(topic).or_insert(Trimmed { up_to: 0, latest_us });
        trimmed.up_to = trimmed.up_to.max(end as u64);
        trimmed.latest_us = trimmed.latest_us.max(latest_us);
        let mut later_keys = BTreeSet::new();
        let mut removed = 0;
        for slot in kept.facts[..end].iter_mut().rev().filter(|slot| is_of(slot, topic)) {
            let key = slot.as_ref().map(|fact| fact.key.clone());
            if !keeps_newest_of_key || !later_keys.insert(key) {
                *slot = None;
                removed += 1;
            }
        }
        removed
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Whatever panicked while the lock was held, each fact is whole or gone.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_of(fact: &Option<Arc<Fact>>, topic: Topic) -> bool {
    fact.as_ref().is_some_and(|fact| fact.topic == topic)
}

fn is_since(fact: &Option<Arc<Fact>>, time_us: i64) -> bool {
    fact.as_ref().is_some_and(|fact| fact.time_us >= time_us)
}

#[async_trait]
impl Log for MemoryLog {
    fn partitions(&self, topic: Topic) -> Vec<Partition> {
        let mine = self.topics.contains(&topic);
        mine.then(|| Partition { topic, name: self.name.clone() }).into_iter().collect()
    }

    async fn read(&self, partition: &Partition, after: Position, most: usize) -> Result<Batch, LogError> {
        if !self.topics.contains(&partition.topic) || partition.name != self.name {
            return Err(LogError::UnknownPartition(partition.to_string()));
        }
        let kept = self.kept();
        let trimmed = kept.trimmed.get(&partition.topic).filter(|trimmed| after.0 < trimmed.up_to);
        if let Some(Trimmed { up_to, latest_us }) = trimmed.copied()
            && partition.topic.retention() == Retention::None
        {
            let (partition, after) = (partition.to_string(), after.0);
            return Err(LogError::Trimmed { partition, after, trimmed: up_to, latest_us });
        }
        let facts = &kept.facts;
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
