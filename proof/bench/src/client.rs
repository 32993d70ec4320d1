//! A keep-alive HTTP/1.1 connection, with as little between the socket and the caller as possible.

use anyhow::Context;
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, StatusCode, Uri,
    body::Bytes,
    client::conn::http1::{self, SendRequest},
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::target::Target;

/// `Prefer`, which says how long an answer may wait for its decision.
pub const PREFER: HeaderName = HeaderName::from_static("prefer");

/// An answer.
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its body.
    pub body: Bytes,
}

/// What is sent; everything in it is cheap to clone.
#[derive(Debug, Clone)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path with its query.
    pub uri: Uri,
    /// `Bearer` and the access token.
    pub authorization: Option<HeaderValue>,
    /// `Prefer`.
    pub prefer: Option<HeaderValue>,
    /// JSON; empty is none.
    pub body: Bytes,
}

impl Call {
    /// A call without a body.
    ///
    /// # Errors
    /// When the path is none.
    pub fn get(path: &str) -> anyhow::Result<Self> {
        let uri = path.parse().with_context(|| format!("{path} is not a path"))?;
        Ok(Self { method: Method::GET, uri, authorization: None, prefer: None, body: Bytes::new() })
    }

    /// A call with JSON.
    ///
    /// # Errors
    /// When the path is none.
    pub fn post(path: &str, body: &Value) -> anyhow::Result<Self> {
        Ok(Self { method: Method::POST, body: Bytes::from(body.to_string()), ..Self::get(path)? })
    }

    /// The same, as somebody.
    #[must_use]
    pub fn by(mut self, authorization: HeaderValue) -> Self {
        self.authorization = Some(authorization);
        self
    }
}

/// One connection, made again when the server has closed it.
pub struct Connection {
    target: Target,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// A connection that is made with the first call.
    #[must_use]
    pub fn to(target: &Target) -> Self {
        Self { target: target.clone(), sender: None }
    }

    /// Connects, unless it is connected.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn open(&mut self) -> anyhow::Result<()> {
        if self.sender.as_ref().is_some_and(|sender| !sender.is_closed()) {
            return Ok(());
        }
        let stream = TcpStream::connect(self.target.address)
            .await
            .with_context(|| format!("nobody listens at {}", self.target))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Its errors are those of the calls.
        tokio::spawn(async move { drop(connection.await) });
        self.sender = Some(sender);
        Ok(())
    }

    /// Sends a call and reads the whole answer.
    ///
    /// # Errors
    /// When there is no answer: it is not known then whether the call was carried out.
    pub async fn call(&mut self, call: &Call) -> anyhow::Result<Answer> {
        self.open().await?;
        let sender = self.sender.as_mut().context("not connected")?;
        let answered = exchange(sender, request(&self.target, call)).await;
        if answered.is_err() {
            self.sender = None;
        }
        answered
    }

    /// As [`Connection::call`], for an answer that must be a success, as JSON.
    ///
    /// # Errors
    /// When there is no answer or another one.
    pub async fn json(&mut self, call: &Call) -> anyhow::Result<Value> {
        let answer = self.call(call).await?;
        let text = String::from_utf8_lossy(&answer.body);
        anyhow::ensure!(
            answer.status.is_success(),
            "{} {} was answered {}: {text}",
            call.method,
            call.uri,
            answer.status
        );
        serde_json::from_slice(&answer.body).with_context(|| format!("{} answered no JSON", call.uri))
    }
}

async fn exchange(
    sender: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<Answer> {
    sender.ready().await?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    Ok(Answer { status, body })
}

fn request(target: &Target, call: &Call) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(call.body.clone()));
    *request.method_mut() = call.method.clone();
    *request.uri_mut() = call.uri.clone();
    let headers = request.headers_mut();
    headers.insert(HOST, target.host.clone());
    if !call.body.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(authorization) = &call.authorization {
        headers.insert(AUTHORIZATION, authorization.clone());
    }
    if let Some(prefer) = &call.prefer {
        headers.insert(PREFER, prefer.clone());
    }
    request
}
