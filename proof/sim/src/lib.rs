//! The whole system under one seed: the real machines, pipelines, consumers, relays, sweep and courier of the six
//! services, on memory stores and logs, with faults.
//!
//! ```text
//!   seed --> World --> step, step, ... --> faults off --> rest
//!              |          |                                |
//!              |          +-- witness: after each commit   +-- everything adds up, and the
//!              +-- which faults, how often, what sells         whole log again changes nothing
//! ```
//!
//! Nothing here waits: every future of a memory store is ready, so it is polled once. A process that
//! dies is a future that never is, and is dropped. Start at [`world::World`]; what may happen is in
//! [`steps`], what goes wrong in [`faults`], where processes die in [`crashes`], what must hold in [`witness`] and [`rest`].
//!
//! To add a fault: name it in [`faults::Fault`], let it happen in [`store`], [`log`], [`provider`] or
//! `disturb`. To add a rule: name it in [`invariants`] and run `sim invariants`. To add a defect: name it in `domain::planted`, make the mistake where it belongs, and run
//! `sim defects`.

pub mod actors;
pub mod crashes;
pub mod faults;
pub mod invariants;
pub mod log;
pub mod node;
pub mod provider;
pub mod rng;
pub mod run;
pub mod steps;
pub mod store;
pub mod tape;
pub mod trace;
pub mod witness;
pub mod world;

mod accounts;
mod answers;
mod bookings;
mod disturb;
mod follow;
mod holds;
mod mail;
mod organiser;
mod others;
mod progress;
mod published;
mod ratings;
mod relays;
mod rest;
