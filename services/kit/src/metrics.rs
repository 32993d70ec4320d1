//! The figures of a process, for Prometheus. [`docs/metrics.md`] lists all of them.
//!
//! To add one: register it in the catalogue of [`Metrics`] where its part starts, keep the handle, and run the
//! test of `docs/metrics.md` with `UPDATE_METRICS=1`. Look handles up once, never for each request; no label has
//! an id, a name of a person, or anything else that a client chooses.
//!
//! [`docs/metrics.md`]: ../../../docs/metrics.md

pub mod catalogue;
mod consumer;
mod parts;
mod pipeline;
mod rpc;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::metrics::counter::Counter;

pub use catalogue::{Catalogue, Described, Family, FloatCounter, FloatGauge};
pub use consumer::{Behind, ConsumerFamilies, MAX_COUNTED, behind};
pub use parts::{BreakerFigures, BreakerState, RelayFigures, SpanFigures};
pub use pipeline::PipelineFigures;
pub use rpc::{RpcFigure, RpcFigures};

/// Brings a gauge up to date when the figures are read.
type Refresh = Box<dyn Fn() + Send + Sync>;

/// The figures of a process. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    shared: Arc<Shared>,
}

struct Shared {
    catalogue: Mutex<Catalogue>,
    refreshes: Mutex<Vec<Refresh>>,
    pipelines: pipeline::PipelineFamilies,
    consumers: ConsumerFamilies,
    parts: parts::PartFamilies,
    rpcs: Arc<RpcFigures>,
    failed_looks: Family<Counter, 1>,
}

impl Metrics {
    /// Fresh figures.
    #[must_use]
    pub fn new() -> Self {
        let mut catalogue = Catalogue::default();
        let shared = Shared {
            rpcs: RpcFigures::register(&mut catalogue),
            pipelines: pipeline::PipelineFamilies::register(&mut catalogue),
            consumers: ConsumerFamilies::register(&mut catalogue),
            parts: parts::PartFamilies::register(&mut catalogue),
            failed_looks: catalogue.counters(
                "boxoffice_looks_failed_total",
                &["look"],
                "Looks at a store in the background that failed: the figures of that look are old",
            ),
            refreshes: Mutex::default(),
            catalogue: Mutex::new(catalogue),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Registers further figures, such as those of one service.
    pub fn register<T>(&self, register: impl FnOnce(&mut Catalogue) -> T) -> T {
        register(&mut self.catalogue())
    }

    /// Brings gauges up to date whenever the figures are read. It must be quick.
    pub fn on_read(&self, refresh: impl Fn() + Send + Sync + 'static) {
        self.refreshes().push(Box::new(refresh));
    }

    /// The figures of the pipeline of a service.
    #[must_use]
    pub fn pipeline(&self, service: &'static str) -> PipelineFigures {
        self.shared.pipelines.of(service)
    }

    /// The figures of consumers.
    #[must_use]
    pub fn consumers(&self) -> &ConsumerFamilies {
        &self.shared.consumers
    }

    /// The figures of a circuit breaker, which stands before what it is named after.
    #[must_use]
    pub fn breaker(&self, name: &'static str) -> BreakerFigures {
        self.shared.parts.breaker(name)
    }

    /// The figures of the relay of a service's outbox.
    #[must_use]
    pub fn relay(&self, service: &'static str) -> RelayFigures {
        self.shared.parts.relay(service)
    }

    /// What becomes of spans.
    #[must_use]
    pub fn spans(&self) -> SpanFigures {
        self.shared.parts.spans()
    }

    /// The figures of all rpcs.
    #[must_use]
    pub fn rpcs(&self) -> &Arc<RpcFigures> {
        &self.shared.rpcs
    }

    /// Counts the looks of this name that failed.
    #[must_use]
    pub fn failed_looks(&self, look: &'static str) -> Counter {
        self.shared.failed_looks.with([look])
    }

    /// What there is, in the order in which it was registered.
    #[must_use]
    pub fn described(&self) -> Vec<Described> {
        self.catalogue().described().to_vec()
    }

    /// The figures as text, in the OpenMetrics format.
    #[must_use]
    pub fn text(&self) -> String {
        self.refreshes().iter().for_each(|refresh| refresh());
        self.catalogue().text()
    }

    fn catalogue(&self) -> MutexGuard<'_, Catalogue> {
        // Nothing leaves it half changed.
        self.shared.catalogue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refreshes(&self) -> MutexGuard<'_, Vec<Refresh>> {
        self.shared.refreshes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}
