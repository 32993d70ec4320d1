//! Publishing: the way from an outbox to a log that is elsewhere.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    fact::{Fact, FactId, Topic},
    log::{Partition, Record},
};

/// A fact that a service could not process, as others are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedFact {
    /// The service that could not.
    pub service: &'static str,
    /// Where it was read.
    pub partition: Partition,
    /// The fact.
    pub record: Record,
    /// Why.
    pub reason: String,
    /// When it was set aside, in microseconds since 1970 UTC.
    pub at_us: i64,
}

/// Why facts were not, or not all, published.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PublishError {
    /// The log cannot be reached now. Nothing, a beginning or all of it may be there: publish it again.
    #[error("log unavailable: {0}")]
    Unavailable(String),
    /// The log refuses a fact, such as one that is too large. Trying again helps only once its settings, or the
    /// fact, are others.
    #[error("the log refuses fact {}: {why}", fact.0)]
    Refused {
        /// Which.
        fact: FactId,
        /// Why.
        why: String,
    },
}

/// Where facts of an outbox are published.
///
/// - When `publish` returns, every fact is kept by the log for as long as its topic says, whatever crashes.
/// - After an error, nothing, a beginning or all of it may be there. Who publishes again, from the first fact on,
///   loses none and makes repetitions: a fact is published at least once, and its id says that it is the same.
/// - The first times of two facts of one key are in the order in which they were published, whatever failed in
///   between: a fact is never on the log without those before it.
#[async_trait]
pub trait Publisher: Send + Sync + 'static {
    /// Publishes facts of one topic, in order.
    async fn publish(&self, topic: Topic, facts: &[Arc<Fact>]) -> Result<(), PublishError>;

    /// Tells of facts that could not be processed, each on the parked topic of its topic.
    async fn publish_parked(&self, parked: &[ParkedFact]) -> Result<(), PublishError>;
}
