//! The driver on real servers: PostgreSQL and MariaDB.
#![allow(clippy::unwrap_used, reason = "tests may panic")]
#![allow(missing_docs, reason = "tests are named after what they show")]

mod conformance;
mod support;
