//! The figures of a pipeline: what it does together, how long that takes, and what becomes of it.

use prometheus_client::metrics::{
    counter::Counter,
    gauge::Gauge,
    histogram::{Histogram, exponential_buckets},
};

use super::catalogue::{Catalogue, Family};
use crate::pipeline::{Done, NotDone, Outcome};

/// What becomes of an item, as a label.
const OUTCOMES: [&str; 6] = ["answered", "delivered", "refused", "fenced", "unavailable", "unknown"];

/// The figures of all pipelines of the process.
#[derive(Clone)]
pub struct PipelineFamilies {
    batch_size: Family<Histogram, 1>,
    duration: Family<Histogram, 1>,
    items: Family<Counter, 2>,
    depth: Family<Gauge, 1>,
    refused: Family<Counter, 1>,
}

impl PipelineFamilies {
    pub(super) fn register(catalogue: &mut Catalogue) -> Self {
        Self {
            batch_size: catalogue.histograms(
                "boxoffice_commit_batch_size",
                &["service"],
                "Requests and deliveries that shared one commit",
                || Histogram::new(exponential_buckets(1.0, 2.0, 10)),
            ),
            duration: catalogue.histograms(
                "boxoffice_commit_duration_seconds",
                &["service"],
                "How long a batch takes from its load to the end of its commit",
                || Histogram::new(exponential_buckets(0.000_25, 2.0, 16)),
            ),
            items: catalogue.counters(
                "boxoffice_commit_items_total",
                &["service", "outcome"],
                "Requests and deliveries by what became of them: answered, delivered, refused by a rule, fenced off \
                 by another consumer, unavailable (not done), unknown (nobody can tell)",
            ),
            depth: catalogue.gauges(
                "boxoffice_queue_depth",
                &["service"],
                "Requests and deliveries that wait for the next batch",
            ),
            refused: catalogue.counters(
                "boxoffice_queue_refused_total",
                &["service"],
                "Requests that were refused because the queue was full",
            ),
        }
    }

    pub(super) fn of(&self, service: &'static str) -> PipelineFigures {
        PipelineFigures {
            batch_size: self.batch_size.with([service]),
            duration: self.duration.with([service]),
            items: OUTCOMES.map(|outcome| self.items.with([service, outcome])),
            depth: self.depth.with([service]),
            refused: self.refused.with([service]),
        }
    }
}

/// The figures of one pipeline.
#[derive(Clone)]
pub struct PipelineFigures {
    batch_size: Histogram,
    duration: Histogram,
    items: [Counter; OUTCOMES.len()],
    /// What waits.
    pub depth: Gauge,
    /// Refused because too much waits.
    pub refused: Counter,
}

impl PipelineFigures {
    /// Counts a batch.
    pub fn batch<R>(&self, outcomes: &[Outcome<R>], seconds: f64) {
        self.batch_size.observe(outcomes.len() as f64);
        self.duration.observe(seconds);
        let mut counts = [0; OUTCOMES.len()];
        for outcome in outcomes {
            counts[number(outcome)] += 1;
        }
        for (counter, count) in self.items.iter().zip(counts).filter(|(_, count)| *count > 0) {
            counter.inc_by(count);
        }
    }
}

/// The number of its label in [`OUTCOMES`].
fn number<R>(outcome: &Outcome<R>) -> usize {
    match outcome {
        Ok(Done::Answered { .. }) => 0,
        Ok(Done::Delivered(_)) => 1,
        Err(NotDone::Refused(_)) => 2,
        Err(NotDone::Fenced(_)) => 3,
        Err(NotDone::Unavailable(_)) => 4,
        Err(NotDone::Unknown(_)) => 5,
    }
}
