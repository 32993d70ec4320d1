//! The gRPC port of a service: its rpcs behind the access guard, the standard health service, and limits.
//!
//! It listens from the start. Until the service has what it needs, health says so and rpcs are refused at once: nobody
//! hangs on a port that nobody serves.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::Duration,
};

use anyhow::Context as _;
use axum::body::Body as PortBody;
use http::{Request, Response};
use kit::{ServiceError, Transport, deadline::DeadlineLayer};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{
    Status as GrpcStatus,
    body::Body,
    service::Routes,
    transport::{Server, server::TcpIncoming},
};
use tonic_health::{ServingStatus, pb::health_server, server::HealthReporter};
use tower::Service;

use super::Status;

/// The most calls at a time on one connection. Only the gateway and sibling services come here, and the gateway
/// carries out no more requests than that; a client's own streams are bounded there.
const MAX_STREAMS: u32 = 2_048;
/// The largest head of a call, in bytes: a token and a few short headers.
const MAX_HEAD_BYTES: u32 = 16 * 1024;
/// The largest frame, in bytes; it is also the least that the protocol allows.
const MAX_FRAME_BYTES: u32 = 16 * 1024;
/// Streams that were reset before they were taken up: beyond that, the connection is a flood, and ends.
const MAX_RESET_STREAMS: usize = 20;
/// Streams that this side had to reset: beyond that, the connection ends.
const MAX_ERROR_STREAMS: usize = 256;
/// A connection on which nothing comes for so long is asked for a sign of life.
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(20);
/// Without one for so long, it is dead.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// What may be on its way on one stream and on a connection, in bytes.
const STREAM_WINDOW: u32 = 512 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;

const HEALTH: &str = "/grpc.health.v1.Health/";

/// The port, before it is served.
pub struct GrpcPort {
    listener: TcpListener,
    rpcs: Late,
}

/// Where the service is put once it is there.
#[derive(Clone, Default)]
pub struct Late(Arc<OnceLock<Transport>>);

impl Late {
    /// From now on, this service answers. Only the first one counts.
    pub fn set(&self, service: Transport) {
        // A second one cannot come: there is one service for each process.
        let _ = self.0.set(service);
    }
}

impl GrpcPort {
    /// Listens at an address; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be used; the error says what to do.
    pub async fn bind(address: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!(
                "cannot listen at {address}: is another program using it? Choose one with --grpc-listen or \
                 BOXOFFICE_GRPC_LISTEN"
            )
        })?;
        Ok(Self { listener, rpcs: Late::default() })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Where the service is put.
    #[must_use]
    pub fn rpcs(&self) -> Late {
        self.rpcs.clone()
    }

    /// Serves until told to stop; then says goodbye on each connection, and returns when all calls have ended.
    ///
    /// # Errors
    /// When the port breaks.
    pub async fn serve(self, status: Status, stop: CancellationToken) -> anyhow::Result<()> {
        let (reporter, health) = tonic_health::server::health_reporter();
        let telling = tokio::spawn(tell_health(reporter, status, stop.clone()));
        let dispatch = Dispatch { health, rpcs: self.rpcs };
        let routes = Routes::from(axum::Router::new().fallback_service(dispatch));
        let served = Server::builder()
            .max_concurrent_streams(MAX_STREAMS)
            .http2_max_header_list_size(MAX_HEAD_BYTES)
            .max_frame_size(MAX_FRAME_BYTES)
            .http2_max_pending_accept_reset_streams(Some(MAX_RESET_STREAMS))
            .http2_max_local_error_reset_streams(Some(MAX_ERROR_STREAMS))
            .http2_keepalive_interval(Some(KEEP_ALIVE_EVERY))
            .http2_keepalive_timeout(Some(KEEP_ALIVE_TIMEOUT))
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .layer(DeadlineLayer)
            .add_routes(routes)
            .serve_with_incoming_shutdown(
                TcpIncoming::from(self.listener).with_nodelay(Some(true)),
                stop.cancelled_owned(),
            )
            .await;
        telling.abort();
        served.context("the gRPC port broke")
    }
}

/// Says by the standard health service whether the process is ready, whenever that changes.
async fn tell_health(reporter: HealthReporter, status: Status, stop: CancellationToken) {
    let name = status.role().grpc_name().unwrap_or_default();
    let mut is_ready = false;
    loop {
        let serving = if is_ready { ServingStatus::Serving } else { ServingStatus::NotServing };
        reporter.set_service_status("", serving).await;
        reporter.set_service_status(name, serving).await;
        is_ready = tokio::select! {
            is_ready = status.changed(is_ready) => is_ready,
            () = stop.cancelled() => return,
        };
    }
}

/// Health, or the service.
#[derive(Clone)]
struct Dispatch<H> {
    health: H,
    rpcs: Late,
}

impl<H: health_server::Health> Service<Request<PortBody>> for Dispatch<health_server::HealthServer<H>> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Both are always ready: they bound what they do by themselves.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<PortBody>) -> Self::Future {
        let request = request.map(Body::new);
        if request.uri().path().starts_with(HEALTH) {
            return Box::pin(self.health.call(request));
        }
        match self.rpcs.0.get() {
            Some(service) => service.clone().call(request),
            None => Box::pin(async { Ok(starting().into_http()) }),
        }
    }
}

fn starting() -> GrpcStatus {
    ServiceError::unavailable("unavailable", "the service is starting; nothing was changed").into()
}
