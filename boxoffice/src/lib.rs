//! The composition root: everything meets here and nowhere else.
//!
//! [`platform::Platform`] is all services and the gateway in one process on embedded stores; the
//! commands of the program and the end-to-end tests start it.

pub mod admin_api;
pub mod api;
pub mod audit;
pub mod cli;
pub mod commands;
pub mod config;
pub mod data_dir;
pub mod demo;
pub mod export;
pub mod figures;
pub mod fleet;
pub mod import;
mod mail;
pub mod platform;
pub mod priorities;
pub mod retention;
pub mod serve;
pub mod server;
pub mod signals;
pub mod site;
pub mod stores;
pub mod telemetry;
pub mod traces;
