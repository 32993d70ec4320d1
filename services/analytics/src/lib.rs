//! The analytics service: figures for organisers, computed from the facts of all the other services.
//!
//! It publishes nothing. What a fact adds is keyed by what it is of (a booking's sale, a release by its
//! number, a day's total, a rating by its edition), so the whole log can be heard again at any time.

mod convert;
pub mod machine;
mod read;
pub mod rows;
pub mod service;

use std::sync::Arc;

use bus::{Log, Topic};
use kit::{
    Desk, Environment, Pipeline, Runtime,
    transport::{MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, Rpcs},
};
use proto::v1::analytics_service_server::AnalyticsServiceServer;
use store::Store;

pub use machine::AnalyticsMachine;
pub use rows::AnalyticsRow;
pub use service::Analytics;

/// What it tells: nothing.
pub const PUBLISHES: &[Topic] = &[];
/// What it listens to: everything.
pub const CONSUMES: &[Topic] = &Topic::ALL;

/// Starts the pipeline and the consumers; the answer serves the rpcs.
#[must_use]
pub fn start(
    runtime: &Runtime,
    store: Arc<dyn Store<AnalyticsRow>>,
    log: Arc<dyn Log>,
    environment: Environment,
) -> impl Rpcs + use<> {
    let handle = runtime.start(Pipeline::new(Arc::new(AnalyticsMachine), store, environment));
    runtime.consume(&handle, &log, CONSUMES, kit::Pace::Gathering);
    runtime.watch(&handle, &log, CONSUMES);
    let desk = Desk::new(&handle, &log, CONSUMES, &runtime.metrics);
    let server = AnalyticsServiceServer::new(Analytics::new(&handle, desk));
    server.max_decoding_message_size(MAX_REQUEST_BYTES).max_encoding_message_size(MAX_RESPONSE_BYTES)
}
