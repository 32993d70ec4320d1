//! `grpc-web`: lets browsers of other origins call a gRPC service. The gateway speaks gRPC-Web on every route to a
//! gRPC service by itself; this says who may read the answers.

use std::sync::Arc;

use async_trait::async_trait;
use axum::{body::Body, response::Response};
use http::{
    HeaderValue, Method, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    },
};
use kong::Field;
use serde::Deserialize;
use serde_json::Value;

use crate::plugin::{BadConfig, Definition, Exchange, Flow, Plugin, Resources, read};

/// See the module.
pub const DEFINITION: Definition = Definition {
    name: "grpc-web",
    priority: 3,
    about: "Lets browsers of other origins call a gRPC service.",
    fields,
    make,
};

const METHODS: HeaderValue = HeaderValue::from_static("POST");
const SENT: HeaderValue =
    HeaderValue::from_static("content-type,x-grpc-web,x-user-agent,grpc-timeout,authorization");
const READ: HeaderValue = HeaderValue::from_static("grpc-status,grpc-message,grpc-status-details-bin");
/// How long browsers remember it, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

fn fields() -> Vec<Field> {
    vec![
        Field::text("proto", "not used: messages pass as they are"),
        Field::boolean("pass_stripped_path", "not used: a call's path names its rpc").default(false),
        Field::text("allow_origin_header", "which origin may read the answers").default("*"),
    ]
}

#[derive(Deserialize)]
struct Config {
    allow_origin_header: Option<String>,
}

struct GrpcWeb {
    origin: HeaderValue,
}

fn make(config: &Value, _: &Resources) -> Result<Arc<dyn Plugin>, BadConfig> {
    let config: Config = read(config)?;
    let origin = HeaderValue::from_str(config.allow_origin_header.as_deref().unwrap_or("*"));
    let origin = origin.map_err(|_| BadConfig::new("allow_origin_header", "is no header"))?;
    Ok(Arc::new(GrpcWeb { origin }))
}

#[async_trait]
impl Plugin for GrpcWeb {
    async fn access(&self, exchange: &mut Exchange) -> Flow {
        let asks = exchange.method == Method::OPTIONS
            && exchange.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !asks {
            return Flow::Continue;
        }
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::NO_CONTENT;
        let headers = answer.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, SENT);
        headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        Flow::Answer(answer)
    }

    async fn response(&self, _: &mut Exchange, answer: &mut Response) {
        answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, self.origin.clone());
        answer.headers_mut().insert(ACCESS_CONTROL_EXPOSE_HEADERS, READ);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plugins::testing::{exchange, made, status_of};

    #[tokio::test]
    async fn a_browser_is_told_what_it_may() {
        let plugin = made(&DEFINITION, json!({"allow_origin_header": "https://shop.example.org"}));
        let mut asked = exchange("/library.Library/Get");
        assert_eq!(status_of(plugin.access(&mut asked).await), None);
        asked.method = Method::OPTIONS;
        asked.headers.insert(ACCESS_CONTROL_REQUEST_METHOD, METHODS);
        let Flow::Answer(mut answer) = plugin.access(&mut asked).await else { panic!("it is asked") };
        plugin.response(&mut asked, &mut answer).await;
        assert_eq!(answer.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "https://shop.example.org");
        assert_eq!(answer.headers()[ACCESS_CONTROL_ALLOW_METHODS], "POST");
    }
}
