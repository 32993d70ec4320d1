//! The pages that are no rpcs: health, metrics, the OpenAPI document and the documentation.

use std::{collections::HashMap, sync::Arc};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{
    HeaderValue, Method, StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER},
};
use prost_reflect::DescriptorPool;
use serde_json::json;

use crate::{
    ExtraMetrics, GatewayError, Readiness, docs, limits,
    metrics::{self, Metrics},
    model::Model,
    openapi,
    problem::Problem,
};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JSON: &str = "application/json";
/// No script at all, and style from here only.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; style-src 'self'; img-src 'self'");
/// The fixed pages change with the program only.
const FIXED_CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// A page that never changes.
struct Fixed {
    media_type: &'static str,
    body: Bytes,
}

/// The pages.
pub(crate) struct Pages {
    fixed: HashMap<String, Fixed>,
    readiness: Arc<dyn Readiness>,
    metrics: Arc<Metrics>,
    extra_metrics: ExtraMetrics,
}

impl Pages {
    /// Renders all fixed pages.
    pub fn new(
        pool: &DescriptorPool,
        readiness: Arc<dyn Readiness>,
        metrics: Arc<Metrics>,
        extra_metrics: ExtraMetrics,
    ) -> Result<Self, GatewayError> {
        let model = Model::read(pool)?;
        let mut fixed = HashMap::new();
        let mut add = |path: &str, media_type, body: String| {
            fixed.insert(path.to_owned(), Fixed { media_type, body: Bytes::from(body) });
        };
        add("/", HTML, docs::index());
        add("/healthz", JSON, json!({"status": "ok"}).to_string());
        add("/docs", HTML, docs::reference(&model));
        add("/docs/style.css", CSS, docs::STYLE.to_owned());
        let errors = docs::error_pages();
        add("/openapi.json", JSON, openapi::document(&model, &errors).to_string());
        add("/docs/errors", HTML, docs::error_list(&errors));
        for page in errors {
            add(&format!("/docs/errors/{}", page.code), HTML, page.html);
        }
        Ok(Self { fixed, readiness, metrics, extra_metrics })
    }

    /// Whether there is a page at a path.
    pub fn has(&self, path: &str) -> bool {
        matches!(path, "/readyz" | "/metrics") || self.fixed.contains_key(path)
    }

    /// The figures, as OpenMetrics text.
    pub fn figures(&self) -> String {
        self.metrics.text(&(self.extra_metrics)())
    }

    /// The page at a path.
    pub async fn answer(&self, method: &Method, path: &str) -> Result<Response, Problem> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Err(Problem::method_not_allowed("GET, HEAD".to_owned()));
        }
        match path {
            "/readyz" => Ok(self.readyz().await),
            "/metrics" => Ok(page(metrics::CONTENT_TYPE, self.figures())),
            _ => self.fixed(path),
        }
    }

    fn fixed(&self, path: &str) -> Result<Response, Problem> {
        let fixed = self.fixed.get(path).ok_or_else(Problem::not_found)?;
        let mut response = page(fixed.media_type, fixed.body.clone());
        let headers = response.headers_mut();
        if fixed.media_type == HTML {
            headers.insert(CONTENT_SECURITY_POLICY, POLICY);
        }
        if path != "/healthz" {
            headers.insert(CACHE_CONTROL, FIXED_CACHE_CONTROL);
        }
        Ok(response)
    }

    async fn readyz(&self) -> Response {
        let parts = self.readiness.parts().await;
        let ready = parts.iter().all(|part| part.ready || !part.needed);
        let shown: Vec<_> = parts
            .iter()
            .map(|part| json!({"name": part.name, "ready": part.ready, "detail": part.detail}))
            .collect();
        let mut response = page(JSON, json!({"ready": ready, "parts": shown}).to_string());
        if !ready {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(limits::RETRY_AFTER.as_secs()));
        }
        response
    }
}

fn page(media_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
