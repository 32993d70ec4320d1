//! How far consumers are behind, looked up now and then: a consumer that is stuck cannot say so itself.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bus::{Log, LogError, Partition, Topic};
use prometheus_client::metrics::{counter::Counter, gauge::Gauge};
use store::{Row, Store};

use super::catalogue::{Catalogue, Family, FloatGauge};
use crate::{clock::Environment, handle::Handle, handle::Runtime, machine::Machine};

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The most facts that are counted at a look, for each partition.
pub const MAX_COUNTED: usize = 5_000;
/// The most that are read at a time.
const MAX_READ: usize = 1_000;

/// The figures of all consumers of the process.
#[derive(Clone)]
pub struct ConsumerFamilies {
    behind: Family<Gauge, 2>,
    oldest_age: Family<FloatGauge, 2>,
    missed: Family<Gauge, 2>,
    parked: Family<Gauge, 1>,
}

impl ConsumerFamilies {
    pub(super) fn register(catalogue: &mut Catalogue) -> Self {
        Self {
            behind: catalogue.gauges(
                "boxoffice_consumer_facts_behind",
                &["service", "topic"],
                "Facts that a service has not processed yet; at most 5000 are counted in each partition",
            ),
            oldest_age: catalogue.float_gauges(
                "boxoffice_consumer_oldest_fact_age_seconds",
                &["service", "topic"],
                "The age of the oldest fact that a service has not processed yet; 0 when there is none",
            ),
            missed: catalogue.gauges(
                "boxoffice_consumer_partitions_lost",
                &["service", "topic"],
                "Partitions whose next facts are no longer kept, so that the consumer cannot go on; must be 0",
            ),
            parked: catalogue.gauges(
                "boxoffice_parked_facts",
                &["service"],
                "Facts that could not be processed and wait for somebody to look at them",
            ),
        }
    }
}

/// How far a service is behind on one topic.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Behind {
    /// Facts that are not processed, up to [`MAX_COUNTED`] for each partition.
    pub facts: usize,
    /// The time of the oldest of them, in microseconds since 1970 UTC.
    pub oldest_us: Option<i64>,
    /// Partitions whose next facts are no longer kept.
    pub lost: usize,
}

/// How far a service is behind on each of its topics.
///
/// # Errors
/// When its store or the log cannot be read.
pub async fn behind<R: Row>(
    store: &dyn Store<R>,
    log: &dyn Log,
    topics: &[Topic],
) -> Result<BTreeMap<Topic, Behind>, crate::consumer::ConsumeError> {
    let mut all = BTreeMap::new();
    for topic in topics {
        let behind: &mut Behind = all.entry(*topic).or_default();
        for partition in log.partitions(*topic) {
            count(store, log, &partition, behind).await?;
        }
    }
    Ok(all)
}

async fn count<R: Row>(
    store: &dyn Store<R>,
    log: &dyn Log,
    partition: &Partition,
    behind: &mut Behind,
) -> Result<(), crate::consumer::ConsumeError> {
    let mut position = store.position(partition).await?;
    let mut counted = 0;
    while counted < MAX_COUNTED {
        let batch = match log.read(partition, position, MAX_READ).await {
            Err(LogError::Trimmed { .. }) => {
                behind.lost += 1;
                break;
            }
            batch => batch?,
        };
        let Some(first) = batch.records.first() else { break };
        if counted == 0 {
            let oldest_us = first.fact.time_us;
            behind.oldest_us = Some(behind.oldest_us.map_or(oldest_us, |other| other.min(oldest_us)));
        }
        counted += batch.records.len();
        position = batch.next;
    }
    behind.facts += counted;
    Ok(())
}

impl Runtime {
    /// Keeps the figures of a service's consumers current: how far they are behind, and what is parked.
    pub fn watch<M: Machine>(&self, handle: &Handle<M>, log: &Arc<dyn Log>, topics: &'static [Topic]) {
        let service = <M::Row as Row>::SERVICE;
        let figures = self.metrics.consumers();
        let watch = Watch {
            service,
            store: Arc::clone(handle.store()),
            log: Arc::clone(log),
            topics,
            environment: handle.environment().clone(),
            figures: figures.clone(),
            parked: figures.parked.with([service]),
            failed: self.metrics.failed_looks("consumers"),
        };
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move {
            loop {
                watch.look().await;
                tokio::select! {
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                    () = shutdown.cancelled() => return,
                }
            }
        });
    }
}

struct Watch<R: Row> {
    service: &'static str,
    store: Arc<dyn Store<R>>,
    log: Arc<dyn Log>,
    topics: &'static [Topic],
    environment: Environment,
    figures: ConsumerFamilies,
    parked: Gauge,
    failed: Counter,
}

impl<R: Row> Watch<R> {
    async fn look(&self) {
        match self.store.parked().await {
            Ok(parked) => {
                self.parked.set(parked.len() as i64);
            }
            Err(_) => {
                self.failed.inc();
            }
        }
        let Ok(all) = behind(self.store.as_ref(), self.log.as_ref(), self.topics).await else {
            self.failed.inc();
            return;
        };
        let now = self.environment.now();
        for (topic, behind) in all {
            let labels = [self.service, topic.name()];
            let age_us = behind.oldest_us.map_or(0, |oldest| (now.micros() - oldest).max(0));
            self.figures.behind.with(labels).set(behind.facts as i64);
            self.figures.oldest_age.with(labels).set(age_us as f64 / 1e6);
            self.figures.missed.with(labels).set(behind.lost as i64);
        }
    }
}
