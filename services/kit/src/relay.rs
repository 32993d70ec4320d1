//! The relay: it publishes a store's outbox on a log that is elsewhere, in order.
//!
//! ```text
//!   outbox      1  2  3  4  5  6  7
//!                  |        |     newest
//!               mark 2    published 5        after a crash 3, 4, 5 are published again
//! ```
//!
//! How far it is, is a position in the same store (its *mark*), moved by compare-and-set, so a relay that was paused
//! cannot take the mark back. A crash between publishing and the mark makes repetitions, with the same fact ids; what
//! consumes them bears that. One relay of a database is at work at a time ([`Lease`]), so repetitions are rare.
//!
//! Facts stay in the outbox for as long as they are told to, and at least until they are published ([`trim`]). What
//! could not be processed is told too ([`parked`]).

mod figures;
mod parked;
mod trim;

use std::{sync::Arc, time::Duration};

use bus::{Fact, Log, LogError, Partition, Position, PublishError, Publisher, Topic};
use domain::planted::{Defect, planted};
use futures_util::future::join_all;
use store::{Row, Store, StoreError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use parked::ParkedRelay;
pub use trim::{keep_short, trim};

use figures::Figures;
use trim::trim_from_time_to_time;

use crate::{
    clock::Environment,
    handle::Runtime,
    lease::{Lease, TERM},
    mark::{Mark, Moved},
};

/// The most facts that are published at once.
pub const MAX_BATCH: usize = 1_024;
/// The mark follows what was published within this time: so much is published again after a crash, and so few commits
/// does a busy relay need.
const MARK_WITHIN: Duration = Duration::from_millis(200);
/// How long the last move of the mark may take.
const LAST_MARK: Duration = Duration::from_secs(1);
/// The pause after a failure, which doubles up to [`MAX_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause after failures.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// The mark of the relay of an outbox's partition: what is up to it is published.
fn mark_of(outbox: &Partition) -> Partition {
    Partition { topic: outbox.topic, name: format!("relay:{}", outbox.name) }
}

/// How far an outbox's partition is published, surely.
///
/// # Errors
/// When the store cannot be read.
pub async fn published<R: Row>(store: &dyn Store<R>, outbox: &Partition) -> Result<Position, StoreError> {
    store.position(&mark_of(outbox)).await
}

/// Why a step of a relay failed. Trying again is always safe.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The outbox could not be read.
    #[error("outbox: {0}")]
    Outbox(#[from] LogError),
    /// The mark could not be read or moved.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not, or not all, published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// Another relay moved the mark.
    #[error("another relay is at work")]
    Overtaken,
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relayed {
    /// There is nothing more now.
    Idle,
    /// So many facts were published.
    Published(usize),
}

/// What a relay knows beside its store; lost at a crash, and read again.
struct Memory {
    marked: Position,
    published: Position,
}

/// The relay of one partition of an outbox.
pub struct Relay<R: Row> {
    outbox: Partition,
    log: Arc<dyn Log>,
    publisher: Arc<dyn Publisher>,
    mark: Mark<R>,
    memory: Option<Memory>,
    /// What is counted, and by which clock.
    figures: Option<(Figures, Environment)>,
}

impl<R: Row> Relay<R> {
    /// A relay that begins where its mark in the store is.
    #[must_use]
    pub fn new(
        outbox: Partition,
        log: Arc<dyn Log>,
        store: &Arc<dyn Store<R>>,
        publisher: Arc<dyn Publisher>,
        environment: &Environment,
    ) -> Self {
        let mark = Mark::new(store, environment, mark_of(&outbox));
        Self { outbox, log, publisher, mark, memory: None, figures: None }
    }

    fn counting(self, figures: &Figures, environment: &Environment) -> Self {
        Self { figures: Some((figures.clone(), environment.clone())), ..self }
    }

    /// Reads once and publishes what was read. The mark stays.
    ///
    /// # Errors
    /// When the outbox, the store or the log cannot be reached.
    pub async fn step(&mut self) -> Result<Relayed, RelayError> {
        let mut memory = match self.memory.take() {
            Some(memory) => memory,
            None => {
                let marked = self.mark.position().await?;
                Memory { marked, published: marked }
            }
        };
        // On an error the memory stays forgotten, and the next step begins at the mark.
        let batch = self.log.read(&self.outbox, memory.published, MAX_BATCH).await?;
        let mut facts: Vec<_> = batch.records.into_iter().map(|record| record.fact).collect();
        if planted(Defect::PublishedBackwards) {
            facts.reverse();
        }
        self.count_waiting(&facts);
        if !facts.is_empty() {
            let published = self.publisher.publish(self.outbox.topic, &facts).await;
            if !planted(Defect::RefusalTakenAsPublished) {
                published?;
            }
        }
        self.count_published(facts.len());
        let has_moved = batch.next != memory.published;
        memory.published = batch.next;
        self.memory = Some(memory);
        Ok(if has_moved { Relayed::Published(facts.len()) } else { Relayed::Idle })
    }

    /// What was read waits; behind a full batch there may be more.
    fn count_waiting(&self, facts: &[Arc<Fact>]) {
        if let Some((figures, environment)) = &self.figures {
            figures.waits(self.outbox.topic, facts, environment.now());
        }
    }

    fn count_published(&self, facts: usize) {
        if let Some((figures, environment)) = &self.figures {
            figures.published(facts);
            figures.waits(self.outbox.topic, &[], environment.now());
        }
    }

    /// Moves the mark to where was published.
    ///
    /// # Errors
    /// When the store cannot be reached, or another relay moved it.
    pub async fn mark(&mut self) -> Result<(), RelayError> {
        let Some(memory) = self.memory.take_if(|memory| memory.published != memory.marked) else {
            return Ok(());
        };
        let Memory { marked, published } = memory;
        match self.mark.advance(marked, published).await? {
            Moved::There => {
                self.memory = Some(Memory { marked: published, published });
                Ok(())
            }
            Moved::Elsewhere => Err(RelayError::Overtaken),
        }
    }

    /// Runs until told to end.
    pub async fn run(mut self, end: CancellationToken) {
        self.run_until(&end).await;
        // Whoever is next then repeats nothing. When it fails, something.
        let _ = tokio::time::timeout(LAST_MARK, self.mark()).await;
    }

    async fn run_until(&mut self, end: &CancellationToken) {
        let (mut pause, mut marked_at) = (FIRST_PAUSE, Instant::now());
        while !end.is_cancelled() {
            // Giving up in the middle of a batch makes repetitions at most.
            let step = tokio::select! {
                step = self.step_and_mark(&mut marked_at) => step,
                () = end.cancelled() => return,
            };
            match step {
                Ok(Relayed::Published(_)) => pause = FIRST_PAUSE,
                Ok(Relayed::Idle) => {
                    pause = FIRST_PAUSE;
                    self.rest(marked_at, end).await;
                }
                Err(error) => {
                    self.tell(&error);
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = end.cancelled() => return,
                    }
                    pause = (pause * 2).min(MAX_PAUSE);
                }
            }
        }
    }

    async fn step_and_mark(&mut self, marked_at: &mut Instant) -> Result<Relayed, RelayError> {
        let relayed = self.step().await?;
        if marked_at.elapsed() >= MARK_WITHIN {
            self.mark().await?;
            *marked_at = Instant::now();
        }
        Ok(relayed)
    }

    /// Waits for more facts, or for the time when the mark must follow.
    async fn rest(&self, marked_at: Instant, end: &CancellationToken) {
        let Some(Memory { marked, published }) = self.memory else { return };
        let mark_due = async {
            match marked == published {
                true => std::future::pending().await,
                false => tokio::time::sleep_until(marked_at + MARK_WITHIN).await,
            }
        };
        tokio::select! {
            // A log that cannot wait cannot be read either: the next step says so.
            _ = self.log.wait(&self.outbox, published) => {}
            () = mark_due => {}
            () = end.cancelled() => {}
        }
    }

    fn tell(&self, error: &RelayError) {
        if let Some((figures, _)) = &self.figures {
            figures.failed();
        }
        let outbox = &self.outbox;
        match error {
            // Neither mends itself: facts are missing on the log, or one stands before all others.
            RelayError::Outbox(LogError::Trimmed { .. })
            | RelayError::Publish(PublishError::Refused { .. }) => {
                tracing::error!(%outbox, %error, "a relay cannot go on");
            }
            _ => tracing::warn!(%outbox, %error, "not published"),
        }
    }
}

/// What the relay of a database works on.
pub struct Outbox<R: Row> {
    /// The database.
    pub store: Arc<dyn Store<R>>,
    /// Its outbox.
    pub log: Arc<dyn Log>,
    /// The topics that the service publishes; none for one that only consumes.
    pub publishes: &'static [Topic],
    /// How long facts stay in the outbox, once they are published.
    pub keep: Duration,
}

/// Starts the relay of a database: it publishes whenever it holds the lease, until the runtime stops. Each process of a
/// service starts one.
pub fn start<R: Row>(
    runtime: &Runtime,
    outbox: Outbox<R>,
    publisher: &Arc<dyn Publisher>,
    environment: &Environment,
) {
    let (publisher, environment) = (Arc::clone(publisher), environment.clone());
    let shutdown = runtime.shutdown.clone();
    let figures = Figures::new(runtime.metrics.relay(R::SERVICE));
    runtime.tasks.spawn(async move {
        let lease = Lease::new(&outbox.store, &environment, "relay", TERM);
        lease.run(&shutdown, |end| work(&outbox, &publisher, &environment, &figures, end)).await;
    });
}

/// What is done while the lease is held.
async fn work<R: Row>(
    outbox: &Outbox<R>,
    publisher: &Arc<dyn Publisher>,
    environment: &Environment,
    figures: &Figures,
    end: CancellationToken,
) {
    let partitions = outbox.publishes.iter().flat_map(|topic| outbox.log.partitions(*topic));
    let relays = partitions.map(|partition| {
        let (log, publisher) = (Arc::clone(&outbox.log), Arc::clone(publisher));
        let relay = Relay::new(partition, log, &outbox.store, publisher, environment);
        relay.counting(figures, environment).run(end.clone())
    });
    let parked = ParkedRelay::new(&outbox.store, Arc::clone(publisher), environment).run(end.clone());
    tokio::join!(join_all(relays), parked, trim_from_time_to_time(outbox, environment, &end));
}
