//! Where the spans of this process go: to an OpenTelemetry collector, with the feature `otel` and `otlp_url`.

use kit::{Environment, Metrics};

use crate::config::Config;

#[cfg(feature = "otel")]
pub use collected::Traces;
#[cfg(not(feature = "otel"))]
pub use none::Traces;

#[cfg(feature = "otel")]
mod collected {
    use std::sync::Arc;

    use anyhow::Context;
    use otlp::{Options, Otlp};

    use super::{Config, Environment, Metrics};

    /// The way of spans to a collector, if there is one.
    pub struct Traces {
        otlp: Option<Arc<Otlp>>,
    }

    impl Traces {
        /// Starts to send, as configured, under the name of what this process is.
        ///
        /// # Errors
        /// When a setting cannot be used; the error names it.
        pub fn start(config: &Config, metrics: &Metrics, name: &'static str) -> anyhow::Result<Self> {
            let Some(url) = &config.otlp_url else { return Ok(Self { otlp: None }) };
            let version = env!("CARGO_PKG_VERSION");
            let options = Options { url: url.clone(), ratio: config.trace_ratio, name, version };
            let otlp = Otlp::start(&options, metrics.spans());
            Ok(Self { otlp: Some(otlp.context("otlp_url or trace_ratio cannot be used")?) })
        }

        /// The clock and the ids of this machine, with whoever collects spans.
        #[must_use]
        pub fn environment(&self) -> Environment {
            match &self.otlp {
                Some(otlp) => Environment::system().collecting(Arc::clone(otlp) as _),
                None => Environment::system(),
            }
        }

        /// Sends what waits.
        pub async fn stop(&self) {
            if let Some(otlp) = self.otlp.clone() {
                // It ends within a few seconds, and cannot be cut off.
                let _ = tokio::task::spawn_blocking(move || otlp.stop()).await;
            }
        }
    }
}

#[cfg(not(feature = "otel"))]
mod none {
    use super::{Config, Environment, Metrics};

    /// Nobody collects spans.
    pub struct Traces;

    impl Traces {
        /// Starts nothing.
        ///
        /// # Errors
        /// When spans are asked for.
        pub fn start(config: &Config, _metrics: &Metrics, _name: &'static str) -> anyhow::Result<Self> {
            anyhow::ensure!(
                config.otlp_url.is_none(),
                "otlp_url is set, and this program was built without traces: build it with --features otel, or leave \
                 otlp_url out"
            );
            Ok(Self)
        }

        /// The clock and the ids of this machine.
        #[must_use]
        pub fn environment(&self) -> Environment {
            Environment::system()
        }

        /// Ends nothing.
        pub async fn stop(&self) {}
    }
}
