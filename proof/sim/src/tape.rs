//! What a service asked of its store in a run, and what the store answered: to be asked of another store.
//!
//! A world follows from its seed and from the answers of its stores alone. So a store that gives the same answers to
//! the same questions would have had the same run.

use std::{
    cell::Cell,
    sync::{Mutex, PoisonError},
};

use analytics::AnalyticsRow;
use bus::{Partition, Position};
use event::EventRow;
use feedback::FeedbackRow;
use notification::NotificationRow;
use store::{AnswerKey, Commit, CommitError, CommitId, Key, Loaded, Parked, Query, Row, Settled, Versioned};
use ticket::TicketRow;
use user::UserRow;

use crate::{trace::Printing, witness::Violation, world::World};

thread_local! {
    /// Whether the stores that are made on this thread keep a tape.
    static TAPING: Cell<bool> = const { Cell::new(false) };
}

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// It took effect.
    Yes,
    /// Somebody else was first.
    Stale,
    /// Something else; a memory store never says so.
    Otherwise,
}

impl From<&Result<(), CommitError>> for Committed {
    fn from(result: &Result<(), CommitError>) -> Self {
        match result {
            Ok(()) => Self::Yes,
            Err(CommitError::Stale(_)) => Self::Stale,
            Err(CommitError::Failed(_) | CommitError::Unknown(_)) => Self::Otherwise,
        }
    }
}

/// A question and its answer.
#[derive(Debug, Clone)]
pub enum Asked<R: Row> {
    /// `load`
    Load(Vec<Key>, Vec<AnswerKey>, Loaded<R>),
    /// `query`
    Query(Query, Vec<Versioned<R>>),
    /// `commit`
    Commit(Box<Commit<R>>, Committed),
    /// `settle`
    Settle(CommitId, Settled),
    /// `position`
    Position(Partition, Position),
    /// `parked`
    Parked(Vec<Parked>),
}

/// What one store was asked, where that is kept.
pub(crate) struct Tape<R: Row>(Option<Mutex<Vec<Asked<R>>>>);

impl<R: Row> Tape<R> {
    /// An empty tape; nothing is kept on it unless this thread records.
    pub(crate) fn new() -> Self {
        Self(TAPING.get().then(Mutex::default))
    }

    /// Whether anything is kept on it.
    pub(crate) fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    /// Keeps what was asked.
    pub(crate) fn keep(&self, asked: impl FnOnce() -> Asked<R>) {
        if let Some(kept) = &self.0 {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(asked());
        }
    }

    fn take(&self) -> Vec<Asked<R>> {
        let kept = self.0.as_ref().map(|kept| kept.lock().unwrap_or_else(PoisonError::into_inner));
        kept.map(|mut kept| std::mem::take(&mut *kept)).unwrap_or_default()
    }
}

/// What all stores of a run were asked, in order.
pub struct Recorded {
    /// The event service's.
    pub event: Vec<Asked<EventRow>>,
    /// The ticket service's.
    pub ticket: Vec<Asked<TicketRow>>,
    /// The user service's.
    pub user: Vec<Asked<UserRow>>,
    /// The feedback service's.
    pub feedback: Vec<Asked<FeedbackRow>>,
    /// The notification service's.
    pub notification: Vec<Asked<NotificationRow>>,
    /// The analytics service's.
    pub analytics: Vec<Asked<AnalyticsRow>>,
    /// What must never be, and was.
    pub violations: Vec<Violation>,
}

/// Runs a seed on this thread, which must be inside of [`with_clock`](crate::run::with_clock), and keeps what its stores
/// were asked.
#[must_use]
pub fn record(seed: u64) -> Recorded {
    TAPING.set(true);
    let mut world = World::new(seed, Printing::Off);
    TAPING.set(false);
    world.run();
    Recorded {
        event: world.event.store.tape.take(),
        ticket: world.ticket.store.tape.take(),
        user: world.user.store.tape.take(),
        feedback: world.feedback.store.tape.take(),
        notification: world.notification.store.tape.take(),
        analytics: world.analytics.store.tape.take(),
        violations: world.violations(),
    }
}
