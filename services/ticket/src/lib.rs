//! The ticket service: bookings, money and tickets.
//!
//! A booking's life is decided in `domain::ticket::decide`; this crate brings the rows to it, follows
//! what the event service says about its seats, and talks to the payment provider.

mod attendees;
mod bookings;
mod codes;
mod convert;
pub mod decisions;
mod documents;
mod figures;
mod machine;
mod read_models;
mod rows;
mod service;
mod simulator;
mod sold_out;
mod sweep;
mod tickets;

use std::sync::Arc;

use bus::{Log, Topic};
use domain::ticket::payment::Provider;
use kit::{
    Desk, Environment, Pipeline, Runtime,
    transport::{MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, Rpcs},
};
use proto::v1::ticket_service_server::TicketServiceServer;
use store::Store;

pub use codes::{BadTicketKey, TicketKey};
pub use machine::{Actor, DoorAnswer, TicketCommand, TicketMachine, TicketReply};
pub use rows::{EventInfo, TicketRow, UserInfo};
pub use simulator::{Simulator, TEST_CARDS};
pub use sweep::{Commands, Sweep};

/// The topics that this service publishes on.
pub const PUBLISHES: &[Topic] = &[Topic::TicketEvent];
/// The topics that this service consumes.
pub const CONSUMES: &[Topic] = &[Topic::TicketStatusEvent, Topic::UpsertData];

/// Starts the service on its store, with the key of its tickets and a payment provider.
pub fn start(
    runtime: &Runtime,
    store: Arc<dyn Store<TicketRow>>,
    log: &Arc<dyn Log>,
    environment: Environment,
    key: TicketKey,
    provider: Arc<dyn Provider>,
) -> impl Rpcs + use<> {
    let decisions = Arc::new(decisions::Decisions::default());
    let figures = Arc::new(figures::Figures::new(&runtime.metrics, environment.clone()));
    let machine = Arc::new(TicketMachine::new(Arc::clone(&decisions)).counting(Arc::clone(&figures)));
    let handle = runtime.start(Pipeline::new(machine, Arc::clone(&store), environment.clone()));
    runtime.consume(&handle, log, CONSUMES, kit::Pace::Prompt);
    if !store.is_sole_writer() {
        runtime.tasks.spawn(Arc::clone(&decisions).look(Arc::clone(&store), runtime.shutdown.clone()));
    }
    runtime.watch(&handle, log, CONSUMES);
    let desk = Desk::new(&handle, log, CONSUMES, &runtime.metrics);
    runtime.tasks.spawn(figures.look_for_overdue(Arc::clone(&store), runtime.shutdown.clone()));
    let sweep = Sweep::new(store, Arc::new(handle.clone()), Arc::clone(&provider));
    runtime.tasks.spawn(sweep.run(environment, runtime.shutdown.clone()));
    let server = TicketServiceServer::new(service::Tickets { handle, desk, decisions, provider, key });
    server.max_decoding_message_size(MAX_REQUEST_BYTES).max_encoding_message_size(MAX_RESPONSE_BYTES)
}
