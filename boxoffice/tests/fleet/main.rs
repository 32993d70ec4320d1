//! A fleet as its operators meet it: every role a process of its own, on Kafka and on databases that are servers.
//!
//! What cannot be had here is not tested and says so; where the environment variable `CI` is set, that is a failure.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod commands;
mod drain;
mod envoy;
mod kill;
mod load;
mod mails;
mod outage;
mod replicas;
mod start;
mod support;
#[allow(dead_code, reason = "the tests beside this use the rest of it")]
#[path = "../process/support/visitor.rs"]
mod visitor;
