//! The notification service: mail to those who book, and the list of what was sent.
//!
//! ```text
//!   fact --> QUEUED --try begins--> on its way --taken--> SENT
//!              ^                        |----never------> FAILED
//!              '------later, bounded----'
//! ```
//!
//! There is one record for each booking and kind, so a fact that is heard twice gives one mail.

mod convert;
mod courier;
mod figures;
pub mod machine;
mod render;
pub mod rows;
pub mod service;

use std::sync::Arc;

use bus::{Log, Topic};
use domain::notification::Mailer;
use kit::{
    Desk, Environment, Pipeline, Runtime,
    transport::{MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, Rpcs},
};
use proto::v1::notification_service_server::NotificationServiceServer;
use store::Store;

pub use courier::Courier;
pub use figures::Figures;
pub use machine::NotificationMachine;
pub use rows::NotificationRow;
pub use service::Notifications;

/// What it tells: nothing.
pub const PUBLISHES: &[Topic] = &[];
/// What it listens to.
pub const CONSUMES: &[Topic] = &[Topic::TicketStatusEvent, Topic::UpsertData];

/// Starts the pipeline, the consumers and the courier; the answer serves the rpcs.
#[must_use]
pub fn start(
    runtime: &Runtime,
    store: Arc<dyn Store<NotificationRow>>,
    log: Arc<dyn Log>,
    environment: Environment,
    mailer: Arc<dyn Mailer>,
) -> impl Rpcs + use<> {
    let pipeline = Pipeline::new(Arc::new(NotificationMachine::new()), store, environment);
    let figures = Arc::new(figures::Figures::new(&runtime.metrics, pipeline.environment().clone()));
    let handle = runtime.start(pipeline.clone());
    runtime.consume(&handle, &log, CONSUMES, kit::Pace::Gathering);
    runtime.watch(&handle, &log, CONSUMES);
    let desk = Desk::new(&handle, &log, CONSUMES, &runtime.metrics);
    let store = Arc::clone(pipeline.store());
    runtime.tasks.spawn(Arc::clone(&figures).look_for_waiting(store, runtime.shutdown.clone()));
    let courier = courier::Courier::new(pipeline, Arc::clone(&mailer), figures);
    runtime.tasks.spawn(courier.run(runtime.shutdown.clone()));
    let server = NotificationServiceServer::new(Notifications::new(handle, desk, mailer));
    server.max_decoding_message_size(MAX_REQUEST_BYTES).max_encoding_message_size(MAX_RESPONSE_BYTES)
}
