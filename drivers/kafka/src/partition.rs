//! One partition as it is read: the records that librdkafka has fetched of it, in a queue of their own, and where in
//! the partition that queue stands.

use std::{
    sync::{
        Arc, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bus::{Batch, LogError, Partition, Position, Record, Retention};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer, base_consumer::PartitionQueue},
    error::KafkaError,
};
use tokio::{
    sync::{Mutex, Notify},
    time::Instant,
};

use crate::{envelope, member::Context};

/// How long the broker may take to say where a partition begins and ends, and to send what is there.
const BROKER_TIMEOUT: Duration = Duration::from_secs(10);
/// A partition that was assigned a moment ago cannot be moved yet: how long that may be, and when to look again.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(5);
const SETTLE_EVERY: Duration = Duration::from_millis(20);
/// Waiting ends after this long in any case; to look once a second costs nothing.
const WAIT_AT_MOST: Duration = Duration::from_secs(1);

/// A partition that is assigned to this reader.
pub struct Assigned {
    partition: Partition,
    /// Its topic and number on the cluster.
    topic: String,
    number: i32,
    consumer: Arc<BaseConsumer<Context>>,
    queue: PartitionQueue<Context>,
    /// Told when the queue is no longer empty.
    arrived: Arc<Notify>,
    cursor: Mutex<Cursor>,
    fetching: std::sync::Mutex<Fetching>,
    /// How far the reader says that it is; for who looks at the lag.
    done: AtomicU64,
}

/// Whether the client fetches the partition.
///
/// It begins to when the reader says where, and not when the group assigns: a client that is set down at a place that it
/// must look up first, such as the end, may come back to that place after it was moved elsewhere, and pass over facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fetching {
    /// Nobody has said yet where to read.
    NotYet,
    /// It is fetched.
    Yes,
    /// Somebody else reads it from now on.
    Lost,
}

/// Where the queue stands.
#[derive(Default)]
struct Cursor {
    /// What comes out of the queue is what follows this position; none when it has to be moved first.
    at: Option<Position>,
    /// Where the partition ended when the queue was moved here. What is before it is on its way.
    end: u64,
    /// The queue was empty when it was last looked at, and nothing is on its way.
    is_drained: bool,
    /// Nothing came out of the queue since it was moved.
    is_fresh: bool,
    /// Where something seemed to be missing when it was last moved. What seems so twice is so.
    doubt: Option<Position>,
}

/// What came out of the queue.
enum Taken {
    Batch(Batch),
    /// Something seems to be missing: the queue is to be moved again.
    Doubt,
}

impl Assigned {
    /// Takes over what is fetched of a partition that was just assigned; none when the client does not know it.
    pub fn new(
        partition: &Partition,
        topic: String,
        number: i32,
        consumer: &Arc<BaseConsumer<Context>>,
    ) -> Option<Arc<Self>> {
        let mut queue = consumer.split_partition_queue(&topic, number)?;
        let arrived = Arc::new(Notify::new());
        let told = Arc::clone(&arrived);
        queue.set_nonempty_callback(move || told.notify_one());
        Some(Arc::new(Self {
            partition: partition.clone(),
            topic,
            number,
            consumer: Arc::clone(consumer),
            queue,
            arrived,
            cursor: Mutex::default(),
            fetching: std::sync::Mutex::new(Fetching::NotYet),
            done: AtomicU64::new(0),
        }))
    }

    /// It is read by somebody else from now on. Whether it was fetched, so that the client has to be told.
    pub fn lose(&self) -> bool {
        let was = std::mem::replace(&mut *self.fetching(), Fetching::Lost);
        self.arrived.notify_one();
        was == Fetching::Yes
    }

    fn fetching(&self) -> MutexGuard<'_, Fetching> {
        // Nothing panics while the lock is held.
        self.fetching.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far its reader is.
    pub fn done(&self) -> Position {
        Position(self.done.load(Ordering::Relaxed))
    }

