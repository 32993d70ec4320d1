//! A store behind a circuit breaker: where a database does not answer, what is asked of it is refused at once instead
//! of waiting with everything else.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bus::{Partition, Position, Topic};
use store::{
    AnswerKey, Commit, CommitError, CommitId, Key, Loaded, Parked, Query, Row, Settled, Store, StoreError,
    Versioned,
};
use tokio::time::Instant;

use crate::{
    breaker::{Admitted, Breaker, Outcome, Policy, State},
    metrics::{BreakerFigures, BreakerState},
};

/// Few calls say enough: they share connections, and each that fails has waited for seconds.
const POLICY: Policy = Policy {
    window: Duration::from_secs(10),
    min_calls: 3,
    failure_percent: 50,
    first_pause: Duration::from_millis(250),
    max_pause: Duration::from_secs(2),
    trials: 1,
};
/// Who gives up after that has not been answered; before, it had other reasons.
const SLOW: Duration = Duration::from_secs(1);
const REFUSED: &str = "the database did not answer lately, and is not asked for a moment";

/// A store of a server, behind its breaker.
pub struct Shedding<R: Row> {
    inner: Arc<dyn Store<R>>,
    breaker: Mutex<Breaker>,
    since: Instant,
    figures: BreakerFigures,
}

impl<R: Row> Shedding<R> {
    /// Puts a breaker in front of a store.
    #[must_use]
    pub fn new(inner: Arc<dyn Store<R>>, figures: BreakerFigures) -> Self {
        Self { inner, breaker: Mutex::new(Breaker::new(POLICY)), since: Instant::now(), figures }
    }

    fn admit(&self) -> Result<Asking<'_, R>, String> {
        let admitted = self.breaker().admit(self.since.elapsed());
        let admitted = admitted.map_err(|_| REFUSED.to_owned())?;
        Ok(Asking { store: self, admitted: Some(admitted), since: Instant::now() })
    }

    async fn read<T>(&self, asked: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let is_trial = self.breaker().state(self.since.elapsed()) != State::Closed;
        let asking = self.admit().map_err(StoreError::Unavailable)?;
        let answer = if is_trial {
            // Somebody waits for this look whether it is back.
            let in_time = tokio::time::timeout(SLOW, asked).await;
            in_time.unwrap_or_else(|_| Err(StoreError::Unavailable(REFUSED.to_owned())))
        } else {
            asked.await
        };
        let is_answer = !matches!(answer, Err(StoreError::Unavailable(_)));
        asking.conclude(if is_answer { Outcome::Answered } else { Outcome::Failed });
        answer
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        // Nothing panics while the lock is held.
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that is asked; when it is dropped, who asked gave up.
struct Asking<'a, R: Row> {
    store: &'a Shedding<R>,
    admitted: Option<Admitted>,
    since: Instant,
}

impl<R: Row> Asking<'_, R> {
    fn conclude(mut self, outcome: Outcome) {
        self.note(outcome);
    }

    fn note(&mut self, outcome: Outcome) {
        let Some(admitted) = self.admitted.take() else { return };
        let now = self.store.since.elapsed();
        let mut breaker = self.store.breaker();
        let before = breaker.state(now);
        breaker.conclude(&admitted, outcome, now);
        let after = breaker.state(now);
        drop(breaker);
        self.store.figures.set(match after {
            State::Closed => BreakerState::Closed,
            State::HalfOpen => BreakerState::HalfOpen,
            State::Open => BreakerState::Open,
        });
        if before != after {
            tracing::warn!(service = R::SERVICE, ?before, ?after, "the circuit breaker of the store changed");
        }
    }
}

impl<R: Row> Drop for Asking<'_, R> {
    fn drop(&mut self) {
        let waited = self.since.elapsed() >= SLOW;
        self.note(if waited { Outcome::Failed } else { Outcome::Abandoned });
    }
}

#[async_trait]
impl<R: Row> Store<R> for Shedding<R> {
    async fn load(&self, keys: &[Key], answers: &[AnswerKey]) -> Result<Loaded<R>, StoreError> {
        self.read(self.inner.load(keys, answers)).await
    }

    async fn query(&self, query: &Query) -> Result<Vec<Versioned<R>>, StoreError> {
        self.read(self.inner.query(query)).await
    }

    async fn commit(&self, commit: Commit<R>) -> Result<(), CommitError> {
        // What was not asked surely had no effect.
        let asking = self.admit().map_err(CommitError::Failed)?;
        let answer = self.inner.commit(commit).await;
        let is_answer = matches!(answer, Ok(()) | Err(CommitError::Stale(_)));
        asking.conclude(if is_answer { Outcome::Answered } else { Outcome::Failed });
        answer
    }

    /// Always asked: somebody waits to know what became of a commit.
    async fn settle(&self, id: CommitId) -> Result<Settled, StoreError> {
        self.inner.settle(id).await
    }

    async fn position(&self, partition: &Partition) -> Result<Position, StoreError> {
        self.read(self.inner.position(partition)).await
    }

