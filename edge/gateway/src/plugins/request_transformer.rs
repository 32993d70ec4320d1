//! `request-transformer`: the upstream sees a request with other headers, another query, another body or path.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::{Body, HttpBody};
use http::{HeaderName, Method, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use kong::Field;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::transforming::{self, Change, HasUri, MAX_JSON_BYTES, Step, step};
use crate::plugin::{BadConfig, Definition, Exchange, Flow, Plugin, Resources, answer, read};

/// See the module.
pub const DEFINITION: Definition = Definition {
    name: "request-transformer",
    priority: 801,
    about: "Changes the headers, query, JSON body, method and path that the upstream sees.",
    fields,
    make,
};

const PARTS: &[&str] = &["headers", "querystring", "body"];

fn fields() -> Vec<Field> {
    vec![
        Field::text("http_method", "the method that the upstream sees"),
        step("remove", PARTS, HasUri::No),
        step("rename", PARTS, HasUri::No),
        step("replace", PARTS, HasUri::Yes),
        step("add", PARTS, HasUri::No),
        step("append", PARTS, HasUri::No),
    ]
}

#[derive(Deserialize)]
struct Config {
    http_method: Option<String>,
    remove: Step,
    rename: Step,
    replace: Step,
    add: Step,
    append: Step,
}

struct RequestTransformer {
    method: Option<Method>,
    path: Option<String>,
    headers: Vec<Change<HeaderName>>,
    query: Vec<Change<String>>,
    body: Vec<Change<String>>,
}

fn make(config: &Value, _: &Resources) -> Result<Arc<dyn Plugin>, BadConfig> {
    let config: Config = read(config)?;
    let steps = [
        ("remove", &config.remove),
        ("rename", &config.rename),
        ("replace", &config.replace),
        ("add", &config.add),
        ("append", &config.append),
    ];
    let any_name = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let method = config.http_method.as_deref().map(|name| Method::from_bytes(name.as_bytes()));
    let path = config.replace.uri.clone();
    if path
        .as_deref()
        .is_some_and(|path| !path.starts_with('/') || path.contains("$(") || Uri::try_from(path).is_err())
    {
        return Err(BadConfig::new("replace", "uri must be a path, without templates"));
    }
    Ok(Arc::new(RequestTransformer {
        method: method.transpose().map_err(|_| BadConfig::new("http_method", "is no method"))?,
        path,
        headers: transforming::changes(
            steps.map(|(name, step)| (name, step.headers.as_slice())),
            transforming::header_name,
        )?,
        query: transforming::changes(
            steps.map(|(name, step)| (name, step.querystring.as_slice())),
            any_name,
        )?,
        body: transforming::changes(steps.map(|(name, step)| (name, step.body.as_slice())), any_name)?,
    }))
}

impl RequestTransformer {
    fn change_target(&self, exchange: &mut Exchange) {
        if self.query.is_empty() && self.path.is_none() {
            return;
        }
        let mut query = exchange.uri.query().unwrap_or_default().to_owned();
        if !self.query.is_empty() {
            let mut pairs: Vec<(String, String)> = serde_urlencoded::from_str(&query).unwrap_or_default();
            transforming::pairs(&self.query, &mut pairs);
            query = serde_urlencoded::to_string(pairs).unwrap_or(query);
        }
        let path = self.path.as_deref().unwrap_or(exchange.uri.path());
        let target = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
        if let Ok(uri) = Uri::try_from(target) {
            exchange.uri = uri;
        }
    }

    async fn change_body(&self, exchange: &mut Exchange) -> Result<(), StatusCode> {
        let media_type = exchange.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_json = media_type.is_some_and(|value| value.contains("json"));
        let is_empty = exchange.body.is_end_stream();
        if self.body.is_empty() || !(is_json || is_empty) {
            return Ok(());
        }
        let body = Limited::new(exchange.take_body(), MAX_JSON_BYTES).collect().await;
        let bytes = body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?.to_bytes();
        let mut object = match serde_json::from_slice(&bytes) {
            Ok(Value::Object(object)) => object,
            _ if bytes.is_empty() => Map::new(),
            // What is no object passes as it is, and the upstream says what it thinks of it.
            _ => {
                exchange.body = Body::from(bytes);
                return Ok(());
            }
        };
        transforming::fields(&self.body, &mut object);
        let text = if object.is_empty() && bytes.is_empty() {
            String::new()
        } else {
            Value::Object(object).to_string()
        };
        exchange.headers.insert(header::CONTENT_LENGTH, text.len().into());
        if !text.is_empty() {
            exchange.headers.insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        }
        exchange.body = Body::from(text);
        Ok(())
    }
}

#[async_trait]
impl Plugin for RequestTransformer {
    async fn access(&self, exchange: &mut Exchange) -> Flow {
        if let Some(method) = &self.method {
            exchange.method = method.clone();
        }
        transforming::headers(&self.headers, &mut exchange.headers);
        self.change_target(exchange);
        match self.change_body(exchange).await {
            Ok(()) => Flow::Continue,
            Err(status) => Flow::Answer(answer(status, "the body is too long to be changed")),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;
    use crate::plugins::testing::{exchange, made, refused};

    #[tokio::test]
    async fn each_part_is_changed_in_kongs_order() {
        let config = json!({
            "http_method": "PUT",
            "remove": {"headers": ["x-secret"], "querystring": ["debug"], "body": ["old"]},
            "rename": {"headers": ["x-a:x-b"]},
            "replace": {"uri": "/other", "body": ["name:Grace"]},
            "add": {"headers": ["x-new:1", "x-b:never"], "querystring": ["page:2"], "body": ["size:big"]},
            "append": {"headers": ["x-b:2"]},
        });
        let plugin = made(&DEFINITION, config);
        let mut asked = exchange("/path?debug=1&q=a%20b");
        for (name, value) in [("x-secret", "s"), ("x-a", "1"), ("content-type", "application/json")] {
            asked.headers.insert(name, HeaderValue::from_static(value));
        }
        asked.body = Body::from(r#"{"old":1,"name":"Ada"}"#);
        plugin.access(&mut asked).await;
        assert_eq!((asked.method.as_str(), asked.uri.to_string().as_str()), ("PUT", "/other?q=a+b&page=2"));
        assert!(!asked.headers.contains_key("x-secret"));
        let values: Vec<_> = asked.headers.get_all("x-b").iter().collect();
        assert_eq!(values, ["1", "2"]);
        let body = asked.take_body().collect().await.unwrap().to_bytes();
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), json!({"name": "Grace", "size": "big"}));
    }

    #[test]
    fn framing_and_templates_are_refused() {
        assert_eq!(refused(&DEFINITION, json!({"add": {"headers": ["Content-Length:3"]}})), "add");
        assert_eq!(refused(&DEFINITION, json!({"add": {"headers": ["x:$(headers.y)"]}})), "add");
        assert_eq!(refused(&DEFINITION, json!({"replace": {"uri": "other"}})), "replace");
    }
}
