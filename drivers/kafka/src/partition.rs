//! One partition as it is read: the records that librdkafka has fetched of it, in a queue of their own, and where in
//! the partition that queue stands.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
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
    number: i32,
    consumer: Arc<BaseConsumer<Context>>,
    queue: PartitionQueue<Context>,
    /// Told when the queue is no longer empty.
    arrived: Arc<Notify>,
    cursor: Mutex<Cursor>,
    is_lost: AtomicBool,
    /// How far the reader says that it is; for who looks at the lag.
    done: AtomicU64,
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
}

impl Assigned {
    /// Takes over what is fetched of a partition that was just assigned; none when the client does not know it.
    pub fn new(
        partition: &Partition,
        number: i32,
        consumer: &Arc<BaseConsumer<Context>>,
    ) -> Option<Arc<Self>> {
        let mut queue = consumer.split_partition_queue(partition.topic.name(), number)?;
        let arrived = Arc::new(Notify::new());
        let told = Arc::clone(&arrived);
        queue.set_nonempty_callback(move || told.notify_one());
        Some(Arc::new(Self {
            partition: partition.clone(),
            number,
            consumer: Arc::clone(consumer),
            queue,
            arrived,
            cursor: Mutex::default(),
            is_lost: AtomicBool::new(false),
            done: AtomicU64::new(0),
        }))
    }

    /// It is read by somebody else from now on.
    pub fn lose(&self) {
        self.is_lost.store(true, Ordering::SeqCst);
        self.arrived.notify_one();
    }

    /// How far its reader is.
    pub fn done(&self) -> Position {
        Position(self.done.load(Ordering::Relaxed))
    }

    /// As [`bus::Log::read`].
    pub async fn read(self: &Arc<Self>, after: Position, most: usize) -> Result<Batch, LogError> {
        let mut cursor = self.cursor.lock().await;
        if cursor.at != Some(after) {
            // Whatever goes wrong on the way, the next read moves the queue again.
            *cursor = Cursor::default();
            let this = Arc::clone(self);
            let moved = tokio::task::spawn_blocking(move || this.move_to(after)).await;
            let end = moved.unwrap_or_else(|error| Err(self.unavailable(&error)))?;
            *cursor = Cursor { at: Some(after), end, is_drained: false };
        }
        self.done.store(after.0, Ordering::Relaxed);
        let until = Instant::now() + BROKER_TIMEOUT;
        loop {
            self.check()?;
            let taken = self.take(&mut cursor, after, most)?;
            if !taken.records.is_empty() || cursor.is_drained {
                return Ok(taken);
            }
            if tokio::time::timeout_at(until, self.arrived.notified()).await.is_err() {
                *cursor = Cursor::default();
                return Err(self.unavailable(&"the broker sends nothing of what it has"));
            }
        }
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
        if self.is_lost.load(Ordering::SeqCst) {
            return Err(LogError::NotAssigned(self.partition.to_string()));
        }
        Ok(())
    }

    /// What is in the queue now.
    fn take(&self, cursor: &mut Cursor, after: Position, most: usize) -> Result<Batch, LogError> {
        let mut batch = Batch { records: Vec::new(), next: after };
        while batch.records.len() < most {
            match self.queue.poll(Duration::ZERO) {
                Some(Ok(message)) => {
                    let offset = message.offset().cast_unsigned();
                    if offset < batch.next.0 {
                        continue;
                    }
                    batch.next = Position(offset + 1);
                    let fact = envelope::fact(self.partition.topic, &message);
                    batch.records.push(Record { position: batch.next, fact });
                }
                // Everything up to the end is out of the queue, also where the last offsets have no records.
                Some(Err(KafkaError::PartitionEOF(_))) => cursor.end = cursor.end.min(batch.next.0),
                Some(Err(error)) => {
                    // Such as an offset that is no longer there. What was read so far stands; the next read asks
                    // the broker where the partition begins and ends.
                    tracing::debug!(partition = %self.partition, %error, "reading is interrupted");
                    *cursor = Cursor::default();
                    return if batch.records.is_empty() { Err(self.unavailable(&error)) } else { Ok(batch) };
                }
                None => {
                    cursor.is_drained = batch.next.0 >= cursor.end;
                    cursor.at = Some(batch.next);
                    return Ok(batch);
                }
            }
        }
        cursor.is_drained = false;
        cursor.at = Some(batch.next);
        Ok(batch)
    }

    /// Has the queue begin after a position; blocks. Where the partition ends.
    fn move_to(&self, after: Position) -> Result<u64, LogError> {
        let name = self.partition.topic.name();
        let watermarks = self.consumer.fetch_watermarks(name, self.number, BROKER_TIMEOUT);
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
        self.seek(after.0.max(first))?;
        Ok(end)
    }

    fn seek(&self, offset: u64) -> Result<(), LogError> {
        let until = std::time::Instant::now() + SETTLE_TIMEOUT;
        loop {
            self.check()?;
            let mut place = TopicPartitionList::new();
            let offset = Offset::Offset(offset.cast_signed());
            let added = place.add_partition_offset(self.partition.topic.name(), self.number, offset);
            added.map_err(|error| self.unavailable(&error))?;
            let sought = self.consumer.seek_partitions(place, BROKER_TIMEOUT);
            let error = match sought {
                Ok(places) => places.elements().first().and_then(|place| place.error().err()),
                Err(error) => Some(error),
            };
            match error {
                None => return Ok(()),
                Some(error) if std::time::Instant::now() > until => return Err(self.unavailable(&error)),
                Some(_) => std::thread::sleep(SETTLE_EVERY),
            }
        }
    }

    fn unavailable(&self, why: &dyn std::fmt::Display) -> LogError {
        LogError::Unavailable(format!("{}: {why}", self.partition))
    }
}
