//! What makes one request findable in the logs: W3C trace context and the request id.

use http::{HeaderMap, HeaderName, HeaderValue};
use kit::{Environment, request::TRACEPARENT};

use crate::limits::MAX_REQUEST_ID_BYTES;

/// The header with the request id, on requests and answers.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The length of a `traceparent` of version 00.
const TRACEPARENT_BYTES: usize = 55;

/// The identity of one request.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    /// `00-TRACE-SPAN-FLAGS`.
    traceparent: String,
    /// The client's, or a fresh one.
    pub request_id: HeaderValue,
}

impl Trace {
    /// Takes what the client sent where it is well formed, and makes the rest.
    pub fn of(headers: &HeaderMap, environment: &Environment) -> Self {
        let sent = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok());
        let traceparent = match sent.filter(|text| is_traceparent(text)) {
            Some(text) => text.to_owned(),
            None => fresh_traceparent(environment),
        };
        let sent = headers.get(X_REQUEST_ID).filter(|value| is_request_id(value.as_bytes()));
        let request_id = sent.cloned().unwrap_or_else(|| {
            let mut text = String::with_capacity(32);
            push_hex(&mut text, &environment.random::<16>());
            HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
        });
        Self { traceparent, request_id }
    }

    /// 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        self.traceparent.get(3..35).unwrap_or_default()
    }

    /// The header for the services.
    pub fn traceparent(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.traceparent).ok()
    }
}

fn fresh_traceparent(environment: &Environment) -> String {
    let ids = environment.random::<24>();
    let mut text = String::with_capacity(TRACEPARENT_BYTES);
    text.push_str("00-");
    push_hex(&mut text, &ids[..16]);
    text.push('-');
    push_hex(&mut text, &ids[16..]);
    text.push_str("-01");
    text
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

/// Version 00 of <https://www.w3.org/TR/trace-context/>.
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_id = |part: &str, length: usize| {
        part.len() == length
            && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            && part.bytes().any(|b| b != b'0')
    };
    let is_flags =
        |part: &str| part.len() == 2 && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    matches!(parts[..], ["00", trace, span, flags] if is_id(trace, 32) && is_id(span, 16) && is_flags(flags))
}

fn is_request_id(bytes: &[u8]) -> bool {
    let is_fine = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    (1..=MAX_REQUEST_ID_BYTES).contains(&bytes.len()) && bytes.iter().all(is_fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_formed_trace_context_is_taken() {
        assert!(is_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
        let bad = [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ];
        for text in bad {
            assert!(!is_traceparent(text), "{text}");
        }
        assert!(is_traceparent(&fresh_traceparent(&Environment::system())));
    }

    #[test]
    fn a_request_id_is_short_and_plain() {
        assert!(is_request_id(b"abc-1_2.Z"));
        assert!(!is_request_id(b"") && !is_request_id(b"a b") && !is_request_id(&[b'a'; 65]));
    }
}
