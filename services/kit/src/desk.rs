//! How a service stands, for who runs the platform, and another try for what could not be processed.

use std::{collections::BTreeSet, sync::Arc};

use bus::{Log, Merged, Topic};
use domain::Time;
use prost_types::Timestamp;
use proto::v1;
use store::{Parked, StoreError};

use crate::{
    consumer::{ConsumeError, Consumer},
    error::ServiceError,
    handle::Handle,
    machine::Machine,
    metrics::{Metrics, behind},
};

/// The most parked facts that are shown one by one.
pub const MAX_SHOWN: usize = 100;
/// The figures that are shown: what is held, overdue and waiting, and how the ways to others are.
const FIGURES: [&str; 6] = [
    "boxoffice_seats",
    "boxoffice_events",
    "boxoffice_bookings_overdue",
    "boxoffice_mails_waiting",
    "boxoffice_oversold_events",
    "boxoffice_breaker_state",
];

/// Answers the rpcs `GetStanding` and `Redrive` of a service that consumes facts.
pub struct Desk<M: Machine> {
    handle: Handle<M>,
    log: Arc<dyn Log>,
    topics: &'static [Topic],
    metrics: Metrics,
}

impl<M: Machine> Desk<M> {
    /// Of a service that consumes these topics.
    #[must_use]
    pub fn new(handle: &Handle<M>, log: &Arc<dyn Log>, topics: &'static [Topic], metrics: &Metrics) -> Self {
        Self { handle: handle.clone(), log: Arc::clone(log), topics, metrics: metrics.clone() }
    }

    /// How the service stands.
    ///
    /// # Errors
    /// When its store or the log cannot be read.
    pub async fn standing(&self) -> Result<v1::Standing, ServiceError> {
        let store = self.handle.store();
        let behind = behind(store.as_ref(), self.log.as_ref(), self.topics).await.map_err(not_now)?;
        let topics = behind.into_iter().map(|(topic, behind)| v1::standing::Topic {
            topic: topic.name().to_owned(),
            behind: behind.facts as i64,
            oldest_at: behind.oldest_us.map(timestamp),
            lost: i32::try_from(behind.lost).unwrap_or(i32::MAX),
        });
        let parked = store.parked().await?;
        Ok(v1::Standing {
            topics: topics.collect(),
            parked_count: parked.len() as i64,
            parked: parked.iter().take(MAX_SHOWN).map(shown).collect(),
            figures: figures(&self.metrics.text()),
        })
    }

    /// Tries the parked facts again, key by key, in their order.
    ///
    /// # Errors
    /// When the store cannot be reached. What was done by then stays done.
    pub async fn redrive(&self) -> Result<v1::RedriveResponse, ServiceError> {
        let store = self.handle.store();
        let before = store.parked().await?;
        let partitions: BTreeSet<_> = before.iter().map(|parked| parked.partition.clone()).collect();
        // What is parked is in the store: the log is not read.
        let nothing: Arc<dyn Log> = Arc::new(Merged::new(Vec::new()));
        for partition in partitions {
            let sink = Arc::new(self.handle.clone());
            let mut consumer = Consumer::<M>::new(partition, Arc::clone(&nothing), Arc::clone(store), sink);
            consumer.redrive().await.map_err(not_now)?;
        }
        let still_parked = store.parked().await?.len();
        let done = before.len().saturating_sub(still_parked);
        Ok(v1::RedriveResponse { done: done as i64, still_parked: still_parked as i64 })
    }
}

fn not_now(error: ConsumeError) -> ServiceError {
    match error {
        ConsumeError::Store(error @ StoreError::Corrupt(_)) => error.into(),
        error => {
            tracing::warn!(%error, "the consumers of a service cannot be looked at");
            ServiceError::unavailable("unavailable", "the service cannot reach its store or the log now")
        }
    }
}

fn shown(parked: &Parked) -> v1::standing::ParkedFact {
    let fact = &parked.record.fact;
    v1::standing::ParkedFact {
        topic: parked.partition.topic.name().to_owned(),
        kind: fact.kind.to_string(),
        key: fact.key.clone(),
        reason: parked.reason.clone(),
        parked_at: Some(timestamp(parked.at_us)),
    }
}

fn timestamp(micros: i64) -> Timestamp {
    let time = Time::from_micros(micros);
    Timestamp { seconds: time.seconds(), nanos: time.subsecond_nanos() }
}

/// The chosen figures out of the text that Prometheus reads.
fn figures(text: &str) -> Vec<v1::standing::Figure> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(figure).collect()
}

fn figure(line: &str) -> Option<v1::standing::Figure> {
    let (series, value) = line.rsplit_once(' ')?;
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    if !FIGURES.contains(&name) {
        return None;
    }
    let labels = labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty());
    Some(v1::standing::Figure {
        name: name.to_owned(),
        labels: labels.map(|label| label.replace('"', "")).collect(),
        value: value.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_read_with_its_labels_and_others_are_left_out() {
        let text = "# TYPE boxoffice_seats gauge\nboxoffice_seats{state=\"held\"} 7\n\
            boxoffice_breaker_state{to=\"event\",address=\"a:1\"} 2\nboxoffice_rpc_requests_total{rpc=\"x\"} 9\n# EOF\n";
        let figures = figures(text);
        let read: Vec<_> =
            figures.iter().map(|f| (f.name.as_str(), f.labels.join(" "), f.value as i64)).collect();
        assert_eq!(
            read,
            [
                ("boxoffice_seats", "state=held".to_owned(), 7),
                ("boxoffice_breaker_state", "to=event address=a:1".to_owned(), 2),
            ]
        );
    }
}
