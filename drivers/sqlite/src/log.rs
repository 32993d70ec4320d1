//! The outbox as a log: one partition for each topic, named after the service, in a table of its own.
//!
//! ```text
//!   table     1 2 3 4 5 6 7 8 9      everything that is kept
//!   tail            5 6 7 8 9        the newest facts, in memory as well
//! ```
//!
//! A consumer that keeps up reads the tail: the facts as they were decided, without the file and without
//! their JSON. One that is far behind reads the file.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bus::{Batch, Fact, Log, LogError, Partition, Position, Record, Retention, Topic};
use rusqlite::Connection;
use store::{Row, StoreError};
use tokio::sync::watch;

use crate::{SqliteStore, error::read_error, reads, schema::outbox, trim, trim::Trimmed};

/// The most records of one read, whatever is asked for.
const MAX_BATCH: usize = 10_000;
/// The most facts of a topic in memory; a fact is about half a kilobyte.
const MAX_TAIL: usize = 4_096;

/// The topics that a store publishes.
pub struct Feeds(Vec<Feed>);

/// One topic: its newest position, which consumers wait for, and its newest facts.
struct Feed {
    topic: Topic,
    newest: watch::Sender<u64>,
    tail: Mutex<Tail>,
}

/// Every fact after a position.
struct Tail {
    after: u64,
    records: VecDeque<Record>,
}

/// The facts of a commit with their positions, by topic.
pub type Appended = Vec<(Topic, Vec<Record>)>;

impl Feeds {
    /// Begins with what the outbox has.
    pub fn load(connection: &Connection, topics: &[Topic]) -> rusqlite::Result<Self> {
        let mut feeds = Vec::with_capacity(topics.len());
        for topic in topics {
            let after = newest(connection, *topic)?;
            let tail = Mutex::new(Tail { after, records: VecDeque::new() });
            feeds.push(Feed { topic: *topic, newest: watch::Sender::new(after), tail });
        }
        Ok(Self(feeds))
    }

    /// Of a file that another process writes: nothing of it is known beforehand, so everything is read from the file.
    pub fn of_another_process(topics: &[Topic]) -> Self {
        let feed = |topic: &Topic| {
            let tail = Mutex::new(Tail { after: u64::MAX, records: VecDeque::new() });
            Feed { topic: *topic, newest: watch::Sender::new(0), tail }
        };
        Self(topics.iter().map(feed).collect())
    }

    /// The position of the newest fact of a topic, for appending after it.
    pub fn newest(&self, topic: Topic) -> Option<u64> {
        self.of(topic).map(|feed| *feed.newest.borrow())
    }

    /// Follows a commit, and wakes those who wait for its topics.
    pub fn append(&self, appended: Appended, forgotten: &[(Topic, String)]) {
        for (topic, key) in forgotten {
            if let Some(feed) = self.of(*topic) {
                feed.tail().records.retain(|record| record.fact.key != *key);
            }
        }
        for (topic, records) in appended {
            let (Some(feed), Some(last)) = (self.of(topic), records.last()) else { continue };
            let newest = last.position.0;
            feed.tail().append(records);
            feed.newest.send_replace(newest);
        }
    }

    /// Follows a trim of a topic.
    pub fn trim(&self, topic: Topic, up_to: Position) {
        if let Some(feed) = self.of(topic) {
            feed.tail().trim(up_to);
        }
    }

    /// Looks again at what the outbox has, after a commit whose end went wrong.
    pub fn recall(&self, connection: &Connection) -> rusqlite::Result<()> {
        for feed in &self.0 {
            let newest = newest(connection, feed.topic)?;
            *feed.tail() = Tail { after: newest, records: VecDeque::new() };
            feed.newest.send_replace(newest);
        }
        Ok(())
    }

    /// Wakes everyone, for good: there is nothing to wait for any more.
    pub fn release(&self) {
        for feed in &self.0 {
            feed.newest.send_replace(u64::MAX);
        }
    }

    fn of(&self, topic: Topic) -> Option<&Feed> {
        self.0.iter().find(|feed| feed.topic == topic)
    }
}

