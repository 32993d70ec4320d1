//! The data plane as clients and upstreams see it: real sockets on both sides, configured as the Admin API would.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod fixture;
mod grpc;
mod http;
mod library;
mod plugins;
mod raw;
mod reload;
mod resilience;
mod tls;
