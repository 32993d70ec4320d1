//! The pages and the REST surface at one address, as `boxoffice up` has them.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use anyhow::Context as _;
use axum::{body::Bytes, response::Response};
use gateway::{Gateway, Peer};
use http::{Method, Request, StatusCode, header::ACCEPT};
use http_body_util::Empty;
use hyper::body::Body;
use kit::{Environment, Runtime};
use tower::Service;
use web::{PublicUrl, SessionKey, Web};

use crate::{
    config::Config,
    serve::{Status, keys, upstreams},
};

/// The pages, and the REST surface beside them. Copies share both.
#[derive(Clone)]
pub struct Site {
    /// The pages.
    pub web: Web,
    /// The REST surface.
    pub gateway: Gateway,
}

impl Site {
    /// The same site, for a client of whom more is known than its requests say.
    #[must_use]
    pub fn for_peer(&self, peer: Peer) -> Self {
        Self { web: self.web.clone(), gateway: self.gateway.for_peer(peer) }
    }
}

/// What the pages may be chosen to be.
///
/// # Errors
/// When a setting is wrong; the error names it.
pub fn options(config: &Config, session_key: &[u8]) -> anyhow::Result<web::Options> {
    let key = SessionKey::from_bytes(session_key)
        .with_context(|| format!("the key of sessions must have {} bytes", web::SESSION_KEY_BYTES))?;
    let public_url = config.public_url.as_deref().map(PublicUrl::parse).transpose();
    let public_url = public_url.context("BOXOFFICE_PUBLIC_URL")?;
    Ok(web::Options { public_url, ..web::Options::new(key) })
}

/// The pages as a process of their own, with the way to each service.
///
/// # Errors
/// When a setting is missing or wrong; the error names it.
pub fn alone(
    config: &Config,
    environment: &Environment,
    runtime: &Runtime,
    status: &Status,
) -> anyhow::Result<Web> {
    let options = options(config, &keys::session_key(config)?)?;
    Ok(Web::new(&upstreams(config, runtime, status)?, environment.clone(), options))
}

/// Whether a browser asks for a page.
fn wants_page<B>(request: &Request<B>) -> bool {
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    *request.method() == Method::GET && accept.is_some_and(|accept| accept.contains("text/html"))
}

impl<B> Service<Request<B>> for Site
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if Web::has(request.uri().path()) {
            return self.web.call(request);
        }
        if !wants_page(&request) {
            return self.gateway.call(request);
        }
        // What nobody has is told to a browser by a page.
        let (mut web, mut again) = (self.web.clone(), Request::new(Empty::<Bytes>::new()));
        again.uri_mut().clone_from(request.uri());
        again.headers_mut().clone_from(request.headers());
        let answered = self.gateway.call(request);
        Box::pin(async move {
            let response = answered.await?;
            if response.status() == StatusCode::NOT_FOUND { web.call(again).await } else { Ok(response) }
        })
    }
}
