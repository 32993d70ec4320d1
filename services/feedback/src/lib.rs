//! The feedback service: ratings by those who hold a ticket.
//!
//! It learns from `ticket-status-event` who holds places and from `upsert-data` when an event starts,
//! and tells on `feedback-event` what was rated, with the event's running sums.

mod convert;
pub mod machine;
pub mod rows;
pub mod service;

use std::sync::Arc;

use bus::{Log, Topic};
use kit::{
    Desk, Environment, Pipeline, Runtime,
    transport::{MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, Rpcs},
};
use proto::v1::feedback_service_server::FeedbackServiceServer;
use store::Store;

pub use machine::FeedbackMachine;
pub use rows::FeedbackRow;
pub use service::{Feedback, evidence};

/// What it tells.
pub const PUBLISHES: &[Topic] = &[Topic::FeedbackEvent];
/// What it listens to.
pub const CONSUMES: &[Topic] = &[Topic::TicketStatusEvent, Topic::UpsertData];

/// Starts the pipeline and the consumers; the answer serves the rpcs.
#[must_use]
pub fn start(
    runtime: &Runtime,
    store: Arc<dyn Store<FeedbackRow>>,
    log: Arc<dyn Log>,
    environment: Environment,
) -> impl Rpcs + use<> {
    let handle = runtime.start(Pipeline::new(Arc::new(FeedbackMachine), store, environment));
    runtime.consume(&handle, &log, CONSUMES, kit::Pace::Gathering);
    runtime.watch(&handle, &log, CONSUMES);
    let desk = Desk::new(&handle, &log, CONSUMES, &runtime.metrics);
    let server = FeedbackServiceServer::new(Feedback::new(handle, desk));
    server.max_decoding_message_size(MAX_REQUEST_BYTES).max_encoding_message_size(MAX_RESPONSE_BYTES)
}
