//! gRPC over HTTP/2 without generated code: frames, and what a call's end says.

use axum::body::Body;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::{
    HeaderMap, HeaderValue, Method, Request, Version,
    header::{CONTENT_TYPE, TE},
};
use http_body_util::BodyExt;
use tonic::Status;

use crate::limits::MAX_GRPC_MESSAGE_BYTES;

/// What stands before a message: whether it is compressed, and its length.
const FRAME_HEAD_BYTES: usize = 5;

/// A message in its frame.
pub(crate) fn frame(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(FRAME_HEAD_BYTES + message.len());
    framed.put_u8(0);
    // Messages are bounded far below what the length can say.
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(message);
    framed.freeze()
}

/// The head of a call.
///
/// # Errors
/// When authority or path can be no part of a URI.
pub(crate) fn head(
    authority: &str,
    path: &str,
    mut headers: HeaderMap,
) -> Result<http::request::Parts, String> {
    let uri = http::Uri::builder().scheme("http").authority(authority).path_and_query(path).build();
    let uri = uri.map_err(|error| error.to_string())?;
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(TE, HeaderValue::from_static("trailers"));
    let (mut head, ()) = Request::new(()).into_parts();
    (head.method, head.uri, head.version, head.headers) = (Method::POST, uri, Version::HTTP_2, headers);
    Ok(head)
}

/// A call with one message.
///
/// # Errors
/// As [`head`].
pub(crate) fn request(
    authority: &str,
    path: &str,
    message: &[u8],
    headers: HeaderMap,
) -> Result<Request<Body>, String> {
    Ok(Request::from_parts(head(authority, path, headers)?, Body::from(frame(message))))
}

/// Whether a media type is that of gRPC, and not of gRPC-Web.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let rest = media_type.strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

/// The messages of an answer as they come, and then its status.
pub(crate) struct Messages {
    body: Body,
    buffer: BytesMut,
    trailers: Option<HeaderMap>,
}

impl Messages {
    /// Of an answer's body.
    pub fn of(body: Body) -> Self {
        Self { body, buffer: BytesMut::new(), trailers: None }
    }

    /// The next message; none at the end of a call that succeeded.
    ///
    /// # Errors
    /// What the call ended with, or that it broke off.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Status> {
        loop {
            if let Some(message) = self.framed()? {
                return Ok(Some(message));
            }
            match self.body.frame().await {
                Some(Ok(part)) => match part.into_data() {
                    Ok(data) => self.buffer.extend_from_slice(&data),
                    Err(part) => self.trailers = part.into_trailers().ok(),
                },
                Some(Err(error)) => {
                    return Err(Status::unavailable(format!("the answer broke off: {error}")));
                }
                None => return self.end(),
            }
        }
    }

    fn framed(&mut self) -> Result<Option<Bytes>, Status> {
        let Some(head) = self.buffer.get(..FRAME_HEAD_BYTES) else { return Ok(None) };
        if head[0] != 0 {
            return Err(Status::internal("the answer is compressed, which was not asked for"));
        }
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        if length > MAX_GRPC_MESSAGE_BYTES {
            return Err(Status::out_of_range(format!(
                "an answer may have {MAX_GRPC_MESSAGE_BYTES} bytes at most"
            )));
        }
        if self.buffer.len() < FRAME_HEAD_BYTES + length {
            return Ok(None);
        }
        self.buffer.advance(FRAME_HEAD_BYTES);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }

    fn end(&self) -> Result<Option<Bytes>, Status> {
        if !self.buffer.is_empty() {
            return Err(Status::unavailable("the answer broke off"));
        }
        match self.trailers.as_ref().and_then(Status::from_header_map) {
            Some(status) if status.code() == tonic::Code::Ok => Ok(None),
            Some(status) => Err(status),
            None => Err(Status::unknown("the answer ended without a status")),
        }
    }
}

/// The one message of an answer.
///
/// # Errors
/// What the call ended with, or that there was not one message.
pub(crate) async fn single(body: Body) -> Result<Bytes, Status> {
    let mut messages = Messages::of(body);
    let message = messages.next().await?.ok_or_else(|| Status::internal("the answer has no message"))?;
    match messages.next().await? {
        None => Ok(message),
        Some(_) => Err(Status::internal("the answer has more than one message")),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body::Frame;
    use http_body_util::StreamBody;

    use super::*;

    fn body(parts: Vec<&'static [u8]>, status: Option<&'static str>) -> Body {
        let data = parts.into_iter().map(|part| Frame::data(Bytes::from_static(part)));
        let trailers = status.map(|status| {
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_static(status));
            Frame::trailers(trailers)
        });
        let frames: Vec<_> = data.chain(trailers).map(Ok::<_, Infallible>).collect();
        Body::new(StreamBody::new(stream::iter(frames)))
    }

    #[tokio::test]
    async fn messages_are_put_together_from_whatever_parts_come() {
        let parts: Vec<&[u8]> = vec![b"\0\0\0", b"\0\x02a", b"b\0\0\0\0\0\0\0\0\0\x01", b"c"];
        let mut messages = Messages::of(body(parts, Some("0")));
        for expected in ["ab", "", "c"] {
            assert_eq!(messages.next().await.unwrap().unwrap(), expected);
        }
        assert!(messages.next().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn an_answer_that_is_not_whole_is_an_error() {
        assert_eq!(
            single(body(vec![b"\0\0\0\0\x02a"], Some("0"))).await.unwrap_err().code(),
            tonic::Code::Unavailable
        );
        assert_eq!(
            single(body(vec![b"\0\0\0\0\x01a"], None)).await.unwrap_err().code(),
            tonic::Code::Unknown
        );
        assert_eq!(
            single(body(vec![b"\0\0\0\0\x01a"], Some("5"))).await.unwrap_err().code(),
            tonic::Code::NotFound
        );
        let long = single(body(vec![b"\0\xff\xff\xff\xff"], Some("0"))).await.unwrap_err();
        assert_eq!(long.code(), tonic::Code::OutOfRange);
    }

    #[test]
    fn media_types() {
        let of = |text| HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(text))]);
        assert!(is_grpc(&of("application/grpc")) && is_grpc(&of("application/grpc+proto")));
        assert!(!is_grpc(&of("application/grpc-web")) && !is_grpc(&of("application/json")));
    }
}
