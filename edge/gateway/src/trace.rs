//! What makes one request findable in the logs: W3C trace context and the request id.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use kit::{
    Environment,
    request::TRACEPARENT,
    trace::{OpenSpan, SpanKind, TraceContext, push_hex, trace_id_of},
};

use crate::limits::MAX_REQUEST_ID_BYTES;

/// The header with the request id, on requests and answers.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The name of this part of the platform in spans.
const SERVICE: &str = "gateway";

/// The identity of one request.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    /// `00-TRACE-SPAN-FLAGS`.
    traceparent: HeaderValue,
    /// The client's, or a fresh one.
    pub request_id: HeaderValue,
    /// Where spans are collected.
    span: Option<OpenSpan>,
}

impl Trace {
    /// Takes what the client sent where it is well formed, and makes the rest.
    pub fn of(headers: &HeaderMap, environment: &Environment) -> Self {
        let (traceparent, span) = traceparent(headers, environment);
        let sent = headers.get(X_REQUEST_ID).filter(|value| is_request_id(value.as_bytes()));
        let request_id = sent.cloned().unwrap_or_else(|| {
            let mut text = String::with_capacity(32);
            push_hex(&mut text, &environment.random::<16>());
            HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
        });
        Self { traceparent, request_id, span }
    }

    /// 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        trace_id_of(self.traceparent.to_str().ok())
    }

    /// The header for the services and on the answer.
    pub fn traceparent(&self) -> HeaderValue {
        self.traceparent.clone()
    }

    /// Ends the span, where there is one, with what was answered. `rpc` is none for pages and what was not found.
    pub fn end(&self, environment: &Environment, method: &Method, rpc: Option<&str>, status: StatusCode) {
        let Some(span) = self.span.clone() else { return };
        let name = format!("{method} {}", rpc.unwrap_or_default());
        let failure = status.is_server_error().then_some("server error");
        let mut attributes = vec![
            ("http.request.method", method.as_str().to_owned().into()),
            ("http.response.status_code", i64::from(status.as_u16()).into()),
        ];
        if let Some(rpc) = rpc {
            attributes.push(("http.route", rpc.to_owned().into()));
        }
        span.end(environment, SpanKind::Server, SERVICE, name.trim_end().to_owned(), failure, attributes);
    }
}

/// The client's, or a part of it where spans are collected, or a fresh one.
fn traceparent(headers: &HeaderMap, environment: &Environment) -> (HeaderValue, Option<OpenSpan>) {
    let sent = headers.get(TRACEPARENT);
    if let Some((value, text)) = sent.and_then(|value| Some((value, value.to_str().ok()?)))
        && TraceContext::parse(text).is_some()
    {
        let span = environment.child_of(Some(text));
        return match &span {
            Some(part) => (header(part.context), span),
            None => (value.clone(), None),
        };
    }
    let (context, span) = environment.begin_trace();
    (header(context), span)
}

fn header(context: TraceContext) -> HeaderValue {
    // Hexadecimal digits and dashes are a header.
    HeaderValue::try_from(context.traceparent()).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn is_request_id(bytes: &[u8]) -> bool {
    let is_fine = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    (1..=MAX_REQUEST_ID_BYTES).contains(&bytes.len()) && bytes.iter().all(is_fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_short_and_plain() {
        assert!(is_request_id(b"abc-1_2.Z"));
        assert!(!is_request_id(b"") && !is_request_id(b"a b") && !is_request_id(&[b'a'; 65]));
    }
}
