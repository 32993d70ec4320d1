//! How far the relay of a service is behind, over all topics of its outbox.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use bus::{Fact, Topic};
use domain::Time;

use crate::metrics::RelayFigures;

/// What waits of one topic.
#[derive(Debug, Clone, Copy, Default)]
struct Waiting {
    facts: usize,
    oldest_age_seconds: f64,
}

/// The figures of one service. Copies share them.
#[derive(Clone)]
pub(super) struct Figures {
    figures: RelayFigures,
    waiting: Arc<Mutex<BTreeMap<Topic, Waiting>>>,
}

impl Figures {
    pub(super) fn new(figures: RelayFigures) -> Self {
        Self { figures, waiting: Arc::default() }
    }

    /// So many facts are on the log now.
    pub(super) fn published(&self, facts: usize) {
        self.figures.published.inc_by(facts as u64);
    }

    /// A try failed.
    pub(super) fn failed(&self) {
        self.figures.failures.inc();
    }

    /// At least these facts of a topic are not published; none where all are.
    pub(super) fn waits(&self, topic: Topic, facts: &[Arc<Fact>], now: Time) {
        let oldest = facts.first().map_or(0, |fact| now.micros().saturating_sub(fact.time_us).max(0));
        let waiting = Waiting { facts: facts.len(), oldest_age_seconds: oldest as f64 / 1e6 };
        let mut all = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(topic, waiting);
        let facts = all.values().map(|waiting| waiting.facts).sum();
        let oldest = all.values().map(|waiting| waiting.oldest_age_seconds).fold(0.0, f64::max);
        drop(all);
        self.figures.lag(facts, oldest);
    }
}
