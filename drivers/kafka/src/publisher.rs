//! Publishing by the idempotent producer.
//!
//! When a batch is not acknowledged in time, the client that holds it is thrown away with everything that it has not
//! sent, and the next batch is published by a new one. A client that is kept could still send the rest of a batch of
//! which the beginning was given up, and the log would have a fact without those before it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bus::{Fact, ParkedFact, PublishError, Publisher, Topic};
use rdkafka::error::KafkaError;

use crate::{
    SetupError, envelope,
    producer::{Batch, Client, Draft},
    settings::Settings,
};

/// Publishes facts on a cluster.
pub struct KafkaPublisher {
    settings: Settings,
    delivery_timeout: Duration,
    client: Mutex<Option<Arc<Client>>>,
}

impl KafkaPublisher {
    /// A publisher. The cluster need not be there yet.
    ///
    /// # Errors
    /// When the settings are refused.
    pub fn new(settings: &Settings) -> Result<Self, SetupError> {
        let publisher = Self {
            settings: settings.clone(),
            delivery_timeout: settings.delivery_timeout,
            client: Mutex::default(),
        };
        publisher.client().map_err(|error| SetupError::Cluster {
            servers: settings.servers.clone(),
            why: error.to_string(),
        })?;
        Ok(publisher)
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<Client>>> {
        // Nothing panics while the lock is held.
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn client(&self) -> Result<Arc<Client>, KafkaError> {
        let mut slot = self.slot();
        if let Some(client) = slot.as_ref() {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(Client::new(&self.settings)?);
        *slot = Some(Arc::clone(&client));
        Ok(client)
    }

    /// Throws a client away, with what it has not sent.
    fn discard(&self, client: &Arc<Client>) {
        {
            let mut slot = self.slot();
            if slot.as_ref().is_some_and(|current| Arc::ptr_eq(current, client)) {
                *slot = None;
            }
        }
        client.purge();
    }

    async fn send(&self, drafts: Vec<Draft<'_>>) -> Result<(), PublishError> {
        if drafts.is_empty() {
            return Ok(());
        }
        let client = self.client().map_err(|error| PublishError::Unavailable(error.to_string()))?;
        let unacknowledged = Unacknowledged { publisher: self, client: Some(Arc::clone(&client)) };
        let batch = Batch::of(drafts.len());
        for draft in drafts {
            client.send(draft, &batch)?;
        }
        let waited = tokio::time::timeout(self.delivery_timeout, batch.wait()).await;
        let mut failures = waited.map_err(|_| {
            let waited = self.delivery_timeout;
            PublishError::Unavailable(format!("not acknowledged within {waited:?}"))
        })?;
        if failures.is_empty() {
            unacknowledged.acknowledged();
            return Ok(());
        }
        // A refusal says more than what followed from it.
        let refused = failures.iter().position(|failure| matches!(failure, PublishError::Refused { .. }));
        Err(failures.swap_remove(refused.unwrap_or(0)))
    }
}

/// A batch on its way. Unless all of it is acknowledged its client goes, also when nobody waits any more.
struct Unacknowledged<'a> {
    publisher: &'a KafkaPublisher,
    /// None once the batch is acknowledged.
    client: Option<Arc<Client>>,
}

impl Unacknowledged<'_> {
    fn acknowledged(mut self) {
        self.client = None;
    }
}

impl Drop for Unacknowledged<'_> {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            self.publisher.discard(&client);
        }
    }
}

#[async_trait]
impl Publisher for KafkaPublisher {
    async fn publish(&self, topic: Topic, facts: &[Arc<Fact>]) -> Result<(), PublishError> {
        let topic = self.settings.topic(topic);
        let draft = |fact| Draft { fact, topic: &topic, headers: envelope::headers(fact) };
        self.send(facts.iter().map(|fact| draft(fact.as_ref())).collect()).await
    }

    async fn publish_parked(&self, parked: &[ParkedFact]) -> Result<(), PublishError> {
        let topics: Vec<String> =
            parked.iter().map(|parked| self.settings.parked_topic(parked.partition.topic)).collect();
        let drafts = parked.iter().zip(&topics).map(|(parked, topic)| Draft {
            fact: &parked.record.fact,
            topic,
            headers: envelope::parked_headers(parked),
        });
        self.send(drafts.collect()).await
    }
}
