//! The way into a running pipeline: a bounded queue, and an answer for each item.

use std::{sync::Arc, time::Duration};

use bus::{Assignments, Log};
use store::{Key, Row, Store, StoreError, Versioned};
use tokio::sync::{mpsc, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    assigned::Assigned,
    clock::Environment,
    consumer::Pace,
    error::ServiceError,
    machine::Machine,
    metrics::Metrics,
    pipeline::{Done, Idempotency, Item, NotDone, Outcome, Pipeline, Request},
};

/// The most items that wait for a batch; beyond that, requests are refused at once.
const MAX_QUEUE: usize = 4_096;
/// The most items of one batch.
const MAX_BATCH: usize = 512;
/// How long answers to idempotency keys are kept.
const KEEP_ANSWERS: Duration = Duration::from_secs(7 * 86_400);
/// How often old answers are forgotten.
const PRUNE_EVERY: Duration = Duration::from_secs(3_600);

struct Ticket<M: Machine> {
    item: Item<M::Command>,
    answer: oneshot::Sender<Outcome<M::Reply>>,
}

/// A cheap handle to a running pipeline.
pub struct Handle<M: Machine> {
    queue: mpsc::Sender<Ticket<M>>,
    pipeline: Pipeline<M>,
}

impl<M: Machine> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), pipeline: self.pipeline.clone() }
    }
}

/// An answer, and whether it is the first one again.
#[derive(Debug, Clone)]
pub struct Replied<R> {
    /// The answer.
    pub reply: R,
    /// It is the first answer again, by idempotency key.
    pub replayed: bool,
}

impl<M: Machine> Handle<M> {
    /// The store, for reading.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store<M::Row>> {
        self.pipeline.store()
    }

    /// Committed rows in the order of their keys, without a read of the store where they are at hand.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn rows(&self, keys: &[Key]) -> Result<Vec<Option<Versioned<M::Row>>>, StoreError> {
        self.pipeline.rows(keys).await
    }

    /// The machine.
    #[must_use]
    pub fn machine(&self) -> &Arc<M> {
        self.pipeline.machine()
    }

    /// The clock and the ids.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        self.pipeline.environment()
    }

    /// Hands a request in and waits until it is committed.
    ///
    /// # Errors
    /// When it is refused, the queue is full, or the store cannot be reached.
    pub async fn submit(&self, request: Request<M::Command>) -> Result<Replied<M::Reply>, ServiceError> {
        match self.submit_item(Item::Request(request)).await? {
            Done::Answered { reply, replayed } => Ok(Replied { reply, replayed }),
            Done::Delivered(_) => Err(ServiceError::internal(&"a request was delivered")),
        }
    }

    /// Hands in a command of the service's own, without key or trace.
    ///
    /// # Errors
    /// As [`Handle::submit`].
    pub async fn command(&self, command: M::Command) -> Result<M::Reply, ServiceError> {
        let request = Request { command, idempotency: None, traceparent: None };
        self.submit(request).await.map(|replied| replied.reply)
    }

    pub(crate) async fn submit_item(&self, item: Item<M::Command>) -> Outcome<M::Reply> {
        let (answer, answered) = oneshot::channel();
        let ticket = Ticket { item, answer };
        let closed = || NotDone::Unavailable("the service is stopping".to_owned());
        match &ticket.item {
            // A consumer waits for its turn; its own progress is its limit.
            Item::Delivery(_) | Item::Redrive(_) => self.queue.send(ticket).await.map_err(|_| closed())?,
            Item::Request(_) => self.queue.try_send(ticket).map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => NotDone::Unavailable("the queue is full".to_owned()),
                mpsc::error::TrySendError::Closed(_) => closed(),
            })?,
        }
        answered.await.map_err(|_| closed())?
    }
}

/// The running parts of one service, and how to stop them.
#[derive(Clone)]
pub struct Runtime {
    /// Told when to stop taking in work.
    pub shutdown: CancellationToken,
    /// What is running.
    pub tasks: TaskTracker,
    /// The figures.
    pub metrics: Metrics,
}

