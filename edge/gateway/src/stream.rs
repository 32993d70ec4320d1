//! Rpcs with many answers: server-sent events (the HTML standard, section 9.2) where the client accepts those, and one
//! JSON document in each line otherwise.
//!
//! A message with a field `sequence` has it as its event's id. Who was cut off says the last one in `Last-Event-ID`;
//! it becomes the field `after_sequence` of the request, so the service goes on from there.

use std::{convert::Infallible, sync::Arc};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures_util::stream;
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCEPT, CONTENT_TYPE},
};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use crate::{
    limits::{HEARTBEAT, STREAM_LIFETIME},
    problem::Problem,
    routes::Route,
    scalar::put_text,
    schema::{MessageId, Schema},
    trace::Trace,
    wire::{Fields, Malformed, Raw},
    write_json,
};

/// One JSON document in each line.
const JSON_LINES: HeaderValue = HeaderValue::from_static("application/x-ndjson");
const EVENT_STREAM: &str = "text/event-stream";
/// What browsers send when they connect again.
const LAST_EVENT_ID: &str = "last-event-id";
/// Proxies that gather answers are asked not to.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// First of all: how many milliseconds a browser waits before it connects again.
const GREETING: &str = "retry: 2000\n\n";
/// A comment: nothing has happened, and the stream goes on.
const STILL_HERE: &str = ":\n\n";

/// Tells the service where to go on, as far as its request can say so.
///
/// # Errors
/// When `Last-Event-ID` is no id that a stream of ours has given.
pub(crate) fn resume(
    schema: &Schema,
    route: &Route,
    headers: &HeaderMap,
    message: &mut Vec<u8>,
) -> Result<(), Problem> {
    let Some(id) = headers.get(LAST_EVENT_ID).filter(|id| !id.is_empty()) else { return Ok(()) };
    let input = schema.message(route.input);
    let Some(index) = input.index_of("after_sequence") else { return Ok(()) };
    let field = &input.fields[index];
    let text = id.to_str().unwrap_or_default();
    put_text(schema, message, field.number, &field.kind, text)
        .map_err(|_| Problem::field("Last-Event-ID", "must be an id that this stream has given"))
}

/// The answers of a service as they come.
pub(crate) struct Answers {
    /// What comes from the service.
    pub messages: Streaming<Bytes>,
    /// The forms of messages.
    pub schema: Arc<Schema>,
    /// One of the places for streams; it is given back with the last answer.
    pub _place: OwnedSemaphorePermit,
    /// Told when streams end.
    pub drain: CancellationToken,
}

impl Answers {
    /// The HTTP answer. How it ended is said in a last line, as the status is sent long before.
    pub fn into_response(self, route: &Route, asked: &HeaderMap, trace: &Trace) -> Response {
        let accept = asked.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let form = if accept.into_iter().any(|value| value.contains(EVENT_STREAM)) {
            Form::Events
        } else {
            Form::Lines
        };
        let sequence = self.schema.message(route.output).index_of("sequence");
        let sequence = sequence.map(|index| self.schema.message(route.output).fields[index].number);
        let writer = Writer {
            answers: self,
            form,
            output: route.output,
            response_body: route.response_body,
            sequence,
            trace_id: trace.trace_id().to_owned(),
            ends_at: Instant::now() + STREAM_LIFETIME,
            ended: false,
        };
        let greeting = (form == Form::Events).then(|| Ok(Bytes::from_static(GREETING.as_bytes())));
        let rest = stream::unfold(writer, |mut writer| async move {
            let part = writer.next().await?;
            Some((Ok::<_, Infallible>(part), writer))
        });
        let mut response =
            Response::new(Body::from_stream(futures_util::StreamExt::chain(stream::iter(greeting), rest)));
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            match form {
                Form::Events => HeaderValue::from_static(EVENT_STREAM),
                Form::Lines => JSON_LINES,
            },
        );
        headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
        response
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Events,
    Lines,
}

struct Writer {
    answers: Answers,
    form: Form,
    output: MessageId,
    response_body: Option<usize>,
    /// The number of the field that is an event's id.
    sequence: Option<u32>,
    trace_id: String,
    ends_at: Instant,
    ended: bool,
}

impl Writer {
    /// What is sent next; none when the stream has ended.
    async fn next(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        tokio::select! {
            biased;
            // Whoever still listens connects again, to another process or to this one.
            () = self.answers.drain.cancelled() => None,
            () = tokio::time::sleep_until(self.ends_at) => None,
            message = self.answers.messages.message() => match message {
                Ok(Some(message)) => Some(self.part(&message).unwrap_or_else(|error| self.last(&Status::internal(error.to_string())))),
                Ok(None) => None,
                Err(status) => Some(self.last(&status)),
            },
            () = tokio::time::sleep(HEARTBEAT) => Some(Bytes::from_static(match self.form {
                Form::Events => STILL_HERE.as_bytes(),
                Form::Lines => b"\n",
            })),
        }
    }

    fn part(&self, message: &Bytes) -> Result<Bytes, Malformed> {
        let mut part = Vec::with_capacity(message.len() * 2 + 64);
        if self.form == Form::Events {
            if let Some(sequence) = self.sequence_of(message)? {
                part.extend_from_slice(format!("id: {sequence}\n").as_bytes());
            }
            part.extend_from_slice(b"data: ");
        }
        let schema = &self.answers.schema;
        match self.response_body {
            Some(index) => write_json::write_field(schema, self.output, index, message, &mut part)?,
            None => write_json::write(schema, self.output, message, &mut part)?,
        }
        part.extend_from_slice(if self.form == Form::Events { b"\n\n" } else { b"\n" });
        Ok(Bytes::from(part))
    }

    fn sequence_of(&self, message: &[u8]) -> Result<Option<u64>, Malformed> {
        let Some(number) = self.sequence else { return Ok(None) };
        let mut found = None;
        for field in Fields::of(message) {
            if let (field, Raw::Varint(value)) = field?
                && field == number
            {
                found = Some(value);
            }
        }
        Ok(found)
    }

    /// The stream ends with a problem.
    fn last(&mut self, status: &Status) -> Bytes {
        self.ended = true;
        let problem = Problem::from_status(status);
        let error = serde_json::json!({
            "code": problem.code, "title": problem.title, "status": problem.status.as_u16(),
            "detail": problem.detail, "trace_id": self.trace_id,
        });
        Bytes::from(match self.form {
            Form::Events => format!("event: problem\ndata: {error}\n\n"),
            Form::Lines => format!("{}\n", serde_json::json!({ "error": error })),
        })
    }
}
