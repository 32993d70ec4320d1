//! The answer of a service as an HTTP answer.

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, RETRY_AFTER},
};
use kit::request::IDEMPOTENCY_REPLAYED;
use proto::HTTP_STATUS_HEADER;

use crate::{
    problem::Problem,
    routes::Route,
    schema::{Schema, Shape},
    wire::{Fields, Malformed, Raw},
    write_json,
};

/// The metadata of an answer that clients may see.
const PASSED_ON: [HeaderName; 7] = [
    ETAG,
    HeaderName::from_static(IDEMPOTENCY_REPLAYED),
    LOCATION,
    CONTENT_DISPOSITION,
    CACHE_CONTROL,
    HeaderName::from_static("preference-applied"),
    RETRY_AFTER,
];
/// The media type of a file that names none.
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A file: the parts of `google.api.HttpBody`.
struct File<'m> {
    content_type: &'m [u8],
    data: &'m [u8],
}

/// Turns the answer of a service into ours.
pub(crate) fn success(
    schema: &Schema,
    route: &Route,
    asked: (&Method, &HeaderMap),
    answer: tonic::Response<Bytes>,
) -> Result<Response, Problem> {
    let (metadata, message, _) = answer.into_parts();
    let metadata = metadata.into_headers();
    let broken = |error: Malformed| Problem::internal(&error);
    let mut response = match file(schema, route, &message).map_err(broken)? {
        Some(file) => {
            let mut response = Response::new(Body::from(message.slice_ref(file.data)));
            let media_type =
                HeaderValue::from_bytes(file.content_type).ok().filter(|value| !value.is_empty());
            response.headers_mut().insert(CONTENT_TYPE, media_type.unwrap_or(OCTETS));
            response
        }
        None if route.output_is_empty => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
        None => {
            // JSON with its keys is about twice as long as the wire form.
            let mut json = Vec::with_capacity(message.len() * 2 + 64);
            match route.response_body {
                Some(index) => write_json::write_field(schema, route.output, index, &message, &mut json),
                None => write_json::write(schema, route.output, &message, &mut json),
            }
            .map_err(broken)?;
            let mut response = Response::new(Body::from(json));
            response.headers_mut().insert(CONTENT_TYPE, JSON);
            response
        }
    };
    if let Some(status) = status(&metadata) {
        *response.status_mut() = status;
    }
    for name in PASSED_ON {
        for value in metadata.get_all(&name) {
            response.headers_mut().append(&name, value.clone());
        }
    }
    if is_unchanged(asked, &response) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    if matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        response.headers_mut().remove(CONTENT_TYPE);
        *response.body_mut() = Body::empty();
    }
    Ok(response)
}

/// A service may choose among the good ones; errors come as a gRPC status.
fn status(metadata: &HeaderMap) -> Option<StatusCode> {
    let status = metadata.get(HTTP_STATUS_HEADER)?.to_str().ok()?.parse().ok()?;
    StatusCode::from_u16(status).ok().filter(|status| status.is_success() || status.is_redirection())
}

/// `If-None-Match` compares weakly (RFC 9110, section 13.1.2).
fn is_unchanged((method, headers): (&Method, &HeaderMap), response: &Response) -> bool {
    let reads = matches!(*method, Method::GET | Method::HEAD) && response.status() == StatusCode::OK;
    let Some(etag) = response.headers().get(ETAG).and_then(|value| value.to_str().ok()).filter(|_| reads)
    else {
        return false;
    };
    let known = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    known.flat_map(|value| value.split(',')).any(|tag| tag.trim() == "*" || bare(tag) == bare(etag))
}

/// An ETag without the mark of a weak one.
fn bare(tag: &str) -> &str {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag)
}

fn file<'m>(schema: &Schema, route: &Route, message: &'m [u8]) -> Result<Option<File<'m>>, Malformed> {
    if matches!(schema.message(route.output).shape, Shape::HttpBody) {
        return read_file(message).map(Some);
    }
    let Some(index) = route.file else {
        return Ok(None);
    };
    let number = schema.message(route.output).fields[index].number;
    for field in Fields::of(message) {
        if let (found, Raw::Bytes(bytes)) = field?
            && found == number
        {
            return read_file(bytes).map(Some);
        }
    }
    Ok(None)
}

fn read_file(message: &[u8]) -> Result<File<'_>, Malformed> {
    let mut file = File { content_type: b"", data: b"" };
    for field in Fields::of(message) {
        match field? {
            (1, Raw::Bytes(bytes)) => file.content_type = bytes,
            (2, Raw::Bytes(bytes)) => file.data = bytes,
            _ => {}
        }
    }
    Ok(file)
}
