//! The contract, and the log that is made of several.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    assignment::Reader,
    fact::{Fact, Topic},
};

/// A place in a partition: everything up to and including it is done. 0 is before the first fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

/// One ordered sequence of facts of a topic. Embedded, that is one producer's outbox.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    /// The topic.
    pub topic: Topic,
    /// The producer embedded, or the number of a broker's partition.
    pub name: String,
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic.name(), self.name)
    }
}

/// A fact where it stands in its partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Unique and rising within the partition, not necessarily without gaps.
    pub position: Position,
    /// The fact; copies of a record share it.
    pub fact: Arc<Fact>,
}

/// What one read gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// In order of their positions.
    pub records: Vec<Record>,
    /// Where to read on: at least the position of the last record.
    pub next: Position,
}

/// Why a log could not be read. Reading changes nothing, so trying again is always safe.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    /// The partition is not part of this log.
    #[error("unknown partition {0}")]
    UnknownPartition(String),
    /// Facts after the position are no longer kept. Trying again does not help.
    #[error(
        "the facts of {partition} up to {trimmed} are no longer kept, and this reader is only at {after}"
    )]
    Trimmed {
        /// Which partition.
        partition: String,
        /// Where the reader is.
        after: u64,
        /// What was removed reaches up to here.
        trimmed: u64,
        /// The latest time of a fact that was removed, in microseconds since 1970 UTC.
        latest_us: i64,
    },
    /// The log ends before the position, so it is not the one that was read so far: what comes next would be taken
    /// for what is done already. Trying again helps only where the log is still catching up with itself.
    #[error("{partition} ends at {newest}, and this reader is already at {after}: is it another log by now?")]
    Ahead {
        /// Which partition.
        partition: String,
        /// Where the reader is.
        after: u64,
        /// Where the log ends.
        newest: u64,
    },
    /// Another reader of the same kind reads the partition now; see [`Assignments`](crate::Assignments).
    #[error("partition {0} is not assigned to this reader")]
    NotAssigned(String),
    /// The log cannot be reached now.
    #[error("log unavailable: {0}")]
    Unavailable(String),
}

/// A log of facts.
///
/// - A fact that was committed is read by everyone who reads from before it, for as long as it is kept. Reading
///   from before facts that are no longer kept is [`LogError::Trimmed`], unless its topic keeps the newest fact of
///   each key ([`Retention::NewestOfKey`](crate::Retention)): then those are read, and none is missed.
/// - Two facts of one key of one topic are always read in the order in which they were committed.
/// - What is no fact of ours, on a log that others write to, is read as a fact that nobody can process: so it is parked
///   by who reads it, with the rest of its key behind it, and never passed over.
/// - Reading has no effect. Who reads keeps its own position, in the commit of its effects.
#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// The partitions of a topic; empty when the topic is not on this log.
    fn partitions(&self, topic: Topic) -> Vec<Partition>;

    /// Tells a reader from now on which partitions of its topics it is to read. Unless readers share the log, those
    /// are all, for good.
    fn assign(&self, reader: Reader) {
        for topic in reader.topics() {
            reader.gained(&self.partitions(*topic));
        }
    }

    /// Up to `most` records after a position, at once; none when there are none yet.
    async fn read(&self, partition: &Partition, after: Position, most: usize) -> Result<Batch, LogError>;

    /// Returns when there may be something after the position. It may return early, never too late.
    async fn wait(&self, partition: &Partition, after: Position) -> Result<(), LogError>;
}

/// Several logs as one: embedded, the outboxes of all producers.
pub struct Merged(Vec<Arc<dyn Log>>);

impl Merged {
    /// The partitions of each log must be distinct.
    #[must_use]
    pub fn new(logs: Vec<Arc<dyn Log>>) -> Self {
        Self(logs)
    }

    fn owner(&self, partition: &Partition) -> Result<&Arc<dyn Log>, LogError> {
        self.0
            .iter()
            .find(|log| log.partitions(partition.topic).contains(partition))
            .ok_or_else(|| LogError::UnknownPartition(partition.to_string()))
    }
}

#[async_trait]
impl Log for Merged {
    fn partitions(&self, topic: Topic) -> Vec<Partition> {
        self.0.iter().flat_map(|log| log.partitions(topic)).collect()
    }

    fn assign(&self, reader: Reader) {
        self.0.iter().for_each(|log| log.assign(reader.clone()));
    }

    async fn read(&self, partition: &Partition, after: Position, most: usize) -> Result<Batch, LogError> {
        self.owner(partition)?.read(partition, after, most).await
    }

    async fn wait(&self, partition: &Partition, after: Position) -> Result<(), LogError> {
        self.owner(partition)?.wait(partition, after).await
    }
}
