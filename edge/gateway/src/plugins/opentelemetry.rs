//! `opentelemetry`: a span for each request, with the route and the consumer, between the client's and the upstream's
//! (W3C Trace Context). Spans go where the program sends all of its spans.

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderName, HeaderValue};
use kit::trace::{Attribute, OpenSpan, SpanKind};
use kong::{Field, schema::Type};
use serde::Deserialize;
use serde_json::Value;

use crate::plugin::{BadConfig, Definition, Exchange, Flow, Outcome, Plugin, Resources, read};

/// See the module.
pub const DEFINITION: Definition = Definition {
    name: "opentelemetry",
    priority: 14,
    about: "Adds a span for each request, and passes the trace on to the upstream.",
    fields,
    make,
};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The name of this part of the platform in spans.
const SERVICE: &str = "gateway";
/// The most attributes of a configuration.
const MAX_ATTRIBUTES: usize = 32;

fn fields() -> Vec<Field> {
    vec![
        Field::text(
            "traces_endpoint",
            "not supported here: `otlp_endpoint` of the program says where spans go",
        ),
        Field::text("endpoint", "the older name of traces_endpoint"),
        Field::new("resource_attributes", Type::Map(Box::new(Type::Text)), "attributes of every span"),
        Field::text("header_type", "which headers carry the trace")
            .default("w3c")
            .one_of(&["w3c", "preserve"]),
    ]
}

#[derive(Deserialize)]
struct Config {
    traces_endpoint: Option<String>,
    endpoint: Option<String>,
    resource_attributes: Option<std::collections::BTreeMap<String, String>>,
}

struct OpenTelemetry {
    attributes: Vec<(&'static str, String)>,
}

/// The span of one request.
#[derive(Clone)]
struct Begun(OpenSpan);

fn make(config: &Value, _: &Resources) -> Result<Arc<dyn Plugin>, BadConfig> {
    let config: Config = read(config)?;
    if config.traces_endpoint.is_some() || config.endpoint.is_some() {
        let why = "spans go where `otlp_endpoint` of the program says; leave it out";
        return Err(BadConfig::new("traces_endpoint", why));
    }
    let attributes = config.resource_attributes.unwrap_or_default();
    if attributes.len() > MAX_ATTRIBUTES {
        return Err(BadConfig::new("resource_attributes", format!("may be {MAX_ATTRIBUTES} at most")));
    }
    // Names of attributes are fixed in spans; those of a configuration go into one text each.
    let attributes = attributes.into_iter().map(|(name, value)| ("kong.resource", format!("{name}={value}")));
    Ok(Arc::new(OpenTelemetry { attributes: attributes.collect() }))
}

#[async_trait]
impl Plugin for OpenTelemetry {
    async fn access(&self, exchange: &mut Exchange) -> Flow {
        if let Some(span) = exchange.environment.child_of(exchange.traceparent.to_str().ok()) {
            if let Ok(context) = HeaderValue::try_from(span.context.traceparent()) {
                exchange.metadata.insert(TRACEPARENT, context);
            }
            exchange.values.insert(Begun(span));
        }
        Flow::Continue
    }

    fn log(&self, exchange: &Exchange, outcome: &Outcome) {
        let Some(Begun(span)) = exchange.values.get().cloned() else { return };
        let mut attributes: Vec<(&'static str, Attribute)> = vec![
            ("http.request.method", exchange.method.as_str().to_owned().into()),
            ("http.response.status_code", i64::from(outcome.status.as_u16()).into()),
        ];
        let route = exchange.route.name.clone().unwrap_or_else(|| exchange.route.id.to_string());
        attributes.push(("kong.route", route.clone().into()));
        if let Some(service) = &exchange.service {
            let name = service.name.clone().unwrap_or_else(|| service.id.to_string());
            attributes.push(("kong.service", name.into()));
        }
        if let Some(consumer) = &exchange.consumer {
            attributes.push(("kong.consumer", consumer.id.to_string().into()));
        }
        if let Some(target) = &exchange.target {
            attributes.push(("server.address", target.clone().into()));
        }
        attributes.extend(self.attributes.iter().map(|(name, value)| (*name, value.clone().into())));
        let failure = outcome.status.is_server_error().then_some("server error");
        span.end(
            &exchange.environment,
            SpanKind::Client,
            SERVICE,
            format!("proxy {route}"),
            failure,
            attributes,
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plugins::testing::{exchange, made, refused, status_of};

    #[tokio::test]
    async fn without_a_collector_the_trace_is_left_as_it_is() {
        let plugin = made(&DEFINITION, json!({}));
        let mut asked = exchange("/");
        assert_eq!(status_of(plugin.access(&mut asked).await), None);
        assert!(asked.metadata.is_empty());
    }

    #[test]
    fn an_endpoint_of_its_own_is_refused() {
        assert_eq!(refused(&DEFINITION, json!({"traces_endpoint": "http://a:4318"})), "traces_endpoint");
    }
}
