//! One call: picks a link, sends, and tries the next one when the first surely did not process it.

use std::{sync::Arc, sync::atomic::Ordering, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, Version, request, uri::Scheme};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::{TrySendError, http2::SendRequest};
use tokio::time::Instant;
use tonic::{Status, body::Body};

use super::{
    CONNECT_WAIT, Shared,
    link::{CallBody, Fitness, Link, Running},
};
use crate::{
    breaker::Outcome,
    deadline::{DEFAULT_DEADLINE, GRPC_TIMEOUT, MAX_DEADLINE, timeout_of},
    error::ServiceError,
    transport::MAX_REQUEST_BYTES,
};

/// How many links a call tries at most.
const MAX_TRIES: usize = 4;
/// The bytes that gRPC puts before a message.
const FRAME_BYTES: usize = 5;

/// Makes a call.
///
/// # Errors
/// When there is no answer. Whether it may have been processed is told to people; the code is the same.
pub(super) async fn make(shared: &Shared, request: Request<Body>) -> Result<Response<Body>, Status> {
    let (mut head, body) = request.into_parts();
    let timeout = timeout_of(&head.headers)?.unwrap_or(DEFAULT_DEADLINE).min(MAX_DEADLINE);
    let deadline = Instant::now() + timeout;
    let body = collect(body).await?;
    let mut tried: Vec<Arc<Link>> = Vec::new();
    while tried.len() < MAX_TRIES {
        let (link, running, sender) = pick(shared, &tried, deadline).await?;
        // What is left of it: earlier tries took their part.
        set_timeout(&mut head, deadline);
        let request = addressed(&head, &link, body.clone())?;
        match send(sender, request, running, deadline).await {
            Sent::Answered(response) => return Ok(response.map(Body::new)),
            Sent::NotProcessed => tried.push(link),
            Sent::Lost(cause) => {
                tracing::warn!(service = shared.name, peer = %link.address(), cause, "a call was lost");
                return Err(lost(&shared.name));
            }
            Sent::TooLate => {
                return Err(Status::deadline_exceeded(format!("the {} service took too long", shared.name)));
            }
        }
    }
    Err(nobody(shared))
}

async fn collect(body: Body) -> Result<Bytes, Status> {
    match Limited::new(body, MAX_REQUEST_BYTES + FRAME_BYTES).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Status::out_of_range(format!("a message has at most {MAX_REQUEST_BYTES} bytes")))
        }
        Err(error) => Err(Status::from_error(error)),
    }
}

/// The link with the fewest calls, rather one that was not tried yet; waits for a moment where a connection is
/// being made.
async fn pick(
    shared: &Shared,
    tried: &[Arc<Link>],
    deadline: Instant,
) -> Result<(Arc<Link>, Running, SendRequest<CallBody>), Status> {
    let until = deadline.min(Instant::now() + CONNECT_WAIT);
    loop {
        // Before the links are looked at, so that no change in between is missed.
        let changed = shared.changed.notified();
        let links = shared.links_in_turn();
        let fit: Vec<(Fitness, &Arc<Link>)> = links.iter().map(|link| (link.fitness(), link)).collect();
        if let Some(picked) = least_busy(&fit, tried) {
            return Ok(picked);
        }
        let is_any = |wanted| fit.iter().any(|(fitness, _)| *fitness == wanted);
        if is_any(Fitness::Full) {
            let detail = format!("the {} service has too much to do now", shared.name);
            return Err(ServiceError::unavailable("unavailable", detail).into());
        }
        let is_looked_up = !links.is_empty() || shared.unresolved.load(Ordering::Acquire);
        let may_come = is_any(Fitness::Connecting) || !is_looked_up;
        if !may_come || tokio::time::timeout_at(until, changed).await.is_err() {
            return Err(nobody(shared));
        }
    }
}

fn least_busy(
    fit: &[(Fitness, &Arc<Link>)],
    tried: &[Arc<Link>],
) -> Option<(Arc<Link>, Running, SendRequest<CallBody>)> {
    let ready = fit.iter().filter_map(|(fitness, link)| match fitness {
        // A service that restarts says goodbye and is back at its address soon: it may be asked again.
        Fitness::Ready(in_flight) => {
            Some((tried.iter().any(|one| Arc::ptr_eq(one, link)), *in_flight, *link))
        }
        _ => None,
    });
    let (_, _, link) = ready.min_by_key(|(was_tried, in_flight, _)| (*was_tried, *in_flight))?;
    link.admit().map(|(running, sender)| (Arc::clone(link), running, sender))
}

fn set_timeout(head: &mut request::Parts, deadline: Instant) {
    let left = deadline.saturating_duration_since(Instant::now()).as_millis();
    if let Ok(value) = HeaderValue::try_from(format!("{left}m")) {
        head.headers.insert(GRPC_TIMEOUT, value);
    }
}

fn addressed(head: &request::Parts, link: &Link, body: Bytes) -> Result<Request<CallBody>, Status> {
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let uri = Uri::builder().scheme(Scheme::HTTP).authority(link.name().as_str()).path_and_query(path);
    let uri = uri.build().map_err(|error| Status::internal(error.to_string()))?;
    let mut request = Request::new(Full::new(body));
    (*request.method_mut(), *request.uri_mut()) = (head.method.clone(), uri);
    (*request.version_mut(), *request.headers_mut()) = (Version::HTTP_2, head.headers.clone());
    Ok(request)
}

/// What became of one try.
enum Sent {
    Answered(Response<hyper::body::Incoming>),
    /// It surely was not taken up there.
    NotProcessed,
    /// Nobody can tell.
    Lost(String),
    TooLate,
}

async fn send(
    mut sender: SendRequest<CallBody>,
    request: Request<CallBody>,
    running: Running,
    deadline: Instant,
) -> Sent {
    let sent = sender.try_send_request(request);
    // The connection ends once nobody holds a sender.
    drop(sender);
    match tokio::time::timeout_at(deadline, sent).await {
        Ok(Ok(response)) => {
            running.conclude(Outcome::Answered);
            Sent::Answered(response)
        }
        // The link knows by itself that its connection is gone.
        Ok(Err(error)) if is_unprocessed(&error) => Sent::NotProcessed,
        Ok(Err(error)) => {
            running.conclude(Outcome::Failed);
            Sent::Lost(error.error().to_string())
        }
        Err(_) => {
            running.conclude(Outcome::Failed);
            Sent::TooLate
        }
    }
}

/// Whether a call without an answer was surely not taken up: it was never sent, or the service said goodbye first.
fn is_unprocessed(error: &TrySendError<Request<CallBody>>) -> bool {
    if error.message().is_some() {
        return true;
    }
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error.error());
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            // RFC 9113, 6.8 and 8.7: streams beyond the last one of a GOAWAY, and refused streams.
            let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
            let goodbye = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
            return error.is_remote() && (refused || goodbye);
        }
        cause = error.source();
    }
    false
}

fn nobody(shared: &Shared) -> Status {
    let detail = format!("the {} service cannot be reached now; nothing was changed", shared.name);
    ServiceError::unavailable("unavailable", detail).into()
}

fn lost(name: &str) -> Status {
    let detail = format!("the {name} service was lost: repeat with the same Idempotency-Key");
    let error = ServiceError::unavailable("unavailable", detail);
    ServiceError { retry_after: Some(Duration::from_secs(1)), ..error }.into()
}
