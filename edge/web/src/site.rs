//! The way of one request around its handler.

use std::{convert::Infallible, panic::AssertUnwindSafe, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use http::{
    HeaderValue, Method, StatusCode,
    header::{HOST, RETRY_AFTER},
};
use kit::{ServiceError, request::TRACEPARENT, trace::TraceContext};
use tower::ServiceExt;
use tracing::Instrument;

use crate::{
    Shared, assets,
    failure::Failure,
    headers::{self, Framing},
    limits::MAX_URI_BYTES,
    pages::error,
    urls,
    visit::{Visit, see_other},
};

/// What `Retry-After` says when the service does not, in seconds.
const RETRY_AFTER_SECONDS: u64 = 1;

/// Answers a request, whatever happens.
pub(crate) async fn answer(
    shared: Arc<Shared>,
    router: Router,
    mut request: Request,
) -> Result<Response, Infallible> {
    name_host(&mut request);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let framing = framing(&path);
    let mut response = match assets::at(&path).filter(|_| method == Method::GET || method == Method::HEAD) {
        Some(asset) => asset,
        None => visited(&shared, router, request).await,
    };
    headers::secure(response.headers_mut(), framing, shared.options.public_url.as_ref());
    if method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    Ok(response)
}

async fn visited(shared: &Arc<Shared>, router: Router, mut request: Request) -> Response {
    let Ok(_permit) = shared.permits.try_acquire() else {
        let retry = [(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS))];
        return (StatusCode::SERVICE_UNAVAILABLE, retry, error::BUSY).into_response();
    };
    if request.uri().path_and_query().is_some_and(|target| target.as_str().len() > MAX_URI_BYTES) {
        return StatusCode::URI_TOO_LONG.into_response();
    }
    let traceparent = traceparent(shared, &request);
    let span = tracing::error_span!("page", trace_id = kit::trace::trace_id_of(Some(&traceparent)));
    let visit = Visit::open(shared, request.headers(), request.uri(), traceparent).await;
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let from_here = headers::is_from_here(request.headers(), shared.options.public_url.as_ref());
    request.extensions_mut().insert(visit.clone());
    // A defect in one request must not end the connection of others, nor go unanswered.
    let handled = AssertUnwindSafe(router.oneshot(request)).catch_unwind().instrument(span.clone());
    let mut response = if is_safe || from_here {
        match handled.await {
            Ok(Ok(response)) => response,
            Err(_) => {
                span.in_scope(|| Failure::from(ServiceError::internal(&"a handler panicked")).into_response())
            }
        }
    } else {
        Failure::Forged.into_response()
    };
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        response = failed(&visit, &failure, response, is_safe);
    }
    visit.close(&mut response);
    response
}

/// The page that a failure becomes. Who has to sign in first does so, and comes back.
fn failed(visit: &Visit, failure: &Failure, from: Response, is_safe: bool) -> Response {
    if failure.wants_sign_in() {
        if visit.signed_in().is_some() {
            // The session has ended elsewhere: what the browser has is worth nothing.
            visit.become_person(None);
        }
        // A form cannot be sent again by an address: the way back is then the list of events.
        let back = if is_safe { visit.view().path.as_str() } else { "/" };
        return see_other(format_args!("{}?return_to={}", urls::LogIn, urls::encoded(back)), None);
    }
    let mut response = error::page(visit.view(), failure);
    if let Some(allow) = from.headers().get(http::header::ALLOW) {
        response.headers_mut().insert(http::header::ALLOW, allow.clone());
    }
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
    }
    response
}

/// HTTP/2 names the host in the address alone.
fn name_host(request: &mut Request) {
    if let Some(authority) = request.uri().authority()
        && let Ok(host) = HeaderValue::try_from(authority.as_str())
    {
        request.headers_mut().insert(HOST, host);
    }
}

/// Only the widget may be framed, and its script loaded, by other sites.
fn framing(path: &str) -> Framing {
    let is_widget = path.starts_with("/widget/") || path == "/widget.js" || path.starts_with("/assets/");
    if is_widget { Framing::Allowed } else { Framing::Refused }
}

/// The client's trace, or a fresh one.
fn traceparent(shared: &Shared, request: &Request) -> String {
    let sent = request.headers().get(TRACEPARENT).and_then(|value| value.to_str().ok());
    match sent.filter(|text| TraceContext::parse(text).is_some()) {
        Some(text) => text.to_owned(),
        None => shared.environment.begin_trace().0.traceparent(),
    }
}
