//! The driver on real servers: PostgreSQL and MariaDB.
#![allow(clippy::unwrap_used, reason = "tests may panic")]
#![allow(missing_docs, reason = "tests are named after what they show")]

mod conflicts;
mod conformance;
mod everything;
mod grammar;
mod interrupted;
mod opening;
mod proxy;
mod replicas;
mod support;
mod tls;
