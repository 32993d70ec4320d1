//! `boxoffice topics`: the topics of the log, created or checked.

use std::time::Duration;

use kafka::{TopicOptions, TopicOutcome, brokers, create_topics};

use crate::{config::Config, serve::log};

/// More copies than that are not needed: it survives the loss of one broker without a pause.
const MAX_REPLICATION: u16 = 3;
const SECONDS_OF_A_DAY: u64 = 86_400;

/// Creates the topics that are missing; what was found, line by line.
///
/// # Errors
/// When the log is not configured, cannot be reached, or refuses a topic.
pub async fn run(config: &Config) -> anyhow::Result<Vec<String>> {
    let settings = log::settings(config)?;
    let replication = match config.fleet.topic_replication {
        Some(replication) => replication,
        None => u16::try_from(brokers(&settings).await?).unwrap_or(u16::MAX).clamp(1, MAX_REPLICATION),
    };
    let options = TopicOptions {
        partitions: config.fleet.topic_partitions,
        replication,
        keep_facts: Duration::from_secs(u64::from(config.keep_facts_days.max(1)) * SECONDS_OF_A_DAY),
    };
    let outcomes = create_topics(&settings, &options).await?;
    Ok(outcomes
        .into_iter()
        .map(|(name, outcome)| match outcome {
            TopicOutcome::Created => format!("{name}: created"),
            TopicOutcome::WasThere => format!("{name}: was there, and is as it was"),
        })
        .collect())
}
