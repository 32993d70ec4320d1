//! The program as its operators meet it: a process with arguments, signals, files and an exit code.
//!
//! Each test has a directory of its own and starts the real binary; nothing of it outlives the test.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod audit;
mod commands;
mod configuration;
mod import;
mod kill;
mod kong;
mod lives;
mod logs;
mod prometheus;
mod retention;
mod schemathesis;
mod secrets;
mod shutdown;
mod start;
mod support;
mod traces;
