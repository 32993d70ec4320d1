//! The HTTP listener: HTTP/1.1 and HTTP/2, with limits, and a drain that loses no request.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::sync::CancellationToken;
use tower::Service;

/// The most connections at a time; further ones wait in the operating system's queue.
const MAX_CONNECTIONS: usize = 8_192;
/// How long a client may take to send a request's head.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// The most header fields of a request.
const MAX_HEADERS: usize = 64;
/// The largest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// The most requests at a time on one HTTP/2 connection.
const MAX_STREAMS: u32 = 100;
/// How long requests may take to finish after the program was told to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);
/// The pause after a connection could not be accepted, so that a lack of file handles is no busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What answers requests: the gateway, or the pages of an admin port.
pub trait Answers:
    Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send + 'static>
    + Clone
    + Send
    + 'static
{
}

impl<S> Answers for S where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send + 'static>
        + Clone
        + Send
        + 'static
{
}

/// A listener that serves until it is told to stop.
pub struct Server {
    listener: TcpListener,
    builder: Builder<TokioExecutor>,
}

impl Server {
    /// Listens at an address; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be used; the error says what to do.
    pub async fn bind(address: SocketAddr) -> anyhow::Result<Self> {
        Self::bind_for("listen", address).await
    }

    /// As [`Server::bind`], for another flag than `--listen`.
    ///
    /// # Errors
    /// As [`Server::bind`].
    pub async fn bind_for(flag: &str, address: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!("cannot listen at {address}: is another program using it? Choose one with --{flag}")
        })?;
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD_BYTES);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(MAX_HEAD_BYTES as u32)
            .keep_alive_interval(Some(HEADER_TIMEOUT));
        Ok(Self { listener, builder })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Serves until told to stop; then no connection is accepted, and running requests are finished.
    pub async fn serve(self, answers: impl Answers, stop: CancellationToken) {
        let connections = GracefulShutdown::new();
        let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = stop.cancelled() => break,
            };
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            self.attend(stream, answers.clone(), &connections, permit);
        }
        drop(self.listener);
        if tokio::time::timeout(DRAIN_TIMEOUT, connections.shutdown()).await.is_err() {
            tracing::warn!("some requests did not finish in time");
        }
    }

    fn attend(
        &self,
        stream: TcpStream,
        answers: impl Answers,
        connections: &GracefulShutdown,
        permit: tokio::sync::OwnedSemaphorePermit,
    ) {
        // Without it, small answers wait for the client's acknowledgement.
        let _ = stream.set_nodelay(true);
        let connection =
            self.builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(answers));
        let watched = connections.watch(connection.into_owned());
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(error, "connection ended");
            }
            drop(permit);
        });
    }
}
