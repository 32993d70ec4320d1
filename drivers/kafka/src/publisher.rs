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
use bus::{Fact, FactId, ParkedFact, PublishError, Publisher, Topic};
use futures_util::future::join_all;
use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode},
    message::OwnedHeaders,
    producer::{FutureProducer, FutureRecord, Producer, PurgeConfig, future_producer::DeliveryFuture},
};

use crate::{SetupError, client, envelope, settings::Settings, topics::parked_topic};

/// Publishes facts on a cluster.
pub struct KafkaPublisher {
    settings: Settings,
    delivery_timeout: Duration,
    client: Mutex<Option<Arc<FutureProducer>>>,
}

/// A record before it is sent.
struct Draft<'a> {
    fact: &'a Fact,
    topic: &'a str,
    headers: OwnedHeaders,
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

    fn slot(&self) -> MutexGuard<'_, Option<Arc<FutureProducer>>> {
        // Nothing panics while the lock is held.
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn client(&self) -> Result<Arc<FutureProducer>, KafkaError> {
        let mut slot = self.slot();
        if let Some(client) = slot.as_ref() {
            return Ok(Arc::clone(client));
        }
        let client: Arc<FutureProducer> = Arc::new(client::producer(&self.settings).create()?);
        *slot = Some(Arc::clone(&client));
        Ok(client)
    }

    /// Throws a client away, with what it has not sent.
    fn discard(&self, client: Arc<FutureProducer>) {
        {
            let mut slot = self.slot();
            if slot.as_ref().is_some_and(|current| Arc::ptr_eq(current, &client)) {
                *slot = None;
            }
        }
        client.purge(PurgeConfig::default().queue().inflight());
        // Its threads are waited for where nobody minds.
        drop(tokio::task::spawn_blocking(move || drop(client)));
    }

    async fn send(&self, drafts: Vec<Draft<'_>>) -> Result<(), PublishError> {
        if drafts.is_empty() {
            return Ok(());
        }
        let client = self.client().map_err(|error| PublishError::Unavailable(error.to_string()))?;
        let batch = Unacknowledged { publisher: self, client: Some(client) };
        let mut deliveries = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let fact = draft.fact.id;
            let delivery = batch.send(draft)?;
            deliveries.push(async move {
                match delivery.await {
                    Ok(Ok(_)) => Ok(()),
                    Ok(Err((error, _))) => Err(failure(fact, &error)),
                    Err(_) => Err(PublishError::Unavailable("the client was thrown away".to_owned())),
                }
            });
        }
        let all = tokio::time::timeout(self.delivery_timeout, join_all(deliveries)).await;
        let all = all.map_err(|_| {
            let waited = self.delivery_timeout;
            PublishError::Unavailable(format!("not acknowledged within {waited:?}"))
        })?;
        // A refusal says more than what followed from it.
        let mut failures: Vec<PublishError> = all.into_iter().filter_map(Result::err).collect();
        if failures.is_empty() {
            batch.acknowledged();
            return Ok(());
        }
        let refused = failures.iter().position(|failure| matches!(failure, PublishError::Refused { .. }));
        Err(failures.swap_remove(refused.unwrap_or(0)))
    }
}

/// A batch on its way. Unless all of it is acknowledged its client goes, also when nobody waits any more.
struct Unacknowledged<'a> {
    publisher: &'a KafkaPublisher,
    /// None once the batch is acknowledged.
    client: Option<Arc<FutureProducer>>,
}

impl Unacknowledged<'_> {
    fn send(&self, draft: Draft<'_>) -> Result<DeliveryFuture, PublishError> {
        let Draft { fact, topic, headers } = draft;
        let client = self.client.as_ref().ok_or_else(|| PublishError::Unavailable("no client".to_owned()))?;
        let record = FutureRecord::to(topic).key(&fact.key).payload(&fact.payload).headers(headers);
        client.send_result(record).map_err(|(error, _)| failure(fact.id, &error))
    }

    fn acknowledged(mut self) {
        self.client = None;
    }
}

impl Drop for Unacknowledged<'_> {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            self.publisher.discard(client);
        }
    }
}

fn failure(fact: FactId, error: &KafkaError) -> PublishError {
    match error.rdkafka_error_code() {
        Some(
            RDKafkaErrorCode::MessageSizeTooLarge
            | RDKafkaErrorCode::InvalidMessageSize
            | RDKafkaErrorCode::InvalidRecord
            | RDKafkaErrorCode::TopicAuthorizationFailed,
        ) => PublishError::Refused { fact, why: error.to_string() },
        _ => PublishError::Unavailable(error.to_string()),
    }
}

#[async_trait]
impl Publisher for KafkaPublisher {
    async fn publish(&self, topic: Topic, facts: &[Arc<Fact>]) -> Result<(), PublishError> {
        let draft = |fact| Draft { fact, topic: topic.name(), headers: envelope::headers(fact) };
        self.send(facts.iter().map(|fact| draft(fact.as_ref())).collect()).await
    }

    async fn publish_parked(&self, parked: &[ParkedFact]) -> Result<(), PublishError> {
        let topics: Vec<String> = parked.iter().map(|parked| parked_topic(parked.partition.topic)).collect();
        let drafts = parked.iter().zip(&topics).map(|(parked, topic)| Draft {
            fact: &parked.record.fact,
            topic,
            headers: envelope::parked_headers(parked),
        });
        self.send(drafts.collect()).await
    }
}
