//! `request-size-limiting`: longer bodies are refused.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use http::{StatusCode, header};
use http_body_util::Limited;
use kong::Field;
use serde::Deserialize;
use serde_json::Value;

use crate::plugin::{BadConfig, Definition, Exchange, Flow, Plugin, Resources, answer, read};

/// See the module.
pub const DEFINITION: Definition = Definition {
    name: "request-size-limiting",
    priority: 951,
    about: "Refuses requests with a longer body.",
    fields,
    make,
};

fn fields() -> Vec<Field> {
    vec![
        Field::integer("allowed_payload_size", "the longest body, in units").default(128).between(0.0, 1e9),
        Field::text("size_unit", "the unit").required().default("megabytes").one_of(&[
            "megabytes",
            "kilobytes",
            "bytes",
        ]),
        Field::boolean("require_content_length", "whether the length must be said first")
            .required()
            .default(false),
    ]
}

#[derive(Deserialize)]
struct Config {
    allowed_payload_size: Option<usize>,
    size_unit: String,
    require_content_length: bool,
}

struct RequestSizeLimiting {
    limit_bytes: usize,
    needs_length: bool,
}

fn make(config: &Value, _: &Resources) -> Result<Arc<dyn Plugin>, BadConfig> {
    let config: Config = read(config)?;
    let unit = match config.size_unit.as_str() {
        "megabytes" => 1024 * 1024,
        "kilobytes" => 1024,
        _ => 1,
    };
    let limit_bytes = config.allowed_payload_size.unwrap_or(128).saturating_mul(unit);
    Ok(Arc::new(RequestSizeLimiting { limit_bytes, needs_length: config.require_content_length }))
}

#[async_trait]
impl Plugin for RequestSizeLimiting {
    async fn access(&self, exchange: &mut Exchange) -> Flow {
        let length = exchange.headers.get(header::CONTENT_LENGTH);
        let length = length.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let is_too_long = |length| usize::try_from(length).map_or(true, |length| length > self.limit_bytes);
        match length {
            Some(length) if is_too_long(length) => {
                let expects = exchange.headers.contains_key(header::EXPECT);
                let status =
                    if expects { StatusCode::EXPECTATION_FAILED } else { StatusCode::PAYLOAD_TOO_LARGE };
                Flow::Answer(answer(status, "Request size limit exceeded"))
            }
            None if self.needs_length && !axum::body::HttpBody::is_end_stream(&exchange.body) => {
                Flow::Answer(answer(StatusCode::LENGTH_REQUIRED, "A valid Content-Length header is required"))
            }
            // What comes in pieces is cut off where it gets too long.
            _ => {
                exchange.body = Body::new(Limited::new(exchange.take_body(), self.limit_bytes));
                Flow::Continue
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http_body_util::BodyExt;
    use serde_json::json;

    use super::*;
    use crate::plugins::testing::{exchange, made, status_of};

    #[tokio::test]
    async fn long_bodies_are_refused_or_cut_off() {
        let plugin = made(&DEFINITION, json!({"allowed_payload_size": 4, "size_unit": "bytes"}));
        let mut announced = exchange("/");
        announced.headers.insert("content-length", HeaderValue::from_static("5"));
        assert_eq!(status_of(plugin.access(&mut announced).await), Some(413));
        let mut short = exchange("/");
        short.body = Body::from("1234");
        assert_eq!(status_of(plugin.access(&mut short).await), None);
        assert_eq!(short.take_body().collect().await.unwrap().to_bytes(), "1234");
        let mut in_pieces = exchange("/");
        in_pieces.body = Body::from("12345");
        assert_eq!(status_of(plugin.access(&mut in_pieces).await), None);
        assert!(in_pieces.take_body().collect().await.is_err());
        let strict = made(&DEFINITION, json!({"require_content_length": true}));
        let mut silent = exchange("/");
        silent.body = Body::from("1");
        assert_eq!(status_of(strict.access(&mut silent).await), Some(411));
    }
}
