//! The figures of a process, for Prometheus.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ServiceLabel {
    service: &'static str,
}

/// Counters and histograms that every service has. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    batch_sizes: Family<ServiceLabel, Histogram, fn() -> Histogram>,
    parked: Family<ServiceLabel, Gauge>,
}

impl Metrics {
    /// Fresh figures.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let buckets: fn() -> Histogram = || Histogram::new(exponential_buckets(1.0, 2.0, 10));
        let batch_sizes = Family::new_with_constructor(buckets);
        registry.register(
            "boxoffice_commit_batch_size",
            "Requests and deliveries that shared one commit",
            batch_sizes.clone(),
        );
        let parked = Family::<ServiceLabel, Gauge>::default();
        registry.register("boxoffice_parked_facts", "Facts that could not be processed", parked.clone());
        Self { registry: Arc::new(Mutex::new(registry)), batch_sizes, parked }
    }

    /// Notes the size of a batch.
    pub fn batch(&self, service: &'static str, size: usize) {
        self.batch_sizes.get_or_create(&ServiceLabel { service }).observe(size as f64);
    }

    /// Notes how many facts a service has parked.
    pub fn parked(&self, service: &'static str, count: usize) {
        self.parked.get_or_create(&ServiceLabel { service }).set(count as i64);
    }

    /// The figures as text, in the OpenMetrics format.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &registry);
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}
