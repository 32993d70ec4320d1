//! `response-transformer`: the client sees an answer with other headers, or other JSON.

use std::sync::Arc;

use async_trait::async_trait;
use axum::{body::Body, response::Response};
use http::{HeaderName, HeaderValue, header};
use http_body_util::{BodyExt, Limited};
use kong::{Field, schema::Type};
use serde::Deserialize;
use serde_json::{Value, json};

use super::transforming::{self, Change, HasUri, MAX_JSON_BYTES, Step, step};
use crate::plugin::{BadConfig, Definition, Exchange, Plugin, Resources, read};

/// See the module.
pub const DEFINITION: Definition = Definition {
    name: "response-transformer",
    priority: 800,
    about: "Changes the headers and the JSON body that the client sees.",
    fields,
    make,
};

const PARTS: &[&str] = &["headers", "json"];

fn fields() -> Vec<Field> {
    let types = || {
        Field::new("json_types", Type::Array(Box::new(Type::Text)), "not used: values are texts")
            .required()
            .default(json!([]))
    };
    let typed = |name| {
        let mut field = step(name, PARTS, HasUri::No);
        if let Type::Record(fields) = &mut field.kind {
            fields.push(types());
        }
        field
    };
    vec![
        step("remove", PARTS, HasUri::No),
        step("rename", PARTS, HasUri::No),
        typed("replace"),
        typed("add"),
        typed("append"),
    ]
}

#[derive(Deserialize)]
struct Config {
    remove: Step,
    rename: Step,
    replace: Step,
    add: Step,
    append: Step,
}

struct ResponseTransformer {
    headers: Vec<Change<HeaderName>>,
    json: Vec<Change<String>>,
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
    Ok(Arc::new(ResponseTransformer {
        headers: transforming::changes(
            steps.map(|(name, step)| (name, step.headers.as_slice())),
            transforming::header_name,
        )?,
        json: transforming::changes(steps.map(|(name, step)| (name, step.json.as_slice())), any_name)?,
    }))
}

#[async_trait]
impl Plugin for ResponseTransformer {
    async fn response(&self, _: &mut Exchange, answer: &mut Response) {
        transforming::headers(&self.headers, answer.headers_mut());
        let media_type = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_json = media_type.is_some_and(|value| value.starts_with("application/json"));
        let length = axum::body::HttpBody::size_hint(answer.body()).upper();
        // A body of unknown or great length passes as it is.
        if self.json.is_empty() || !is_json || length.is_none_or(|length| length > MAX_JSON_BYTES as u64) {
            return;
        }
        let body = Limited::new(std::mem::take(answer.body_mut()), MAX_JSON_BYTES).collect().await;
        let Ok(bytes) = body.map(http_body_util::Collected::to_bytes) else {
            tracing::warn!("an answer broke off while it was changed");
            return;
        };
        let changed = match serde_json::from_slice(&bytes) {
            Ok(Value::Object(mut object)) => {
                transforming::fields(&self.json, &mut object);
                Value::Object(object).to_string().into()
            }
            _ => bytes,
        };
        answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(changed.len()));
        *answer.body_mut() = Body::from(changed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::{exchange, made};

    #[tokio::test]
    async fn headers_and_json_are_changed() {
        let config = json!({
            "remove": {"headers": ["server"], "json": ["secret"]},
            "add": {"headers": ["x-by:boxoffice"], "json": ["page:1"]},
        });
        let plugin = made(&DEFINITION, config);
        let mut answer = Response::new(Body::from(r#"{"secret":1,"a":2}"#));
        answer.headers_mut().insert("server", HeaderValue::from_static("x"));
        answer.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
        plugin.response(&mut exchange("/"), &mut answer).await;
        assert!(!answer.headers().contains_key("server"));
        assert_eq!(answer.headers()["x-by"], "boxoffice");
        let body = std::mem::take(answer.body_mut()).collect().await.unwrap().to_bytes();
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), json!({"a": 2, "page": "1"}));
    }
}
