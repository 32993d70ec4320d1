//! A position of the service's own in its store: nothing that it consumes, but something that it must not forget.
//!
//! It moves as a consumer's does, by [`Advance`]: who says where it is moves it, and everybody else is refused.

use std::sync::Arc;

use bus::{Partition, Position};
use store::{Advance, Commit, CommitError, CommitId, Row, Settled, Store, StoreError};

use crate::clock::Environment;

/// How often the outcome of a move is asked for before giving up.
const MAX_SETTLE_TRIES: usize = 5;

/// Whether a mark was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moved {
    /// It is where it was to go.
    There,
    /// It was somewhere else than who moved it thought: somebody else moves it too.
    Elsewhere,
}

/// One mark.
pub(crate) struct Mark<R: Row> {
    store: Arc<dyn Store<R>>,
    environment: Environment,
    partition: Partition,
}

impl<R: Row> Mark<R> {
    pub(crate) fn new(store: &Arc<dyn Store<R>>, environment: &Environment, partition: Partition) -> Self {
        Self { store: Arc::clone(store), environment: environment.clone(), partition }
    }

    pub(crate) async fn position(&self) -> Result<Position, StoreError> {
        self.store.position(&self.partition).await
    }

    /// Moves it. After an error it may have been moved, or not.
    pub(crate) async fn advance(&self, from: Position, to: Position) -> Result<Moved, StoreError> {
        let id = CommitId(self.environment.id());
        let advance = Advance { partition: self.partition.clone(), from, to };
        let now_us = self.environment.now().micros();
        let commit = Commit { advances: vec![advance], ..Commit::new(id, now_us) };
        match self.store.commit(commit).await {
            Ok(()) => Ok(Moved::There),
            Err(CommitError::Stale(_)) => Ok(Moved::Elsewhere),
            Err(CommitError::Failed(cause)) => Err(StoreError::Unavailable(cause)),
            Err(CommitError::Unknown(cause)) => self.settle(id, cause).await,
        }
    }

    async fn settle(&self, id: CommitId, cause: String) -> Result<Moved, StoreError> {
        for _ in 0..MAX_SETTLE_TRIES {
            match self.store.settle(id).await {
                Ok(Settled::Committed) => return Ok(Moved::There),
                Ok(Settled::Never) => return Err(StoreError::Unavailable(cause)),
                Err(_) => {}
            }
        }
        Err(StoreError::Unavailable(cause))
    }
}
