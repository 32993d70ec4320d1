//! The outbox as a log: one partition for each topic, named after the service, in a table of its own.
//!
//! Every process that commits takes its positions from the topic's row in `outbox_heads`, and holds that row until its
//! commit is done. So whoever sees a fact sees every fact before it, and a position never has to be waited for.

use std::time::Duration;

use async_trait::async_trait;
use bus::{Batch, Log, LogError, Partition, Position, Retention, Topic};
use store::{Row, StoreError};
use tokio::sync::watch;

use crate::{
    SqlStore,
    database::Database,
    outbox::Heads,
    reads,
    schema::outbox,
    trim,
    values::{signed, unsigned},
};

/// How late a reader that waits hears of a commit of another process at most, beside the time of the look itself. Of a
/// commit of its own process it hears at once.
pub const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The most records of one read, whatever is asked for.
const MAX_BATCH: usize = 10_000;

/// The topics that a store publishes, each with the newest position that this process knows of.
pub struct Feeds(Vec<(Topic, watch::Sender<u64>)>);

impl Feeds {
    /// Of these topics.
    pub fn new(topics: &[Topic]) -> Self {
        Self(topics.iter().map(|topic| (*topic, watch::Sender::new(0))).collect())
    }

    /// Whether a topic is among them.
    pub fn has(&self, topic: Topic) -> bool {
        self.of(topic).is_some()
    }

    /// Wakes those who wait for facts up to these positions.
    pub fn appended(&self, heads: &Heads) {
        for (topic, newest) in heads {
            self.known(*topic, newest.0);
        }
    }

    /// Wakes everyone, for good: there is nothing to wait for any more.
    pub fn release(&self) {
        for (topic, _) in &self.0 {
            self.known(*topic, u64::MAX);
        }
    }

    fn known(&self, topic: Topic, position: u64) {
        if let Some(newest) = self.of(topic) {
            newest.send_if_modified(|newest| {
                let is_newer = position > *newest;
                *newest = position.max(*newest);
                is_newer
            });
        }
    }

    fn of(&self, topic: Topic) -> Option<&watch::Sender<u64>> {
        self.0.iter().find(|(known, _)| *known == topic).map(|(_, newest)| newest)
    }
}

#[async_trait]
impl<R: Row> Log for SqlStore<R> {
    fn partitions(&self, topic: Topic) -> Vec<Partition> {
        let mine = self.committer.feeds.has(topic);
        mine.then(|| Partition { topic, name: R::SERVICE.to_owned() }).into_iter().collect()
    }

    async fn read(&self, partition: &Partition, after: Position, most: usize) -> Result<Batch, LogError> {
        self.feed(partition)?;
        let (database, topic) = (&self.committer.database, partition.topic);
        let batch = read(database, topic, after, most).await.map_err(unavailable)?;
        // Only where something is missing may something have been trimmed. It is asked for after the facts, so that what
        // is trimmed in between is noticed too.
        let is_next = batch.records.first().is_some_and(|first| first.position.0 == after.0 + 1);
        if !is_next && topic.retention() == Retention::None {
            let trimmed = trim::trimmed(database, topic).await.map_err(unavailable)?;
            if let Some(trimmed) = trimmed.filter(|trimmed| after < trimmed.up_to) {
                return Err(LogError::Trimmed {
                    partition: partition.to_string(),
                    after: after.0,
                    trimmed: trimmed.up_to.0,
                    latest_us: trimmed.latest_us,
                });
            }
        }
        Ok(batch)
    }

    async fn wait(&self, partition: &Partition, after: Position) -> Result<(), LogError> {
        let newest_known = self.feed(partition)?;
        let mut changes = newest_known.subscribe();
        loop {
            if *changes.borrow_and_update() > after.0 {
                return Ok(());
            }
            let found = newest(&self.committer.database, partition.topic).await.map_err(unavailable)?;
            self.committer.feeds.known(partition.topic, found);
            if found <= after.0 {
                // The sender lives as long as the store, so waiting cannot fail.
                let _ = tokio::time::timeout(LOOK_EVERY, changes.changed()).await;
            }
        }
    }
}

impl<R: Row> SqlStore<R> {
    fn feed(&self, partition: &Partition) -> Result<&watch::Sender<u64>, LogError> {
        let mine = self.committer.feeds.of(partition.topic).filter(|_| partition.name == R::SERVICE);
        mine.ok_or_else(|| LogError::UnknownPartition(partition.to_string()))
    }
}

fn unavailable(error: StoreError) -> LogError {
    LogError::Unavailable(error.to_string())
}

async fn read(database: &Database, topic: Topic, after: Position, most: usize) -> Result<Batch, StoreError> {
    let sql = format!(
        "SELECT \"position\", {}, \"aggregatetype\", \"aggregateid\", \"type\", \"source\", \"payload\", \"time_us\", \
         \"traceparent\" FROM \"{}\" WHERE \"position\" > ? ORDER BY \"position\" LIMIT ?",
        database.dialect.uuid_text("\"id\""),
        outbox(topic)
    );
    let from = signed(after.0).unwrap_or(i64::MAX);
    let most = most.min(MAX_BATCH) as i64;
    let found = database.read(&sql, &[from.into(), most.into()]).await?;
    let records: Vec<_> = found.iter().map(|row| reads::record(row, "outbox")).collect::<Result<_, _>>()?;
    let next = records.last().map_or(after, |record| record.position);
    Ok(Batch { records, next })
}

/// The position of the newest fact of a topic; 0 when there never was one.
pub async fn newest(database: &Database, topic: Topic) -> Result<u64, StoreError> {
    let sql = "SELECT \"position\" FROM \"outbox_heads\" WHERE \"topic\" = ?";
    let found = database.read(sql, &[topic.name().into()]).await?;
    found.first().map_or(Ok(0), |row| unsigned(row.int(0)?))
}
