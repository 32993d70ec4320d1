//! gRPC-Web (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md>): gRPC for browsers, with the trailers as
//! a last frame of the body, and as base64 where the client cannot read bytes.

use std::convert::Infallible;

use axum::{body::Body, response::Response};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use http_body::Frame;
use http_body_util::{BodyExt, Limited};
use tonic::Status;

use crate::{limits::MAX_GRPC_MESSAGE_BYTES, problem::Problem};

/// Marks the frame of the trailers.
const TRAILERS: u8 = 0x80;
const MEDIA_TYPE: &[u8] = b"application/grpc-web";
const TEXT: &[u8] = b"application/grpc-web-text";

/// Whether the body is in base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Bytes,
    Base64,
}

/// How a request speaks gRPC-Web, if it does.
pub(super) fn form(headers: &HeaderMap) -> Option<Form> {
    let media_type = headers.get(CONTENT_TYPE)?.as_bytes();
    if media_type.starts_with(TEXT) {
        Some(Form::Base64)
    } else {
        media_type.starts_with(MEDIA_TYPE).then_some(Form::Bytes)
    }
}

/// Whether a request speaks gRPC-Web.
pub(super) fn is_web(headers: &HeaderMap) -> bool {
    form(headers).is_some()
}

/// The body for an upstream that speaks gRPC.
pub(super) async fn request_body(form: Form, body: Body) -> Result<Body, Problem> {
    if form == Form::Bytes {
        return Ok(body);
    }
    // Text may have been padded anywhere, so it is read whole; clients send one message.
    let collected = Limited::new(body, MAX_GRPC_MESSAGE_BYTES).collect().await;
    let text = collected.map_err(|_| Problem::body_too_large())?.to_bytes();
    let mut decoded = Vec::with_capacity(text.len() / 4 * 3);
    for chunk in text.split_inclusive(|byte| *byte == b'=').flat_map(joined_padding) {
        let bytes =
            BASE64_STANDARD.decode(chunk).map_err(|_| Problem::bad_input("the body is not in base64"))?;
        decoded.extend_from_slice(&bytes);
    }
    Ok(Body::from(decoded))
}

/// `==` is one padding.
fn joined_padding(chunk: &[u8]) -> Option<Vec<u8>> {
    match chunk {
        b"=" | b"" => None,
        chunk => {
            let mut whole = chunk.to_vec();
            while whole.len() % 4 != 0 {
                whole.push(b'=');
            }
            Some(whole)
        }
    }
}

/// The answer of an upstream that speaks gRPC, for the client.
pub(super) fn response(form: Form, answer: Response) -> Response {
    let (mut head, body) = answer.into_parts();
    let media_type = if form == Form::Base64 { TEXT } else { MEDIA_TYPE };
    if let Ok(media_type) = HeaderValue::from_bytes(&[media_type, b"+proto"].concat()) {
        head.headers.insert(CONTENT_TYPE, media_type);
    }
    let frames = stream::unfold(Some(body), |body| async move {
        let mut body = body?;
        match body.frame().await? {
            Ok(frame) => Some((Ok(bytes_of(frame)), Some(body))),
            Err(error) => Some((Err(error), None)),
        }
    });
    let frames = frames.map(move |bytes| bytes.map(|bytes| encoded(form, bytes)));
    Response::from_parts(head, Body::from_stream(frames))
}

fn encoded(form: Form, bytes: Bytes) -> Bytes {
    match form {
        Form::Bytes => bytes,
        Form::Base64 => Bytes::from(BASE64_STANDARD.encode(&bytes)),
    }
}

fn bytes_of(frame: Frame<Bytes>) -> Bytes {
    match frame.into_data() {
        Ok(data) => data,
        Err(frame) => frame.into_trailers().map(|trailers| trailer_frame(&trailers)).unwrap_or_default(),
    }
}

fn trailer_frame(trailers: &HeaderMap) -> Bytes {
    let mut lines = Vec::new();
    for (name, value) in trailers {
        lines.extend_from_slice(name.as_str().as_bytes());
        lines.push(b':');
        lines.extend_from_slice(value.as_bytes());
        lines.extend_from_slice(b"\r\n");
    }
    let mut frame = BytesMut::with_capacity(lines.len() + 5);
    frame.put_u8(TRAILERS);
    frame.put_u32(u32::try_from(lines.len()).unwrap_or(u32::MAX));
    frame.put_slice(&lines);
    frame.freeze()
}

/// What is said in our own name.
pub(super) fn status_response(status: &Status) -> Response {
    let mut headers = HeaderMap::new();
    let _ = status.add_header(&mut headers);
    let mut response =
        Response::new(Body::from_stream(stream::iter([Ok::<_, Infallible>(trailer_frame(&headers))])));
    let media_type = HeaderValue::from_static("application/grpc-web+proto");
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response.headers_mut().extend(headers);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn text_may_be_padded_anywhere() {
        let mut text = BASE64_STANDARD.encode(b"\0\0\0\0\x01");
        text.push_str(&BASE64_STANDARD.encode(b"a"));
        let body = request_body(Form::Base64, Body::from(text)).await.unwrap();
        assert_eq!(body.collect().await.unwrap().to_bytes(), "\0\0\0\0\u{1}a");
        assert!(request_body(Form::Base64, Body::from("a$b=")).await.is_err());
    }
}
