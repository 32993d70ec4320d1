//! The outbox as a log: one partition for each topic, named after the service.

use bus::{Batch, LogError, Partition, Position, Retention, Topic};
use mongodb::bson::doc;
use serde::{Deserialize, Serialize};
use store::{Row, StoreError};

use crate::{
    database::{META, outbox},
    document::{FactDoc, padded},
    error::REQUEST_TIMEOUT,
    feeds::Feed,
    journal::Journal,
};

/// The most records of one read, whatever is asked for.
const MAX_BATCH: usize = 10_000;

/// How far a topic was trimmed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrimmedDoc {
    /// See [`trimmed_id`].
    #[serde(rename = "_id")]
    pub id: String,
    /// Up to here.
    pub up_to: i64,
    /// The latest time of a fact that was removed or passed over.
    pub latest_us: i64,
}

/// The id of how far a topic was trimmed.
pub fn trimmed_id(topic: Topic) -> String {
    format!("trimmed/{}", topic.name())
}

impl<R: Row> Journal<R> {
    /// The partition of a topic, if it is on this log.
    pub fn partition(&self, topic: Topic) -> Option<Partition> {
        self.feeds.of(topic).map(|_| Partition { topic, name: R::SERVICE.to_owned() })
    }

    /// The feed of a partition.
    pub fn feed(&self, partition: &Partition) -> Result<&Feed, LogError> {
        let mine = self.feeds.of(partition.topic).filter(|_| partition.name == R::SERVICE);
        mine.ok_or_else(|| LogError::UnknownPartition(partition.to_string()))
    }

    /// See [`bus::Log::read`].
    pub async fn facts(
        &self,
        partition: &Partition,
        after: Position,
        most: usize,
    ) -> Result<Batch, LogError> {
        let feed = self.feed(partition)?;
        let unavailable = |error: StoreError| LogError::Unavailable(error.to_string());
        self.is_open().map_err(unavailable)?;
        let mut batch = feed.read(after, most);
        if batch.as_ref().is_ok_and(|batch| batch.records.is_empty()) {
            self.catch_up().await.map_err(unavailable)?;
            batch = feed.read(after, most);
        }
        let begins = match batch {
            Ok(batch) => return Ok(batch),
            Err(begins) => begins,
        };
        let kept = self.kept(partition.topic, after, begins, most).await.map_err(unavailable)?;
        match kept {
            Kept::Gone(TrimmedDoc { up_to, latest_us, .. }) => {
                let (partition, after, trimmed) = (partition.to_string(), after.0, up_to.cast_unsigned());
                Err(LogError::Trimmed { partition, after, trimmed, latest_us })
            }
            Kept::Batch(batch) if batch.records.is_empty() && batch.next >= begins => {
                Ok(feed.read(begins, most).unwrap_or(batch))
            }
            Kept::Batch(batch) => Ok(batch),
        }
    }

    /// What the outbox has between two positions.
    async fn kept(
        &self,
        topic: Topic,
        after: Position,
        up_to: Position,
        most: usize,
    ) -> Result<Kept, StoreError> {
        let reading = self.begin_read();
        let range = doc! { "_id": { "$gt": padded(after.0), "$lte": padded(up_to.0) } };
        let found: Vec<FactDoc> = self
            .place
            .first(&outbox(topic), range, doc! { "_id": 1 }, most.min(MAX_BATCH), REQUEST_TIMEOUT)
            .await?;
        // A trim notes how far it goes before it removes anything: what it has removed by then shows here.
        if topic.retention() == Retention::None
            && let Some(trimmed) = self.trimmed(topic).await?
            && after.0 < trimmed.up_to.cast_unsigned()
        {
            return Ok(Kept::Gone(trimmed));
        }
        let mut records = Vec::with_capacity(found.len());
        for fact in found {
            records.push(fact.into_record()?);
        }
        let next = records.last().map_or(up_to, |record| record.position);
        let tail = self.tail();
        records.retain(|record| {
            let mut forgotten = tail.forgotten(topic);
            !forgotten.any(|one| one.key == record.fact.key && record.position <= one.up_to)
        });
        drop(tail);
        drop(reading);
        Ok(Kept::Batch(Batch { records, next }))
    }

    /// How far a topic was trimmed; none when it never was.
    pub async fn trimmed(&self, topic: Topic) -> Result<Option<TrimmedDoc>, StoreError> {
        Ok(self.place.by_id(META, &trimmed_id(topic)).await?)
    }
}

/// What the outbox has after a position.
enum Kept {
    /// These.
    Batch(Batch),
    /// Facts after it are no longer there.
    Gone(TrimmedDoc),
}