    /// As [`bus::Log::read`].
    pub async fn read(self: &Arc<Self>, after: Position, most: usize) -> Result<Batch, LogError> {
        let mut cursor = self.cursor.lock().await;
        self.done.store(after.0, Ordering::Relaxed);
        let until = Instant::now() + BROKER_TIMEOUT;
        loop {
            self.check()?;
            if cursor.at != Some(after) {
                self.move_cursor(&mut cursor, after).await?;
            }
            match self.take(&mut cursor, after, most)? {
                Taken::Batch(batch) if !batch.records.is_empty() || cursor.is_drained => return Ok(batch),
                Taken::Batch(_) => {}
                Taken::Doubt => continue,
            }
            if tokio::time::timeout_at(until, self.arrived.notified()).await.is_err() {
                *cursor = Cursor::default();
                return Err(self.unavailable(&"the broker sends nothing of what it has"));
            }
        }
    }

    async fn move_cursor(self: &Arc<Self>, cursor: &mut Cursor, after: Position) -> Result<(), LogError> {
        // Whatever goes wrong on the way, the next read moves the queue again.
        let doubt = std::mem::take(cursor).doubt;
        let this = Arc::clone(self);
        let moved = tokio::task::spawn_blocking(move || this.move_to(after)).await;
        let end = moved.unwrap_or_else(|error| Err(self.unavailable(&error)))?;
        *cursor = Cursor { at: Some(after), end, is_drained: false, is_fresh: true, doubt };
        Ok(())
    }

    /// As [`bus::Log::wait`].
    pub async fn wait(&self, after: Position) -> Result<(), LogError> {
        self.check()?;
        {
            let cursor = self.cursor.lock().await;
            if cursor.at != Some(after) || !cursor.is_drained {
                return Ok(());
            }
        }
        let _ = tokio::time::timeout(WAIT_AT_MOST, self.arrived.notified()).await;
        self.check()
    }

    fn check(&self) -> Result<(), LogError> {
        if *self.fetching() == Fetching::Lost {
            return Err(LogError::NotAssigned(self.partition.to_string()));
        }
        Ok(())
    }

    /// What is in the queue now.
    fn take(&self, cursor: &mut Cursor, after: Position, most: usize) -> Result<Taken, LogError> {
        let mut batch = Batch { records: Vec::new(), next: after };
        while batch.records.len() < most {
            match self.queue.poll(Duration::ZERO) {
                Some(Ok(message)) => {
                    let offset = message.offset().cast_unsigned();
                    if offset < batch.next.0 {
                        continue;
                    }
                    if offset > batch.next.0 && self.is_doubtful(cursor) && !cursor.believes(batch.next) {
                        return Ok(doubted(batch));
                    }
                    cursor.is_fresh = false;
                    batch.next = Position(offset + 1);
                    let fact = envelope::fact(self.partition.topic, &message);
                    batch.records.push(Record { position: batch.next, fact });
                }
                // Everything up to the end is out of the queue, also where the last offsets have no records.
                Some(Err(KafkaError::PartitionEOF(_))) => {
                    if batch.next.0 < cursor.end && !cursor.believes(batch.next) {
                        return Ok(doubted(batch));
                    }
                    cursor.end = cursor.end.min(batch.next.0);
                }
                Some(Err(error)) => {
                    // Such as an offset that is no longer there. What was read so far stands; the next read asks
                    // the broker where the partition begins and ends, and has the client begin anew.
                    tracing::debug!(partition = %self.partition, %error, "reading is interrupted");
                    *cursor = Cursor::default();
                    self.fetch_no_longer();
                    let is_empty = batch.records.is_empty();
                    return if is_empty { Err(self.unavailable(&error)) } else { Ok(Taken::Batch(batch)) };
                }
                None => {
                    cursor.is_drained = batch.next.0 >= cursor.end;
                    cursor.at = Some(batch.next);
                    return Ok(Taken::Batch(batch));
                }
            }
        }
        cursor.is_drained = false;
        cursor.at = Some(batch.next);
        Ok(Taken::Batch(batch))
    }

