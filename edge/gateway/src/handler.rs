//! The way of one request: find the route, check who calls, read, call, answer.

use std::{convert::Infallible, panic::AssertUnwindSafe, sync::Arc};

use arc_swap::Guard;
use axum::{
    body::{Body, HttpBody},
    extract::Request,
    response::Response,
};
use futures_util::FutureExt;
use http::{
    HeaderName, HeaderValue, Method, StatusCode,
    header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH},
};

use kit::{
    Caller, Environment, Transport,
    access::{self, access_of},
    request::TRACEPARENT,
};
use proto::v1::Access;
use tokio::sync::Semaphore;
use tracing::Instrument;

use crate::{
    Options, Upstreams,
    admission::Admission,
    forward::{Added, Forwarded},
    limits::MAX_URI_BYTES,
    metrics::{Metrics, RouteMetrics},
    pages::Pages,
    places::Priority,
    plugin::{Flow, Outcome},
    problem::Problem,
    proxy::{self, Beginning, Peer},
    request::{self, Parts},
    respond,
    routes::{Route, Routes},
    rules::Binding,
    snapshot::{Live, Snapshot},
    stream,
    trace::{Trace, X_REQUEST_ID},
    tree::Segments,
    upstream,
};

const X_CONTENT_TYPE_OPTIONS: HeaderName = HeaderName::from_static("x-content-type-options");

/// All that requests share.
pub(crate) struct Shared {
    /// The table of routes.
    pub routes: Routes,
    /// What is known of each route beside its form, by its number.
    pub ours: Vec<Ours>,
    /// The pages that are no rpcs.
    pub pages: Pages,
    /// Who calls.
    pub guard: access::Guard,
    /// Time and randomness.
    pub environment: Environment,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The counters of requests that found no rpc.
    pub unrouted: RouteMetrics,
    /// The counters of requests on configured routes.
    pub configured: RouteMetrics,
    /// What is configured.
    pub live: Arc<Live>,
    /// Limits.
    pub options: Options,
    /// Who is carried out when there is too much to do.
    pub admission: Admission,
    /// One for each stream.
    pub streams: Arc<Semaphore>,
}

/// A route of our own contracts.
pub(crate) struct Ours {
    /// Who may call it.
    access: Access,
    /// The way to its service; none when this gateway was not given one.
    upstream: Option<Transport>,
    /// How much it matters.
    priority: Priority,
    /// What is counted.
    metrics: RouteMetrics,
}

impl Ours {
    /// Of a binding.
    pub fn of(binding: &Binding, upstreams: &Upstreams, metrics: &Metrics, options: &Options) -> Self {
        let service = binding.rpc.parent_service();
        let name = format!("/{}/{}", service.full_name(), binding.rpc.name());
        Self {
            access: access_of(&name),
            upstream: upstreams.get(service.full_name()).cloned(),
            priority: (options.priority_of)(&name),
            metrics: metrics.route(&name, binding.method.as_str()),
        }
    }
}

/// Answers a request, whatever happens: on a configured route, or as Boxoffice itself.
pub(crate) async fn answer(
    shared: Arc<Shared>,
    peer: Peer,
    request: Request,
) -> Result<Response, Infallible> {
    let _running = shared.metrics.start();
    let started_us = shared.environment.now().micros();
    let trace = Trace::of(request.headers(), &shared.environment);
    let snapshot = shared.live.snapshot();
    if snapshot.router.is_empty() && snapshot.built_in.chain.is_empty() {
        drop(snapshot);
        return Ok(ours(&shared, request, &trace, started_us).await);
    }
    let snapshot = Guard::into_inner(snapshot);
    // In a place of its own: otherwise every request would be as large as this one.
    Ok(Box::pin(configured(&shared, &snapshot, &peer, request, &trace, started_us)).await)
}

