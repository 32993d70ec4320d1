//! A consumer reads one partition of the log and hands the facts to the pipeline.
//!
//! Its position is stored with the effects, so a fact is processed at least once and its effects are
//! committed once. A fact that cannot be processed is parked after bounded tries; until it is
//! re-driven, later facts of its key wait behind it, and no others.

use std::{collections::BTreeMap, collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use bus::{Log, LogError, Partition, Position};
use domain::planted::{Defect, planted};
use store::{Parked, Row, Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::{
    handle::Handle,
    machine::Machine,
    pipeline::{Delivered, Delivery, Done, Item, NotDone, Pipeline},
};

/// The most facts of one delivery.
pub const MAX_DELIVERY: usize = 1_024;
/// How often a fact is tried before it is parked.
pub const MAX_TRIES: u32 = 5;
/// The pause after a failure, which doubles up to [`MAX_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// For each fact that it has just processed, a consumer that gathers rests so long: hardly at all while there is
/// little to do, so that who has just booked may rate at once.
const REST_PER_FACT: Duration = Duration::from_millis(1);
/// The longest rest of a consumer that gathers.
const MAX_REST: Duration = Duration::from_millis(100);
/// The longest pause after failures.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// How a consumer goes on while there is more to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// At once: somebody waits for what follows.
    Prompt,
    /// After a moment, so that many facts share one commit: nobody waits for a read model.
    Gathering,
}

/// Where a consumer hands its facts.
#[async_trait]
pub trait Sink<M: Machine>: Send + Sync + 'static {
    /// Processes facts and commits their effects with the position.
    async fn take(&self, item: Item<M::Command>) -> Result<Delivered, NotDone>;
}

#[async_trait]
impl<M: Machine> Sink<M> for Handle<M> {
    async fn take(&self, item: Item<M::Command>) -> Result<Delivered, NotDone> {
        delivered(self.submit_item(item).await?)
    }
}

#[async_trait]
impl<M: Machine> Sink<M> for Pipeline<M> {
    async fn take(&self, item: Item<M::Command>) -> Result<Delivered, NotDone> {
        let outcome = self.run(&[item]).await.pop();
        delivered(outcome.unwrap_or(Err(NotDone::Unavailable("no outcome".to_owned())))?)
    }
}

fn delivered<R>(done: Done<R>) -> Result<Delivered, NotDone> {
    match done {
        Done::Delivered(delivered) => Ok(delivered),
        Done::Answered { .. } => Err(NotDone::Unavailable("a delivery was answered".to_owned())),
    }
}

/// Why a step of a consumer failed. Trying again is always safe.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The own store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The effects were not committed.
    #[error("not committed: {0:?}")]
    NotDone(NotDone),
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There is nothing more now.
    Idle,
    /// So many facts were processed.
    Moved(usize),
    /// A fact could not be processed; it is tried again.
    Stuck,
}

/// What a consumer knows beside its store; lost at a crash, and read again.
struct Memory {
    /// By the store.
    committed: Position,
    /// How far the log was read; facts that do not matter here move only this.
    read: Position,
    blocked: BTreeSet<String>,
    /// Tries of the fact at this position, with the last reason.
    tries: Option<(Position, u32, String)>,
}

/// A consumer of one partition.
pub struct Consumer<M: Machine> {
    partition: Partition,
    log: Arc<dyn Log>,
    store: Arc<dyn Store<M::Row>>,
    sink: Arc<dyn Sink<M>>,
    memory: Option<Memory>,
}

impl<M: Machine> Consumer<M> {
    /// A consumer that starts where its store says.
    #[must_use]
    pub fn new(
        partition: Partition,
        log: Arc<dyn Log>,
        store: Arc<dyn Store<M::Row>>,
        sink: Arc<dyn Sink<M>>,
    ) -> Self {
        Self { partition, log, store, sink, memory: None }
    }

    /// The partition that it reads.
    #[must_use]
    pub fn partition(&self) -> &Partition {
        &self.partition
    }

    /// Reads once and processes what was read.
    ///
    /// # Errors
    /// When the log or the store cannot be reached, or another consumer took over.
    pub async fn step(&mut self) -> Result<Progress, ConsumeError> {
        let mut memory = match self.memory.take() {
            Some(memory) => memory,
            None => self.recall().await?,
        };
        // On an error, memory stays forgotten: the next step asks the store where it is.
        let progress = self.read_on(&mut memory).await?;
        self.memory = Some(memory);
        Ok(progress)
    }

    async fn recall(&self) -> Result<Memory, StoreError> {
        let committed = self.store.position(&self.partition).await?;
        let blocked = self.blocked().await?;
        Ok(Memory { committed, read: committed, blocked, tries: None })
    }

