//! REST to gRPC by contracts that are read while the program runs. The table, the reading and the writing are the
//! same as for our own contracts.

use std::convert::Infallible;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures_util::stream;
use http::{
    HeaderMap, HeaderValue, Method,
    header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE},
};
use prost_reflect::DescriptorPool;
use tonic::Status;

use crate::{
    GatewayError,
    grpc::{Messages, single},
    problem::Problem,
    request::{self, Parts},
    respond,
    routes::{Route, Routes},
    schema::Dialect,
    tree::Segments,
    write_json,
};

/// The media type of a stream with one JSON document in each line.
const JSON_LINES: HeaderValue = HeaderValue::from_static("application/x-ndjson");
/// The media type of server-sent events.
const EVENT_STREAM: &str = "text/event-stream";

/// The REST surface of some contracts.
pub struct Transcoder {
    routes: Routes,
}

impl Transcoder {
    /// Of all services in a pool with `google.api.http` rules.
    ///
    /// # Errors
    /// When a rule is not well-formed, or none is there.
    pub(crate) fn of(pool: &DescriptorPool) -> Result<Self, GatewayError> {
        let routes = Routes::build(pool, Dialect::Any)?;
        if routes.bindings.is_empty() {
            let services: Vec<_> = pool.services().map(|service| service.full_name().to_owned()).collect();
            let why = "no rpc has a google.api.http option".to_owned();
            return Err(GatewayError::Rule { rpc: services.join(", "), why });
        }
        Ok(Self { routes })
    }

    /// The rpc of a request.
    pub(crate) fn find<'t, 'p>(
        &'t self,
        method: &Method,
        path: &'p str,
    ) -> Result<(&'t Route, Segments<'p>), Problem> {
        let malformed = "the path is not well-formed: after % come two hexadecimal digits, and all is UTF-8";
        let found = self.routes.tree.find(path).map_err(|_| Problem::bad_input(malformed))?;
        let (methods, segments) = found.ok_or_else(Problem::not_found)?;
        match methods.get(method) {
            Some(route) => Ok((route, segments)),
            None => Err(Problem::method_not_allowed(methods.allow())),
        }
    }

    /// The message of a request.
    pub(crate) async fn read(
        &self,
        route: &Route,
        segments: &Segments<'_>,
        method: &Method,
        headers: &HeaderMap,
        query: &str,
        body: Body,
    ) -> Result<Vec<u8>, Problem> {
        let parts = Parts { method, headers, query, segments };
        request::read(&self.routes.schema, route, &parts, body).await
    }

    /// The answer to an rpc with one answer.
    pub(crate) async fn answer(
        &self,
        route: &Route,
        asked: (&Method, &HeaderMap),
        metadata: HeaderMap,
        body: Body,
    ) -> Result<Response, Status> {
        let message = single(body).await?;
        let passed_on = metadata.clone();
        let metadata = tonic::metadata::MetadataMap::from_headers(metadata);
        let answer = tonic::Response::from_parts(metadata, message, tonic::Extensions::default());
        let mut response = respond::success(&self.routes.schema, route, asked, answer)
            .map_err(|problem| Status::internal(problem.detail.into_owned()))?;
        // Other than in our own contracts, clients may see whatever the server says.
        let is_of_grpc =
            |name: &str| name.starts_with("grpc-") || name.starts_with("content-") || name == "te";
        for (name, value) in &passed_on {
            if !is_of_grpc(name.as_str()) && !response.headers().contains_key(name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        Ok(response)
    }

    /// The answers to an rpc with many, as they come: JSON lines, or server-sent events where the client accepts
    /// those. How it ended is said in a last line, as the status of the HTTP answer is sent long before.
    pub(crate) fn answers(
        self: std::sync::Arc<Self>,
        number: usize,
        asked: &HeaderMap,
        body: Body,
    ) -> Response {
        let accept = asked.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let as_events = accept.contains(EVENT_STREAM);
        let state = (self, Messages::of(body), false);
        let lines = stream::unfold(state, move |(this, mut messages, ended)| async move {
            if ended {
                return None;
            }
            let next = messages.next().await;
            let next = match next {
                Ok(Some(message)) => this.line(number, &message, as_events),
                Ok(None) => return None,
                Err(status) => Err(status),
            };
            let (line, ended) = match next {
                Ok(line) => (line, false),
                Err(status) => (last_line(&status, as_events), true),
            };
            Some((Ok::<_, Infallible>(line), (this, messages, ended)))
        });
        let mut response = Response::new(Body::from_stream(lines));
        let media_type = if as_events { HeaderValue::from_static(EVENT_STREAM) } else { JSON_LINES };
        response.headers_mut().insert(CONTENT_TYPE, media_type);
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    fn line(&self, number: usize, message: &[u8], as_events: bool) -> Result<Bytes, Status> {
        let output = self.routes.outputs[number];
        let mut json = Vec::with_capacity(message.len() * 2 + 64);
        if as_events {
            json.extend_from_slice(b"data: ");
        }
        match output.1 {
            Some(index) => write_json::write_field(&self.routes.schema, output.0, index, message, &mut json),
            None => write_json::write(&self.routes.schema, output.0, message, &mut json),
        }
        .map_err(|error| Status::internal(error.to_string()))?;
        json.extend_from_slice(if as_events { b"\n\n" } else { b"\n" });
        Ok(Bytes::from(json))
    }
}

fn last_line(status: &Status, as_events: bool) -> Bytes {
    let error = serde_json::json!({"error": {"code": status.code() as i32, "message": status.message()}});
    Bytes::from(if as_events { format!("event: error\ndata: {error}\n\n") } else { format!("{error}\n") })
}
