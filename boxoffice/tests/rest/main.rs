//! The REST surface, end to end: a whole platform in this process, real HTTP, nothing mocked.
//!
//! Each test is a story that [`fixture::play`] gives a fresh platform. When the story is over, the
//! platform must come to rest: every fact consumed, nothing parked, no booking PENDING, audit clean.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod administration;
mod analytics;
mod authorisation;
mod bookings;
mod contention;
mod copies;
mod door;
mod envoy;
mod events;
mod feedback;
mod fixture;
mod hostile;
mod idempotency;
mod identities;
mod inputs;
mod live;
mod metrics;
mod notifications;
mod operations;
mod payments;
mod privacy;
mod rules;
mod search;
mod ticket_types;
mod tickets;
