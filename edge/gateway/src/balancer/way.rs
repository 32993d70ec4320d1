//! Calls of one service: by its TLS, its timeouts and its retries.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, request::Parts, uri::PathAndQuery};
use hyper::body::Incoming;
use kit::breaker::Outcome;
use kong::Config;
use tokio::time::Instant;

use super::{
    Balancer, Running,
    connect::{Connections, Dialogue, Failure},
    endpoint::Sign,
    tls,
};
use crate::{entity::Service, grpc, proxy::ClientFailure};

/// Beyond so many addresses, connections to those that are no longer used are let go.
const MANY_ADDRESSES: usize = 64;
/// The most tries of one call, whatever is configured.
const MAX_TRIES: u32 = 10;
/// What gRPC answers with when somebody cannot take a call.
const UNAVAILABLE: &str = "14";

/// The way to a service.
pub(crate) struct Way {
    balancer: Arc<Balancer>,
    dialogue: Dialogue,
    connections: Mutex<HashMap<SocketAddr, Arc<Connections>>>,
    connect_timeout: Duration,
    retries: u32,
    is_secure: bool,
}

/// A body that may be sent again, or not.
pub(crate) enum CallBody {
    Again(Bytes),
    Once(Body),
}

/// One call.
pub(crate) struct Call {
    /// Its URI is path and query only; Host and authority are filled in.
    pub head: Parts,
    pub body: CallBody,
    /// Says whether the client failed to send its body, which is no failure of the endpoint.
    pub client: ClientFailure,
    /// What the endpoint is told it is called; none is the endpoint's own name.
    pub authority: Option<String>,
    /// Whether it may be made again when nobody can tell what became of it.
    pub is_idempotent: bool,
    /// For consistent hashing.
    pub hash: Option<u64>,
    /// How long the head of the answer may take.
    pub answer_timeout: Duration,
    /// By when there must be an answer.
    pub deadline: Option<Instant>,
}

/// An answer, with the call that runs as long as its body is read.
pub(crate) struct Answered {
    pub response: Response<Incoming>,
    pub running: Running,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// Nobody can be asked.
    Nobody,
    /// Nobody took it up.
    NotTaken,
    /// It was sent, and nobody can tell.
    Lost,
    /// There was no answer in time.
    TooLate,
    /// The client did not send its body.
    Client,
    /// It cannot be sent: the head is no request.
    Malformed,
}

impl Way {
    /// The way to a service by a balancer.
    ///
    /// # Errors
    /// When its TLS cannot be set up.
    pub fn new(service: &Service, balancer: Arc<Balancer>, config: &Config) -> Result<Self, String> {
        Ok(Self {
            balancer,
            dialogue: tls::dialogue(service, config)?,
            connections: Mutex::default(),
            connect_timeout: service.connect_timeout(),
            retries: service.retries.unwrap_or(0),
            is_secure: service.protocol.is_secure(),
        })
    }

    /// Its targets.
    pub fn balancer(&self) -> &Arc<Balancer> {
        &self.balancer
    }

