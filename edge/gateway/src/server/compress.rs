//! Answers that are made shorter for clients who can read that: texts of a length that is known and worth it. Streams,
//! files that are compressed already, and what is too long to be held go out as they are.

use std::{
    io::{self, Write},
    sync::Arc,
};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use futures_util::stream;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{
        ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
        CONTENT_TYPE, ETAG, VARY,
    },
};
use http_body::Body as _;
use http_body_util::BodyExt;
use tokio::sync::Semaphore;

/// Shorter bodies, in bytes, fit into one packet as they are.
const MIN_BYTES: u64 = 1_024;
/// The longest body that is compressed, in bytes: it is held whole, and no other request of its thread goes on meanwhile.
const MAX_BYTES: u64 = 256 * 1024;
/// So many bodies are gathered at a time; further ones go out as they are.
const AT_ONCE: usize = 256;
/// A little better than the fastest; beyond it, time grows faster than bodies shrink.
const GZIP_LEVEL: u32 = 4;
const BROTLI_LEVEL: i32 = 4;
/// The window of brotli, in bits: as long as the longest body.
const BROTLI_WINDOW_BITS: i32 = 18;

const _: () = assert!(1_u64 << BROTLI_WINDOW_BITS >= MAX_BYTES);

/// A coding of RFC 9110, 8.4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Brotli,
}

/// Compresses answers, as many at a time as there is memory for.
#[derive(Debug, Clone)]
pub(super) struct Compressor(Arc<Semaphore>);

impl Default for Compressor {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Compressor {
    /// The answer for a client who accepts a coding, or none.
    pub async fn answer(&self, accepted: Option<Coding>, mut response: Response) -> Response {
        if !is_worth_it(&response) {
            return response;
        }
        // Also where this one is not compressed: a cache must not give the others' form to everybody.
        response.headers_mut().append(VARY, HeaderValue::from_static("accept-encoding"));
        let place = self.0.try_acquire();
        let (Some(coding), Ok(_place)) = (accepted, place) else { return response };
        let (mut head, body) = response.into_parts();
        let bytes = match body.collect().await {
            Ok(body) => body.to_bytes(),
            // It breaks off for the client too.
            Err(error) => {
                return Response::from_parts(head, Body::from_stream(stream::iter([Err::<Bytes, _>(error)])));
            }
        };
        let Ok(short) = coding.encode(&bytes) else { return Response::from_parts(head, Body::from(bytes)) };
        if short.len() >= bytes.len() {
            return Response::from_parts(head, Body::from(bytes));
        }
        head.headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from(short.len()));
        head.headers.remove(ACCEPT_RANGES);
        weaken(&mut head.headers);
        Response::from_parts(head, Body::from(short))
    }
}

impl Coding {
    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
        }
    }

    fn encode(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut short = Vec::with_capacity(bytes.len() / 4);
        match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(&mut short, Compression::new(GZIP_LEVEL));
                encoder.write_all(bytes)?;
                encoder.finish()?;
            }
            Self::Brotli => {
                let parameters = brotli::enc::BrotliEncoderParams {
                    quality: BROTLI_LEVEL,
                    lgwin: BROTLI_WINDOW_BITS,
                    size_hint: bytes.len(),
                    ..Default::default()
                };
                brotli::BrotliCompress(&mut &*bytes, &mut short, &parameters)?;
            }
        }
        Ok(short)
    }
}

/// What a client would rather have, of what there is (RFC 9110, 12.5.3).
pub(super) fn accepted(headers: &HeaderMap) -> Option<Coding> {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let said: Vec<(&str, f32)> = values.flat_map(|value| value.split(',')).map(weighed).collect();
    let weight = |name: &str| {
        let of = |name: &str| said.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        of(name).or_else(|| of("*")).map_or(0.0, |(_, weight)| *weight)
    };
    let (brotli, gzip) = (weight("br"), weight("gzip"));
    if brotli > 0.0 && brotli >= gzip {
        return Some(Coding::Brotli);
    }
    (gzip > 0.0).then_some(Coding::Gzip)
}

/// A name and how much it is wanted; a weight that cannot be read is none at all.
fn weighed(item: &str) -> (&str, f32) {
    let (name, parameter) = item.split_once(';').unwrap_or((item, "q=1"));
    let weight = parameter.trim().strip_prefix("q=").or_else(|| parameter.trim().strip_prefix("Q="));
    (name.trim(), weight.and_then(|weight| weight.trim().parse().ok()).unwrap_or(0.0))
}

fn is_worth_it(response: &Response) -> bool {
    let headers = response.headers();
    let length = response.body().size_hint().exact();
    length.is_some_and(|length| (MIN_BYTES..=MAX_BYTES).contains(&length))
        && response.status() != StatusCode::PARTIAL_CONTENT
        && ![CONTENT_ENCODING, CONTENT_RANGE].iter().any(|name| headers.contains_key(name))
        && is_text(headers.get(CONTENT_TYPE))
        && !says_no_transform(headers)
}

/// Whether a media type is of something that becomes shorter, and is whole at some time.
fn is_text(media_type: Option<&HeaderValue>) -> bool {
    let Some(media_type) = media_type.and_then(|value| value.to_str().ok()) else { return false };
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.split_once('/') {
        Some(("text", kind)) => kind != "event-stream",
        Some(("application", kind)) => {
            matches!(kind, "json" | "javascript" | "xml" | "yaml" | "wasm")
                || kind.ends_with("+json")
                || kind.ends_with("+xml")
        }
        _ => media_type == "image/svg+xml",
    }
}

