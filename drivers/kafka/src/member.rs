//! A member of a consumer group: one thread that polls, and what is assigned to it.
//!
//! ```text
//!   broker         client's thread                      readers
//!   assign 0, 1 -> rebalance: note 0, 1
//!                  adopt: own queues of 0 and 1      -> Gained(0, 1): read from their positions, and only now fetch
//!   revoke 1    -> rebalance: Lost(1), waits         -> stop reading 1, drop the release
//!                  fetch 1 no longer                    (no longer than MAX_RELEASE)
//! ```

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bus::{Partition, Position, Reader, Topic, release};
use rdkafka::{
    ClientContext, Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext},
    error::{KafkaError, RDKafkaErrorCode},
    types::RDKafkaRespErr,
};
use tokio_util::sync::CancellationToken;

use crate::{partition::Assigned, settings::Settings};

/// How long one poll waits for something to happen.
const POLL: Duration = Duration::from_millis(100);
/// How long readers may take to stop reading what was revoked. Whoever is later is fenced by its position.
const MAX_RELEASE: Duration = Duration::from_secs(10);
/// How often the group is told how far its readers are, and how often unknown topics are looked up.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// How long the broker may take to describe a topic.
const DESCRIBE_TIMEOUT: Duration = Duration::from_secs(5);

/// What a member has, for its readers and its thread.
pub struct Member {
    settings: Settings,
    topics: Vec<Topic>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How many partitions each topic has, as far as is known.
    sizes: BTreeMap<Topic, i32>,
    assigned: BTreeMap<Partition, Arc<Assigned>>,
    /// Assigned, and not yet taken over.
    fresh: Vec<Partition>,
    readers: Vec<Reader>,
}

/// What librdkafka calls back.
pub struct Context(pub Arc<Member>);

impl ClientContext for Context {
    fn error(&self, error: KafkaError, reason: &str) {
        if matches!(error, KafkaError::Global(RDKafkaErrorCode::PartitionEOF)) {
            // It is asked for by who reads to the end, and no error.
            return;
        }
        tracing::warn!(%error, reason, "Kafka");
    }
}

impl ConsumerContext for Context {
    fn rebalance(&self, client: &BaseConsumer<Self>, event: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let partitions: Vec<Partition> =
            list.elements().iter().filter_map(|one| self.0.partition(one.topic(), one.partition())).collect();
        // The client is told of each partition when it is first read, and then from where.
        let done = if event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            self.0.state().fresh.extend(partitions);
            client.incremental_assign(&TopicPartitionList::new())
        } else {
            client.incremental_unassign(&self.0.revoke(&partitions))
        };
        if let Err(error) = done {
            tracing::error!(%error, "a change of the assignment failed");
        }
    }
}

impl Member {
    pub fn new(settings: &Settings, topics: &[Topic]) -> Arc<Self> {
        Arc::new(Self { settings: settings.clone(), topics: topics.to_vec(), state: Mutex::default() })
    }

