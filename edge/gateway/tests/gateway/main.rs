//! The gateway in one process with made-up services behind the real guard: no socket, no port.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod answers;
mod bodies;
mod fixture;
mod fuzz;
mod identity;
mod pages;
mod paths;
