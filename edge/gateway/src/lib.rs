//! REST to gRPC, from the descriptors.
//!
//! Nothing here is written by hand for one endpoint: an rpc with `google.api.http` and `access` is
//! served, documented and counted. To add an rpc, see the package doc of `proto`; nothing changes here.
//!
//! ```text
//!  request -> tree (route) -> guard (who) -> read_json (JSON to wire) -> upstream (gRPC)
//!                                                                             |
//!  answer  <- problem (error) or respond <- write_json (wire to JSON) <-------+
//! ```
//!
//! The gateway knows no service: it holds a [`kit::Transport`] for each and cannot tell local from remote.

mod admission;
mod balancer;
pub mod builtin;
mod chain;
mod docs;
pub mod entity;
mod forward;
mod grpc;
mod handler;
pub mod limits;
mod metrics;
mod model;
mod openapi;
mod pages;
mod places;
pub mod plugin;
pub mod plugins;
mod problem;
mod protos;
mod proxy;
mod read_json;
mod request;
mod respond;
mod router;
mod routes;
mod rules;
mod scalar;
mod schema;
pub mod server;
pub mod snapshot;
mod stream;
mod targets;
mod template;
mod trace;
mod transcode;
mod tree;
mod upstream;
mod wire;
mod write_json;
#[cfg(test)]
mod zoo;

use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    response::Response,
};
use kit::{Environment, Transport, access::Guard};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::{
    admission::Admission,
    handler::{Ours, Shared},
    metrics::Metrics,
    pages::Pages,
    plugin::Resources,
    routes::Routes,
    schema::Dialect,
    snapshot::Live,
};

pub use places::Priority;
pub use proxy::{Peer, RpcStatus};

/// The way to each service, by its full gRPC name, such as `boxoffice.v1.TicketService`. The rpcs of a
/// service that is not in it are answered with 503.
pub type Upstreams = BTreeMap<String, Transport>;

/// Metrics of other parts of the process, in the Prometheus text format.
pub type ExtraMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// One part of the process, as `/readyz` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name, such as `event-store`.
    pub name: String,
    /// Whether it can do its work.
    pub ready: bool,
    /// Whether the process is ready only with it; otherwise it is only shown.
    pub needed: bool,
    /// Why not, or what it is. It is shown to everyone, so it holds no address and no secret.
    pub detail: String,
}

/// Tells which parts of the process are ready.
#[async_trait::async_trait]
pub trait Readiness: Send + Sync + 'static {
    /// All parts. It answers quickly: a part that must be asked over the network is asked in advance.
    async fn parts(&self) -> Vec<Part>;
}

/// The figures that a gateway counts itself.
#[must_use]
pub fn described_metrics() -> Vec<kit::metrics::Described> {
    let mut described = Metrics::new().described();
    described.extend(targets::DESCRIBED);
    described
}

/// What a deployment may choose.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many requests are carried out at the same time; more wait for a moment, and then are refused with 503.
    pub max_concurrent_requests: usize,
    /// How long a service may take, on top of the wait that the client asked for.
    pub call_deadline: Duration,
    /// How many streams are open at the same time; more are refused with 503.
    pub max_streams: usize,
    /// Told when streams end: a drain must not wait for them.
    pub drain: CancellationToken,
    /// How much an rpc matters when there is too much to do, by its path.
    pub priority_of: fn(&str) -> Priority,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_concurrent_requests: limits::MAX_CONCURRENT_REQUESTS,
            call_deadline: limits::CALL_DEADLINE,
            max_streams: limits::MAX_STREAMS,
            drain: CancellationToken::new(),
            priority_of: |_| Priority::Normal,
        }
    }
}

/// Why a gateway cannot be built. All of these are defects of the contracts or of the composition.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// A path template is not well-formed.
    #[error("the template {template} is wrong: {why}")]
    Template {
        /// The template.
        template: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A REST binding does not fit its rpc.
    #[error("the REST binding of {rpc} is wrong: {why}")]
    Rule {
        /// The full name of the rpc.
        rpc: String,
        /// What is wrong.
        why: String,
    },
    /// An upstream is given for a service that is in no contract.
    #[error("there is no service {0}")]
    UnknownService(String),
}

/// The REST gateway: a tower service that answers every request. Copies share all of it.
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
    peer: Peer,
}

impl<B> Service<http::Request<B>> for Gateway
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        Box::pin(handler::answer(Arc::clone(&self.shared), self.peer.clone(), request.map(Body::new)))
    }
}

impl Gateway {
    /// Reads the contracts and prepares every route and page.
    ///
    /// # Errors
    /// When a contract is not well-formed, or an upstream is of no known service.
    pub fn new(
        upstreams: Upstreams,
        guard: Guard,
        environment: Environment,
        readiness: Arc<dyn Readiness>,
        options: Options,
        extra_metrics: ExtraMetrics,
    ) -> Result<Self, GatewayError> {
        let pool = proto::descriptors();
        for name in upstreams.keys() {
            if pool.get_service_by_name(name).is_none() {
                return Err(GatewayError::UnknownService(name.clone()));
            }
        }
        let metrics = Arc::new(Metrics::new());
        let routes = Routes::build(&pool, Dialect::Ours)?;
        let ours =
            routes.bindings.iter().map(|binding| Ours::of(binding, &upstreams, &metrics, &options)).collect();
        let figures = Arc::new(plugins::prometheus::Figures::default());
        let live = Arc::new(Live::new(Resources {
            environment: environment.clone(),
            figures: Arc::clone(&figures),
        }));
        let targets = Arc::clone(&live);
        let extra_metrics: ExtraMetrics =
            Arc::new(move || joined(&[figures.text(), targets.figures(), extra_metrics()]));
        let pages = Pages::new(&pool, readiness, Arc::clone(&metrics), extra_metrics)?;
        let (unrouted, configured) = (metrics.unrouted(), metrics.configured());
        let admission = Admission::new(options.max_concurrent_requests);
        let streams = Arc::new(Semaphore::new(options.max_streams.min(Semaphore::MAX_PERMITS)));
        let shared = Shared {
            routes,
            ours,
            pages,
            guard,
            environment,
            metrics,
            unrouted,
            configured,
            live,
            options,
            admission,
            streams,
        };
        Ok(Self { shared: Arc::new(shared), peer: Peer::default() })
    }

    /// What is configured: give it a configuration to serve, and ask it how targets are.
    #[must_use]
    pub fn live(&self) -> Arc<Live> {
        Arc::clone(&self.shared.live)
    }

    /// The figures of this process, as `/metrics` shows them.
    #[must_use]
    pub fn figures(&self) -> String {
        self.shared.pages.figures()
    }

    /// The same gateway, for a client of whom more is known than its requests say.
    #[must_use]
    pub fn for_peer(&self, peer: Peer) -> Self {
        Self { shared: Arc::clone(&self.shared), peer }
    }
}

/// Texts of figures as one: each has an end of its own.
fn joined(texts: &[String]) -> String {
    let bare = texts.iter().map(|text| text.trim_end().trim_end_matches("# EOF").trim_end());
    bare.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
}