/// On a configured route, or as Boxoffice itself where there is none.
async fn configured(
    shared: &Shared,
    snapshot: &Snapshot,
    peer: &Peer,
    request: Request,
    trace: &Trace,
    started_us: i64,
) -> Response {
    let method = request.method().clone();
    let found = proxy::find(snapshot, &request, peer);
    let plan = found.as_ref().map_or(&snapshot.built_in, |matched| &matched.plan);
    let beginning =
        Beginning { plan, config: &snapshot.config, environment: &shared.environment, trace, peer };
    let Some(matched) = &found else {
        if plan.chain.is_empty() {
            return ours(shared, request, trace, started_us).await;
        }
        return ours_with_plugins(shared, &beginning, request, started_us).await;
    };
    let path = request.uri().path().to_owned();
    let work = std::pin::pin!(proxy::answer(matched, &beginning, request));
    let mut response =
        unharmed(work.map(Ok), trace).await.unwrap_or_else(|problem| problem.into_response(&path, trace));
    let headers = response.headers_mut();
    headers.insert(X_REQUEST_ID, trace.request_id.clone());
    headers.insert(TRACEPARENT, trace.traceparent());
    let micros = shared.environment.now().micros() - started_us;
    shared.configured.observe(response.status(), micros.max(0) as f64 / 1e6);
    trace.end(&shared.environment, &method, plan.route.name.as_deref(), response.status());
    response
}

/// A defect in one request must not end the connection of others, nor go unanswered. An error in the log, also of a
/// service in this process, carries the trace id that the client is told.
async fn unharmed(
    work: impl Future<Output = Result<Response, Problem>>,
    trace: &Trace,
) -> Result<Response, Problem> {
    let span = tracing::error_span!("request", trace_id = trace.trace_id());
    let outcome = AssertUnwindSafe(work).catch_unwind().instrument(span.clone()).await;
    outcome.unwrap_or_else(|_| span.in_scope(|| Err(Problem::internal(&"a handler panicked"))))
}

/// As Boxoffice itself, with the plugins that are put on it.
async fn ours_with_plugins(
    shared: &Shared,
    beginning: &Beginning<'_>,
    request: Request,
    started_us: i64,
) -> Response {
    let (chain, trace) = (&beginning.plan.chain, beginning.trace);
    let began = tokio::time::Instant::now();
    let (mut exchange, extensions) = beginning.exchange(request);
    let mut answer = match chain.access(&mut exchange).await {
        Flow::Answer(answer) => answer,
        Flow::Continue => {
            let mut request = Request::new(exchange.take_body());
            *request.method_mut() = exchange.method.clone();
            *request.uri_mut() = exchange.uri.clone();
            *request.headers_mut() = exchange.headers.clone();
            *request.extensions_mut() = extensions;
            request.extensions_mut().insert(Added(std::mem::take(&mut exchange.metadata)));
            let called = tokio::time::Instant::now();
            let answer = ours(shared, request, trace, started_us).await;
            exchange.upstream_took = Some(called.elapsed());
            answer
        }
    };
    chain.response(&mut exchange, &mut answer).await;
    finish(&mut answer, trace, &exchange.method);
    let outcome =
        Outcome { status: answer.status(), took: began.elapsed(), upstream_took: exchange.upstream_took };
    chain.log(&exchange, &outcome);
    answer
}

/// As Boxoffice itself.
async fn ours(shared: &Shared, request: Request, trace: &Trace, started_us: i64) -> Response {
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    let had_token = request.headers().contains_key(AUTHORIZATION);

    let routed = find(shared, &request, &path);
    let counters = routed
        .as_ref()
        .ok()
        .and_then(Option::as_ref)
        .map_or(&shared.unrouted, |(route, _)| &shared.ours[route.number].metrics);
    let work = async {
        match &routed {
            Ok(Some((route, segments))) => call(shared, route, segments, request, trace).await,
            Ok(None) => shared.pages.answer(&method, &path).await,
            Err(problem) => Err(problem.clone()),
        }
    };
    // Pinned where it is: what wraps it would move it each time.
    let work = std::pin::pin!(work);
    let mut response = unharmed(work, trace).await.unwrap_or_else(|mut problem| {
        problem.bad_token = had_token && problem.code == "unauthenticated";
        problem.into_response(&path, trace)
    });
    finish(&mut response, trace, &method);
    let micros = shared.environment.now().micros() - started_us;
    counters.observe(response.status(), micros.max(0) as f64 / 1e6);
    let rpc = routed.as_ref().ok().and_then(Option::as_ref).map(|(route, _)| route.rpc.path());
    trace.end(&shared.environment, &method, rpc, response.status());
    response
}

