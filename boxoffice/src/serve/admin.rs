//! The admin port of a role: whether it lives, whether it is ready, and its figures. It tells nothing of data, and is
//! for probes and for Prometheus, not for clients.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Json, Router,
    body::Body,
    extract::State,
    http::{Request, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use gateway::Readiness;
use serde_json::json;
use tower::{Service, util::BoxCloneSyncService};

use super::Status;

/// The type of the figures' text: what Prometheus asks for.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The figures of this process, as a page.
pub type Figures = BoxCloneSyncService<Request<Body>, Response, Infallible>;

/// The figures of a runtime, as a page.
#[must_use]
pub fn figures_of(metrics: kit::Metrics) -> Figures {
    BoxCloneSyncService::new(tower::service_fn(move |_: Request<Body>| {
        let text = metrics.text();
        async move { Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response()) }
    }))
}

/// The pages of the admin port.
pub fn router(
    status: Status,
    figures: impl Service<Request<Body>, Response = Response, Error = Infallible, Future: Send + 'static>
    + Clone
    + Send
    + Sync
    + 'static,
) -> Router {
    Router::new()
        .route("/healthz", get(|| async { Json(json!({"status": "ok"})) }))
        .route("/readyz", get(readyz))
        .with_state(Arc::new(status))
        .route_service("/metrics", figures)
}

async fn readyz(State(status): State<Arc<Status>>) -> Response {
    let parts = status.parts().await;
    let ready = parts.iter().all(|part| part.ready || !part.needed);
    let shown: Vec<_> = parts
        .iter()
        .map(|part| {
            json!({"name": part.name, "ready": part.ready, "needed": part.needed, "detail": part.detail})
        })
        .collect();
    let code = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(json!({"ready": ready, "role": status.role().name(), "parts": shown}))).into_response()
}
