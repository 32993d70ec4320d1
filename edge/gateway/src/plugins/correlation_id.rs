//! `correlation-id`: every request has an id, so that its traces in several logs can be found.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use axum::response::Response;
use http::{HeaderName, HeaderValue};
use kong::Field;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::plugin::{BadConfig, Definition, Exchange, Flow, Plugin, Resources, read};

/// See the module.
pub const DEFINITION: Definition = Definition {
    name: "correlation-id",
    priority: 1,
    about: "Gives each request an id that the upstream, and if wanted the client, is told.",
    fields,
    make,
};

/// The longest id of a client that is kept, in bytes.
const MAX_ID_BYTES: usize = 128;

fn fields() -> Vec<Field> {
    vec![
        Field::text("header_name", "the header").required().default("Kong-Request-ID"),
        Field::text("generator", "`uuid#counter` counts, `uuid` is random, `tracker` is time and address")
            .required()
            .default("uuid#counter")
            .one_of(&["uuid#counter", "uuid", "tracker"]),
        Field::boolean("echo_downstream", "whether the client is told it too").required().default(false),
    ]
}

#[derive(Deserialize)]
struct Config {
    header_name: String,
    generator: String,
    echo_downstream: bool,
}

struct CorrelationId {
    config: Config,
    header: HeaderName,
    worker: Uuid,
    counter: AtomicU64,
}

/// The id of one request.
#[derive(Clone)]
struct Given(HeaderValue);

fn make(config: &Value, resources: &Resources) -> Result<Arc<dyn Plugin>, BadConfig> {
    let config: Config = read(config)?;
    let header = HeaderName::try_from(&config.header_name);
    let header = header.map_err(|_| BadConfig::new("header_name", "is no name of a header"))?;
    let worker = Uuid::from_bytes(resources.environment.random());
    Ok(Arc::new(CorrelationId { config, header, worker, counter: AtomicU64::new(1) }))
}

impl CorrelationId {
    fn generate(&self, exchange: &Exchange) -> String {
        let count = || self.counter.fetch_add(1, Ordering::Relaxed);
        match self.config.generator.as_str() {
            "uuid" => Uuid::from_bytes(exchange.environment.random()).to_string(),
            "tracker" => {
                let now_s = exchange.environment.now().micros() as f64 / 1e6;
                let client = exchange.client.map_or_else(String::new, |client| client.to_string());
                format!("{client}-{}-{}-{now_s:.3}", exchange.scheme, count())
            }
            _ => format!("{}#{}", self.worker, count()),
        }
    }
}

#[async_trait]
impl Plugin for CorrelationId {
    async fn access(&self, exchange: &mut Exchange) -> Flow {
        let sent = exchange.headers.get(&self.header).filter(|id| !id.is_empty() && id.len() <= MAX_ID_BYTES);
        let id = match sent {
            Some(id) => id.clone(),
            None => {
                let id = HeaderValue::try_from(self.generate(exchange));
                id.unwrap_or_else(|_| exchange.request_id.clone())
            }
        };
        exchange.metadata.insert(self.header.clone(), id.clone());
        exchange.values.insert(Given(id));
        Flow::Continue
    }

    async fn response(&self, exchange: &mut Exchange, answer: &mut Response) {
        if self.config.echo_downstream
            && let Some(Given(id)) = exchange.values.get()
        {
            answer.headers_mut().insert(self.header.clone(), id.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plugins::testing::{exchange, made};

    #[tokio::test]
    async fn an_id_is_made_or_kept_and_told() {
        let plugin = made(&DEFINITION, json!({"echo_downstream": true, "header_name": "X-Id"}));
        let (mut first, mut second) = (exchange("/"), exchange("/"));
        second.headers.insert("x-id", HeaderValue::from_static("mine"));
        plugin.access(&mut first).await;
        plugin.access(&mut second).await;
        assert!(first.metadata["x-id"].to_str().is_ok_and(|id| id.ends_with("#1")));
        assert_eq!(second.metadata["x-id"], "mine");
        let mut answer = Response::new(axum::body::Body::empty());
        plugin.response(&mut second, &mut answer).await;
        assert_eq!(answer.headers()["x-id"], "mine");
    }
}
