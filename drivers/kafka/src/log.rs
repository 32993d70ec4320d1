//! The log as services read it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use async_trait::async_trait;
use bus::{Batch, Log, LogError, Partition, Position, Reader, Topic};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
};
use tokio_util::sync::CancellationToken;

use crate::{
    SetupError, client,
    member::{Context, Member},
    settings::Settings,
};

/// The groups of a cluster are shared with others: ours begin so.
const GROUP_PREFIX: &str = "boxoffice-";
/// The name of who reads everything and shares with nobody.
const ALONE: &str = "reader";
/// How long the broker may take to describe a topic when everything is to be read.
const DESCRIBE_TIMEOUT: Duration = Duration::from_secs(30);

/// The topics of a cluster as one log, read by a member of a consumer group or as a whole.
///
/// It has a thread of its own, which is stopped by [`KafkaLog::leave`] or when the log is dropped.
pub struct KafkaLog {
    topics: Vec<Topic>,
    member: Arc<Member>,
    stop: CancellationToken,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl KafkaLog {
    /// Joins the readers of a service: each of its processes does so once, for all topics that it consumes, and reads
    /// the partitions that it is assigned. The cluster need not be there yet; until it is, nothing is assigned.
    ///
    /// # Errors
    /// When the settings are refused.
    pub fn join(settings: &Settings, service: &str, topics: &[Topic]) -> Result<Self, SetupError> {
        let (member, client) = Self::client(settings, service, topics)?;
        let names: Vec<&str> = topics.iter().map(|topic| topic.name()).collect();
        client.subscribe(&names).map_err(|error| failed(settings, error))?;
        Self::start(settings, topics, member, client)
    }

    /// Reads every partition of the topics, beside all groups: to build a read model anew, or to look for facts.
    ///
    /// # Errors
    /// When the cluster cannot be reached, or has no such topics.
    pub async fn alone(settings: &Settings, topics: &[Topic]) -> Result<Self, SetupError> {
        let (settings, topics) = (settings.clone(), topics.to_vec());
        let set_up = tokio::task::spawn_blocking({
            let settings = settings.clone();
            move || Self::alone_blocking(&settings, &topics)
        });
        set_up.await.unwrap_or_else(|error| Err(failed(&settings, error)))
    }

    fn alone_blocking(settings: &Settings, topics: &[Topic]) -> Result<Self, SetupError> {
        let (member, client) = Self::client(settings, ALONE, topics)?;
        let mut all = TopicPartitionList::new();
        for topic in topics {
            member.describe_one(&client, *topic, DESCRIBE_TIMEOUT).map_err(|why| failed(settings, why))?;
            for number in 0..member.partitions(*topic).len() {
                let number = i32::try_from(number).unwrap_or(i32::MAX);
                let added = all.add_partition_offset(topic.name(), number, Offset::End);
                added.map_err(|error| failed(settings, error))?;
            }
            member.adopt_later(*topic);
        }
        client.assign(&all).map_err(|error| failed(settings, error))?;
        member.adopt(&client);
        Self::start(settings, topics, member, client)
    }

    fn client(
        settings: &Settings,
        service: &str,
        topics: &[Topic],
    ) -> Result<(Arc<Member>, Arc<BaseConsumer<Context>>), SetupError> {
        let member = Member::new(topics);
        let config = client::consumer(settings, &format!("{GROUP_PREFIX}{service}"));
        let client = config.create_with_context(Context(Arc::clone(&member)));
        Ok((member, Arc::new(client.map_err(|error| failed(settings, error))?)))
    }

    fn start(
        settings: &Settings,
        topics: &[Topic],
        member: Arc<Member>,
        client: Arc<BaseConsumer<Context>>,
    ) -> Result<Self, SetupError> {
        let stop = CancellationToken::new();
        let run = {
            let (member, stop) = (Arc::clone(&member), stop.clone());
            move || member.run(&client, &stop)
        };
        let thread = std::thread::Builder::new().name("kafka-log".to_owned()).spawn(run);
        let thread = thread.map_err(|error| failed(settings, error))?;
        Ok(Self { topics: topics.to_vec(), member, stop, thread: Mutex::new(Some(thread)) })
    }

    /// Leaves the group, so that others take over at once. Stop the readers first.
    pub async fn leave(&self) {
        self.stop.cancel();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It ends by itself; a panic in it was told already.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }

    fn assigned(&self, partition: &Partition) -> Result<Arc<crate::partition::Assigned>, LogError> {
        let name = || partition.to_string();
        if !self.topics.contains(&partition.topic) {
            return Err(LogError::UnknownPartition(name()));
        }
        match self.member.assigned(partition) {
            Some(assigned) => Ok(assigned),
            None if self.member.knows(partition) => Err(LogError::NotAssigned(name())),
            None => Err(LogError::UnknownPartition(name())),
        }
    }
}

impl Drop for KafkaLog {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn failed(settings: &Settings, why: impl ToString) -> SetupError {
    SetupError::Cluster { servers: settings.servers.clone(), why: why.to_string() }
}

#[async_trait]
impl Log for KafkaLog {
    /// As far as the cluster was asked: none until it was reached.
    fn partitions(&self, topic: Topic) -> Vec<Partition> {
        self.member.partitions(topic)
    }

    fn assign(&self, reader: Reader) {
        self.member.add(reader);
    }

    async fn read(&self, partition: &Partition, after: Position, most: usize) -> Result<Batch, LogError> {
        self.assigned(partition)?.read(after, most).await
    }

    async fn wait(&self, partition: &Partition, after: Position) -> Result<(), LogError> {
        self.assigned(partition)?.wait(after).await
    }
}
