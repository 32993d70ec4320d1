//! The topics of the platform on a cluster.

use std::time::{Duration, Instant};

use bus::{Retention, Topic};
use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    error::RDKafkaErrorCode,
    metadata::MetadataPartition,
};

use crate::{SetupError, client, settings::Settings};

/// How long the cluster may take to create them.
const CREATE_TIMEOUT: Duration = Duration::from_secs(30);
/// How often it is looked whether they are there.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long parked facts stay: long enough for somebody to look.
const KEEP_PARKED: Duration = Duration::from_secs(30 * 86_400);
/// When what a compacted topic need not keep is gone at the latest: what was erased must go.
const MAX_COMPACTION_LAG: Duration = Duration::from_secs(86_400);

/// How topics are created. Those that are there already stay as they are.
#[derive(Debug, Clone)]
pub struct TopicOptions {
    /// Partitions of each topic: the most processes of one service that can share the work. It cannot be changed later
    /// without mixing the order of keys.
    pub partitions: u16,
    /// Copies of each partition; at most as many as there are brokers. Three survive the loss of one broker
    /// without a pause.
    pub replication: u16,
    /// How long facts stay, at least. A consumer that was away for longer cannot go on.
    pub keep_facts: Duration,
}

impl Default for TopicOptions {
    fn default() -> Self {
        Self { partitions: 12, replication: 3, keep_facts: Duration::from_secs(7 * 86_400) }
    }
}

/// What became of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicOutcome {
    /// It is new.
    Created,
    /// It was there already, and is as it was.
    WasThere,
}

/// Creates the topics that are missing.
///
/// # Errors
/// When the cluster cannot be reached or refuses one, such as with a replication of more than its brokers.
pub async fn create_topics(
    settings: &Settings,
    options: &TopicOptions,
) -> Result<Vec<(String, TopicOutcome)>, SetupError> {
    let failed = |why: String| SetupError::Cluster { servers: settings.servers.clone(), why };
    let admin: AdminClient<DefaultClientContext> =
        client::common(settings, "boxoffice-topics").create().map_err(|error| failed(error.to_string()))?;
    let wanted: Vec<Wanted> =
        Topic::ALL.into_iter().flat_map(|topic| wanted(settings, topic, options)).collect();
    let new: Vec<NewTopic<'_>> = wanted.iter().map(|wanted| wanted.as_new(options)).collect();
    let admin_options =
        AdminOptions::new().request_timeout(Some(CREATE_TIMEOUT)).operation_timeout(Some(CREATE_TIMEOUT));
    let results = admin.create_topics(&new, &admin_options).await;
    let mut outcomes = Vec::new();
    for result in results.map_err(|error| failed(error.to_string()))? {
        match result {
            Ok(name) => outcomes.push((name, TopicOutcome::Created)),
            Err((name, RDKafkaErrorCode::TopicAlreadyExists)) => {
                outcomes.push((name, TopicOutcome::WasThere));
            }
            Err((name, code)) => return Err(failed(format!("topic {name} was not created: {code}"))),
        }
    }
    wait_until_led(settings, outcomes.iter().map(|(name, _)| name.clone()).collect()).await?;
    Ok(outcomes)
}

/// Waits until each partition of these topics has a leader: right after a topic was made, some brokers do not know of
/// it yet.
async fn wait_until_led(settings: &Settings, topics: Vec<String>) -> Result<(), SetupError> {
    let failed = |why: String| SetupError::Cluster { servers: settings.servers.clone(), why };
    let client: BaseConsumer =
        client::common(settings, "boxoffice-topics").create().map_err(|error| failed(error.to_string()))?;
    let waiting = tokio::task::spawn_blocking(move || {
        let until = Instant::now() + CREATE_TIMEOUT;
        for topic in &topics {
            while !is_led(&client, topic) {
                if Instant::now() >= until {
                    return Err(format!("topic {topic} has no leader within {CREATE_TIMEOUT:?}"));
                }
                std::thread::sleep(LOOK_EVERY);
            }
        }
        Ok(())
    });
    waiting.await.map_err(|error| failed(error.to_string()))?.map_err(failed)
}

