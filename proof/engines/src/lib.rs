//! The real servers that tests and comparisons start: on loopback, on free ports, in directories of their own,
//! stopped by their process ids.
//!
//! A server that cannot be had here is an error that names the package to install; nothing is passed over
//! silently.

pub mod aiosmtpd;
pub mod debezium;
pub mod docker;
pub mod kafka;
pub mod mariadb;
pub mod postgres;
pub mod process;
pub mod tools;
mod wanted;

pub use wanted::wanted;

/// What a test needs, if it is here. A test that gets none returns: it has said that nothing was tested and why.
///
/// # Panics
/// When it is not here and the environment variable `CI` is set: there, what cannot be tested is a failure.
pub fn or_not_tested<T>(name: &str, wanted: anyhow::Result<T>) -> Option<T> {
    match wanted {
        Ok(found) => Some(found),
        Err(error) if std::env::var_os("CI").is_some() => panic!("{name} cannot be tested: {error:#}"),
        Err(error) => {
            eprintln!("NOT TESTED: {name}: {error:#}");
            None
        }
    }
}
