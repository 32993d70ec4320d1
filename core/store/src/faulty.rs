//! A store that fails as it is told: refused, lost, or done but reported as timed out.

use std::sync::Arc;

use async_trait::async_trait;
use bus::{Partition, Position, Topic};

use crate::{
    Loaded, Store,
    commit::{AnswerKey, Commit, CommitError, CommitId, Parked, Settled, StoreError},
    query::Query,
    row::{Key, Row, Versioned},
};

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: the call goes through.
    None,
    /// The store cannot be reached; nothing is done.
    Refused,
    /// A commit is lost on its way, and nobody can tell.
    Lost,
    /// A commit is done, and nobody can tell.
    DoneButTimedOut,
}

/// Chooses the fault of each call.
pub trait FaultPlan: Send + Sync + 'static {
    /// The fault of the next read.
    fn read(&self) -> Fault;
    /// The fault of the next commit.
    fn commit(&self) -> Fault;
}

/// A store with faults in front of it.
pub struct FaultyStore<R: Row> {
    inner: Arc<dyn Store<R>>,
    plan: Arc<dyn FaultPlan>,
}

impl<R: Row> FaultyStore<R> {
    /// Puts faults in front of a store.
    #[must_use]
    pub fn new(inner: Arc<dyn Store<R>>, plan: Arc<dyn FaultPlan>) -> Self {
        Self { inner, plan }
    }

    fn may_read(&self) -> Result<(), StoreError> {
        match self.plan.read() {
            Fault::None => Ok(()),
            _ => Err(StoreError::Unavailable("injected".to_owned())),
        }
    }
}

#[async_trait]
impl<R: Row> Store<R> for FaultyStore<R> {
    async fn load(&self, keys: &[Key], answers: &[AnswerKey]) -> Result<Loaded<R>, StoreError> {
        self.may_read()?;
        self.inner.load(keys, answers).await
    }

    async fn query(&self, query: &Query) -> Result<Vec<Versioned<R>>, StoreError> {
        self.may_read()?;
        self.inner.query(query).await
    }

    async fn commit(&self, commit: Commit<R>) -> Result<(), CommitError> {
        match self.plan.commit() {
            Fault::None => self.inner.commit(commit).await,
            Fault::Refused => Err(CommitError::Failed("injected".to_owned())),
            Fault::Lost => Err(CommitError::Unknown("injected: lost".to_owned())),
            Fault::DoneButTimedOut => {
                self.inner.commit(commit).await?;
                Err(CommitError::Unknown("injected: done".to_owned()))
            }
        }
    }

    async fn settle(&self, id: CommitId) -> Result<Settled, StoreError> {
        self.may_read()?;
        self.inner.settle(id).await
    }

    async fn position(&self, partition: &Partition) -> Result<Position, StoreError> {
        self.may_read()?;
        self.inner.position(partition).await
    }

    async fn parked(&self) -> Result<Vec<Parked>, StoreError> {
        self.may_read()?;
        self.inner.parked().await
    }

    async fn prune(&self, before_us: i64) -> Result<u64, StoreError> {
        self.inner.prune(before_us).await
    }

    async fn trim(&self, topic: Topic, up_to: Position, before_us: i64) -> Result<u64, StoreError> {
        self.inner.trim(topic, up_to, before_us).await
    }

    fn is_sole_writer(&self) -> bool {
        self.inner.is_sole_writer()
    }
}
