//! Our spans as OpenTelemetry has them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::Time;
use kit::trace::{self, Attribute, Span, SpanKind};
use opentelemetry::{
    InstrumentationScope, KeyValue, SpanId, TraceFlags, TraceId, Value,
    trace::{self as otel, SpanContext, Status, TraceState},
};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

/// The attribute that tells the services apart, which may all be in one process.
const PART: &str = "boxoffice.service";

/// A span of ours that ended.
pub(crate) fn exported(span: Span) -> SpanData {
    let mut attributes: Vec<KeyValue> =
        span.attributes.into_iter().map(|(name, value)| KeyValue::new(name, attribute(value))).collect();
    attributes.push(KeyValue::new(PART, span.service));
    SpanData {
        span_context: context(span.context),
        parent_span_id: span.parent.map_or(SpanId::INVALID, SpanId::from_bytes),
        parent_span_is_remote: !matches!(span.kind, SpanKind::Internal),
        span_kind: kind(span.kind),
        name: span.name,
        start_time: moment(span.began),
        end_time: moment(span.ended),
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: span.failure.map_or(Status::Unset, Status::error),
        instrumentation_scope: InstrumentationScope::builder("boxoffice").build(),
    }
}

fn context(context: trace::TraceContext) -> SpanContext {
    let flags = if context.is_sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let (trace_id, span_id) = (TraceId::from_bytes(context.trace_id), SpanId::from_bytes(context.span_id));
    SpanContext::new(trace_id, span_id, flags, false, TraceState::NONE)
}

fn kind(kind: SpanKind) -> otel::SpanKind {
    match kind {
        SpanKind::Server => otel::SpanKind::Server,
        SpanKind::Client => otel::SpanKind::Client,
        SpanKind::Consumer => otel::SpanKind::Consumer,
        SpanKind::Internal => otel::SpanKind::Internal,
    }
}

fn attribute(value: Attribute) -> Value {
    match value {
        Attribute::Text(text) => Value::from(text),
        Attribute::Number(number) => Value::from(number),
    }
}

fn moment(time: Time) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(u64::try_from(time.micros()).unwrap_or_default())
}
