//! `prometheus`: requests, their durations and sizes by service and route, under the names that Kong's dashboards
//! read. They are among the figures at `/metrics`.

use std::sync::Arc;

use async_trait::async_trait;
use kit::metrics::{Catalogue, Described, Family};
use kong::Field;
use prometheus_client::metrics::{counter::Counter, histogram::Histogram};
use serde::Deserialize;
use serde_json::Value;

use crate::plugin::{BadConfig, Definition, Exchange, Outcome, Plugin, Resources, read};

/// See the module.
pub const DEFINITION: Definition = Definition {
    name: "prometheus",
    priority: 13,
    about: "Counts requests by service, route and status, and how long they take.",
    fields,
    make,
};

/// The upper bounds of latencies, in milliseconds, as Kong has them.
const LATENCY_BUCKETS_MS: [f64; 15] =
    [1.0, 2.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0, 75.0, 100.0, 200.0, 500.0, 1_000.0, 5_000.0];

fn fields() -> Vec<Field> {
    let off = |name, about| Field::boolean(name, about).default(false);
    vec![
        off("per_consumer", "whether consumers are told apart"),
        off("status_code_metrics", "whether requests are counted by status"),
        off("latency_metrics", "whether durations are counted"),
        off("bandwidth_metrics", "whether sizes are counted; not used: bodies are passed on unread"),
        off("upstream_health_metrics", "not used: the health of targets is always among the figures"),
    ]
}

#[derive(Deserialize)]
struct Config {
    per_consumer: Option<bool>,
    status_code_metrics: Option<bool>,
    latency_metrics: Option<bool>,
}

/// What is counted, for all configurations of the plugin together.
pub struct Figures {
    catalogue: Catalogue,
    requests: Family<Counter, 5>,
    latency: Family<Histogram, 2>,
    upstream_latency: Family<Histogram, 2>,
}

impl Default for Figures {
    fn default() -> Self {
        let mut catalogue = Catalogue::default();
        let requests = catalogue.counters(
            "kong_http_requests_total",
            &["service", "route", "code", "source", "consumer"],
            "Requests of routes with the plugin prometheus, by who answered: service or exit",
        );
        let histogram = || Histogram::new(LATENCY_BUCKETS_MS);
        let latency = catalogue.histograms(
            "kong_request_latency_ms",
            &["service", "route"],
            "From a request's head to its answer's head, in milliseconds",
            histogram,
        );
        let upstream_latency = catalogue.histograms(
            "kong_upstream_latency_ms",
            &["service", "route"],
            "How long the upstream took of it, in milliseconds",
            histogram,
        );
        Self { catalogue, requests, latency, upstream_latency }
    }
}

impl Figures {
    /// The OpenMetrics text.
    #[must_use]
    pub fn text(&self) -> String {
        self.catalogue.text()
    }

    /// What there is.
    #[must_use]
    pub fn described(&self) -> Vec<Described> {
        self.catalogue.described().to_vec()
    }
}

struct Prometheus {
    config: Config,
    figures: Arc<Figures>,
}

fn make(config: &Value, resources: &Resources) -> Result<Arc<dyn Plugin>, BadConfig> {
    Ok(Arc::new(Prometheus { config: read(config)?, figures: Arc::clone(&resources.figures) }))
}

#[async_trait]
impl Plugin for Prometheus {
    fn log(&self, exchange: &Exchange, outcome: &Outcome) {
        let named = |name: &Option<String>, id: uuid::Uuid| name.clone().unwrap_or_else(|| id.to_string());
        let service = exchange.service.as_ref().map_or_else(String::new, |one| named(&one.name, one.id));
        let route = named(&exchange.route.name, exchange.route.id);
        if self.config.status_code_metrics == Some(true) {
            let source = if outcome.upstream_took.is_some() { "service" } else { "exit" };
            let consumer = exchange.consumer.as_ref().filter(|_| self.config.per_consumer == Some(true));
            let consumer =
                consumer.and_then(|consumer| consumer.text("username")).unwrap_or_default().to_owned();
            let code = outcome.status.as_u16().to_string();
            self.figures
                .requests
                .with([service.clone(), route.clone(), code, source.to_owned(), consumer])
                .inc();
        }
        if self.config.latency_metrics == Some(true) {
            let took_ms = outcome.took.as_secs_f64() * 1e3;
            self.figures.latency.with([service.clone(), route.clone()]).observe(took_ms);
            if let Some(took) = outcome.upstream_took {
                self.figures.upstream_latency.with([service, route]).observe(took.as_secs_f64() * 1e3);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;
    use kit::Environment;
    use serde_json::json;

    use super::*;
    use crate::plugins::testing::exchange;

    #[test]
    fn requests_are_counted_under_kongs_names() {
        let figures = Arc::new(Figures::default());
        let resources = Resources { environment: Environment::system(), figures: Arc::clone(&figures) };
        let config = json!({"status_code_metrics": true, "latency_metrics": true});
        let plugin = make(&config, &resources).unwrap();
        let outcome = Outcome { status: StatusCode::OK, took: Duration::from_millis(3), upstream_took: None };
        plugin.log(&exchange("/"), &outcome);
        let text = figures.text();
        let labels =
            "{service=\"boxoffice\",route=\"boxoffice\",code=\"200\",source=\"exit\",consumer=\"\"} 1";
        assert!(text.contains(&format!("kong_http_requests_total{labels}")), "{text}");
        assert!(text.contains("kong_request_latency_ms_count{service=\"boxoffice\",route=\"boxoffice\"} 1"));
    }
}
