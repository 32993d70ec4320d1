//! Rate, errors and duration of each rpc, counted where it is served.

use std::{
    array,
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use prometheus_client::metrics::{counter::Counter, histogram::Histogram};
use tonic::Code;

use super::catalogue::{Catalogue, Family};

/// The upper bounds of durations, in seconds. A booking is decided within a few milliseconds; one that waits
/// for its decision may take half a minute.
const DURATION_BUCKETS_SECONDS: [f64; 13] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
/// Codes as gRPC numbers them.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];
/// The labels of what is no rpc of ours, such as a health check.
const OTHER: &str = "other";

/// The figures of all rpcs, by the path of their calls.
pub struct RpcFigures {
    by_path: HashMap<String, Arc<RpcFigure>>,
    other: Arc<RpcFigure>,
}

/// The figures of one rpc. A series is there once something was counted in it.
pub struct RpcFigure {
    service: &'static str,
    rpc: &'static str,
    requests: Family<Counter, 3>,
    durations: Family<Histogram, 2>,
    by_code: [OnceLock<Counter>; CODES.len()],
    duration: OnceLock<Histogram>,
}

impl RpcFigures {
    pub(super) fn register(catalogue: &mut Catalogue) -> Arc<Self> {
        let requests = catalogue.counters(
            "boxoffice_rpc_requests_total",
            &["service", "rpc", "code"],
            "Calls of an rpc by their gRPC code; CANCELLED are those whose caller did not wait for the end",
        );
        let durations = catalogue.histograms(
            "boxoffice_rpc_duration_seconds",
            &["service", "rpc"],
            "How long calls of an rpc take where it is served",
            || Histogram::new(DURATION_BUCKETS_SECONDS),
        );
        let figure = |service, rpc| {
            let (requests, durations) = (requests.clone(), durations.clone());
            let by_code = array::from_fn(|_| OnceLock::new());
            Arc::new(RpcFigure { service, rpc, requests, durations, by_code, duration: OnceLock::new() })
        };
        let methods = names().iter().map(|name| (name.path.clone(), figure(&name.service, &name.rpc)));
        Arc::new(Self { by_path: methods.collect(), other: figure(OTHER, OTHER) })
    }

    /// The figures of the rpc at a path.
    #[must_use]
    pub fn at(&self, path: &str) -> &Arc<RpcFigure> {
        self.by_path.get(path).unwrap_or(&self.other)
    }
}

impl RpcFigure {
    /// Counts a call.
    pub fn observe(&self, code: Code, seconds: f64) {
        let number = code as usize;
        let counter =
            self.by_code[number].get_or_init(|| self.requests.with([self.service, self.rpc, CODES[number]]));
        counter.inc();
        self.duration.get_or_init(|| self.durations.with([self.service, self.rpc])).observe(seconds);
    }

    /// Its service, such as `ticket`.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// Its name, such as `CreateBooking`.
    #[must_use]
    pub fn rpc(&self) -> &'static str {
        self.rpc
    }
}

/// How an rpc is called, and what it is called in figures.
struct Name {
    path: String,
    service: String,
    rpc: String,
}

/// Of every rpc of the contracts.
fn names() -> &'static [Name] {
    static NAMES: OnceLock<Vec<Name>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let mut names = Vec::new();
        for service in proto::descriptors().services() {
            for method in service.methods() {
                names.push(Name {
                    path: format!("/{}/{}", service.full_name(), method.name()),
                    service: service.name().trim_end_matches("Service").to_lowercase(),
                    rpc: method.name().to_owned(),
                });
            }
        }
        names
    })
}
