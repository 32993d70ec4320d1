//! The workloads.

mod booking;
mod commit;
mod decide;
mod encode;
mod gateway;
mod pipeline;

/// Does one round. An error means that something else came of it than should.
pub type Round = Box<dyn FnMut() -> anyhow::Result<()>>;

/// A fixed piece of work, the same in each round.
pub struct Workload {
    /// Its name.
    pub name: &'static str,
    /// What is counted.
    pub operation: &'static str,
    /// How many of it one round does.
    pub operations: u64,
    /// How many rounds give a steady time.
    pub rounds: u64,
    /// How many rounds are enough for a count.
    pub rounds_counted: u64,
    /// Prepares it.
    pub start: fn() -> anyhow::Result<Round>,
}

/// How many bookings one batch has; as under load.
const BATCH: u64 = 32;

/// Every workload.
pub const ALL: &[Workload] = &[
    Workload {
        name: "decide",
        operation: "booking, decided by the domain: placed, seats taken, booked",
        operations: 1,
        rounds: 200_000,
        rounds_counted: 2_000,
        start: decide::start,
    },
    Workload {
        name: "encode-state",
        operation: "booking's row, to JSON and back",
        operations: 1,
        rounds: 100_000,
        rounds_counted: 1_000,
        start: encode::state,
    },
    Workload {
        name: "encode-fact",
        operation: "fact's payload, to JSON and back",
        operations: 1,
        rounds: 100_000,
        rounds_counted: 1_000,
        start: encode::fact,
    },
    Workload {
        name: "encode-message",
        operation: "booking as a message, to protobuf",
        operations: 1,
        rounds: 100_000,
        rounds_counted: 1_000,
        start: encode::message,
    },
    Workload {
        name: "pipeline",
        operation: "booking, from placed to booked through both services' pipelines, in memory",
        operations: BATCH,
        rounds: 1_000,
        rounds_counted: 32,
        start: pipeline::start,
    },
    Workload {
        name: "commit",
        operation: "booking, in two commits of a SQLite store: placed and booked",
        operations: BATCH,
        rounds: 100,
        rounds_counted: 32,
        start: commit::start,
    },
    Workload {
        name: "gateway",
        operation: "request POST /v1/bookings, through the gateway to a service that answers at once",
        operations: 1,
        rounds: 20_000,
        rounds_counted: 2_000,
        start: gateway::start,
    },
    Workload {
        name: "booking",
        operation: "request POST /v1/bookings, through the gateway and both services, until it is booked",
        operations: BATCH,
        rounds: 300,
        rounds_counted: 32,
        start: booking::start,
    },
];
