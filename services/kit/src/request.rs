//! What a request carries beside its message: metadata that the gateway took from HTTP headers.

use std::time::Duration;

use domain::Refusal;
use tonic::metadata::MetadataMap;

/// The longest idempotency key, in bytes.
pub const MAX_IDEMPOTENCY_KEY_BYTES: usize = 255;
/// The longest wait that `Prefer: wait` is granted.
pub const MAX_WAIT: Duration = Duration::from_secs(30);
/// Metadata: the client's idempotency key.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Metadata: how long the client would wait for a decision, in milliseconds.
pub const PREFER_WAIT_MS: &str = "prefer-wait-ms";
/// Metadata: the version that the client expects, from `If-Match`.
pub const IF_MATCH: &str = "if-match";
/// Metadata: an event is looked up by another part of the platform, which is no visit by a person. The gateway never
/// passes it on.
pub const LOOK_UP: &str = "look-up";
/// Metadata: W3C trace context.
pub const TRACEPARENT: &str = "traceparent";
/// Metadata of a response: the answer is the first one again.
pub const IDEMPOTENCY_REPLAYED: &str = "idempotency-replayed";
/// Metadata of a response: the version of the resource.
pub const ETAG: &str = "etag";

/// The client's idempotency key, if it sent one.
///
/// # Errors
/// When it is empty, too long, or not printable ASCII.
pub fn idempotency_key(metadata: &MetadataMap) -> Result<Option<&str>, Refusal> {
    let Some(value) = metadata.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let usable = |key: &&str| !key.is_empty() && key.len() <= MAX_IDEMPOTENCY_KEY_BYTES;
    match value.to_str().ok().filter(usable) {
        Some(key) => Ok(Some(key)),
        None => Err(Refusal::field("Idempotency-Key", "must have from 1 to 255 printable ASCII characters")),
    }
}

/// How long the client would wait; none when it did not say.
#[must_use]
pub fn prefer_wait(metadata: &MetadataMap) -> Option<Duration> {
    let millis = metadata.get(PREFER_WAIT_MS)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_millis(millis).min(MAX_WAIT))
}

/// The version that the client expects; none when it did not say, or said `*`. An ETag of ours is
/// the version, or the version, a dash and more.
///
/// # Errors
/// When it is not an ETag of ours.
pub fn if_match(metadata: &MetadataMap) -> Result<Option<u64>, Refusal> {
    let Some(value) = metadata.get(IF_MATCH) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    // A gateway that sent the answer compressed has made the tag a weak one; the version is the same.
    let tag = text.strip_prefix("W/").unwrap_or(text);
    let tag = tag.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    // What follows the version changes without the organiser: a sale must not make an edit fail.
    let version = tag.and_then(|tag| tag.split('-').next()).and_then(|version| version.parse().ok());
    version.map(Some).ok_or_else(|| {
        Refusal::field("If-Match", "must be an ETag as a GET of the same thing gave it, such as \"3\"")
    })
}

/// W3C trace context, if it is well formed.
#[must_use]
pub fn traceparent(metadata: &MetadataMap) -> Option<String> {
    let text = metadata.get(TRACEPARENT)?.to_str().ok()?;
    let well_formed = text.len() == 55 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    well_formed.then(|| text.to_owned())
}
