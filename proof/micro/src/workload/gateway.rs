//! A request through the gateway alone: the service behind it is an answer that was made before.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use kit::{Guard, Metrics, Observer, Transport, identity::Signer};
use prost::Message;
use tonic::body::Body;
use tower::Service;

use super::Round;
use crate::world::{self, rest::Rest};

/// How a gRPC message is preceded: not compressed, and its length.
const FRAME_BYTES: usize = 5;

pub fn start() -> anyhow::Result<Round> {
    let environment = world::environment();
    let signer = Signer::from_pkcs8(&Signer::generate()?)?;
    let guard = Guard::new(signer.verifier(), environment.clone());
    let answering = Answering { framed: framed(&world::message()?.encode_to_vec()) };
    let observer = Observer::new(&Metrics::new(), environment.clone());
    let tickets = Transport::local(observer.watch(guard.protect(answering)));
    let mut rest = Rest::new(tickets, guard, &signer, environment)?;
    Ok(Box::new(move || rest.book(1)))
}

fn framed(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(FRAME_BYTES + message.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(message);
    framed.freeze()
}

/// Answers every call with the same message.
#[derive(Clone)]
struct Answering {
    framed: Bytes,
}

impl Service<Request<Body>> for Answering {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let body = Full::new(self.framed.clone()).with_trailers(ready(Some(Ok::<_, Infallible>(trailers))));
        let mut response = Response::new(Body::new(body.map_err(|never| match never {})));
        let headers = response.headers_mut();
        headers.insert("content-type", HeaderValue::from_static("application/grpc"));
        headers.insert(proto::HTTP_STATUS_HEADER, HeaderValue::from_static("201"));
        ready(Ok(response))
    }
}
