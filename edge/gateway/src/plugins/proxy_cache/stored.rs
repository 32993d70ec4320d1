//! An answer that is kept.

use std::{sync::Arc, time::Duration};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode, header};
use quick_cache::Weighter;

/// What belongs to one connection or one request and is not kept.
const NOT_KEPT: [HeaderName; 7] = [
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::TRAILER,
    header::DATE,
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("traceparent"),
];

/// An answer that is kept.
pub(super) struct Stored {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    /// When it came, in microseconds since 1970 UTC.
    pub since_us: i64,
    /// Until when it is good.
    pub until_us: i64,
}

impl Stored {
    /// Keeps an answer.
    pub fn of(answer: &Response, body: Bytes, now_us: i64, ttl: Duration) -> Self {
        let mut headers = answer.headers().clone();
        for name in NOT_KEPT {
            headers.remove(name);
        }
        let ttl_us = i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX);
        let until_us = now_us.saturating_add(ttl_us);
        Self { status: answer.status(), headers, body, since_us: now_us, until_us }
    }

    /// The answer once more.
    pub fn answer(&self) -> Response {
        let mut answer = Response::new(Body::from(self.body.clone()));
        *answer.status_mut() = self.status;
        *answer.headers_mut() = self.headers.clone();
        answer
    }
}

/// An answer weighs what it takes.
#[derive(Clone)]
pub(super) struct BySize;

impl Weighter<String, Arc<Stored>> for BySize {
    fn weight(&self, key: &String, stored: &Arc<Stored>) -> u64 {
        let headers: usize =
            stored.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 64).sum();
        (key.len() + stored.body.len() + headers) as u64
    }
}
