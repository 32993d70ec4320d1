//! The outbox as a log: one partition for each topic, named after the service, in a table of its own.
//!
//! Every process that commits takes its positions from the topic's row in `outbox_heads`, and holds that row until its
//! commit is done. So whoever sees a fact sees every fact before it, and a position never has to be waited for.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bus::{Batch, Fact, Log, LogError, Partition, Position, Record, Retention, Topic};
use store::{Row, StoreError};
use tokio::sync::watch;

use crate::{
    SqlStore,
    database::Database,
    outbox::Heads,
    reads,
    schema::outbox,
    tail::Tail,
    trim,
    values::{signed, unsigned},
};

/// How soon a reader that has just read something looks whether another process has committed meanwhile. Of a commit
/// of its own process it hears at once.
const FIRST_LOOK: Duration = Duration::from_millis(5);
/// How late it hears of one at most, beside the time of the look itself: the time between looks doubles up to here, so
/// that a store at rest is hardly asked.
pub const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The most records of one read, whatever is asked for.
const MAX_BATCH: usize = 10_000;

/// The topics that a store publishes.
pub struct Feeds(Vec<Feed>);

/// One topic: the newest position that this process knows of, and the newest facts that it committed.
struct Feed {
    topic: Topic,
    newest: watch::Sender<u64>,
    tail: Mutex<Tail>,
}

impl Feed {
    fn tail(&self) -> MutexGuard<'_, Tail> {
        // Nothing panics while the lock is held.
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Feeds {
    /// Of these topics.
    pub fn new(topics: &[Topic]) -> Self {
        let feed =
            |topic: &Topic| Feed { topic: *topic, newest: watch::Sender::new(0), tail: Mutex::default() };
        Self(topics.iter().map(feed).collect())
    }

    /// Whether a topic is among them.
    pub fn has(&self, topic: Topic) -> bool {
        self.of(topic).is_some()
    }

    /// Follows a commit, and wakes those who wait for its facts. A topic that keeps the newest fact of each key is left to the
    /// table: any process may forget a key of it.
    pub fn appended(&self, heads: &Heads, facts: &[Arc<Fact>], forgotten: &[(Topic, String)]) {
        for (topic, _) in forgotten {
            if let Some(feed) = self.of(*topic) {
                feed.tail().clear();
            }
        }
        for (topic, newest) in heads {
            if let Some(feed) = self.of(*topic).filter(|_| topic.retention() == Retention::None) {
                feed.tail().append(numbered(*topic, *newest, facts));
            }
            self.known(*topic, newest.0);
        }
    }

    /// Follows a trim of a topic.
    pub fn trimmed(&self, topic: Topic, up_to: Position) {
        if let Some(feed) = self.of(topic) {
            feed.tail().trim(up_to);
        }
    }

    /// Wakes everyone, for good: there is nothing to wait for any more.
    pub fn release(&self) {
        for feed in &self.0 {
            self.known(feed.topic, u64::MAX);
        }
    }

    fn known(&self, topic: Topic, position: u64) {
        if let Some(feed) = self.of(topic) {
            feed.newest.send_if_modified(|newest| {
                let is_newer = position > *newest;
                *newest = position.max(*newest);
                is_newer
            });
        }
    }

    fn of(&self, topic: Topic) -> Option<&Feed> {
        self.0.iter().find(|feed| feed.topic == topic)
    }
}

/// The facts of one topic with their positions, of which the last is known.
fn numbered(topic: Topic, newest: Position, facts: &[Arc<Fact>]) -> Vec<Record> {
    let of_topic: Vec<&Arc<Fact>> = facts.iter().filter(|fact| fact.topic == topic).collect();
    let first = newest.0 - of_topic.len() as u64 + 1;
    let record =
        |(position, fact): (u64, &Arc<Fact>)| Record { position: Position(position), fact: Arc::clone(fact) };
    (first..).zip(of_topic).map(record).collect()
}

#[async_trait]
impl<R: Row> Log for SqlStore<R> {
    fn partitions(&self, topic: Topic) -> Vec<Partition> {
        let mine = self.committer.feeds.has(topic);
        mine.then(|| Partition { topic, name: R::SERVICE.to_owned() }).into_iter().collect()
    }

    async fn read(&self, partition: &Partition, after: Position, most: usize) -> Result<Batch, LogError> {
        let (database, topic) = (&self.committer.database, partition.topic);
        let at_hand = self.feed(partition)?.tail().read(after, most.min(MAX_BATCH));
        // Once the store is closed, its readers say so.
        if let Some(batch) = at_hand.filter(|_| !database.is_closed()) {
            return Ok(batch);
        }
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
        let mut changes = self.feed(partition)?.newest.subscribe();
        let mut pause = FIRST_LOOK;
        loop {
            if *changes.borrow_and_update() > after.0 {
                return Ok(());
            }
            let found = newest(&self.committer.database, partition.topic).await.map_err(unavailable)?;
            self.committer.feeds.known(partition.topic, found);
            if found <= after.0 {
                // The sender lives as long as the store, so waiting cannot fail.
                let _ = tokio::time::timeout(pause, changes.changed()).await;
                pause = (pause * 2).min(LOOK_EVERY);
            }
        }
    }
}

impl<R: Row> SqlStore<R> {
    fn feed(&self, partition: &Partition) -> Result<&Feed, LogError> {
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
