//! Active health checks: each endpoint is asked again and again, as the upstream's `healthchecks.active` says.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use axum::body::Body;
use futures_util::{StreamExt, stream};
use http::{HeaderName, HeaderValue, Method, Request, header::HOST};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout};

use super::{
    Balancer,
    connect::{Connections, Dialogue, Failure, open},
    endpoint::{Endpoint, Sign},
};
use crate::{
    entity::{ActiveChecks, CheckType, Upstream},
    grpc,
};

/// The shortest interval, so that a small number is no flood.
const LEAST_INTERVAL: Duration = Duration::from_millis(100);
/// The most checks at a time.
const MAX_AT_ONCE: usize = 100;
/// Checks end by a limit of their own.
const LONGER_THAN_A_CHECK: Duration = Duration::from_secs(86_400);
/// The longest answer of a check that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

fn interval(seconds: f64) -> Option<Duration> {
    let interval = Duration::try_from_secs_f64(seconds).ok().filter(|interval| !interval.is_zero());
    interval.map(|interval| interval.max(LEAST_INTERVAL))
}

/// Whether anything is asked at all.
pub(super) fn is_on(checks: &ActiveChecks) -> bool {
    interval(checks.healthy.interval_s).is_some() || interval(checks.unhealthy.interval_s).is_some()
}

/// Checks until the balancer is gone.
pub(super) async fn run(balancer: Weak<Balancer>, upstream: Arc<Upstream>) {
    let checks = &upstream.healthchecks.active;
    let (well, unwell) = (interval(checks.healthy.interval_s), interval(checks.unhealthy.interval_s));
    let (mut next_well, mut next_unwell) = (Instant::now(), Instant::now());
    loop {
        let now = Instant::now();
        let (due_well, due_unwell) =
            (well.is_some() && now >= next_well, unwell.is_some() && now >= next_unwell);
        if let Some(interval) = well.filter(|_| due_well) {
            next_well = now + interval;
        }
        if let Some(interval) = unwell.filter(|_| due_unwell) {
            next_unwell = now + interval;
        }
        let Some(balancer) = balancer.upgrade() else { return };
        let (endpoints, dialogue) = (balancer.endpoints(), balancer.check_dialogue(checks.kind));
        // It is not kept while nothing is done.
        drop(balancer);
        let is_due = |one: &Arc<Endpoint>| if one.is_healthy() { due_well } else { due_unwell };
        let due: Vec<Arc<Endpoint>> = endpoints.into_iter().filter(is_due).collect();
        let limit = Duration::try_from_secs_f64(checks.timeout_s).unwrap_or(LEAST_INTERVAL);
        let ask = |endpoint: Arc<Endpoint>| {
            let (dialogue, upstream) = (&dialogue, &upstream);
            async move {
                let checked = timeout(limit, check(&endpoint, dialogue, upstream)).await;
                let checks = &upstream.healthchecks.active;
                endpoint.note(checked.unwrap_or(Sign::TooLate), &checks.healthy, &checks.unhealthy);
            }
        };
        stream::iter(due).for_each_concurrent(checks.concurrency.clamp(1, MAX_AT_ONCE), ask).await;
        let next = [well.map(|_| next_well), unwell.map(|_| next_unwell)].into_iter().flatten().min();
        let Some(next) = next else { return };
        tokio::time::sleep_until(next).await;
    }
}

async fn check(endpoint: &Endpoint, dialogue: &Dialogue, upstream: &Upstream) -> Sign {
    let checks = &upstream.healthchecks.active;
    let asked = match checks.kind {
        CheckType::Tcp => {
            return match open(endpoint.address, dialogue).await {
                Ok(_) => Sign::Status(checks.healthy.http_statuses.first().copied().unwrap_or(200)),
                Err(_) => Sign::Connection,
            };
        }
        CheckType::Http | CheckType::Https => ask_http(endpoint, dialogue, upstream).await,
        CheckType::Grpc | CheckType::Grpcs => ask_grpc(endpoint, dialogue).await,
    };
    match asked {
        Ok(status) => Sign::Status(status),
        Err(Failure::TooLate) => Sign::TooLate,
        Err(_) => Sign::Connection,
    }
}

async fn ask_http(endpoint: &Endpoint, dialogue: &Dialogue, upstream: &Upstream) -> Result<u16, Failure> {
    let checks = &upstream.healthchecks.active;
    let host = upstream.host_header.as_deref().unwrap_or(&endpoint.name);
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = checks.http_path.parse().unwrap_or_default();
    if let Ok(host) = HeaderValue::from_str(host) {
        request.headers_mut().insert(HOST, host);
    }
    for (name, values) in checks.headers.iter().flatten() {
        for value in values {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
                request.headers_mut().append(name, value);
            }
        }
    }
    // Connections of its own: whether a new one can be made is a part of the question.
    let connections = Arc::new(Connections::default());
    let limit = LONGER_THAN_A_CHECK;
    let answer = connections.send(endpoint.address, dialogue, &mut Some(request), limit, limit).await?;
    Ok(answer.status().as_u16())
}

/// SERVING (`grpc.health.v1`) is 200, anything else 503.
async fn ask_grpc(endpoint: &Endpoint, dialogue: &Dialogue) -> Result<u16, Failure> {
    let request = grpc::request(&endpoint.name, "/grpc.health.v1.Health/Check", &[], http::HeaderMap::new());
    let request = request.map_err(Failure::Unreachable)?;
    let connections = Arc::new(Connections::default());
    let limit = LONGER_THAN_A_CHECK;
    let answer = connections.send(endpoint.address, dialogue, &mut Some(request), limit, limit).await?;
    let body = http_body_util::Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect().await;
    let body = body.map_err(|error| Failure::Lost(error.to_string()))?.to_bytes();
    // A frame with the one field `status` at SERVING.
    let is_serving = body.get(5..).is_some_and(|message| message == [8, 1]);
    Ok(if is_serving { 200 } else { 503 })
}