fn says_no_transform(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|directive| directive.trim().eq_ignore_ascii_case("no-transform"))
}

/// The same tag for other bytes must be a weak one (RFC 9110, 8.8.1).
fn weaken(headers: &mut HeaderMap) {
    let Some(tag) = headers.get(ETAG).filter(|tag| tag.as_bytes().starts_with(b"\"")) else { return };
    if let Ok(weak) = HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat()) {
        headers.insert(ETAG, weak);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn response(media_type: &'static str, body: Body) -> Response {
        let mut response = Response::new(body);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        response
    }

    fn with(mut response: Response, name: http::HeaderName, value: &'static str) -> Response {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
        response
    }

    fn text() -> String {
        "Village Brass, ".repeat(200)
    }

    fn of(accept_encoding: &str) -> Option<Coding> {
        let value = HeaderValue::from_str(accept_encoding).unwrap();
        accepted(&HeaderMap::from_iter([(ACCEPT_ENCODING, value)]))
    }

    fn read(coding: Coding, bytes: &[u8]) -> String {
        let mut text = String::new();
        match coding {
            Coding::Gzip => flate2::read::GzDecoder::new(bytes).read_to_string(&mut text),
            Coding::Brotli => brotli::Decompressor::new(bytes, 4_096).read_to_string(&mut text),
        }
        .unwrap();
        text
    }

    #[test]
    fn the_client_says_what_it_can_read() {
        for (said, expected) in [
            ("gzip, deflate, br, zstd", Some(Coding::Brotli)),
            ("gzip;q=1.0, br;q=0.5", Some(Coding::Gzip)),
            ("GZIP", Some(Coding::Gzip)),
            ("*", Some(Coding::Brotli)),
            ("br;q=0, *", Some(Coding::Gzip)),
            ("identity", None),
            ("gzip;q=0", None),
            ("*;q=0", None),
            ("br;q=lots", None),
            ("", None),
        ] {
            assert_eq!(of(said), expected, "{said}");
        }
        assert_eq!(accepted(&HeaderMap::new()), None);
    }

    #[tokio::test]
    async fn texts_become_shorter_and_stay_the_same() {
        for coding in [Coding::Gzip, Coding::Brotli] {
            let plain = with(response("application/json", Body::from(text())), ETAG, "\"3\"");
            let answer = Compressor::default().answer(Some(coding), plain).await;
            let headers = answer.headers().clone();
            assert_eq!(headers[CONTENT_ENCODING], coding.name());
            assert_eq!(headers[ETAG], "W/\"3\"");
            assert_eq!(headers[VARY], "accept-encoding");
            let bytes = answer.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(headers[CONTENT_LENGTH], bytes.len().to_string());
            assert!(bytes.len() < 200, "{}", bytes.len());
            assert_eq!(read(coding, &bytes), text());
        }
    }

    #[tokio::test]
    async fn who_accepts_none_gets_it_as_it_is_and_caches_are_told() {
        let answer = Compressor::default()
            .answer(None, response("text/html; charset=utf-8", Body::from(text())))
            .await;
        assert_eq!(answer.headers()[VARY], "accept-encoding");
        assert!(!answer.headers().contains_key(CONTENT_ENCODING));
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), text());
    }

    #[tokio::test]
    async fn what_is_short_or_long_or_a_stream_or_no_text_goes_out_as_it_is() {
        let parts = stream::iter([Ok::<_, std::convert::Infallible>(text())]);
        let long = "x".repeat(usize::try_from(MAX_BYTES).unwrap() + 1);
        let json = || response("application/json", Body::from(text()));
        let mut partial = json();
        *partial.status_mut() = StatusCode::PARTIAL_CONTENT;
        let cases = [
            ("short", response("application/json", Body::from("{}"))),
            ("long", response("application/json", Body::from(long))),
            ("a stream", response("application/json", Body::from_stream(parts))),
            ("events", response("text/event-stream", Body::from(text()))),
            ("lines", response("application/x-ndjson", Body::from(text()))),
            ("gRPC", response("application/grpc", Body::from(text()))),
            ("an image", response("image/png", Body::from(text()))),
            ("compressed", with(json(), CONTENT_ENCODING, "br")),
            ("a range", with(json(), CONTENT_RANGE, "bytes 0-1/2")),
            ("not to be changed", with(json(), CACHE_CONTROL, "public, no-transform")),
            ("partial", partial),
            ("without a type", Response::new(Body::from(text()))),
        ];
        for (name, plain) in cases {
            let before = plain.headers().clone();
            let answer = Compressor::default().answer(Some(Coding::Gzip), plain).await;
            assert_eq!(*answer.headers(), before, "{name}");
        }
    }

    #[tokio::test]
    async fn who_finds_no_place_is_answered_as_it_is() {
        let compressor = Compressor::default();
        let _all = compressor.0.acquire_many(u32::try_from(AT_ONCE).unwrap()).await.unwrap();
        let answer = compressor.answer(Some(Coding::Gzip), response("text/plain", Body::from(text()))).await;
        assert!(!answer.headers().contains_key(CONTENT_ENCODING));
    }
}
