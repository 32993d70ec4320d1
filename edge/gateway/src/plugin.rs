//! What a configured plugin is, and what it sees of a request on its way.
//!
//! ```text
//!   request --> route found --> access (each plugin, by priority) --> upstream --> response (each) --> client
//!                                  |                                                   ^       then: log (each)
//!                                  '-- a plugin may answer itself ---------------------'
//! ```
//!
//! To add a plugin: one file in `plugins/` with its `DEFINITION` (name, priority, fields, `make`) and an
//! implementation of [`Plugin`], and its line in `plugins.rs`. What it is configured with has been checked against
//! its fields by then, and defaults are filled in. An instance lives as long as its entity stays as it is, also
//! when the rest of the configuration changes, so counters belong into the instance.

use std::{net::IpAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header::CONTENT_TYPE};
use kit::Environment;
use kong::{Config, Entity, Field};
use serde_json::{Map, Value, json};

use crate::{balancer::Way, entity, transcode::Transcoder};

/// What a plugin decides about a request.
#[derive(Debug)]
pub enum Flow {
    /// It goes on.
    Continue,
    /// This is the answer. Further plugins do not see the request, but the answer.
    Answer(Response),
}

/// A plugin with its configuration. A phase that it does not implement costs next to nothing.
#[async_trait]
pub trait Plugin: Send + Sync + 'static {
    /// Before the upstream is called. The body has not been read; a plugin that reads it puts it back.
    async fn access(&self, _exchange: &mut Exchange) -> Flow {
        Flow::Continue
    }

    /// Before the answer is sent, whoever made it. A plugin that needs the body takes it, within a limit of its own,
    /// and puts one back.
    async fn response(&self, _exchange: &mut Exchange, _answer: &mut Response) {}

    /// After the head of the answer is known. It does not wait for anything.
    fn log(&self, _exchange: &Exchange, _outcome: &Outcome) {}
}

/// How a request ended.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// The status of the answer.
    pub status: StatusCode,
    /// From the request's head to the answer's head.
    pub took: Duration,
    /// How long the upstream took of it; none when it was not called.
    pub upstream_took: Option<Duration>,
}

/// A request on its way, as plugins see it.
pub struct Exchange {
    /// The method.
    pub method: Method,
    /// The target as the client sent it. A plugin may change path and query for the upstream.
    pub uri: Uri,
    /// The headers of the client. A plugin may change what is passed on.
    pub headers: HeaderMap,
    /// The body, not read yet.
    pub body: Body,
    /// Sent to the upstream as headers or gRPC metadata, in place of what the client sent under the same name.
    pub metadata: HeaderMap,
    /// The client's address; none for calls within the process.
    pub client: Option<IpAddr>,
    /// `http` or `https`, as the client spoke.
    pub scheme: &'static str,
    /// The route that was found.
    pub route: Arc<entity::Route>,
    /// Its service.
    pub service: Option<Arc<entity::Service>>,
    /// The consumer that a plugin has recognised.
    pub consumer: Option<Entity>,
    /// What it was recognised by.
    pub credential: Option<Entity>,
    /// The claims of a verified token.
    pub claims: Option<Arc<Map<String, Value>>>,
    /// The configuration that the request goes by.
    pub config: Arc<Config>,
    /// The clock and randomness.
    pub environment: Environment,
    /// The id that every answer says.
    pub request_id: HeaderValue,
    /// The context of the trace, as `traceparent` has it.
    pub traceparent: HeaderValue,
    /// Which target was called, for logs: `10.0.0.1:9000`.
    pub target: Option<String>,
    /// What plugins keep for a later phase, by type.
    pub values: http::Extensions,
    /// The way to the service.
    pub(crate) way: Option<Arc<Way>>,
    /// Makes gRPC of the REST request, by whatever contracts a plugin has read.
    pub(crate) transcoder: Option<Arc<Transcoder>>,
    /// How long the upstream took.
    pub(crate) upstream_took: Option<Duration>,
}

impl Exchange {
    /// Takes the body.
    pub fn take_body(&mut self) -> Body {
        std::mem::take(&mut self.body)
    }
}

/// An answer as Kong words it: `{"message": "..."}`.
#[must_use]
pub fn answer(status: StatusCode, message: &str) -> Response {
    json_answer(status, &json!({ "message": message }))
}

/// An answer with a JSON body.
#[must_use]
pub fn json_answer(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// A configuration that fits the fields and still cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct BadConfig {
    /// The field, such as `proto`.
    pub field: String,
    /// What is wrong, and the mend.
    pub why: String,
}

impl BadConfig {
    /// What is wrong with a field.
    pub fn new(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self { field: field.into(), why: why.into() }
    }
}

/// What plugins are made with beside their configuration.
#[derive(Clone)]
pub struct Resources {
    /// The clock and randomness.
    pub environment: Environment,
    /// What the plugin `prometheus` counts.
    pub figures: Arc<crate::plugins::prometheus::Figures>,
}

/// Makes an instance from a configuration that fits the fields.
pub type Make = fn(&Value, &Resources) -> Result<Arc<dyn Plugin>, BadConfig>;

/// A plugin that can be configured.
pub struct Definition {
    /// Kong's name.
    pub name: &'static str,
    /// Kong's priority: the higher, the earlier in each phase.
    pub priority: i32,
    /// For people, in a sentence: what it does.
    pub about: &'static str,
    /// The fields of its `config`.
    pub fields: fn() -> Vec<Field>,
    /// Makes an instance.
    pub make: Make,
}

/// Reads a configuration that fits the fields of its plugin.
///
/// # Errors
/// When it does not fit the type, which is a defect of the plugin.
pub fn read<T: serde::de::DeserializeOwned>(config: &Value) -> Result<T, BadConfig> {
    T::deserialize(config).map_err(|error| BadConfig::new("config", error.to_string()))
}