    async fn parked(&self) -> Result<Vec<Parked>, StoreError> {
        self.read(self.inner.parked()).await
    }

    async fn prune(&self, before_us: i64) -> Result<u64, StoreError> {
        self.read(self.inner.prune(before_us)).await
    }

    async fn trim(&self, topic: Topic, up_to: Position, before_us: i64) -> Result<u64, StoreError> {
        self.read(self.inner.trim(topic, up_to, before_us)).await
    }

    fn is_sole_writer(&self) -> bool {
        self.inner.is_sole_writer()
    }
}

#[cfg(test)]
mod tests {
    use store::conformance::{Note, SuiteRow, TOPICS};
    use store::{Change, MemoryStore};

    use super::*;
    use crate::metrics::Metrics;

    /// A database that does not answer while it is down, and takes its time to say so.
    struct Down {
        inner: MemoryStore<SuiteRow>,
        is_down: std::sync::atomic::AtomicBool,
    }

    const SILENCE: Duration = Duration::from_secs(5);

    impl Down {
        async fn answers(&self) -> Result<(), StoreError> {
            if !self.is_down.load(std::sync::atomic::Ordering::SeqCst) {
                return Ok(());
            }
            tokio::time::sleep(SILENCE).await;
            Err(StoreError::Unavailable("down".to_owned()))
        }
    }

    #[async_trait]
    impl Store<SuiteRow> for Down {
        async fn load(&self, keys: &[Key], answers: &[AnswerKey]) -> Result<Loaded<SuiteRow>, StoreError> {
            self.answers().await?;
            self.inner.load(keys, answers).await
        }
        async fn query(&self, query: &Query) -> Result<Vec<Versioned<SuiteRow>>, StoreError> {
            self.inner.query(query).await
        }
        async fn commit(&self, commit: Commit<SuiteRow>) -> Result<(), CommitError> {
            self.answers().await.map_err(|error| CommitError::Failed(error.to_string()))?;
            self.inner.commit(commit).await
        }
        async fn settle(&self, id: CommitId) -> Result<Settled, StoreError> {
            self.inner.settle(id).await
        }
        async fn position(&self, partition: &Partition) -> Result<Position, StoreError> {
            self.inner.position(partition).await
        }
        async fn parked(&self) -> Result<Vec<Parked>, StoreError> {
            self.inner.parked().await
        }
        async fn prune(&self, before_us: i64) -> Result<u64, StoreError> {
            self.inner.prune(before_us).await
        }
        async fn trim(&self, topic: Topic, up_to: Position, before_us: i64) -> Result<u64, StoreError> {
            self.inner.trim(topic, up_to, before_us).await
        }
    }

    fn note(id: u128) -> Commit<SuiteRow> {
        let row = SuiteRow::from(Note { id: id.to_string(), text: String::new() });
        let mut commit = Commit::new(CommitId(uuid::Uuid::from_u128(id)), 1);
        commit.changes.push(Change::new(row.key(), 0, Some(row)));
        commit
    }

    #[tokio::test(start_paused = true)]
    async fn a_database_that_is_down_is_left_alone_and_asked_again() {
        let down = Down { inner: MemoryStore::new(&TOPICS), is_down: true.into() };
        let down = Arc::new(down);
        let store = Shedding::new(Arc::clone(&down) as _, Metrics::new().breaker("store"));
        let calls = (0..10).map(|_| store.load(&[], &[]));
        assert!(futures_util::future::join_all(calls).await.iter().all(Result::is_err));
        let began = Instant::now();
        for number in 0..100 {
            assert!(matches!(store.commit(note(number)).await, Err(CommitError::Failed(_))));
        }
        assert_eq!(began.elapsed(), Duration::ZERO, "they are refused at once");
        tokio::time::sleep(POLICY.first_pause).await;
        let began = Instant::now();
        assert!(store.load(&[], &[]).await.is_err());
        assert_eq!(began.elapsed(), SLOW, "who looks whether it is back waits for a moment only");
        down.is_down.store(false, std::sync::atomic::Ordering::SeqCst);
        tokio::time::sleep(POLICY.max_pause).await;
        for number in 0..100 {
            store.commit(note(number)).await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_waiting_counts_and_who_had_other_reasons_does_not() {
        let down = Arc::new(Down { inner: MemoryStore::new(&TOPICS), is_down: true.into() });
        let store = Shedding::new(Arc::clone(&down) as _, Metrics::new().breaker("store"));
        for _ in 0..10 {
            assert!(tokio::time::timeout(SLOW / 2, store.load(&[], &[])).await.is_err());
        }
        assert_eq!(store.breaker().state(store.since.elapsed()), State::Closed);
        for _ in 0..POLICY.min_calls {
            assert!(tokio::time::timeout(SLOW, store.load(&[], &[])).await.is_err());
        }
        assert_eq!(store.breaker().state(store.since.elapsed()), State::Open);
    }
}
