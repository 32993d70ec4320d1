//! The real servers that tests and comparisons start: on loopback, on free ports, in directories of their own,
//! stopped by their process ids.
//!
//! A server that cannot be had here is an error that names the package to install; nothing is passed over
//! silently.

pub mod aiosmtpd;
pub mod chromium;
pub mod debezium;
pub mod docker;
pub mod ferretdb;
pub mod kafka;
pub mod mariadb;
pub mod postgres;
pub mod process;
pub mod prometheus;
pub mod tools;
mod wanted;

pub use wanted::wanted;
