//! What is audited: the stores of all services, and the logs that their facts travel by.

use std::{collections::BTreeSet, sync::Arc};

use analytics::AnalyticsRow;
use async_trait::async_trait;
use bus::{Log, Topic};
use event::EventRow;
use feedback::FeedbackRow;
use kit::relay;
use notification::NotificationRow;
use store::{Row, Store};
use ticket::TicketRow;

/// How many facts are read at a time.
const MAX_READ: usize = 1_000;

/// The stores, the log that their consumers read, and what is not on it yet.
#[allow(missing_docs, reason = "each is the store of the service of the same name")]
pub struct Sources {
    pub event: Arc<dyn Store<EventRow>>,
    pub ticket: Arc<dyn Store<TicketRow>>,
    pub feedback: Arc<dyn Store<FeedbackRow>>,
    pub notification: Arc<dyn Store<NotificationRow>>,
    pub analytics: Arc<dyn Store<AnalyticsRow>>,
    /// What consumers read.
    pub log: Arc<dyn Log>,
    /// The outbox of the ticket service.
    pub bookings: Arc<dyn Log>,
    /// The outboxes that a relay publishes; none where consumers read them themselves.
    pub backlogs: Vec<Box<dyn Backlog>>,
}

/// An outbox with facts that are not published yet.
#[async_trait]
pub trait Backlog: Send + Sync {
    /// Whose it is.
    fn service(&self) -> &'static str;

    /// The aggregates of the facts that are not published.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn unpublished(&self) -> anyhow::Result<BTreeSet<String>>;
}

/// The outbox of a store.
pub struct Outbox<R: Row> {
    /// The store.
    pub store: Arc<dyn Store<R>>,
    /// Its outbox.
    pub log: Arc<dyn Log>,
    /// What it publishes.
    pub topics: &'static [Topic],
}

#[async_trait]
impl<R: Row> Backlog for Outbox<R> {
    fn service(&self) -> &'static str {
        R::SERVICE
    }

    async fn unpublished(&self) -> anyhow::Result<BTreeSet<String>> {
        let mut keys = BTreeSet::new();
        for partition in self.topics.iter().flat_map(|topic| self.log.partitions(*topic)) {
            let mut position = relay::published(self.store.as_ref(), &partition).await?;
            loop {
                let batch = self.log.read(&partition, position, MAX_READ).await?;
                if batch.records.is_empty() && batch.next == position {
                    break;
                }
                position = batch.next;
                keys.extend(batch.records.into_iter().map(|record| record.fact.key.clone()));
            }
        }
        Ok(keys)
    }
}