impl Feed {
    fn tail(&self) -> MutexGuard<'_, Tail> {
        // Nothing panics while the lock is held.
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tail {
    fn append(&mut self, records: Vec<Record>) {
        self.records.extend(records);
        while self.records.len() > MAX_TAIL {
            if let Some(oldest) = self.records.pop_front() {
                self.after = oldest.position.0;
            }
        }
    }

    /// Forgets what is no longer, or no longer all, in the file.
    fn trim(&mut self, up_to: Position) {
        let stays = self.records.partition_point(|record| record.position <= up_to);
        self.records.drain(..stays);
        self.after = self.after.max(up_to.0);
    }

    /// The records after a position; none when some of them may be in the file only.
    fn read(&self, after: Position, most: usize) -> Option<Batch> {
        if after.0 < self.after {
            return None;
        }
        let start = self.records.partition_point(|record| record.position <= after);
        let records: Vec<Record> = self.records.range(start..).take(most).cloned().collect();
        let next = records.last().map_or(after, |record| record.position);
        Some(Batch { records, next })
    }
}

/// The position of the newest fact of a topic; 0 when there never was one. The newest fact is never taken
/// away without one after it, so that no position is given twice.
fn newest(connection: &Connection, topic: Topic) -> rusqlite::Result<u64> {
    let sql = format!("SELECT max(seq) FROM {}", outbox(topic));
    let seq: Option<i64> = connection.query_row(&sql, [], |row| row.get(0))?;
    Ok(seq.unwrap_or_default().cast_unsigned())
}

/// The topics that an outbox has facts of.
pub fn topics_in(connection: &Connection) -> rusqlite::Result<Vec<Topic>> {
    let mut topics = Vec::new();
    for topic in Topic::ALL {
        if newest(connection, topic)? > 0 {
            topics.push(topic);
        }
    }
    Ok(topics)
}

/// Facts with the positions after the newest of their topics.
pub fn numbered(feeds: &Feeds, facts: &[Arc<Fact>]) -> Result<Appended, Topic> {
    let mut appended: Appended = Vec::new();
    for fact in facts {
        let topic = fact.topic;
        let index = match appended.iter().position(|(known, _)| *known == topic) {
            Some(index) => index,
            None => {
                appended.push((topic, Vec::with_capacity(facts.len())));
                appended.len() - 1
            }
        };
        let records = &mut appended[index].1;
        let before = match records.last() {
            Some(last) => last.position.0,
            None => feeds.newest(topic).ok_or(topic)?,
        };
        records.push(Record { position: Position(before + 1), fact: Arc::clone(fact) });
    }
    Ok(appended)
}

#[async_trait]
impl<R: Row> Log for SqliteStore<R> {
    fn partitions(&self, topic: Topic) -> Vec<Partition> {
        let mine = self.feeds.of(topic).is_some();
        mine.then(|| Partition { topic, name: R::SERVICE.to_owned() }).into_iter().collect()
    }

    async fn read(&self, partition: &Partition, after: Position, most: usize) -> Result<Batch, LogError> {
        let topic = partition.topic;
        let at_hand = self.feed(partition)?.tail().read(after, most);
        // Once the store is closed, its readers say so.
        if let Some(batch) = at_hand.filter(|_| !self.readers.are_closed()) {
            return Ok(batch);
        }
        let found = self.readers.read(move |connection| read(connection, topic, after, most)).await;
        match found.map_err(|error| LogError::Unavailable(error.to_string()))? {
            Found::Batch(batch) => Ok(batch),
            Found::Gone(Trimmed { up_to: Position(trimmed), latest_us }) => {
                let (partition, after) = (partition.to_string(), after.0);
                Err(LogError::Trimmed { partition, after, trimmed, latest_us })
            }
        }
    }

    async fn wait(&self, partition: &Partition, after: Position) -> Result<(), LogError> {
        let mut newest = self.feed(partition)?.newest.subscribe();
        let waited = newest.wait_for(|newest| *newest > after.0).await;
        waited.map(|_| ()).map_err(|error| LogError::Unavailable(error.to_string()))
    }
}

impl<R: Row> SqliteStore<R> {
    fn feed(&self, partition: &Partition) -> Result<&Feed, LogError> {
        let mine = self.feeds.of(partition.topic).filter(|_| partition.name == R::SERVICE);
        mine.ok_or_else(|| LogError::UnknownPartition(partition.to_string()))
    }
}

/// What the file has after a position.
enum Found {
    /// These.
    Batch(Batch),
    /// Facts after it are no longer there.
    Gone(Trimmed),
}

fn read(connection: &Connection, topic: Topic, after: Position, most: usize) -> Result<Found, StoreError> {
    if topic.retention() == Retention::None
        && let Some(trimmed) = trim::trimmed(connection, topic).map_err(read_error)?
        && after < trimmed.up_to
    {
        return Ok(Found::Gone(trimmed));
    }
    let table = outbox(topic);
    let sql = format!(
        "SELECT seq, id, '{}', key, type, source, payload, time_us, traceparent FROM {table} \
         WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        topic.name()
    );
    let most = i64::try_from(most.min(MAX_BATCH)).unwrap_or(i64::MAX);
    let from = i64::try_from(after.0).unwrap_or(i64::MAX);
    let mut select = connection.prepare_cached(&sql).map_err(read_error)?;
    let mut rows = select.query((from, most)).map_err(read_error)?;
    let mut records = Vec::new();
    while let Some(row) = rows.next().map_err(read_error)? {
        records.push(reads::record(row, &table)?);
    }
    let next = records.last().map_or(after, |record| record.position);
    Ok(Found::Batch(Batch { records, next }))
}
