//! The stores of both services in memory, with the event in them.

use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use bus::{Log, Merged, Partition, Position};
use event::{EventCommand, EventMachine, EventRow};
use futures_util::FutureExt;
use kit::{Environment, Item, Pipeline, Request};
use store::{
    AnswerKey, Commit, CommitError, CommitId, Key, Loaded, MemoryStore, Parked, Query, Row, Settled, Store,
    StoreError, Versioned,
};
use ticket::TicketRow;

/// Both stores.
pub struct Stores {
    pub event: Sole<EventRow>,
    pub ticket: Sole<TicketRow>,
}

impl Stores {
    /// Stores with an event on sale.
    pub fn new(environment: &Environment) -> anyhow::Result<Self> {
        let stores = Self { event: Sole::new(event::PUBLISHES), ticket: Sole::new(ticket::PUBLISHES) };
        let machine = Arc::new(EventMachine::new(domain::event::seats::HOLD_SECONDS));
        let events = Pipeline::new(machine, Arc::new(stores.event.clone()), environment.clone());
        let command = EventCommand::Create(Box::new(super::event()));
        let create = Item::Request(Request { command, idempotency: None, traceparent: None });
        let created = events.run(&[create]).now_or_never().context("a memory store is ready")?.pop();
        created.context("there is an outcome")?.map_err(|why| anyhow::anyhow!("no event: {why:?}"))?;
        Ok(stores)
    }

    /// The facts of both.
    pub fn log(&self) -> Arc<dyn Log> {
        Arc::new(Merged::new(vec![self.event.0.log(), self.ticket.0.log()]))
    }
}

/// A store in memory that says, as the embedded one does, that nobody else writes to it. So the rows at hand of
/// the pipeline are part of what is measured.
pub struct Sole<R: Row>(Arc<MemoryStore<R>>);

impl<R: Row> Clone for Sole<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R: Row> Sole<R> {
    fn new(topics: &[bus::Topic]) -> Self {
        Self(Arc::new(MemoryStore::new(topics)))
    }

    /// A row as it is now.
    pub fn row(&self, key: &Key) -> Option<Arc<R>> {
        let loaded = self.0.load(std::slice::from_ref(key), &[]).now_or_never()?.ok()?;
        loaded.rows.into_iter().flatten().next().map(|versioned| versioned.row)
    }
}

#[async_trait]
impl<R: Row> Store<R> for Sole<R> {
    async fn load(&self, keys: &[Key], answers: &[AnswerKey]) -> Result<Loaded<R>, StoreError> {
        self.0.load(keys, answers).await
    }

    async fn query(&self, query: &Query) -> Result<Vec<Versioned<R>>, StoreError> {
        self.0.query(query).await
    }

    async fn commit(&self, commit: Commit<R>) -> Result<(), CommitError> {
        self.0.commit(commit).await
    }

    async fn settle(&self, id: CommitId) -> Result<Settled, StoreError> {
        self.0.settle(id).await
    }

    async fn position(&self, partition: &Partition) -> Result<Position, StoreError> {
        self.0.position(partition).await
    }

    async fn parked(&self) -> Result<Vec<Parked>, StoreError> {
        self.0.parked().await
    }

    async fn trim(&self, topic: bus::Topic, up_to: Position, before_us: i64) -> Result<u64, StoreError> {
        self.0.trim(topic, up_to, before_us).await
    }

    async fn prune(&self, before_us: i64) -> Result<u64, StoreError> {
        self.0.prune(before_us).await
    }

    fn is_sole_writer(&self) -> bool {
        true
    }
}