    /// The keys of which facts of this partition are parked.
    async fn blocked(&self) -> Result<BTreeSet<String>, StoreError> {
        let parked = self.store.parked().await?;
        let is_mine = |parked: &Parked| parked.partition == self.partition;
        let mine =
            parked.into_iter().filter(|parked| is_mine(parked) && !planted(Defect::BlockedKeysForgotten));
        Ok(mine.map(|parked| parked.record.fact.key.clone()).collect())
    }

    async fn read_on(&self, memory: &mut Memory) -> Result<Progress, ConsumeError> {
        let batch = self.log.read(&self.partition, memory.read, MAX_DELIVERY).await?;
        if batch.records.is_empty() {
            memory.read = batch.next;
            return Ok(Progress::Idle);
        }
        // Somebody may have re-driven what was parked, in this process or in another.
        if batch.records.iter().any(|record| memory.blocked.contains(&record.fact.key)) {
            memory.blocked = self.blocked().await?;
        }
        let (first, count) = (batch.records[0].position, batch.records.len());
        let park_first =
            memory.tries.take_if(|(position, tries, _)| *position == first && *tries >= MAX_TRIES);
        let delivery = Delivery {
            partition: self.partition.clone(),
            from: memory.committed,
            records: batch.records,
            to: batch.next,
            blocked: memory.blocked.clone(),
            park_first: park_first.map(|(_, _, reason)| reason),
        };
        let delivered = self.sink.take(Item::Delivery(delivery)).await.map_err(ConsumeError::NotDone)?;
        memory.blocked.extend(delivered.newly_blocked);
        memory.committed = delivered.to;
        memory.read = delivered.to;
        Ok(match delivered.poison {
            None => Progress::Moved(count),
            Some((position, reason)) => {
                let before =
                    memory.tries.take().filter(|(tried, ..)| *tried == position).map_or(0, |(_, n, _)| n);
                memory.tries = Some((position, before + 1, reason));
                Progress::Stuck
            }
        })
    }

    /// Tries the parked facts of this partition again, key by key, in order.
    ///
    /// # Errors
    /// When the store cannot be reached.
    pub async fn redrive(&mut self) -> Result<(), ConsumeError> {
        let mut by_key: BTreeMap<String, Vec<Parked>> = BTreeMap::new();
        for parked in self.store.parked().await? {
            if parked.partition == self.partition {
                by_key.entry(parked.record.fact.key.clone()).or_default().push(parked);
            }
        }
        // What is still parked afterwards is read again from the store.
        self.memory = None;
        for mut parked in by_key.into_values() {
            // Not in the order of when they were set aside: clocks differ, and go back.
            parked.sort_by_key(|parked| parked.record.position);
            if planted(Defect::RedrivenBackwards) {
                parked.reverse();
            }
            self.sink.take(Item::Redrive(parked)).await.map_err(ConsumeError::NotDone)?;
        }
        Ok(())
    }

    /// Runs until told to stop. A step that has begun is ended first, so that nothing of this consumer is on its way
    /// when the next one of its partition begins.
    pub async fn run(mut self, pace: Pace, shutdown: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        while !shutdown.is_cancelled() {
            match self.step().await {
                Ok(Progress::Moved(count)) => {
                    pause = FIRST_PAUSE;
                    if pace == Pace::Gathering {
                        let count = u32::try_from(count).unwrap_or(u32::MAX);
                        sleep(REST_PER_FACT.saturating_mul(count).min(MAX_REST), &shutdown).await;
                    }
                }
                Ok(Progress::Idle) => {
                    pause = FIRST_PAUSE;
                    let after = self.memory.as_ref().map_or(Position::default(), |memory| memory.read);
                    tokio::select! {
                        _ = self.log.wait(&self.partition, after) => {}
                        () = shutdown.cancelled() => return,
                    }
                }
                Ok(Progress::Stuck) => pause = sleep(pause, &shutdown).await,
                Err(ConsumeError::Log(error @ (LogError::Trimmed { .. } | LogError::Ahead { .. }))) => {
                    // Going on would pass over facts: only a backup of all stores of one time helps.
                    tracing::error!(service = <M::Row as Row>::SERVICE, %error, "a consumer cannot go on");
                    pause = sleep(MAX_PAUSE, &shutdown).await;
                }
                Err(error) => {
                    tracing::warn!(partition = %self.partition, %error, "consumer step failed");
                    pause = sleep(pause, &shutdown).await;
                }
            }
        }
    }
}

/// Sleeps and gives the next, longer pause.
async fn sleep(pause: Duration, shutdown: &CancellationToken) -> Duration {
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        () = shutdown.cancelled() => {}
    }
    (pause * 2).min(MAX_PAUSE)
}