/// The route of a request; none when it is one of the pages.
fn find<'s, 'p>(
    shared: &'s Shared,
    request: &Request,
    path: &'p str,
) -> Result<Option<(&'s Route, Segments<'p>)>, Problem> {
    let uri = request.uri();
    let target = uri.path().len() + uri.query().map_or(0, |query| query.len() + 1);
    if target > MAX_URI_BYTES {
        return Err(Problem::uri_too_long());
    }
    if shared.pages.has(path) {
        return Ok(None);
    }
    let malformed = "the path is not well-formed: after % come two hexadecimal digits, and all is UTF-8";
    let found = shared.routes.tree.find(path).map_err(|_| Problem::bad_input(malformed))?;
    let (methods, segments) = found.ok_or_else(Problem::not_found)?;
    match methods.get(request.method()) {
        Some(route) => Ok(Some((route, segments))),
        None => Err(Problem::method_not_allowed(methods.allow())),
    }
}

async fn call(
    shared: &Shared,
    route: &Route,
    segments: &Segments<'_>,
    request: Request,
    trace: &Trace,
) -> Result<Response, Problem> {
    let ours = &shared.ours[route.number];
    // Nothing of the request has been read by then.
    let _place = shared.admission.enter(ours.priority, &shared.metrics).await?;
    let (head, body) = request.into_parts();
    let caller = shared.guard.identify(&head.headers)?;
    admit(ours.access, &caller)?;
    let Some(transport) = ours.upstream.clone() else {
        return Err(Problem::unavailable("the service that answers this is not part of this deployment"));
    };
    let mut forwarded = Forwarded::of(&head.headers, &head.method, &caller, trace)?;
    if let Some(Added(metadata)) = head.extensions.get() {
        forwarded.add(metadata);
    }
    let query = head.uri.query().unwrap_or_default();
    let parts = Parts { method: &head.method, headers: &head.headers, query, segments };
    let mut message = request::read(&shared.routes.schema, route, &parts, body).await?;
    let deadline = shared.options.call_deadline;
    if route.is_stream {
        let refuse = |_| Problem::unavailable("too many streams are open; try again in a moment");
        let place = Arc::clone(&shared.streams).try_acquire_owned().map_err(refuse)?;
        stream::resume(&shared.routes.schema, route, &head.headers, &mut message)?;
        let messages = upstream::open(transport, route.rpc.clone(), message, forwarded, deadline).await?;
        let (schema, drain) = (Arc::clone(&shared.routes.schema), shared.options.drain.clone());
        let answers = stream::Answers { messages, schema, _place: place, drain };
        return Ok(answers.into_response(route, &head.headers, trace));
    }
    let answer = upstream::call(transport, route.rpc.clone(), message, forwarded, deadline).await?;
    respond::success(&shared.routes.schema, route, (&head.method, &head.headers), answer)
}

/// The same check that the service makes, before the body is read.
fn admit(access: Access, caller: &Caller) -> Result<(), Problem> {
    match access {
        Access::Public => Ok(()),
        Access::SignedIn => {
            caller.user().map(|_| ()).map_err(|refusal| kit::ServiceError::from(refusal).into())
        }
        Access::Admin => {
            caller.user().map_err(kit::ServiceError::from)?;
            let detail = "only an administrator may do that";
            let refusal = || kit::ServiceError::new(kit::Code::Forbidden, "forbidden", detail).into();
            caller.is_admin().then_some(()).ok_or_else(refusal)
        }
        Access::Unspecified => Err(Problem::forbidden()),
    }
}

/// What every answer has.
fn finish(response: &mut Response, trace: &Trace, method: &Method) {
    let headers = response.headers_mut();
    headers.insert(X_REQUEST_ID, trace.request_id.clone());
    headers.insert(TRACEPARENT, trace.traceparent());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if *method == Method::HEAD {
        let has_length = !matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if let Some(length) = response.body().size_hint().exact().filter(|_| has_length) {
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        *response.body_mut() = Body::empty();
    }
}
