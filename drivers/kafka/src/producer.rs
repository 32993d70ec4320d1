//! The client that publishes, and batches on their way through it.
//!
//! It is polled by a thread of our own. That of the client library polls for 100 ms at a time and spins through the last
//! millisecond of each, which is a hundredth of a processor for every process that is at rest; and it wakes who waits
//! once for each record, where a batch needs it once.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use bus::{Fact, FactId, PublishError};
use rdkafka::{
    ClientContext,
    error::{KafkaError, RDKafkaErrorCode},
    message::{DeliveryResult, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, Producer, ProducerContext, PurgeConfig},
};
use tokio::sync::Notify;

use crate::{client, settings::Settings};

/// How long one poll waits for something to happen, and so how long the thread of a client that nobody has any more goes
/// on at most.
const POLL: Duration = Duration::from_secs(1);

/// What librdkafka calls back.
pub struct Context;

impl ClientContext for Context {}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<OnItsWay>;

    fn delivery(&self, result: &DeliveryResult<'_>, record: Box<OnItsWay>) {
        let failure = result.as_ref().err().map(|(error, _)| failure(record.fact, error));
        record.batch.concluded(failure);
    }
}

/// A record that was handed to the client.
pub struct OnItsWay {
    fact: FactId,
    batch: Arc<Batch>,
}

/// A record before it is sent.
pub struct Draft<'a> {
    /// What it tells.
    pub fact: &'a Fact,
    /// The topic on the cluster.
    pub topic: &'a str,
    /// Its headers.
    pub headers: OwnedHeaders,
}

/// Records that are acknowledged together.
pub struct Batch {
    /// How many are not concluded yet.
    left: AtomicUsize,
    failures: Mutex<Vec<PublishError>>,
    concluded: Notify,
}

impl Batch {
    /// Of so many records, at least one.
    pub fn of(records: usize) -> Arc<Self> {
        let (left, concluded) = (AtomicUsize::new(records), Notify::new());
        Arc::new(Self { left, failures: Mutex::default(), concluded })
    }

    fn concluded(&self, failure: Option<PublishError>) {
        if let Some(failure) = failure {
            // Nothing panics while the lock is held.
            self.failures.lock().unwrap_or_else(PoisonError::into_inner).push(failure);
        }
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.concluded.notify_one();
        }
    }

    /// Waits until every record is acknowledged, or was given up; what went wrong.
    pub async fn wait(&self) -> Vec<PublishError> {
        self.concluded.notified().await;
        std::mem::take(&mut self.failures.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A client of librdkafka with its thread, which ends soon after the client is dropped.
pub struct Client(Arc<BaseProducer<Context>>);

impl Client {
    /// A client. The cluster need not be there yet.
    pub fn new(settings: &Settings) -> Result<Self, KafkaError> {
        let producer: BaseProducer<Context> = client::producer(settings).create_with_context(Context)?;
        let producer = Arc::new(producer);
        let polled = Arc::clone(&producer);
        let thread = thread::Builder::new().name("kafka-producer".to_owned());
        thread
            .spawn(move || poll(polled))
            .map_err(|error| KafkaError::ClientCreation(format!("no thread: {error}")))?;
        Ok(Self(producer))
    }

    /// Hands a record of a batch in.
    pub fn send(&self, draft: Draft<'_>, batch: &Arc<Batch>) -> Result<(), PublishError> {
        let Draft { fact, topic, headers } = draft;
        let on_its_way = Box::new(OnItsWay { fact: fact.id, batch: Arc::clone(batch) });
        let record = BaseRecord::with_opaque_to(topic, on_its_way);
        let record = record.key(&fact.key).payload(&fact.payload).headers(headers);
        self.0.send(record).map_err(|(error, _)| failure(fact.id, &error))
    }

    /// Throws away what was not sent yet.
    pub fn purge(&self) {
        self.0.purge(PurgeConfig::default().queue().inflight());
    }
}

/// Polls for as long as somebody else has the client, and then closes it, which blocks.
fn poll(producer: Arc<BaseProducer<Context>>) {
    while Arc::strong_count(&producer) > 1 {
        producer.poll(POLL);
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
