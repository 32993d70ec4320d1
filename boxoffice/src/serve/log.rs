//! The log of a fleet, by its URL.

use std::sync::Arc;

use anyhow::Context;
use bus::{Log, Publisher};

use super::Role;
use crate::config::Config;

/// The log as one service uses it.
pub struct OpenedLog {
    /// To read.
    pub log: Arc<dyn Log>,
    /// To publish on.
    pub publisher: Arc<dyn Publisher>,
}

/// Where the log is, by the configuration.
///
/// # Errors
/// When the setting is missing, its scheme is not known, or this program was built without the driver.
pub fn url_of(config: &Config) -> anyhow::Result<String> {
    let url = config.fleet.log_url.clone();
    let url = url.context("BOXOFFICE_LOG_URL is needed, such as kafka://127.0.0.1:9092")?;
    anyhow::ensure!(
        url.starts_with("kafka://"),
        "BOXOFFICE_LOG_URL has a scheme that is not known: it must be kafka://HOST:PORT,HOST:PORT"
    );
    anyhow::ensure!(
        cfg!(feature = "fleet"),
        "BOXOFFICE_LOG_URL: this program was built without the driver of Kafka: build it with `--features fleet`"
    );
    Ok(url)
}

/// Opens it for a service.
///
/// # Errors
/// As [`url_of`], and when the driver refuses the URL.
pub async fn open(config: &Config, role: Role) -> anyhow::Result<OpenedLog> {
    let url = url_of(config)?;
    anyhow::bail!("{url} for {role}")
}
