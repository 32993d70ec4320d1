//! The event service: events, their ticket types and the seats that are left.
//!
//! Whether a seat may be taken is decided in `domain::event::seats`; this crate brings the rows to it.

mod cloning;
mod convert;
mod figures;
pub mod import;
mod list;
mod machine;
mod patch;
mod reading;
mod recent;
mod rows;
mod service;
mod visits;
mod watching;

use std::sync::Arc;

use bus::{Log, Topic};
use kit::{
    Desk, Environment, Pipeline, Runtime,
    transport::{MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, Rpcs},
};
use proto::v1::event_service_server::EventServiceServer;
use store::Store;

pub use machine::{Actor, Edit, EventCommand, EventMachine, EventReply};
pub use rows::{EventRow, EventView, Rating, Visits};

/// The topics that this service publishes on.
pub const PUBLISHES: &[Topic] = &[Topic::TicketStatusEvent, Topic::VisitEvent, Topic::UpsertData];
/// The topics that this service consumes.
pub const CONSUMES: &[Topic] = &[Topic::TicketEvent, Topic::FeedbackEvent];

/// Starts the service on its store. `hold_seconds` is how long seats are held for payment.
pub fn start(
    runtime: &Runtime,
    store: Arc<dyn Store<EventRow>>,
    log: &Arc<dyn Log>,
    environment: Environment,
    hold_seconds: i64,
) -> impl Rpcs + use<> {
    let machine = Arc::new(EventMachine::new(hold_seconds));
    let check = figures::InventoryCheck::new(Arc::clone(&store), &runtime.metrics, environment.clone());
    let handle = runtime.start(Pipeline::new(machine, store, environment));
    runtime.consume(&handle, log, CONSUMES, kit::Pace::Prompt);
    runtime.watch(&handle, log, CONSUMES);
    let desk = Desk::new(&handle, log, CONSUMES, &runtime.metrics);
    runtime.tasks.spawn(check.run(runtime.shutdown.clone()));
    let visits = Arc::new(visits::VisitCounter::default());
    let (counter, counted, shutdown) = (Arc::clone(&visits), handle.clone(), runtime.shutdown.clone());
    runtime.tasks.spawn(async move { counter.run(counted, shutdown).await });
    let streams = watching::Streams::new(runtime.shutdown.clone());
    let server = EventServiceServer::new(service::Events { handle, desk, visits, streams });
    server.max_decoding_message_size(MAX_REQUEST_BYTES).max_encoding_message_size(MAX_RESPONSE_BYTES)
}