impl Runtime {
    /// Nothing running yet.
    #[must_use]
    pub fn new() -> Self {
        Self { shutdown: CancellationToken::new(), tasks: TaskTracker::new(), metrics: Metrics::new() }
    }

    /// Starts a pipeline.
    #[must_use]
    pub fn start<M: Machine>(&self, pipeline: Pipeline<M>) -> Handle<M> {
        let (queue, tickets) = mpsc::channel(MAX_QUEUE);
        let metrics = self.metrics.clone();
        self.tasks.spawn(serve(pipeline.clone(), tickets, self.shutdown.clone(), metrics));
        self.tasks.spawn(prune(pipeline.clone(), self.shutdown.clone()));
        Handle { queue, pipeline }
    }

    /// Starts a consumer of each partition of the topics that is assigned to this process: embedded, all of them.
    pub fn consume<M: Machine>(
        &self,
        handle: &Handle<M>,
        log: &Arc<dyn Log>,
        topics: &[bus::Topic],
        pace: Pace,
    ) {
        let assigned = Assigned {
            handle: handle.clone(),
            log: Arc::clone(log),
            pace,
            tasks: self.tasks.clone(),
            shutdown: self.shutdown.clone(),
        };
        self.tasks.spawn(assigned.run(Assignments::of(log.as_ref(), topics)));
    }

    /// Stops: no new work, what is queued is finished. Returns when all is done.
    pub async fn stop(&self) {
        self.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Default for Runtime {
    fn default() -> Self {
        Self::new()
    }
}

async fn serve<M: Machine>(
    pipeline: Pipeline<M>,
    mut tickets: mpsc::Receiver<Ticket<M>>,
    shutdown: CancellationToken,
    metrics: Metrics,
) {
    let mut batch = Vec::with_capacity(MAX_BATCH);
    loop {
        let received = tokio::select! {
            received = tickets.recv_many(&mut batch, MAX_BATCH) => received,
            () = shutdown.cancelled() => {
                // What is queued is still answered; nothing new comes in.
                tickets.close();
                tickets.recv_many(&mut batch, MAX_BATCH).await
            }
        };
        if received == 0 {
            return;
        }
        gather(&mut tickets, &mut batch).await;
        let (items, answers): (Vec<_>, Vec<_>) =
            batch.drain(..).map(|ticket| (ticket.item, ticket.answer)).unzip();
        metrics.batch(<M::Row as Row>::SERVICE, items.len());
        for (answer, outcome) in answers.into_iter().zip(pipeline.run(&items).await) {
            // Who asked may have gone; what was committed stays.
            let _ = answer.send(outcome);
        }
    }
}

/// Lets everything that is ready to run hand in its item first. With nothing else to do this takes no time,
/// so a lone request does not wait; on a busy machine it makes one commit of what would have been several.
async fn gather<M: Machine>(tickets: &mut mpsc::Receiver<Ticket<M>>, batch: &mut Vec<Ticket<M>>) {
    tokio::task::yield_now().await;
    let room = MAX_BATCH - batch.len();
    if room > 0 && !tickets.is_empty() {
        tickets.recv_many(batch, room).await;
    }
}

async fn prune<M: Machine>(pipeline: Pipeline<M>, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(PRUNE_EVERY) => {}
            () = shutdown.cancelled() => return,
        }
        let before = pipeline.environment().now().plus_seconds(-(KEEP_ANSWERS.as_secs() as i64));
        if let Err(error) = pipeline.store().prune(before.micros()).await {
            tracing::warn!(%error, "old idempotency keys could not be forgotten");
        }
    }
}

/// The idempotency of a request: the client's key, bound to who sent it and to which rpc.
#[must_use]
pub fn idempotency(key: &str, caller: &str, rpc: &str, body: &[u8]) -> Idempotency {
    let hash = |parts: &[&[u8]]| {
        let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        for part in parts {
            // The length keeps ("ab", "c") apart from ("a", "bc").
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        use base64::Engine;
        base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(context.finish())
    };
    Idempotency {
        key: store::AnswerKey(hash(&[key.as_bytes(), caller.as_bytes(), rpc.as_bytes()])),
        fingerprint: hash(&[body]),
    }
}