    /// The partition of ours that is meant.
    fn partition(&self, topic: &str, number: i32) -> Option<Partition> {
        Some(Partition { topic: self.settings.topic_named(topic)?, name: number.to_string() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every partition of a topic, as far as is known.
    pub fn partitions(&self, topic: Topic) -> Vec<Partition> {
        let size = self.state().sizes.get(&topic).copied().unwrap_or_default();
        (0..size).map(|number| Partition { topic, name: number.to_string() }).collect()
    }

    /// Whether there is such a partition.
    pub fn knows(&self, partition: &Partition) -> bool {
        let state = self.state();
        let size = state.sizes.get(&partition.topic).copied().unwrap_or_default();
        // Numbers have one name: 7, never +7 or 07.
        partition
            .name
            .parse::<i32>()
            .is_ok_and(|number| (0..size).contains(&number) && number.to_string() == partition.name)
    }

    pub fn assigned(&self, partition: &Partition) -> Option<Arc<Assigned>> {
        self.state().assigned.get(partition).map(Arc::clone)
    }

    /// A reader that is told from now on.
    pub fn add(&self, reader: Reader) {
        let mut state = self.state();
        let assigned: Vec<Partition> = state.assigned.keys().cloned().collect();
        reader.gained(&assigned);
        state.readers.retain(|reader| !reader.is_gone());
        state.readers.push(reader);
    }

    /// Has every partition of a topic taken over that is known.
    pub fn adopt_later(&self, topic: Topic) {
        let all = self.partitions(topic);
        self.state().fresh.extend(all);
    }

    /// Takes over what was assigned.
    pub fn adopt(&self, client: &Arc<BaseConsumer<Context>>) {
        let fresh = std::mem::take(&mut self.state().fresh);
        for partition in fresh {
            let number = partition.name.parse().unwrap_or(-1);
            let Some(assigned) =
                Assigned::new(&partition, self.settings.topic(partition.topic), number, client)
            else {
                tracing::error!(%partition, "an assigned partition cannot be read");
                continue;
            };
            let mut state = self.state();
            let size = state.sizes.entry(partition.topic).or_default();
            *size = (*size).max(number + 1);
            state.assigned.insert(partition.clone(), assigned);
            state.readers.iter().for_each(|reader| reader.gained(std::slice::from_ref(&partition)));
            tracing::debug!(%partition, "assigned");
        }
    }

    /// Has the readers stop, and waits for them. What the client must no longer fetch.
    fn revoke(&self, partitions: &[Partition]) -> TopicPartitionList {
        let (release, released) = release();
        {
            let mut state = self.state();
            state.fresh.retain(|partition| !partitions.contains(partition));
            state.readers.retain(|reader| !reader.is_gone());
            state.readers.iter().for_each(|reader| reader.lost(partitions, release.clone()));
        }
        drop(release);
        if !released.wait(MAX_RELEASE) {
            tracing::warn!(?partitions, "readers did not stop in time");
        }
        let mut fetched = TopicPartitionList::new();
        for partition in partitions {
            let lost = self.state().assigned.remove(partition);
            if lost.is_some_and(|lost| lost.lose()) {
                let number = partition.name.parse().unwrap_or(-1);
                fetched.add_partition(&self.settings.topic(partition.topic), number);
            }
        }
        tracing::debug!(?partitions, "revoked");
        fetched
    }

    /// Runs until told to stop, and leaves the group then.
    pub fn run(&self, client: &Arc<BaseConsumer<Context>>, stop: &CancellationToken) {
        let mut tell_at = Instant::now();
        let mut told = BTreeMap::new();
        while !stop.is_cancelled() {
            match client.poll(POLL) {
                // What was fetched before its queue was taken over is fetched again where the reader is.
                None | Some(Ok(_)) => {}
                Some(Err(error)) => tracing::warn!(%error, "Kafka"),
            }
            self.adopt(client);
            if Instant::now() >= tell_at {
                self.describe(client);
                self.tell(client, &mut told);
                tell_at = Instant::now() + TELL_EVERY;
            }
        }
        self.tell(client, &mut told);
        client.unsubscribe();
        if client.close_queue().is_ok() {
            while !client.closed() {
                drop(client.poll(POLL));
            }
        }
        // What is left knows the client, and the client this.
        let left = std::mem::take(&mut self.state().assigned);
        for assigned in left.values() {
            assigned.lose();
        }
    }

    /// Looks up how many partitions the topics have, where that is not known.
    fn describe(&self, client: &BaseConsumer<Context>) {
        for topic in self.topics.iter().copied().filter(|topic| self.partitions(*topic).is_empty()) {
            if let Err(error) = self.describe_one(client, topic, DESCRIBE_TIMEOUT) {
                tracing::warn!(topic = topic.name(), error, "a topic cannot be looked up");
                return;
            }
        }
    }

    /// Looks up how many partitions a topic has.
    pub fn describe_one(
        &self,
        client: &BaseConsumer<Context>,
        topic: Topic,
        at_most: Duration,
    ) -> Result<(), String> {
        let found = client
            .fetch_metadata(Some(&self.settings.topic(topic)), at_most)
            .map_err(|error| error.to_string())?;
        let size = found.topics().first().map_or(0, |topic| topic.partitions().len());
        if size == 0 {
            return Err(format!("there is no topic {}: create the topics first", self.settings.topic(topic)));
        }
        self.state().sizes.insert(topic, i32::try_from(size).unwrap_or(i32::MAX));
        Ok(())
    }

    /// Tells the group how far the readers are. Nothing is read from there: it is for who looks at the lag.
    fn tell(&self, client: &BaseConsumer<Context>, told: &mut BTreeMap<Partition, Position>) {
        let assigned: Vec<(Partition, Position)> =
            self.state().assigned.iter().map(|(partition, one)| (partition.clone(), one.done())).collect();
        let mut list = TopicPartitionList::new();
        for (partition, done) in assigned {
            let (topic, number) =
                (self.settings.topic(partition.topic), partition.name.parse().unwrap_or(-1));
            if done == Position::default() || told.insert(partition, done) == Some(done) {
                continue;
            }
            if let Err(error) =
                list.add_partition_offset(&topic, number, Offset::Offset(done.0.cast_signed()))
            {
                tracing::debug!(%error, "an offset cannot be told");
            }
        }
        if list.count() > 0
            && let Err(error) = client.commit(&list, CommitMode::Async)
        {
            tracing::debug!(%error, "the group was not told how far its readers are");
        }
    }
}
