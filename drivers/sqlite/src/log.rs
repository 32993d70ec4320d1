//! The outbox as a log: one partition for each topic, named after the service.

use async_trait::async_trait;
use bus::{Batch, Log, LogError, Partition, Position, Topic};
use rusqlite::Connection;
use store::{Row, StoreError};
use tokio::sync::watch;

use crate::{SqliteStore, error::read_error, reads};

/// The most records of one read, whatever is asked for.
const MAX_BATCH: usize = 10_000;

/// The newest position of each topic, which consumers wait for.
pub struct Newest(Vec<(Topic, watch::Sender<u64>)>);

impl Newest {
    /// Begins with what the outbox has.
    pub fn load(connection: &Connection, topics: &[Topic]) -> rusqlite::Result<Self> {
        let mut select = connection.prepare("SELECT max(seq) FROM outbox WHERE aggregatetype = ?1")?;
        let mut newest = Vec::with_capacity(topics.len());
        for topic in topics {
            let seq: Option<i64> = select.query_row([topic.name()], |row| row.get(0))?;
            newest.push((*topic, watch::Sender::new(seq.unwrap_or_default().cast_unsigned())));
        }
        Ok(Self(newest))
    }

    /// Wakes those who wait for topics, each with the last position of a commit.
    pub fn raise(&self, last: &[(Topic, u64)]) {
        for (topic, seq) in last {
            if let Some((_, sender)) = self.0.iter().find(|(one, _)| one == topic) {
                sender.send_replace(*seq);
            }
        }
    }

    /// Wakes everyone, for good: there is nothing to wait for any more.
    pub fn release(&self) {
        for (_, sender) in &self.0 {
            sender.send_replace(u64::MAX);
        }
    }

    fn of(&self, topic: Topic) -> Option<&watch::Sender<u64>> {
        self.0.iter().find(|(one, _)| *one == topic).map(|(_, sender)| sender)
    }
}

/// The topics that an outbox has facts of.
pub fn topics_in(connection: &Connection) -> rusqlite::Result<Vec<Topic>> {
    let mut select = connection.prepare("SELECT DISTINCT aggregatetype FROM outbox")?;
    let names = select.query_map([], |row| row.get::<_, String>(0))?;
    let mut topics = Vec::new();
    for name in names {
        topics.extend(Topic::from_name(&name?));
    }
    Ok(topics)
}

#[async_trait]
impl<R: Row> Log for SqliteStore<R> {
    fn partitions(&self, topic: Topic) -> Vec<Partition> {
        let mine = self.newest.of(topic).is_some();
        mine.then(|| Partition { topic, name: R::SERVICE.to_owned() }).into_iter().collect()
    }

    async fn read(&self, partition: &Partition, after: Position, most: usize) -> Result<Batch, LogError> {
        self.newest_of(partition)?;
        let topic = partition.topic;
        let batch = self.readers.read(move |connection| read(connection, topic, after, most)).await;
        batch.map_err(|error| LogError::Unavailable(error.to_string()))
    }

    async fn wait(&self, partition: &Partition, after: Position) -> Result<(), LogError> {
        let mut newest = self.newest_of(partition)?.subscribe();
        let waited = newest.wait_for(|newest| *newest > after.0).await;
        waited.map(|_| ()).map_err(|error| LogError::Unavailable(error.to_string()))
    }
}

impl<R: Row> SqliteStore<R> {
    fn newest_of(&self, partition: &Partition) -> Result<&watch::Sender<u64>, LogError> {
        let mine = self.newest.of(partition.topic).filter(|_| partition.name == R::SERVICE);
        mine.ok_or_else(|| LogError::UnknownPartition(partition.to_string()))
    }
}

fn read(connection: &Connection, topic: Topic, after: Position, most: usize) -> Result<Batch, StoreError> {
    let sql = "SELECT seq, id, aggregatetype, aggregateid, type, source, payload, timestamp, traceparent \
               FROM outbox WHERE aggregatetype = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
    let most = i64::try_from(most.min(MAX_BATCH)).unwrap_or(i64::MAX);
    let from = i64::try_from(after.0).unwrap_or(i64::MAX);
    let mut select = connection.prepare_cached(sql).map_err(read_error)?;
    let mut rows = select.query((topic.name(), from, most)).map_err(read_error)?;
    let mut records = Vec::new();
    while let Some(row) = rows.next().map_err(read_error)? {
        records.push(reads::record(row, "outbox")?);
    }
    let next = records.last().map_or(after, |record| record.position);
    Ok(Batch { records, next })
}