fn is_led(client: &BaseConsumer, topic: &str) -> bool {
    let Ok(metadata) = client.fetch_metadata(Some(topic), CREATE_TIMEOUT) else { return false };
    let found = metadata.topics().iter().find(|one| one.name() == topic);
    found.is_some_and(|topic| {
        let is_led = |partition: &MetadataPartition| partition.error().is_none() && partition.leader() >= 0;
        topic.error().is_none() && !topic.partitions().is_empty() && topic.partitions().iter().all(is_led)
    })
}

/// How many brokers a cluster has, as far as they are up.
///
/// # Errors
/// When it cannot be reached.
pub async fn brokers(settings: &Settings) -> Result<usize, SetupError> {
    let failed = |why: String| SetupError::Cluster { servers: settings.servers.clone(), why };
    let client: BaseConsumer =
        client::common(settings, "boxoffice-topics").create().map_err(|error| failed(error.to_string()))?;
    let asked = tokio::task::spawn_blocking(move || client.fetch_metadata(None, CREATE_TIMEOUT)).await;
    let metadata = asked.map_err(|error| failed(error.to_string()))?;
    Ok(metadata.map_err(|error| failed(error.to_string()))?.brokers().len())
}

/// A topic to be created.
struct Wanted {
    name: String,
    partitions: u16,
    settings: Vec<(&'static str, String)>,
}

impl Wanted {
    fn as_new<'a>(&'a self, options: &TopicOptions) -> NewTopic<'a> {
        let replication = TopicReplication::Fixed(i32::from(options.replication));
        let new = NewTopic::new(&self.name, i32::from(self.partitions), replication);
        self.settings.iter().fold(new, |new, (name, value)| new.set(name, value))
    }
}

fn wanted(cluster: &Settings, topic: Topic, options: &TopicOptions) -> [Wanted; 2] {
    // What is acknowledged is on two brokers where there are two, and stays when one is lost.
    let in_sync = options.replication.min(2).to_string();
    let safe = || {
        vec![("min.insync.replicas", in_sync.clone()), ("unclean.leader.election.enable", "false".to_owned())]
    };
    let mut settings = safe();
    match topic.retention() {
        Retention::NewestOfKey => settings.extend([
            ("cleanup.policy", "compact".to_owned()),
            ("max.compaction.lag.ms", MAX_COMPACTION_LAG.as_millis().to_string()),
        ]),
        Retention::None => settings.extend(deleted_after(options.keep_facts)),
    }
    let mut parked = safe();
    parked.extend(deleted_after(KEEP_PARKED));
    [
        Wanted { name: cluster.topic(topic), partitions: options.partitions, settings },
        Wanted { name: cluster.parked_topic(topic), partitions: 1, settings: parked },
    ]
}

fn deleted_after(time: Duration) -> [(&'static str, String); 2] {
    [("cleanup.policy", "delete".to_owned()), ("retention.ms", time.as_millis().to_string())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_says_how_everything_is_stays_for_good() {
        let cluster = Settings::from_url("kafka://one:9092?prefix=test.").unwrap();
        let options = TopicOptions { replication: 1, ..TopicOptions::default() };
        for topic in Topic::ALL {
            let [facts, parked] = wanted(&cluster, topic, &options);
            let policy = if topic == Topic::UpsertData { "compact" } else { "delete" };
            assert!(facts.settings.contains(&("cleanup.policy", policy.to_owned())), "{}", facts.name);
            assert_eq!(parked.name, format!("test.{}.parked", topic.name()));
            assert!(parked.settings.contains(&("cleanup.policy", "delete".to_owned())));
            assert!(facts.settings.contains(&("min.insync.replicas", "1".to_owned())));
        }
    }
}
