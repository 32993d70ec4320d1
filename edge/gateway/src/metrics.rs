//! What is counted: requests by rpc, method and status class, their duration, how many run and how many are refused.

use http::StatusCode;
use kit::metrics::{Catalogue, Described, Family, catalogue::END};
use prometheus_client::metrics::{counter::Counter, gauge::Gauge, histogram::Histogram};

/// The media type of [`Metrics::text`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The upper bounds of the duration histogram, in seconds. A booking is decided within a few milliseconds;
/// one that waits for its decision may take half a minute.
const DURATION_BUCKETS_SECONDS: [f64; 13] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
/// The rpc label of a request that found none.
const NO_RPC: &str = "none";
/// The rpc label of requests on configured routes.
const CONFIGURED: &str = "configured";
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The metrics of the gateway.
pub(crate) struct Metrics {
    catalogue: Catalogue,
    requests: Family<Counter, 3>,
    durations: Family<Histogram, 1>,
    in_flight: Gauge,
    /// Refused because too many waited already.
    pub refused_at_once: Counter,
    /// Refused after a moment, because none of those that were carried out ended.
    pub refused_after_wait: Counter,
}

/// The counters of one route, found once and for all.
pub(crate) struct RouteMetrics {
    by_class: [Counter; 5],
    duration: Histogram,
}

impl RouteMetrics {
    /// Counts a request that was answered.
    pub fn observe(&self, status: StatusCode, seconds: f64) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.by_class[class].inc();
        self.duration.observe(seconds);
    }
}

/// Counts a request as running until it is dropped.
pub(crate) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// Metrics that start at zero.
    pub fn new() -> Self {
        let mut catalogue = Catalogue::default();
        let requests = catalogue.counters(
            "boxoffice_gateway_requests_total",
            &["rpc", "method", "status"],
            "Requests by rpc, method and status class",
        );
        let durations = catalogue.histograms(
            "boxoffice_gateway_request_duration_seconds",
            &["rpc"],
            "Duration of requests by rpc",
            || Histogram::new(DURATION_BUCKETS_SECONDS),
        );
        let in_flight = catalogue.gauge("boxoffice_gateway_requests_in_flight", "Requests that run now");
        let refused = catalogue.counters(
            "boxoffice_gateway_refused_total",
            &["after"],
            "Requests refused because there was too much to do: at_once, as too many waited already, or after a wait",
        );
        let [refused_at_once, refused_after_wait] = ["at_once", "wait"].map(|after| refused.with([after]));
        Self { catalogue, requests, durations, in_flight, refused_at_once, refused_after_wait }
    }

    /// What there is.
    pub fn described(&self) -> Vec<Described> {
        self.catalogue.described().to_vec()
    }

    /// The counters of a route.
    pub fn route(&self, rpc: &str, method: &str) -> RouteMetrics {
        let rpc = rpc.trim_start_matches('/').to_owned();
        let by_class =
            CLASSES.map(|status| self.requests.with([rpc.clone(), method.to_owned(), status.to_owned()]));
        RouteMetrics { by_class, duration: self.durations.with([rpc]) }
    }

    /// The counters of requests that found no rpc.
    pub fn unrouted(&self) -> RouteMetrics {
        self.route(NO_RPC, "any")
    }

    /// The counters of requests on configured routes; the plugin `prometheus` tells them apart.
    pub fn configured(&self) -> RouteMetrics {
        self.route(CONFIGURED, "any")
    }

    /// One more request runs.
    pub fn start(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// The OpenMetrics text, with the text of others in it.
    pub fn text(&self, extra: &str) -> String {
        let mut text = self.catalogue.text().trim_end_matches(END).to_owned();
        let extra = extra.trim_end().trim_end_matches(END.trim_end()).trim_end();
        if !extra.is_empty() {
            text.push_str(extra);
            text.push('\n');
        }
        text.push_str(END);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_others_goes_before_the_one_end() {
        let metrics = Metrics::new();
        metrics.route("/boxoffice.v1.X/Get", "GET").observe(StatusCode::NOT_FOUND, 0.002);
        for extra in ["# TYPE a counter\na_total 1\n# EOF\n", "# TYPE a counter\na_total 1", "a_total 1\n\n"]
        {
            let text = metrics.text(extra);
            assert!(text.ends_with("a_total 1\n# EOF\n"), "{text}");
            assert_eq!(text.matches("# EOF").count(), 1);
        }
        let text = metrics.text("");
        let counted =
            "boxoffice_gateway_requests_total{rpc=\"boxoffice.v1.X/Get\",method=\"GET\",status=\"4xx\"} 1";
        assert!(text.contains(counted), "{text}");
    }
}
