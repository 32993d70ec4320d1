//! What a pipeline is given to do, and what became of it.

use std::collections::BTreeSet;

use bus::{Partition, Position, Record};
use domain::Refusal;
use store::{AnswerKey, Parked};

use crate::error::ServiceError;

/// A client's idempotency key with the hash of the request's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// Hashed with the caller and the rpc.
    pub key: AnswerKey,
    /// The hash of the body.
    pub fingerprint: String,
}

/// One request.
#[derive(Clone)]
pub struct Request<C> {
    /// What is asked.
    pub command: C,
    /// If the client sent a key.
    pub idempotency: Option<Idempotency>,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

/// Facts of one partition, with the consumer's progress.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Where they were read.
    pub partition: Partition,
    /// Where the consumer is by its store.
    pub from: Position,
    /// The facts.
    pub records: Vec<Record>,
    /// Where the consumer is once they are done.
    pub to: Position,
    /// Keys behind a parked fact: their facts are parked too.
    pub blocked: BTreeSet<String>,
    /// Why the first record is parked now, after too many tries.
    pub park_first: Option<String>,
}

/// One thing to do.
#[derive(Clone)]
pub enum Item<C> {
    /// A request.
    Request(Request<C>),
    /// Facts that the consumer reads on.
    Delivery(Delivery),
    /// Parked facts of one key, tried again; those that succeed are unparked.
    Redrive(Vec<Parked>),
}

/// What became of an item.
#[derive(Debug, Clone)]
pub enum Done<R> {
    /// The answer to a request.
    Answered {
        /// The answer.
        reply: R,
        /// It is the first answer again.
        replayed: bool,
    },
    /// Facts were processed.
    Delivered(Delivered),
}

/// How far a delivery came.
#[derive(Debug, Clone, Default)]
pub struct Delivered {
    /// Where the consumer is now.
    pub to: Position,
    /// The fact that stopped it, with the reason.
    pub poison: Option<(Position, String)>,
    /// Keys that are newly blocked.
    pub newly_blocked: BTreeSet<String>,
}

/// Why an item was not done. Nothing of it was committed, but for `Unknown`.
#[derive(Debug, Clone)]
pub enum NotDone {
    /// The domain refused.
    Refused(Refusal),
    /// The consumer is elsewhere by now: another one took over.
    Fenced(Position),
    /// The store cannot be reached, or somebody else was always first.
    Unavailable(String),
    /// It may have been committed, and nobody can tell now.
    Unknown(String),
}

impl From<NotDone> for ServiceError {
    fn from(why: NotDone) -> Self {
        match why {
            NotDone::Refused(refusal) => refusal.into(),
            NotDone::Fenced(_) => Self::internal(&"a request was fenced like a consumer"),
            NotDone::Unavailable(cause) => {
                tracing::warn!(cause, "store unavailable");
                Self::unavailable(
                    "unavailable",
                    "the service cannot reach its store now; nothing was changed",
                )
            }
            NotDone::Unknown(cause) => {
                tracing::warn!(cause, "outcome unknown");
                Self::unavailable(
                    "unavailable",
                    "the outcome is not known yet: repeat with the same Idempotency-Key",
                )
            }
        }
    }
}

/// The outcome of an item.
pub type Outcome<R> = Result<Done<R>, NotDone>;
