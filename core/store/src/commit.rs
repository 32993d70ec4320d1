//! One commit: everything that a change is, written together or not at all.

use std::sync::Arc;

use bus::{Fact, Partition, Position, Record, Topic};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::row::{Key, Row, Version};

/// The id of a commit, by which its outcome can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(pub Uuid);

/// A write of one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Change<R> {
    /// Where.
    pub key: Key,
    /// The version it was loaded at; 0 for a new row. The commit is stale when it is another by now.
    pub expected: Version,
    /// The new state; `None` removes the row.
    pub row: Option<Arc<R>>,
    /// The state at the expected version, where it is known: what is equal need not be written again.
    pub before: Option<Arc<R>>,
}

impl<R> Change<R> {
    /// A write over a version of which nothing else is known.
    #[must_use]
    pub fn new(key: Key, expected: Version, row: Option<R>) -> Self {
        Self { key, expected, row: row.map(Arc::new), before: None }
    }
}

/// What a client's idempotency key stands for: hashed with who sent it and to which rpc.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnswerKey(pub String);

/// The answer that a request with an idempotency key got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The hash of the request's body; another body with the same key is refused.
    pub fingerprint: String,
    /// The answer, as the service encodes it.
    pub body: String,
    /// When it was given, in microseconds since 1970 UTC.
    pub at_us: i64,
}

/// A consumer's progress. The commit is stale unless the consumer is still where it thinks it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    /// Which partition.
    pub partition: Partition,
    /// Where the consumer was.
    pub from: Position,
    /// Where it is once the effects are committed.
    pub to: Position,
}

/// A fact that could not be processed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// Where it was read.
    pub partition: Partition,
    /// The fact.
    pub record: Record,
    /// Why.
    pub reason: String,
    /// When, in microseconds since 1970 UTC.
    pub at_us: i64,
}

/// A change of the parked facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParkedChange {
    /// Sets a fact aside.
    Park(Parked),
    /// Takes one back: it has been processed.
    Unpark(Partition, Position),
}

/// Everything that a change is.
#[derive(Debug, Clone)]
pub struct Commit<R: Row> {
    /// Its id.
    pub id: CommitId,
    /// When, in microseconds since 1970 UTC; for pruning.
    pub at_us: i64,
    /// The rows, each at most once.
    pub changes: Vec<Change<R>>,
    /// Keys whose facts so far are removed from the outbox, before the new ones are appended: log
    /// compaction, for what nobody may keep. Positions do not move.
    pub forgotten: Vec<(Topic, String)>,
    /// What to publish, in order.
    pub facts: Vec<Arc<Fact>>,
    /// Answers to new idempotency keys. The commit is stale when one has an answer by now.
    pub answers: Vec<(AnswerKey, Answer)>,
    /// The progress of a consumer, where the change is its effect.
    pub advances: Vec<Advance>,
    /// Facts set aside or taken back.
    pub parked: Vec<ParkedChange>,
}

impl<R: Row> Commit<R> {
    /// A commit of nothing yet.
    #[must_use]
    pub fn new(id: CommitId, at_us: i64) -> Self {
        Self {
            id,
            at_us,
            changes: Vec::new(),
            forgotten: Vec::new(),
            facts: Vec::new(),
            answers: Vec::new(),
            advances: Vec::new(),
            parked: Vec::new(),
        }
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
            && self.forgotten.is_empty()
            && self.facts.is_empty()
            && self.answers.is_empty()
            && self.advances.is_empty()
            && self.parked.is_empty()
    }
}

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It took effect.
    Committed,
    /// It did not, and never will.
    Never,
}

/// Why a read failed. Reading has no effect, so trying again is always safe.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached now.
    #[error("store unavailable: {0}")]
    Unavailable(String),
    /// What is stored cannot be read: a defect, or damage.
    #[error("store corrupt: {0}")]
    Corrupt(String),
}

/// Why a commit failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitError {
    /// Somebody else was first: a version, a unique value, an answer or a position is another by now.
    /// It surely had no effect. Load again and decide again.
    #[error("somebody else was first: {0}")]
    Stale(String),
    /// It surely had no effect, for a reason that trying again may outlast.
    #[error("not committed: {0}")]
    Failed(String),
    /// It may have had effect. Never try again before [`Store::settle`](crate::Store::settle).
    #[error("outcome unknown: {0}")]
    Unknown(String),
}
