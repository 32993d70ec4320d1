//! `request-termination`: every request gets this answer, and none reaches the upstream. For maintenance, and to
//! close a route.

use std::sync::Arc;

use async_trait::async_trait;
use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use kong::Field;
use serde::Deserialize;
use serde_json::Value;

use crate::plugin::{BadConfig, Definition, Exchange, Flow, Plugin, Resources, answer, read};

/// See the module.
pub const DEFINITION: Definition = Definition {
    name: "request-termination",
    priority: 2,
    about: "Answers every request itself.",
    fields,
    make,
};

fn fields() -> Vec<Field> {
    vec![
        Field::integer("status_code", "the status").required().default(503).between(100.0, 599.0),
        Field::text("message", "the text of `{\"message\": ...}`; not together with a body"),
        Field::text("content_type", "the type of the body"),
        Field::text("body", "the body as it is"),
        Field::boolean("echo", "not used: it would tell of the inside").required().default(false),
        Field::text("trigger", "answers only where this header or query parameter is sent"),
    ]
}

#[derive(Debug, Deserialize)]
struct Config {
    status_code: u16,
    message: Option<String>,
    content_type: Option<String>,
    body: Option<String>,
    trigger: Option<String>,
}

struct RequestTermination {
    status: StatusCode,
    config: Config,
    content_type: HeaderValue,
}

fn make(config: &Value, _: &Resources) -> Result<Arc<dyn Plugin>, BadConfig> {
    let config: Config = read(config)?;
    if config.message.is_some() && (config.body.is_some() || config.content_type.is_some()) {
        return Err(BadConfig::new("message", "cannot be used together with body or content_type"));
    }
    if config.content_type.is_some() && config.body.is_none() {
        return Err(BadConfig::new("body", "is needed where there is a content_type"));
    }
    let status = StatusCode::from_u16(config.status_code).ok().filter(|status| !status.is_informational());
    let status = status.ok_or_else(|| BadConfig::new("status_code", "must be from 200 to 599"))?;
    let content_type = config.content_type.as_deref().unwrap_or("application/json; charset=utf-8");
    let content_type = HeaderValue::from_str(content_type)
        .map_err(|_| BadConfig::new("content_type", "is no media type"))?;
    Ok(Arc::new(RequestTermination { status, config, content_type }))
}

#[async_trait]
impl Plugin for RequestTermination {
    async fn access(&self, exchange: &mut Exchange) -> Flow {
        if self.config.trigger.as_deref().is_some_and(|trigger| !is_sent(trigger, exchange)) {
            return Flow::Continue;
        }
        let Some(body) = &self.config.body else {
            let usual = self.status.canonical_reason().unwrap_or_default();
            return Flow::Answer(answer(self.status, self.config.message.as_deref().unwrap_or(usual)));
        };
        let mut response = Response::new(Body::from(body.clone()));
        *response.status_mut() = self.status;
        response.headers_mut().insert(CONTENT_TYPE, self.content_type.clone());
        Flow::Answer(response)
    }
}

fn is_sent(trigger: &str, exchange: &Exchange) -> bool {
    let query = exchange.uri.query().unwrap_or_default();
    let mut names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
    exchange.headers.contains_key(trigger) || names.any(|name| name == trigger)
}
