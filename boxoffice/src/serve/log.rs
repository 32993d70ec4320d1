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
    leaving: Leaving,
}

impl OpenedLog {
    /// Leaves the readers of the service, so that others take over at once. What reads must have stopped.
    pub async fn leave(&self) {
        self.leaving.leave().await;
    }
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

#[cfg(feature = "fleet")]
mod built_in {
    use bus::Merged;
    use kafka::{KafkaLog, KafkaPublisher, Settings};

    use super::*;

    pub struct Leaving(Option<Arc<KafkaLog>>);

    impl Leaving {
        pub async fn leave(&self) {
            if let Some(log) = &self.0 {
                log.leave().await;
            }
        }
    }

    /// How the cluster is reached, by the configuration.
    ///
    /// # Errors
    /// As [`url_of`], and when the URL is not well-formed.
    pub fn settings(config: &Config) -> anyhow::Result<Settings> {
        Settings::from_url(&url_of(config)?).context("BOXOFFICE_LOG_URL")
    }

    /// Opens it for a service. The cluster need not be there yet.
    ///
    /// # Errors
    /// As [`url_of`], and when the driver refuses the URL.
    pub fn open(config: &Config, role: Role) -> anyhow::Result<OpenedLog> {
        let settings = settings(config)?;
        let publisher = Arc::new(KafkaPublisher::new(&settings)?);
        if role.consumes().is_empty() {
            let nothing = Arc::new(Merged::new(Vec::new()));
            return Ok(OpenedLog { log: nothing, publisher, leaving: Leaving(None) });
        }
        let log = Arc::new(KafkaLog::join(&settings, role.name(), role.consumes())?);
        Ok(OpenedLog { log: Arc::clone(&log) as _, publisher, leaving: Leaving(Some(log)) })
    }
}

#[cfg(not(feature = "fleet"))]
mod built_in {
    use super::*;

    /// There is nothing to leave without a driver.
    pub enum Leaving {}

    impl Leaving {
        pub async fn leave(&self) {
            match *self {}
        }
    }

    /// Says why it cannot.
    ///
    /// # Errors
    /// Always.
    pub fn open(config: &Config, role: Role) -> anyhow::Result<OpenedLog> {
        url_of(config)?;
        anyhow::bail!("the {role} service needs the log")
    }
}

use built_in::Leaving;
pub use built_in::open;
#[cfg(feature = "fleet")]
pub use built_in::settings;
