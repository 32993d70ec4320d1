//! An exporter that counts what becomes of spans.

use std::time::Duration;

use kit::metrics::SpanFigures;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};

/// Counts in front of another exporter.
pub(crate) struct Counted<E> {
    exporter: E,
    figures: SpanFigures,
}

impl<E> Counted<E> {
    pub(crate) fn new(exporter: E, figures: SpanFigures) -> Self {
        Self { exporter, figures }
    }
}

impl<E: std::fmt::Debug> std::fmt::Debug for Counted<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.exporter.fmt(f)
    }
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len() as u64;
        let exported = self.exporter.export(batch).await;
        match &exported {
            Ok(()) => self.figures.exported.inc_by(count),
            Err(_) => self.figures.failed.inc_by(count),
        };
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