    /// Makes a call.
    pub async fn call(&self, call: Call) -> Result<Answered, NoAnswer> {
        let Call { head, body, client, authority, is_idempotent, hash, answer_timeout, deadline } = call;
        self.balancer.budget.earn();
        let most = self.retries.saturating_add(1).min(MAX_TRIES);
        let (mut tried, mut tries) = (Vec::new(), 0);
        let mut body = body;
        let mut last = NoAnswer::Nobody;
        while tries < most {
            let Some(mut running) = self.balancer.pick(hash, &tried).await else { return Err(last) };
            let endpoint = Arc::clone(&running.endpoint);
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let timeout = left.map_or(answer_timeout, |left| left.min(answer_timeout));
            if timeout.is_zero() {
                return Err(NoAnswer::TooLate);
            }
            let authority = authority.as_deref().unwrap_or(&endpoint.name);
            let copy = match &mut body {
                CallBody::Again(bytes) => Body::from(bytes.clone()),
                CallBody::Once(body) => std::mem::take(body),
            };
            let request = self.addressed(&head, authority, left, copy).ok_or(NoAnswer::Malformed)?;
            let mut request = Some(request);
            let connections = self.connections_to(endpoint.address);
            let sent = connections
                .send(
                    endpoint.address,
                    &self.dialogue,
                    &mut request,
                    self.connect_timeout.min(timeout),
                    timeout,
                )
                .await;
            let failure = match sent {
                Ok(response) => {
                    running.conclude(Outcome::Answered);
                    self.note(&running, Sign::Status(status_of(&response, self.dialogue.is_grpc)));
                    return Ok(Answered { response, running });
                }
                Err(failure) => failure,
            };
            if client.is_there() {
                return Err(NoAnswer::Client);
            }
            self.note_failure(&mut running, &failure);
            drop(running);
            tries += 1;
            tried.push(endpoint);
            let is_unsent = request.is_some();
            if let (Some(request), CallBody::Once(body)) = (request, &mut body) {
                *body = request.into_body();
            }
            let can_again = is_unsent || matches!(body, CallBody::Again(_));
            let is_safe = match failure {
                Failure::Unreachable(_) => is_unsent,
                Failure::NotTaken => is_unsent || self.balancer.budget.spend(),
                Failure::Lost(_) | Failure::TooLate => is_idempotent && self.balancer.budget.spend(),
            };
            last = match failure {
                Failure::Unreachable(_) | Failure::NotTaken => NoAnswer::NotTaken,
                Failure::Lost(_) => NoAnswer::Lost,
                Failure::TooLate => NoAnswer::TooLate,
            };
            if !can_again || !is_safe {
                return Err(last);
            }
        }
        Err(last)
    }

    fn connections_to(&self, address: SocketAddr) -> Arc<Connections> {
        // Nothing panics while the lock is held.
        let mut all = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(&address) {
            return Arc::clone(known);
        }
        if all.len() >= MANY_ADDRESSES {
            let used = self.balancer.endpoints();
            all.retain(|address, _| used.iter().any(|one| one.address == *address));
        }
        Arc::clone(all.entry(address).or_default())
    }

    fn addressed(
        &self,
        head: &Parts,
        authority: &str,
        left: Option<Duration>,
        body: Body,
    ) -> Option<Request<Body>> {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = head.method.clone();
        parts.headers = head.headers.clone();
        parts.extensions = head.extensions.clone();
        if self.dialogue.is_grpc {
            let scheme = if self.is_secure { "https" } else { "http" };
            let path = head.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
            let uri = Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build();
            parts.uri = uri.ok()?;
            parts.version = http::Version::HTTP_2;
            parts.headers.remove(http::header::HOST);
        } else {
            parts.uri = head.uri.clone();
            parts.headers.insert(http::header::HOST, HeaderValue::from_str(authority).ok()?);
        }
        // What is left of it: earlier tries took their part.
        if let Some(left) = left.filter(|_| grpc::is_grpc(&head.headers)) {
            let value = HeaderValue::try_from(format!("{}m", left.as_millis().min(99_999_999)));
            parts.headers.insert("grpc-timeout", value.ok()?);
        }
        Some(Request::from_parts(parts, body))
    }

    fn note_failure(&self, running: &mut Running, failure: &Failure) {
        let endpoint = &running.endpoint;
        let (sign, outcome) = match failure {
            Failure::Unreachable(why) | Failure::Lost(why) => {
                tracing::warn!(target = endpoint.name, address = %endpoint.address, why, "a target did not answer");
                (Some(Sign::Connection), Outcome::Failed)
            }
            Failure::TooLate => (Some(Sign::TooLate), Outcome::Failed),
            Failure::NotTaken => (None, Outcome::Abandoned),
        };
        running.conclude(outcome);
        if let Some(sign) = sign {
            self.note(running, sign);
        }
    }

    fn note(&self, running: &Running, sign: Sign) {
        if let Some(upstream) = &self.balancer.rules().upstream {
            let passive = &upstream.healthchecks.passive;
            running.endpoint.note(sign, &passive.healthy, &passive.unhealthy);
        }
    }
}

/// A gRPC server that cannot take a call says so with 200; for its health that is 503.
fn status_of(response: &Response<Incoming>, is_grpc: bool) -> u16 {
    let status = response.headers().get("grpc-status").filter(|_| is_grpc);
    match status {
        Some(status) if status == UNAVAILABLE => 503,
        _ => response.status().as_u16(),
    }
}
