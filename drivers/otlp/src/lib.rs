//! Spans to an OpenTelemetry collector, by OTLP over HTTP with protobuf.
//!
//! ```text
//!   services --> bounded queue --> a thread of its own --> POST URL/v1/traces
//!                     | full: dropped
//! ```
//!
//! Whoever ends a span never waits: what cannot be kept is dropped, and the figures say so.

mod convert;
mod counted;

use std::{sync::Arc, time::Duration};

use kit::{
    metrics::SpanFigures,
    trace::{Span, Spans},
};
use opentelemetry::KeyValue;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfigBuilder, BatchSpanProcessor, SpanProcessor},
};

use counted::Counted;

/// The most spans that wait to be sent.
pub const MAX_WAITING: usize = 8_192;
/// The most spans of one request.
const MAX_AT_ONCE: usize = 512;
/// How long spans wait for others to go with.
const SEND_EVERY: Duration = Duration::from_secs(1);
/// How long the collector may take.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a stop waits for what is still to be sent.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// Where a collector takes traces (OTLP/HTTP).
const TRACES: &str = "v1/traces";

const _: () = assert!(MAX_AT_ONCE <= MAX_WAITING);

/// Why no spans can be sent.
#[derive(Debug, thiserror::Error)]
pub enum OtlpError {
    /// The address cannot be used.
    #[error("{url} is not the address of an OTLP collector, such as http://127.0.0.1:4318: {why}")]
    Url {
        /// As it was given.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// The ratio is none.
    #[error("the ratio of traces must be from 0 to 1, and is {0}")]
    Ratio(f64),
}

/// What is sent, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// The collector, such as `http://127.0.0.1:4318`.
    pub url: String,
    /// Which share of the traces that begin here is collected, from 0 to 1. What a client marks as sampled is
    /// collected in any case.
    pub ratio: f64,
    /// The name of the process, as the collector shows it.
    pub name: &'static str,
    /// The version of the program.
    pub version: &'static str,
}

/// A collector of spans that sends them on.
pub struct Otlp {
    processor: BatchSpanProcessor,
    figures: SpanFigures,
    /// Trace ids below it are sampled; they are random.
    below: u64,
}

impl Otlp {
    /// Starts the thread that sends. Nothing is sent yet, so a collector that is not there is no error.
    ///
    /// # Errors
    /// When the address or the ratio cannot be used.
    pub fn start(options: &Options, figures: SpanFigures) -> Result<Arc<Self>, OtlpError> {
        let below = threshold(options.ratio)?;
        let wrong = |why: String| OtlpError::Url { url: options.url.clone(), why };
        if !options.url.starts_with("http://") && !options.url.starts_with("https://") {
            return Err(wrong("it must begin with http:// or https://".to_owned()));
        }
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/{TRACES}", options.url.trim_end_matches('/')))
            .with_timeout(SEND_TIMEOUT)
            .build()
            .map_err(|error| wrong(error.to_string()))?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(MAX_WAITING)
            .with_max_export_batch_size(MAX_AT_ONCE)
            .with_scheduled_delay(SEND_EVERY)
            .build();
        let counted = Counted::new(exporter, figures.clone());
        let mut processor = BatchSpanProcessor::builder(counted).with_batch_config(batches).build();
        let program =
            [KeyValue::new("service.name", options.name), KeyValue::new("service.version", options.version)];
        processor.set_resource(&Resource::builder_empty().with_attributes(program).build());
        Ok(Arc::new(Self { processor, figures, below }))
    }

    /// Sends what waits and ends. It blocks for a few seconds at most.
    pub fn stop(&self) {
        if let Err(error) = self.processor.shutdown_with_timeout(STOP_TIMEOUT) {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}

impl Spans for Otlp {
    fn samples(&self, trace_id: [u8; 16]) -> bool {
        let [.., a, b, c, d, e, f, g, h] = trace_id;
        self.below == u64::MAX || u64::from_be_bytes([a, b, c, d, e, f, g, h]) < self.below
    }

    fn take(&self, span: Span) {
        self.figures.ended.inc();
        self.processor.on_end(convert::exported(span));
    }
}

fn threshold(ratio: f64) -> Result<u64, OtlpError> {
    if !(0.0..=1.0).contains(&ratio) {
        return Err(OtlpError::Ratio(ratio));
    }
    // Beyond the largest number it is the largest.
    Ok((ratio * u64::MAX as f64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_a_share_of_all_trace_ids() {
        assert_eq!(threshold(0.0).unwrap(), 0);
        assert_eq!(threshold(1.0).unwrap(), u64::MAX);
        assert_eq!(threshold(0.5).unwrap(), 1 << 63);
        for wrong in [-0.1, 1.1, f64::NAN] {
            assert!(threshold(wrong).is_err(), "{wrong}");
        }
    }
}
