//! The driver on librdkafka's mock cluster, which can be told to fail, and on a real Apache Kafka.
#![allow(clippy::unwrap_used, reason = "in a test, what is missing is a failure")]

mod cluster;
mod conformance;
