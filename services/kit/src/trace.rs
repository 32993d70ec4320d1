//! One request through all services: W3C trace context, and spans as plain values.
//!
//! A span is made where work begins and handed to [`Spans`] where it ends; between the two it is carried by hand,
//! since work is done in batches and goes on with facts in other services and at other times. Where nobody collects
//! spans, all of this is one look at an `Option`.
//!
//! ```text
//!   gateway --> rpc --> commit --> fact --> processed by another service --> fact --> ... --> mail
//!     span      span     span                        span                                     span
//! ```

use std::{borrow::Cow, fmt};

use domain::Time;

use crate::clock::Environment;

/// The length of a `traceparent` of version 00.
pub const TRACEPARENT_BYTES: usize = 55;

/// Where a span stands in its trace (<https://www.w3.org/TR/trace-context/>, version 00).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// Of the whole trace; not zero.
    pub trace_id: [u8; 16],
    /// Of this span; not zero.
    pub span_id: [u8; 8],
    /// Whether the spans of this trace are collected.
    pub is_sampled: bool,
}

impl TraceContext {
    /// Reads a `traceparent`; none where it is not well formed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let dashes = [2, 35, 52];
        if bytes.len() != TRACEPARENT_BYTES || dashes.iter().any(|at| bytes[*at] != b'-') {
            return None;
        }
        let (mut version, mut trace_id, mut span_id, mut flags) = ([0], [0; 16], [0; 8], [0]);
        read_hex(&bytes[..2], &mut version)?;
        read_hex(&bytes[3..35], &mut trace_id)?;
        read_hex(&bytes[36..52], &mut span_id)?;
        read_hex(&bytes[53..], &mut flags)?;
        let is_valid = version == [0] && trace_id != [0; 16] && span_id != [0; 8];
        is_valid.then_some(Self { trace_id, span_id, is_sampled: flags[0] & 1 == 1 })
    }

    /// As the header has it.
    #[must_use]
    pub fn traceparent(&self) -> String {
        let mut text = String::with_capacity(TRACEPARENT_BYTES);
        text.push_str("00-");
        push_hex(&mut text, &self.trace_id);
        text.push('-');
        push_hex(&mut text, &self.span_id);
        text.push_str(if self.is_sampled { "-01" } else { "-00" });
        text
    }
}

/// The trace id in a `traceparent`; empty where there is none.
#[must_use]
pub fn trace_id_of(traceparent: Option<&str>) -> &str {
    traceparent.and_then(|text| text.get(3..35)).unwrap_or_default()
}

/// Appends bytes as lower case hexadecimal digits.
pub fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

fn read_hex(digits: &[u8], bytes: &mut [u8]) -> Option<()> {
    for (pair, byte) in digits.chunks_exact(2).zip(bytes) {
        *byte = (digit(pair[0])? << 4) | digit(pair[1])?;
    }
    Some(())
}

/// The standard wants lower case.
fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        _ => None,
    }
}

/// Which part a span has in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// It answers somebody.
    Server,
    /// It calls somebody.
    Client,
    /// It follows a fact.
    Consumer,
    /// Neither.
    Internal,
}

/// The value of an attribute. None says who somebody is.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// A word.
    Text(Cow<'static, str>),
    /// A number.
    Number(i64),
}

impl From<&'static str> for Attribute {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Attribute {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<i64> for Attribute {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// A piece of work that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Its own place in the trace.
    pub context: TraceContext,
    /// The span that it is part of; none where the trace begins with it.
    pub parent: Option<[u8; 8]>,
    /// Its part in the conversation.
    pub kind: SpanKind,
    /// Which service did it; `gateway` is one.
    pub service: &'static str,
    /// What was done; of few different names.
    pub name: Cow<'static, str>,
    /// When it began.
    pub began: Time,
    /// When it ended.
    pub ended: Time,
    /// It failed by a fault of ours, in a word.
    pub failure: Option<&'static str>,
    /// More about it.
    pub attributes: Vec<(&'static str, Attribute)>,
}

/// Who collects spans. None of it waits or fails: what cannot be kept is dropped and counted.
pub trait Spans: Send + Sync + 'static {
    /// Whether a trace that begins here is collected.
    fn samples(&self, trace_id: [u8; 16]) -> bool;

    /// Takes a span of a sampled trace.
    fn take(&self, span: Span);
}

/// A piece of work that runs. Dropped without an end, it is not collected.
#[derive(Debug, Clone)]
pub struct OpenSpan {
    /// Its own place in the trace.
    pub context: TraceContext,
    parent: Option<[u8; 8]>,
    began: Time,
}

impl OpenSpan {
    /// Ends it now, and has it collected.
    pub fn end(
        self,
        environment: &Environment,
        kind: SpanKind,
        service: &'static str,
        name: impl Into<Cow<'static, str>>,
        failure: Option<&'static str>,
        attributes: Vec<(&'static str, Attribute)>,
    ) {
        let Some(spans) = environment.spans() else { return };
        let Self { context, parent, began } = self;
        let (name, ended) = (name.into(), environment.now());
        spans.take(Span { context, parent, kind, service, name, began, ended, failure, attributes });
    }
}

impl Environment {
    /// Begins a trace; a span of it where it is sampled, and its context in any case.
    #[must_use]
    pub fn begin_trace(&self) -> (TraceContext, Option<OpenSpan>) {
        let ids = self.random::<24>();
        let (mut trace_id, mut span_id) = ([0; 16], [0; 8]);
        trace_id.copy_from_slice(&ids[..16]);
        span_id.copy_from_slice(&ids[16..]);
        let is_sampled = self.spans().is_some_and(|spans| spans.samples(trace_id));
        let context = TraceContext { trace_id, span_id, is_sampled };
        (context, is_sampled.then(|| OpenSpan { context, parent: None, began: self.now() }))
    }

    /// Begins a part of what a `traceparent` names; none where nobody collects it.
    #[must_use]
    pub fn child_of(&self, traceparent: Option<&str>) -> Option<OpenSpan> {
        self.spans()?;
        let parent = TraceContext::parse(traceparent?).filter(|parent| parent.is_sampled)?;
        let context = TraceContext { span_id: self.random(), ..parent };
        Some(OpenSpan { context, parent: Some(parent.span_id), began: self.now() })
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.traceparent())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_formed_trace_context_is_taken() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let context = TraceContext::parse(text).unwrap();
        assert!(context.is_sampled);
        assert_eq!(context.traceparent(), text);
        assert!(!TraceContext::parse(&text.replace("-01", "-00")).unwrap().is_sampled);
        let bad = [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
        ];
        for text in bad {
            assert_eq!(TraceContext::parse(text), None, "{text}");
        }
    }

    #[test]
    fn where_nobody_collects_spans_there_are_none() {
        let environment = Environment::system();
        let (context, span) = environment.begin_trace();
        assert!(span.is_none() && !context.is_sampled);
        let sampled = TraceContext { is_sampled: true, ..context }.traceparent();
        assert!(environment.child_of(Some(&sampled)).is_none());
    }
}
