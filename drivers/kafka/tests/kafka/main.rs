//! The driver on librdkafka's mock cluster, which can be told to fail, and on a real Apache Kafka.
#![allow(clippy::unwrap_used, reason = "in a test, what is missing is a failure")]

#[path = "../../../../services/kit/testing/ledger.rs"]
mod ledger;

mod cluster;
mod conformance;
mod faults;
mod foreign;
mod groups;
