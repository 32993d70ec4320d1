//! A store as a service meets it: the memory store, watched, with faults and rivals in front of it.

use std::{
    future::pending,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use bus::{Partition, Position, Topic};
use store::{
    AnswerKey, Commit, CommitError, CommitId, Key, Loaded, MemoryStore, Parked, Query, Row, Settled, Store,
    StoreError, Versioned,
};

use crate::{
    crashes::{CrashPoint, Transition},
    faults::{Fault, Faults, Marker},
    log::SimLog,
    tape::{Asked, Committed, Tape},
};

/// The store of a service, empty, with an outbox of these topics.
#[must_use]
pub fn open<R: Row>(topics: &[Topic]) -> Arc<MemoryStore<R>> {
    Arc::new(MemoryStore::new(topics))
}

/// Sees every commit of a store.
pub trait Watch<R: Row>: Send + Sync + 'static {
    /// A commit is about to be made; the result is handed back once it has been.
    fn look(&self, commit: &Commit<R>) -> Box<dyn FnOnce() + Send>;

    /// The steps of bookings that a commit is, before it is made.
    fn transitions(&self, _commit: &Commit<R>) -> Vec<Transition> {
        Vec::new()
    }
}

/// What a rival does, and before which call of ours, counted from 0.
struct Ambush {
    calls_left: u64,
    act: Box<dyn FnOnce() + Send>,
}

/// The memory store with faults.
pub struct SimStore<R: Row> {
    inner: Arc<MemoryStore<R>>,
    faults: Arc<Faults>,
    watch: Arc<dyn Watch<R>>,
    /// What this service reads, for mending parked facts.
    reads: Arc<SimLog>,
    ambush: Mutex<Option<Ambush>>,
    /// What it was asked and what it answered, but for the faults.
    pub(crate) tape: Tape<R>,
}

impl<R: Row> SimStore<R> {
    /// Puts faults and a watch in front of a store; `reads` is the log that the service consumes.
    #[must_use]
    pub fn new(
        inner: Arc<MemoryStore<R>>,
        faults: Arc<Faults>,
        watch: Arc<dyn Watch<R>>,
        reads: Arc<SimLog>,
    ) -> Self {
        Self { inner, faults, watch, reads, ambush: Mutex::new(None), tape: Tape::new() }
    }

    /// The store without faults.
    #[must_use]
    pub fn inner(&self) -> &Arc<MemoryStore<R>> {
        &self.inner
    }

    /// Lets a rival act right before a call to this store, counted from 0.
    pub fn lie_in_wait(&self, calls_left: u64, act: Box<dyn FnOnce() + Send>) {
        *self.ambush.lock().unwrap_or_else(PoisonError::into_inner) = Some(Ambush { calls_left, act });
    }

    /// Calls a rival off that has not acted yet.
    pub fn stand_down(&self) {
        self.ambush.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn let_rival_act(&self) {
        let mut waiting = self.ambush.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.as_mut() {
            None => {}
            Some(ambush) if ambush.calls_left > 0 => ambush.calls_left -= 1,
            Some(_) => {
                let ambush = waiting.take();
                // The rival calls this same store: the lock must be free.
                drop(waiting);
                if let Some(ambush) = ambush {
                    self.faults.count(Fault::Race);
                    (ambush.act)();
                }
            }
        }
    }

    async fn before_read(&self) -> Result<(), StoreError> {
        self.let_rival_act();
        if self.faults.strikes(Fault::CrashElsewhere) {
            self.die().await;
        }
        if self.faults.strikes(Fault::ReadUnavailable) {
            return Err(StoreError::Unavailable("injected".to_owned()));
        }
        Ok(())
    }

    /// The process is gone: this call never returns, and its caller is dropped.
    async fn die(&self) {
        self.faults.crash();
        pending::<()>().await;
    }

    async fn commit_watched(&self, commit: Commit<R>) -> Result<(), CommitError> {
        let seen = self.watch.look(&commit);
        let copy = self.tape.is_kept().then(|| Box::new(commit.clone()));
        let result = self.inner.commit(commit).await;
        if let Some(copy) = copy {
            self.tape.keep(|| Asked::Commit(copy, Committed::from(&result)));
        }
        match &result {
            Ok(()) => seen(),
            Err(_) => self.faults.mark(Marker::Stale),
        }
        result
    }
}

#[async_trait]
impl<R: Row> Store<R> for SimStore<R> {
    async fn load(&self, keys: &[Key], answers: &[AnswerKey]) -> Result<Loaded<R>, StoreError> {
        self.before_read().await?;
        let loaded = self.inner.load(keys, answers).await?;
        self.tape.keep(|| Asked::Load(keys.to_vec(), answers.to_vec(), loaded.clone()));
        Ok(loaded)
    }

    async fn query(&self, query: &Query) -> Result<Vec<Versioned<R>>, StoreError> {
        self.before_read().await?;
        let found = self.inner.query(query).await?;
        self.tape.keep(|| Asked::Query(query.clone(), found.clone()));
        Ok(found)
    }

    async fn commit(&self, commit: Commit<R>) -> Result<(), CommitError> {
        self.let_rival_act();
        let faults = &self.faults;
        if faults.strikes(Fault::CommitRefused) {
            return Err(CommitError::Failed("injected".to_owned()));
        }
        if faults.strikes(Fault::CommitLost) {
            return Err(CommitError::Unknown("injected: lost".to_owned()));
        }
        let transitions = if faults.may_crash() { self.watch.transitions(&commit) } else { Vec::new() };
        if faults.strikes(Fault::CrashBeforeCommit) {
            faults.count_crash(CrashPoint::BeforeCommit, &transitions);
            self.die().await;
        }
        self.commit_watched(commit).await?;
        if faults.strikes(Fault::CrashAfterCommit) {
            faults.count_crash(CrashPoint::AfterCommit, &transitions);
            self.die().await;
        }
        if faults.strikes(Fault::CommitDoneTimedOut) {
            return Err(CommitError::Unknown("injected: done".to_owned()));
        }
        Ok(())
    }

    async fn settle(&self, id: CommitId) -> Result<Settled, StoreError> {
        self.before_read().await?;
        let settled = self.inner.settle(id).await?;
        self.tape.keep(|| Asked::Settle(id, settled));
        Ok(settled)
    }

    async fn position(&self, partition: &Partition) -> Result<Position, StoreError> {
        self.before_read().await?;
        let position = self.inner.position(partition).await?;
        self.tape.keep(|| Asked::Position(partition.clone(), position));
        Ok(position)
    }

    async fn parked(&self) -> Result<Vec<Parked>, StoreError> {
        self.before_read().await?;
        let parked = self.inner.parked().await?;
        self.tape.keep(|| Asked::Parked(parked.clone()));
        Ok(parked.into_iter().map(|parked| self.reads.mended(parked)).collect())
    }

    async fn prune(&self, before_us: i64) -> Result<u64, StoreError> {
        self.inner.prune(before_us).await
    }

    async fn trim(&self, topic: Topic, up_to: Position, before_us: i64) -> Result<u64, StoreError> {
        self.inner.trim(topic, up_to, before_us).await
    }

    /// Of seeds in which no second process acts.
    fn is_sole_writer(&self) -> bool {
        let others = [Fault::Race, Fault::ZombieConsumer, Fault::Rebalance];
        !others.into_iter().any(|fault| self.faults.is_drawn(fault))
    }
}
