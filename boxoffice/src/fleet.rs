//! Commands over several services at once: they find the databases, the log and the services by the same settings as
//! the services themselves.

pub mod databases;
pub mod doctor;
pub mod migrate;
pub mod parked;
#[cfg(feature = "fleet")]
pub mod replay;
#[cfg(feature = "fleet")]
pub mod topics;

pub use databases::Databases;

/// What a command says that this program was built without.
///
/// # Errors
/// Always.
#[cfg(not(feature = "fleet"))]
pub fn not_built_in<T>(command: &str) -> anyhow::Result<T> {
    anyhow::bail!(
        "`boxoffice {command}` needs Kafka, which this program was built without: build it with `--features fleet`"
    )
}
