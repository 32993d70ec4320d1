//! Connections to one endpoint: HTTP/1.1 ones that are kept while idle, or one of HTTP/2 that all calls share.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::body::Body;
use http::{Request, Response};
use hyper::{
    body::Incoming,
    client::conn::{TrySendError, http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// The most idle connections that are kept to one endpoint.
const MAX_IDLE: usize = 64;
/// How long it may take to hear that an HTTP/2 connection still lives, and how often it is asked.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// What may be on its way before the reader says that it has room, in bytes: on a stream, and on a connection.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
/// The longest head of an answer, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// How an endpoint is spoken to.
#[derive(Clone)]
pub(crate) struct Dialogue {
    /// HTTP/2 from the first byte, as gRPC needs it; otherwise HTTP/1.1.
    pub is_grpc: bool,
    /// TLS, with the name that the certificate must be for.
    pub tls: Option<(TlsConnector, ServerName<'static>)>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No connection could be made: nothing was sent.
    Unreachable(String),
    /// It was surely not taken up: it could not be sent, or the endpoint said so.
    NotTaken,
    /// Nobody can tell.
    Lost(String),
    /// There was no answer in time.
    TooLate,
}

/// The connections.
#[derive(Default)]
pub(crate) struct Connections {
    idle: Mutex<Vec<http1::SendRequest<Body>>>,
    shared: Mutex<Option<http2::SendRequest<Body>>>,
    /// Held while the shared one is made, so that it is made once.
    making: tokio::sync::Mutex<()>,
}

impl Connections {
    /// Sends a request; the head of the answer. A request that could not be sent is still there afterwards.
    pub async fn send(
        self: &Arc<Self>,
        address: SocketAddr,
        dialogue: &Dialogue,
        request: &mut Option<Request<Body>>,
        connect_timeout: Duration,
        answer_timeout: Duration,
    ) -> Result<Response<Incoming>, Failure> {
        if dialogue.is_grpc {
            let mut sender = self.shared(address, dialogue, connect_timeout).await?;
            let Some(taken) = request.take() else { return Err(Failure::NotTaken) };
            let sent = timeout(answer_timeout, sender.try_send_request(taken)).await;
            return told(sent.map_err(|_| Failure::TooLate)?, request);
        }
        // One that was idle may have ended a moment ago; then another is tried.
        while let Some(sender) = self.take_idle() {
            match self.send_on(sender, request, answer_timeout).await {
                Err(Failure::NotTaken) if request.is_some() => {}
                sent => return sent,
            }
        }
        let sender = connect_http1(address, dialogue, connect_timeout).await?;
        self.send_on(sender, request, answer_timeout).await
    }

    async fn send_on(
        self: &Arc<Self>,
        mut sender: http1::SendRequest<Body>,
        request: &mut Option<Request<Body>>,
        answer_timeout: Duration,
    ) -> Result<Response<Incoming>, Failure> {
        let Some(taken) = request.take() else { return Err(Failure::NotTaken) };
        let sent = timeout(answer_timeout, sender.try_send_request(taken)).await;
        let answered = told(sent.map_err(|_| Failure::TooLate)?, request)?;
        let this = Arc::clone(self);
        // It can be used again once the answer has been read.
        tokio::spawn(async move {
            if sender.ready().await.is_ok() {
                let mut idle = locked(&this.idle);
                if idle.len() < MAX_IDLE {
                    idle.push(sender);
                }
            }
        });
        Ok(answered)
    }

    fn take_idle(&self) -> Option<http1::SendRequest<Body>> {
        let mut idle = locked(&self.idle);
        while let Some(sender) = idle.pop() {
            if sender.is_ready() {
                return Some(sender);
            }
        }
        None
    }

    async fn shared(
        &self,
        address: SocketAddr,
        dialogue: &Dialogue,
        connect_timeout: Duration,
    ) -> Result<http2::SendRequest<Body>, Failure> {
        let known = || locked(&self.shared).clone().filter(|sender| !sender.is_closed());
        if let Some(sender) = known() {
            return Ok(sender);
        }
        let _making = self.making.lock().await;
        if let Some(sender) = known() {
            return Ok(sender);
        }
        let sender = connect_http2(address, dialogue, connect_timeout).await?;
        *locked(&self.shared) = Some(sender.clone());
        Ok(sender)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while the lock is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

type Sent = Result<Response<Incoming>, TrySendError<Request<Body>>>;

fn told(sent: Sent, request: &mut Option<Request<Body>>) -> Result<Response<Incoming>, Failure> {
    sent.map_err(|mut error| {
        *request = error.take_message();
        if request.is_some() || was_refused(error.error()) {
            Failure::NotTaken
        } else {
            Failure::Lost(error.error().to_string())
        }
    })
}

/// RFC 9113, 6.8 and 8.7: streams beyond the last one of a GOAWAY, and refused streams, were not processed.
fn was_refused(error: &hyper::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
            let goodbye = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
            return error.is_remote() && (refused || goodbye);
        }
        cause = error.source();
    }
    false
}

async fn connect_http1(
    address: SocketAddr,
    dialogue: &Dialogue,
    connect_timeout: Duration,
) -> Result<http1::SendRequest<Body>, Failure> {
    let connecting = async {
        let io = TokioIo::new(open(address, dialogue).await.map_err(unreachable_by)?);
        let mut builder = http1::Builder::new();
        builder.max_buf_size(MAX_HEAD_BYTES);
        let (sender, connection) = builder.handshake(io).await.map_err(unreachable_by)?;
        tokio::spawn(async move {
            // Its end is known by the sender.
            let _ = connection.with_upgrades().await;
        });
        Ok(sender)
    };
    in_time(connecting, address, connect_timeout).await
}

async fn connect_http2(
    address: SocketAddr,
    dialogue: &Dialogue,
    connect_timeout: Duration,
) -> Result<http2::SendRequest<Body>, Failure> {
    let connecting = async {
        let io = TokioIo::new(open(address, dialogue).await.map_err(unreachable_by)?);
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(KEEP_ALIVE))
            .keep_alive_timeout(KEEP_ALIVE)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(MAX_HEAD_BYTES as u32);
        let (sender, connection) = builder.handshake(io).await.map_err(unreachable_by)?;
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(sender)
    };
    in_time(connecting, address, connect_timeout).await
}

async fn in_time<T>(
    connecting: impl Future<Output = Result<T, Failure>>,
    address: SocketAddr,
    limit: Duration,
) -> Result<T, Failure> {
    let late = |_| Err(Failure::Unreachable(format!("no connection to {address} within {limit:?}")));
    timeout(limit, connecting).await.unwrap_or_else(late)
}

fn unreachable_by(error: impl std::fmt::Display) -> Failure {
    Failure::Unreachable(error.to_string())
}

/// TCP, or TLS over it.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Opens a connection.
pub(super) async fn open(address: SocketAddr, dialogue: &Dialogue) -> io::Result<Box<dyn Stream>> {
    let tcp = TcpStream::connect(address).await?;
    // Without it, small requests wait for the other side's acknowledgement.
    tcp.set_nodelay(true)?;
    match &dialogue.tls {
        None => Ok(Box::new(tcp)),
        Some((connector, name)) => Ok(Box::new(connector.connect(name.clone(), tcp).await?)),
    }
}
