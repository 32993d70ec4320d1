//! The call of the upstream: HTTP as it is, gRPC as it is, gRPC-Web, or REST made into gRPC.

use std::sync::Arc;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderValue, header::CONTENT_LENGTH};
use http_body::Body as _;
use http_body_util::{BodyExt, Limited};
use hyper::upgrade::OnUpgrade;
use tokio::time::Instant;
use tonic::Status;

use super::{
    Matched,
    body::{self, ClientFailure, Timely},
    hash::hash,
    headers, is_idempotent, path, upgrade, web,
};
use crate::{
    balancer::{Answered, Call, CallBody, NoAnswer, Way},
    entity::Service,
    grpc,
    limits::{BODY_DEADLINE, MAX_GATHERED_BYTES},
    plugin::Exchange,
    problem::Problem,
    transcode::Transcoder,
};

/// How a call of an rpc ended, for plugins that say it in their own words.
#[derive(Debug, Clone)]
pub struct RpcStatus(pub Arc<Status>);

/// Calls the upstream of an exchange.
pub(super) async fn make(
    exchange: &mut Exchange,
    matched: &Matched,
    client: Option<OnUpgrade>,
) -> Result<Response, Problem> {
    let (Some(way), Some(service)) = (exchange.way.clone(), exchange.service.clone()) else {
        return Err(Problem::unavailable("this route has no service: give it one, or a plugin that answers"));
    };
    let began = Instant::now();
    let with = With { way: &way, service: &service, matched, hash: hash(&way, exchange, matched) };
    let answer = match (exchange.transcoder.take(), web::form(&exchange.headers)) {
        (Some(transcoder), None) => with.transcoded(exchange, &transcoder).await,
        (_, Some(form)) if service.protocol.is_grpc() => with.web(exchange, form).await,
        (_, None) if service.protocol.is_grpc() => with.grpc(exchange).await,
        _ => with.http(exchange, client).await,
    };
    exchange.upstream_took = Some(began.elapsed());
    answer
}

/// What a call goes by.
struct With<'w> {
    way: &'w Way,
    service: &'w Service,
    matched: &'w Matched,
    hash: Option<u64>,
}

