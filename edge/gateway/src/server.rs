//! The listener: HTTP/1.1 and HTTP/2, in the clear or over TLS, with limits, shorter answers for who reads them, and a
//! drain that loses no request.

mod compress;
mod framing;
mod head;
mod prompt;
mod tls;

use std::{convert::Infallible, future::ready, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::response::Response;
use futures_util::future::Either;
use http::Request;
use hyper::{
    body::Incoming,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

use crate::{Gateway, Peer, snapshot::Live};
use compress::Compressor;
use framing::Ambiguous;
use prompt::Prompt;
pub(crate) use tls::Certificates;

/// The most connections at a time; further ones wait in the operating system's queue.
const MAX_CONNECTIONS: usize = 8_192;
/// How long a client may take to send a request's head, to begin at all, and to agree on TLS.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an HTTP/1.1 connection is kept between two requests. Proxies in front of us keep theirs for 60 s as a rule, and a
/// request that meets a connection which is just being closed is lost.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);
/// The most header fields of a request.
const MAX_HEADERS: usize = 64;
/// The largest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// The most requests at a time on one HTTP/2 connection.
const MAX_STREAMS: u32 = 100;
/// So many streams may be reset before they were looked at (rapid reset), and so many for errors of the client.
const MAX_RESETS: usize = 20;
const MAX_ERROR_RESETS: usize = 100;
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
    compressor: Compressor,
    tls: Option<tokio_rustls::TlsAcceptor>,
}

impl Server {
    /// Listens at an address; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            // It begins with the end of the answer before; the head alone is timed by `Prompt`.
            .header_read_timeout(IDLE_TIMEOUT)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD_BYTES);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(MAX_HEAD_BYTES as u32)
            .max_pending_accept_reset_streams(MAX_RESETS)
            .max_local_error_reset_streams(MAX_ERROR_RESETS)
            .keep_alive_interval(Some(HEADER_TIMEOUT));
        Ok(Self { listener, builder, compressor: Compressor::default(), tls: None })
    }

    /// Speaks TLS, with the certificates that are configured at the time of each connection.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn with_tls(mut self, live: Arc<Live>) -> io::Result<Self> {
        self.tls = Some(tls::acceptor(live)?);
        Ok(self)
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves the gateway, which learns who each client is.
    pub async fn serve_gateway(self, gateway: Gateway, stop: CancellationToken) {
        self.serve_with(move |peer| gateway.for_peer(peer), stop).await;
    }

    /// Serves until told to stop; then no connection is accepted, and running requests are finished.
    pub async fn serve(self, answers: impl Answers + Sync, stop: CancellationToken) {
        self.serve_with(move |_| answers.clone(), stop).await;
    }

    /// As [`Server::serve`], with what answers each client made for it.
    pub async fn serve_with<A: Answers>(
        self,
        answers: impl Fn(Peer) -> A + Clone + Send + 'static,
        stop: CancellationToken,
    ) {
        let connections = TaskTracker::new();
        let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = stop.cancelled() => break,
            };
            let Ok((stream, client)) = accepted else {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            // Without it, small answers wait for the client's acknowledgement.
            let _ = stream.set_nodelay(true);
            let attended = self.attend(stream, client, answers.clone(), stop.clone());
            connections.spawn(async move {
                attended.await;
                drop(permit);
            });
        }
        drop(self.listener);
        connections.close();
        if timeout(DRAIN_TIMEOUT, connections.wait()).await.is_err() {
            tracing::warn!("some requests did not finish in time");
        }
    }

    fn attend<A: Answers>(
        &self,
        stream: TcpStream,
        client: SocketAddr,
        answers: impl Fn(Peer) -> A + Send + 'static,
        stop: CancellationToken,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (builder, tls) = (self.builder.clone(), self.tls.clone());
        let compressor = self.compressor.clone();
        let mut peer = Peer { address: Some(client.ip().to_canonical()), ..Peer::default() };
        async move {
            let Some(acceptor) = tls else {
                return converse(builder, stream, (answers(peer), compressor), stop).await;
            };
            let Ok(Ok(stream)) = timeout(HEADER_TIMEOUT, acceptor.accept(stream)).await else { return };
            peer.is_secure = true;
            peer.sni = stream.get_ref().1.server_name().map(|name| name.to_ascii_lowercase().into());
            converse(builder, stream, (answers(peer), compressor), stop).await;
        }
    }
}

/// Answers requests on one connection until it ends, or until what runs has ended after a stop.
async fn converse<A: Answers>(
    builder: Builder<TokioExecutor>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    (answers, compressor): (A, Compressor),
    stop: CancellationToken,
) {
    let answers = TowerToHyperService::new(answers);
    let ambiguous = Ambiguous::default();
    let found = ambiguous.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        if let Some(refusal) = head::refusal(&request, &found) {
            return Either::Left(ready(Ok::<_, Infallible>(refusal)));
        }
        let (accepted, compressor) = (compress::accepted(request.headers()), compressor.clone());
        let answered = answers.call(request);
        Either::Right(async move { Ok(compressor.answer(accepted, answered.await?).await) })
    });
    let stream = TokioIo::new(Prompt::new(stream, HEADER_TIMEOUT, ambiguous));
    let mut connection = pin!(builder.serve_connection_with_upgrades(stream, service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "connection ended");
    }
}
