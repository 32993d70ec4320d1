//! The way of one request on a configured route: plugins, the upstream, plugins, the client.

mod body;
mod call;
mod hash;
mod headers;
mod path;
mod upgrade;
mod web;

use std::{net::IpAddr, sync::Arc};

use axum::{body::Body, extract::Request, response::Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header::HOST};
use hyper::upgrade::OnUpgrade;
use kit::Environment;
use kong::Config;

use crate::{
    grpc,
    limits::MAX_URI_BYTES,
    plugin::{self, Exchange, Flow, Outcome},
    problem::Problem,
    router::{Asked, normalize, split_host},
    snapshot::{Plan, Snapshot},
    trace::Trace,
};

pub(crate) use body::ClientFailure;
pub use call::RpcStatus;

/// What is known of a client beside its request.
#[derive(Debug, Clone, Default)]
pub struct Peer {
    /// Its address; none for calls within the process.
    pub address: Option<IpAddr>,
    /// The name that it asked for by TLS.
    pub sni: Option<Arc<str>>,
    /// Whether it speaks TLS.
    pub is_secure: bool,
}

impl Peer {
    /// `http` or `https`.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.is_secure { "https" } else { "http" }
    }
}

/// What a request is matched with.
pub(crate) struct Matched {
    pub plan: Arc<Plan>,
    /// The path as it was matched.
    pub path: String,
    /// How much of it.
    pub bytes: usize,
    pub captures: Vec<(String, String)>,
    pub needs_tls: bool,
}

/// The configured route of a request; none where Boxoffice itself answers.
pub(crate) fn find(snapshot: &Snapshot, request: &Request, peer: &Peer) -> Option<Matched> {
    let authority = authority(request);
    let authority = authority.to_ascii_lowercase();
    let (host, port) = split_host(&authority);
    let path = normalize(request.uri().path())?;
    let asked = Asked {
        method: request.method(),
        host,
        port,
        path: &path,
        headers: request.headers(),
        is_secure: peer.is_secure,
        is_grpc: grpc::is_grpc(request.headers()),
        sni: peer.sni.as_deref(),
    };
    let found = snapshot.router.find(&asked)?;
    Some(Matched {
        plan: Arc::clone(found.value),
        bytes: found.matched,
        captures: found.captures,
        needs_tls: found.needs_tls,
        path: path.into_owned(),
    })
}

/// The host that a client means.
fn authority(request: &Request) -> &str {
    let header = || request.headers().get(HOST).and_then(|host| host.to_str().ok());
    request.uri().authority().map(http::uri::Authority::as_str).or_else(header).unwrap_or_default()
}

/// What the exchange of a request begins with.
pub(crate) struct Beginning<'b> {
    pub plan: &'b Plan,
    pub config: &'b Arc<Config>,
    pub environment: &'b Environment,
    pub trace: &'b Trace,
    pub peer: &'b Peer,
}

impl Beginning<'_> {
    /// A request as plugins see it.
    pub fn exchange(&self, request: Request) -> (Exchange, http::Extensions) {
        let (head, body) = request.into_parts();
        let exchange = Exchange {
            method: head.method,
            uri: head.uri,
            headers: head.headers,
            body,
            metadata: HeaderMap::new(),
            client: self.peer.address,
            scheme: self.peer.scheme(),
            route: Arc::clone(&self.plan.route),
            service: self.plan.service.clone(),
            consumer: None,
            credential: None,
            claims: None,
            config: Arc::clone(self.config),
            environment: self.environment.clone(),
            request_id: self.trace.request_id.clone(),
            traceparent: self.trace.traceparent(),
            target: None,
            values: http::Extensions::new(),
            way: self.plan.way.clone(),
            transcoder: None,
            upstream_took: None,
        };
        (exchange, head.extensions)
    }
}

/// Answers a request on its route.
pub(crate) async fn answer(matched: &Matched, beginning: &Beginning<'_>, request: Request) -> Response {
    let (plan, trace) = (beginning.plan, beginning.trace);
    let began = tokio::time::Instant::now();
    let asked = Spoken::of(&request);
    if matched.needs_tls {
        return needs_tls(plan, &request);
    }
    let path = request.uri().path().to_owned();
    if request.uri().path_and_query().is_some_and(|target| target.as_str().len() > MAX_URI_BYTES) {
        return asked.refusal(Problem::uri_too_long(), &path, trace);
    }
    // Before anything of it is read, and before tokens are looked at.
    let _place = match plan.places.take().await {
        Ok(place) => place,
        Err(problem) => return asked.refusal(problem, &path, trace),
    };
    let (mut exchange, mut extensions) = beginning.exchange(request);
    headers::strip_claimed(&mut exchange.headers);
    let upgrade = extensions.remove::<OnUpgrade>();
    let mut answer = match plan.chain.access(&mut exchange).await {
        Flow::Answer(answer) => answer,
        Flow::Continue => match call::make(&mut exchange, matched, upgrade).await {
            Ok(answer) => answer,
            Err(problem) => asked.refusal(problem, &path, trace),
        },
    };
    plan.chain.response(&mut exchange, &mut answer).await;
    let outcome =
        Outcome { status: answer.status(), took: began.elapsed(), upstream_took: exchange.upstream_took };
    plan.chain.log(&exchange, &outcome);
    answer
}

/// How the client speaks, for what is said to it in our own name.
#[derive(Clone, Copy)]
enum Spoken {
    Rest,
    Grpc,
    Web,
}

impl Spoken {
    fn of(request: &Request) -> Self {
        if grpc::is_grpc(request.headers()) {
            Self::Grpc
        } else if web::is_web(request.headers()) {
            Self::Web
        } else {
            Self::Rest
        }
    }

    fn refusal(self, problem: Problem, path: &str, trace: &Trace) -> Response {
        match self {
            Self::Rest => problem.into_response(path, trace),
            Self::Grpc => call::status_response(&problem.into_status()),
            Self::Web => web::status_response(&problem.into_status()),
        }
    }
}

/// As Kong: 426, or a redirect where the route says so.
fn needs_tls(plan: &Plan, request: &Request) -> Response {
    let status = StatusCode::from_u16(plan.route.https_redirect_status_code);
    let status = status.unwrap_or(StatusCode::UPGRADE_REQUIRED);
    let mut response = plugin::answer(status, "Please use HTTPS protocol");
    if status == StatusCode::UPGRADE_REQUIRED {
        let headers = response.headers_mut();
        headers.insert(http::header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(http::header::UPGRADE, HeaderValue::from_static("TLS/1.2, HTTP/1.1"));
        return response;
    }
    let (host, _) = split_host(authority(request));
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    if let Ok(location) = HeaderValue::try_from(format!("https://{host}{target}")) {
        response.headers_mut().insert(http::header::LOCATION, location);
        *response.body_mut() = Body::empty();
    }
    response
}

/// Whether a request may be made twice (RFC 9110, 9.2.2), or carries a key that makes it so.
pub(crate) fn is_idempotent(method: &Method, headers: &HeaderMap) -> bool {
    method.is_idempotent() || headers.contains_key(kit::request::IDEMPOTENCY_KEY)
}
