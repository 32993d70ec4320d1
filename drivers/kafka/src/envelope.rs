//! A fact as a record of Kafka: CloudEvents 1.0 in binary mode. The attributes are headers, the value is the data.

use std::sync::Arc;

use bus::{Fact, FactId, Memo, ParkedFact, Topic, known_source};
use jiff::Timestamp;
use rdkafka::{
    Message,
    message::{BorrowedMessage, Header, Headers, OwnedHeaders},
};
use uuid::Uuid;

const SPEC_VERSION: &str = "1.0";
const CONTENT_TYPE: &str = "application/json";
/// What a record that is no fact of ours is read as. No service knows it, so who reads it parks it.
pub const UNREADABLE: &str = "unreadable";
/// How much of such a record is kept, in bytes: the record itself stays on its topic.
const MAX_UNREADABLE_BYTES: usize = 64 * 1_024;

/// The headers of a fact.
pub fn headers(fact: &Fact) -> OwnedHeaders {
    let headers = OwnedHeaders::new_with_capacity(8);
    let headers = with(headers, "ce_specversion", SPEC_VERSION);
    let headers = with(headers, "ce_id", &fact.id.0.to_string());
    let headers = with(headers, "ce_source", fact.source);
    let headers = with(headers, "ce_type", &fact.kind);
    let headers = with(headers, "ce_time", &time(fact.time_us));
    let headers = with(headers, "content-type", CONTENT_TYPE);
    match &fact.traceparent {
        Some(traceparent) => with(headers, "traceparent", traceparent),
        None => headers,
    }
}

/// The headers of a fact that was parked: its own, and who could not process it, where it was, and why.
pub fn parked_headers(parked: &ParkedFact) -> OwnedHeaders {
    let headers = headers(&parked.record.fact);
    let headers = with(headers, "parked_service", parked.service);
    let headers = with(headers, "parked_reason", &parked.reason);
    let headers = with(headers, "parked_partition", &parked.partition.name);
    let headers = with(headers, "parked_position", &parked.record.position.0.to_string());
    with(headers, "parked_time", &time(parked.at_us))
}

fn with(headers: OwnedHeaders, key: &str, value: &str) -> OwnedHeaders {
    headers.insert(Header { key, value: Some(value) })
}

fn time(us: i64) -> String {
    // A time that no calendar has is told as the number that it is.
    Timestamp::from_microsecond(us).map_or_else(|_| us.to_string(), |time| time.to_string())
}

/// The fact that a record is, or one that says why it is none.
pub fn fact(topic: Topic, message: &BorrowedMessage<'_>) -> Arc<Fact> {
    let key = || String::from_utf8_lossy(message.key().unwrap_or_default()).into_owned();
    Arc::new(read(topic, message).unwrap_or_else(|why| Fact {
        id: place(message),
        source: "kafka",
        kind: UNREADABLE.to_owned(),
        topic,
        key: key(),
        time_us: message.timestamp().to_millis().unwrap_or_default().saturating_mul(1_000),
        traceparent: None,
        payload: shown(&why, message.payload().unwrap_or_default()),
        memo: Memo::default(),
    }))
}

fn read(topic: Topic, message: &BorrowedMessage<'_>) -> Result<Fact, String> {
    let key = message.key().ok_or("it has no key")?;
    let payload = message.payload().ok_or("it has no value")?;
    let id = attribute(message, "ce_id")?.ok_or("it has no header ce_id")?;
    let source = attribute(message, "ce_source")?.ok_or("it has no header ce_source")?;
    let time = attribute(message, "ce_time")?.ok_or("it has no header ce_time")?;
    Ok(Fact {
        id: FactId(Uuid::try_parse(id).map_err(|_| format!("its ce_id {id:?} is no UUID"))?),
        source: known_source(source).ok_or("there are too many different sources")?,
        kind: attribute(message, "ce_type")?.ok_or("it has no header ce_type")?.to_owned(),
        topic,
        key: text(key).ok_or("its key is no text")?.to_owned(),
        time_us: time_us(time).ok_or_else(|| format!("its ce_time {time:?} is no time"))?,
        traceparent: attribute(message, "traceparent")?.map(str::to_owned),
        payload: text(payload).ok_or("its value is no text")?.to_owned(),
        memo: Memo::default(),
    })
}

/// RFC 3339, or microseconds since 1970 UTC as change data capture has them.
fn time_us(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().or_else(|| text.parse::<Timestamp>().ok().map(Timestamp::as_microsecond))
}

fn attribute<'a>(message: &'a BorrowedMessage<'_>, name: &str) -> Result<Option<&'a str>, String> {
    let Some(headers) = message.headers() else { return Ok(None) };
    let found = headers.iter().find(|header| header.key == name).and_then(|header| header.value);
    found.map(|value| text(value).ok_or_else(|| format!("its header {name} is no text"))).transpose()
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// The same id whenever the record is read: its place.
fn place(message: &BorrowedMessage<'_>) -> FactId {
    let mut high = [0; 8];
    for (slot, byte) in high.iter_mut().zip(message.topic().bytes()) {
        *slot = byte;
    }
    let [p0, p1, p2, p3] = message.partition().to_be_bytes();
    let [.., o1, o2, o3, o4] = message.offset().to_be_bytes();
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&high);
    bytes[8..].copy_from_slice(&[p0, p1, p2, p3, o1, o2, o3, o4]);
    FactId(Uuid::from_bytes(bytes))
}

/// Why a record cannot be read, and what it has, as JSON.
fn shown(why: &str, payload: &[u8]) -> String {
    let kept = &payload[..payload.len().min(MAX_UNREADABLE_BYTES)];
    let value = String::from_utf8_lossy(kept);
    serde_json::json!({ "unreadable": why, "bytes": payload.len(), "value": value }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_microseconds() {
        for us in [0, 1, 1_795_370_400_000_001, -1] {
            assert_eq!(time_us(&time(us)), Some(us));
        }
        assert_eq!(time(1_795_370_400_123_456), "2026-11-22T18:00:00.123456Z");
        assert_eq!(time_us("1795370400000001"), Some(1_795_370_400_000_001));
        assert_eq!(time_us("yesterday"), None);
    }

    #[test]
    fn what_is_shown_of_an_unreadable_record_is_bounded() {
        let long = vec![b'x'; MAX_UNREADABLE_BYTES * 2];
        let told = shown("it has no key", &long);
        assert!(told.len() < MAX_UNREADABLE_BYTES + 200 && told.contains("it has no key"));
    }
}