    /// Whether offsets without records are worth a second look. Compaction leaves many, and transactions of others
    /// leave some.
    fn is_doubtful(&self, cursor: &Cursor) -> bool {
        cursor.is_fresh || self.partition.topic.retention() == Retention::None
    }

    /// Has the queue begin after a position; blocks. Where the partition ends.
    fn move_to(&self, after: Position) -> Result<u64, LogError> {
        let watermarks = self.consumer.fetch_watermarks(&self.topic, self.number, BROKER_TIMEOUT);
        let (first, end) = watermarks.map_err(|error| self.unavailable(&error))?;
        let (first, end) = (first.max(0).cast_unsigned(), end.max(0).cast_unsigned());
        if after.0 > end {
            let partition = self.partition.to_string();
            return Err(LogError::Ahead { partition, after: after.0, newest: end });
        }
        if after.0 < first && self.partition.topic.retention() == Retention::None {
            return Err(LogError::Trimmed {
                partition: self.partition.to_string(),
                after: after.0,
                trimmed: first,
                // The broker does not say.
                latest_us: i64::MAX,
            });
        }
        let offset = after.0.max(first);
        self.fetch_from(offset)?;
        self.seek(offset)?;
        Ok(end)
    }

    /// Has the client fetch the partition, from a place that is there; blocks for a moment.
    fn fetch_from(&self, offset: u64) -> Result<(), LogError> {
        let mut fetching = self.fetching();
        match *fetching {
            Fetching::Yes => Ok(()),
            Fetching::Lost => Err(LogError::NotAssigned(self.partition.to_string())),
            Fetching::NotYet => {
                let begun = self.place(offset).and_then(|place| self.consumer.incremental_assign(&place));
                begun.map_err(|error| self.unavailable(&error))?;
                *fetching = Fetching::Yes;
                Ok(())
            }
        }
    }

    /// Has the client forget where it is, so that it begins anew.
    fn fetch_no_longer(&self) {
        let mut fetching = self.fetching();
        if *fetching == Fetching::Yes {
            let ended = self.place(0).and_then(|place| self.consumer.incremental_unassign(&place));
            match ended {
                Ok(()) => *fetching = Fetching::NotYet,
                Err(error) => {
                    tracing::warn!(partition = %self.partition, %error, "the client does not let go")
                }
            }
        }
    }

    fn place(&self, offset: u64) -> Result<TopicPartitionList, KafkaError> {
        let mut place = TopicPartitionList::new();
        place.add_partition_offset(&self.topic, self.number, Offset::Offset(offset.cast_signed()))?;
        Ok(place)
    }

    /// Moves the client. What it fetched before is thrown away, also what is on its way.
    fn seek(&self, offset: u64) -> Result<(), LogError> {
        let until = std::time::Instant::now() + SETTLE_TIMEOUT;
        loop {
            self.check()?;
            let sought =
                self.place(offset).and_then(|place| self.consumer.seek_partitions(place, BROKER_TIMEOUT));
            let error = match sought {
                Ok(places) => places.elements().first().and_then(|place| place.error().err()),
                Err(error) => Some(error),
            };
            match error {
                None => return Ok(()),
                Some(error) if std::time::Instant::now() > until => {
                    self.fetch_no_longer();
                    return Err(self.unavailable(&error));
                }
                Some(_) => std::thread::sleep(SETTLE_EVERY),
            }
        }
    }

    fn unavailable(&self, why: &dyn std::fmt::Display) -> LogError {
        LogError::Unavailable(format!("{}: {why}", self.partition))
    }
}

impl Cursor {
    /// Whether that nothing is here was seen before, after the queue was moved. If not, it is moved once more.
    fn believes(&mut self, here: Position) -> bool {
        if self.doubt.take() == Some(here) {
            return true;
        }
        *self = Self { doubt: Some(here), ..Self::default() };
        false
    }
}

/// What was read before something seemed to be missing.
fn doubted(batch: Batch) -> Taken {
    if batch.records.is_empty() { Taken::Doubt } else { Taken::Batch(batch) }
}