impl With<'_> {
    async fn http(&self, exchange: &mut Exchange, client: Option<OnUpgrade>) -> Result<Response, Problem> {
        let sent_to = client_authority(exchange).to_owned();
        let mut to = headers::for_http(exchange, &sent_to, exchange.uri.path());
        let protocol = upgrade::wanted(&exchange.headers).filter(|_| client.is_some());
        let wants_upgrade = protocol.is_some();
        if let Some(protocol) = protocol {
            upgrade::ask(&mut to, protocol);
        }
        let is_idempotent = is_idempotent(&exchange.method, &exchange.headers) && !wants_upgrade;
        let failure = ClientFailure::default();
        let body = self.body(exchange, &failure).await?;
        let (mut head, ()) = http::Request::new(()).into_parts();
        head.method = exchange.method.clone();
        head.uri =
            self.path(exchange).parse().map_err(|_| Problem::bad_input("the path cannot be sent on"))?;
        head.headers = to;
        let call = Call {
            head,
            body,
            client: failure,
            authority: self.authority(exchange, &sent_to),
            is_idempotent,
            hash: self.hash,
            answer_timeout: self.service.read_timeout(),
            deadline: None,
        };
        let answered = self.made(exchange, call).await?;
        let Answered { mut response, running } = answered;
        if upgrade::is_agreed(response.status()) {
            let Some(client) = client.filter(|_| wants_upgrade) else {
                return Err(Problem::upstream_lost("the upstream went on with another protocol, unasked"));
            };
            let protocol = upgrade::wanted(response.headers());
            upgrade::join(client, hyper::upgrade::on(&mut response), running);
            let (mut head, _) = response.into_parts();
            headers::strip_hops(&mut head.headers);
            if let Some(protocol) = protocol {
                upgrade::ask(&mut head.headers, protocol);
            }
            return Ok(Response::from_parts(head, Body::empty()));
        }
        self.gathered(Answered { response, running }).await
    }

    async fn grpc(&self, exchange: &mut Exchange) -> Result<Response, Problem> {
        if !grpc::is_grpc(&exchange.headers) {
            return Err(Problem::unsupported_media_type());
        }
        let body = exchange.take_body();
        let call = self.grpc_call(exchange, body)?;
        Ok(self.passed_on(self.made(exchange, call).await?))
    }

    async fn web(&self, exchange: &mut Exchange, form: web::Form) -> Result<Response, Problem> {
        let body = web::request_body(form, exchange.take_body()).await?;
        let call = self.grpc_call(exchange, body)?;
        Ok(web::response(form, self.passed_on(self.made(exchange, call).await?)))
    }

    fn grpc_call(&self, exchange: &Exchange, body: Body) -> Result<Call, Problem> {
        let malformed = |status: Status| Problem::bad_input(status.message().to_owned());
        let timeout = kit::deadline::timeout_of(&exchange.headers).map_err(malformed)?;
        let path = exchange.uri.path_and_query().map_or("/", |path| path.as_str());
        let sent_to = client_authority(exchange).to_owned();
        let to = headers::for_http(exchange, &sent_to, exchange.uri.path());
        let head = grpc::head("upstream", path, to).map_err(Problem::bad_input)?;
        let client = ClientFailure::default();
        Ok(Call {
            head,
            body: CallBody::Once(body::of_client(body, &client)),
            client,
            authority: self.authority(exchange, &sent_to),
            is_idempotent: false,
            hash: self.hash,
            answer_timeout: self.service.read_timeout(),
            deadline: timeout.map(|timeout| Instant::now() + timeout.min(kit::deadline::MAX_DEADLINE)),
        })
    }

    async fn transcoded(
        &self,
        exchange: &mut Exchange,
        transcoder: &Arc<Transcoder>,
    ) -> Result<Response, Problem> {
        // As Kong: templates are held against the path as the client sent it; else against what is left of it.
        let (whole, rest) = (exchange.uri.path().to_owned(), self.rest().to_owned());
        let found = match transcoder.find(&exchange.method, &whole) {
            Err(problem) if rest != whole => transcoder.find(&exchange.method, &rest).map_err(|_| problem),
            found => found,
        };
        let (route, segments) = found?;
        let (number, is_stream) = (route.number, route.is_stream);
        let body = exchange.take_body();
        let query = exchange.uri.query().unwrap_or_default();
        let message =
            transcoder.read(route, &segments, &exchange.method, &exchange.headers, query, body).await?;
        let sent_to = client_authority(exchange).to_owned();
        let to = headers::for_grpc(exchange, &sent_to);
        let head = grpc::head("upstream", route.rpc.as_str(), to).map_err(|why| Problem::internal(&why))?;
        let limit = self.service.read_timeout();
        let call = Call {
            head,
            body: CallBody::Again(grpc::frame(&message)),
            client: ClientFailure::default(),
            authority: self.authority(exchange, &sent_to),
            is_idempotent: is_idempotent(&exchange.method, &exchange.headers),
            hash: self.hash,
            answer_timeout: limit,
            deadline: (!is_stream).then(|| Instant::now() + limit),
        };
        let Answered { response, running } = self.made(exchange, call).await?;
        let (head, body) = response.into_parts();
        if let Some(status) = Status::from_header_map(&head.headers) {
            return Ok(refused(status, exchange));
        }
        if !head.status.is_success() {
            return Err(Problem::upstream_lost("the upstream does not speak gRPC"));
        }
        let body = Body::new(Timely::new(body, limit, running));
        if is_stream {
            return Ok(Arc::clone(transcoder).answers(number, &exchange.headers, body));
        }
        let asked = (&exchange.method, &exchange.headers);
        let answer = tokio::time::timeout(limit, transcoder.answer(route, asked, head.headers, body)).await;
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(status)) => Ok(refused(status, exchange)),
            Err(_) => Err(Problem::deadline_exceeded()),
        }
    }

    async fn made(&self, exchange: &mut Exchange, call: Call) -> Result<Answered, Problem> {
        let answered = self.way.call(call).await.map_err(|why| match why {
            NoAnswer::Nobody | NoAnswer::NotTaken => {
                Problem::unavailable("the service that answers this cannot be reached now")
            }
            NoAnswer::Lost => {
                Problem::upstream_lost("the connection to the service broke before it had answered")
            }
            NoAnswer::TooLate => Problem::deadline_exceeded(),
            NoAnswer::Client => Problem::bad_input("the body did not arrive whole"),
            NoAnswer::Malformed => Problem::bad_input("the request cannot be sent on"),
        })?;
        exchange.target = Some(answered.running.endpoint.address.to_string());
        Ok(answered)
    }

    fn passed_on(&self, answered: Answered) -> Response {
        let (mut head, body) = answered.response.into_parts();
        headers::strip_hops(&mut head.headers);
        let body = Timely::new(body, self.service.read_timeout(), answered.running);
        Response::from_parts(head, Body::new(body))
    }

    /// A short body is read first, unless the route says otherwise: a slow client does not hold the upstream, and the
    /// call can be made again.
    async fn body(&self, exchange: &mut Exchange, failure: &ClientFailure) -> Result<CallBody, Problem> {
        let body = exchange.take_body();
        if body.is_end_stream() {
            return Ok(CallBody::Again(Bytes::new()));
        }
        let length =
            exchange.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let is_short = length.is_some_and(|length: usize| length <= MAX_GATHERED_BYTES);
        if !is_short || !exchange.route.request_buffering {
            return Ok(CallBody::Once(body::of_client(body, failure)));
        }
        let collected = tokio::time::timeout(BODY_DEADLINE, Limited::new(body, MAX_GATHERED_BYTES).collect());
        let collected = collected.await.map_err(|_| Problem::request_timeout())?;
        let collected = collected.map_err(|_| Problem::bad_input("the body did not arrive whole"))?;
        Ok(CallBody::Again(collected.to_bytes()))
    }

    /// The answer, with a short body read first, unless the route says otherwise: a slow client does not hold the
    /// upstream, and an answer that breaks off is an error and not half of one.
    async fn gathered(&self, answered: Answered) -> Result<Response, Problem> {
        let length = answered.response.body().size_hint().exact();
        let is_short = length.is_some_and(|length| (1..=MAX_GATHERED_BYTES as u64).contains(&length));
        let response = self.passed_on(answered);
        if !is_short || !self.matched.plan.route.response_buffering {
            return Ok(response);
        }
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|_| Problem::upstream_lost("the answer broke off"))?;
        Ok(Response::from_parts(head, Body::from(body.to_bytes())))
    }

    /// What is left of the path after the route's part.
    fn rest(&self) -> &str {
        let Matched { path, bytes, plan, .. } = self.matched;
        if plan.route.strip_path { path.get(*bytes..).unwrap_or_default() } else { path }
    }

    /// The service's path and what is left of the request's, and the query.
    fn path(&self, exchange: &Exchange) -> String {
        let Matched { path, bytes, plan, .. } = self.matched;
        let base = self.service.path.as_deref().unwrap_or_default();
        let parts = path::Parts { base, path, matched: *bytes, strips: plan.route.strip_path };
        let mut joined = path::join(parts, plan.route.path_handling.unwrap_or_default());
        if let Some(query) = exchange.uri.query() {
            joined.push('?');
            joined.push_str(query);
        }
        joined
    }

    /// What the upstream is told it is called; none is the name of the target.
    fn authority(&self, exchange: &Exchange, sent_to: &str) -> Option<String> {
        if exchange.route.preserve_host && !sent_to.is_empty() {
            return Some(sent_to.to_owned());
        }
        match &self.way.balancer().rules().upstream {
            Some(upstream) => upstream.host_header.clone(),
            None => {
                let usual = if self.service.protocol.is_secure() { 443 } else { 80 };
                let Service { host, port, .. } = self.service;
                Some(if *port == usual { host.clone() } else { format!("{host}:{port}") })
            }
        }
    }
}

fn client_authority(exchange: &Exchange) -> &str {
    let header = || exchange.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
    exchange.uri.authority().map(http::uri::Authority::as_str).or_else(header).unwrap_or_default()
}

/// What an rpc ended with instead of an answer, as a problem.
fn refused(status: Status, exchange: &Exchange) -> Response {
    let problem = Problem::from_status(&status);
    let trace_id = kit::trace::trace_id_of(exchange.traceparent.to_str().ok()).to_owned();
    let mut response = problem.into_response_of(exchange.uri.path(), &trace_id);
    response.extensions_mut().insert(RpcStatus(Arc::new(status)));
    response
}

/// What is said in our own name to who speaks gRPC.
pub(super) fn status_response(status: &Status) -> Response {
    let mut response = Response::new(Body::empty());
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(http::header::CONTENT_TYPE, grpc);
    let _ = status.add_header(response.headers_mut());
    response
}
