//! One address of a service: its connection, which is made again whenever it breaks, and its breaker.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::uri::Authority;
use http_body_util::Full;
use hyper::client::conn::http2::{Builder, Connection, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{net::TcpStream, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{MAX_IN_FLIGHT, Peer, Shared};
use crate::breaker::{Admitted, Breaker, Outcome, Policy, State};

/// How long making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The pause after a connection could not be made; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause.
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// A connection on which nothing comes for so long is asked for a sign of life, also while nothing is to be done.
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(5);
/// Without a sign of life for so long, it is dead: within ten seconds a half-open connection is known as such.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(5);
/// What may be on its way on one stream and on a connection before the reader says that it has room, in bytes:
/// enough for a large page at once, and bounded.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;

/// The body of a call that may be made again.
pub(super) type CallBody = Full<Bytes>;

/// How the connection is.
enum Way {
    /// It is being made, or has just ended.
    Connecting,
    /// It is there.
    Connected(SendRequest<CallBody>),
    /// It could not be made, the last time.
    Failed,
    /// It is no longer wanted.
    LetGo,
}

/// One address.
pub(super) struct Link {
    address: SocketAddr,
    /// What it is called, for the requests.
    name: Authority,
    way: Mutex<Way>,
    breaker: Mutex<Breaker>,
    since: Instant,
    in_flight: AtomicUsize,
    let_go: CancellationToken,
}

/// Whether a link can take a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fitness {
    /// It can, and so many run.
    Ready(usize),
    /// It will soon know.
    Connecting,
    /// It has too many calls.
    Full,
    /// It cannot.
    Down,
}

/// A call that runs on a link. When it is dropped without a conclusion, the caller gave up.
pub(super) struct Running {
    link: Arc<Link>,
    admitted: Option<Admitted>,
}

impl Link {
    /// Begins to connect.
    pub(super) fn start(
        address: SocketAddr,
        name: Authority,
        stop: &CancellationToken,
        owner: Weak<Shared>,
    ) -> Arc<Self> {
        let link = Arc::new(Self {
            address,
            name,
            way: Mutex::new(Way::Connecting),
            breaker: Mutex::new(Breaker::new(Policy::DEFAULT)),
            since: Instant::now(),
            in_flight: AtomicUsize::new(0),
            let_go: stop.child_token(),
        });
        tokio::spawn(Arc::clone(&link).stay_connected(owner));
        link
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn name(&self) -> &Authority {
        &self.name
    }

    /// Takes no more calls; those that run are finished.
    pub(super) fn let_go(&self) {
        self.let_go.cancel();
        *self.way() = Way::LetGo;
    }

    pub(super) fn fitness(&self) -> Fitness {
        let in_flight = self.in_flight.load(Ordering::Relaxed);
        match &*self.way() {
            Way::Connected(sender) if sender.is_ready() => {}
            Way::Connecting | Way::Connected(_) => return Fitness::Connecting,
            Way::Failed | Way::LetGo => return Fitness::Down,
        }
        if !self.breaker().would_admit(self.since.elapsed()) {
            return Fitness::Down;
        }
        if in_flight >= MAX_IN_FLIGHT { Fitness::Full } else { Fitness::Ready(in_flight) }
    }

    /// Takes a call; none when it can no longer.
    pub(super) fn admit(self: &Arc<Self>) -> Option<(Running, SendRequest<CallBody>)> {
        let sender = match &*self.way() {
            Way::Connected(sender) => sender.clone(),
            _ => return None,
        };
        let admitted = self.breaker().admit(self.since.elapsed()).ok()?;
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Some((Running { link: Arc::clone(self), admitted: Some(admitted) }, sender))
    }

    pub(super) fn peer(&self) -> Peer {
        let connected = matches!(&*self.way(), Way::Connected(sender) if sender.is_ready());
        Peer {
            address: self.address.to_string(),
            connected,
            breaker: self.breaker_state(),
            in_flight: self.in_flight.load(Ordering::Relaxed),
        }
    }

    fn breaker_state(&self) -> State {
        self.breaker().state(self.since.elapsed())
    }

    async fn stay_connected(self: Arc<Self>, owner: Weak<Shared>) {
        let mut pause = FIRST_PAUSE;
        while !self.let_go.is_cancelled() {
            let connected = tokio::select! {
                connected = connect(self.address) => connected,
                () = self.let_go.cancelled() => return,
            };
            match connected {
                Ok((sender, connection)) => {
                    pause = FIRST_PAUSE;
                    self.set(Way::Connected(sender), &owner);
                    if let Err(error) = self.attend(connection, &owner).await {
                        tracing::debug!(peer = %self.address, %error, "a connection broke");
                    }
                }
                Err(error) => {
                    tracing::debug!(peer = %self.address, %error, "a peer cannot be reached");
                    self.set(Way::Failed, &owner);
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = self.let_go.cancelled() => return,
                    }
                    pause = (pause * 2).min(MAX_PAUSE);
                }
            }
        }
    }

    /// Sees to a connection until it takes no more calls; what runs on it then is finished beside the next one.
    async fn attend(
        &self,
        connection: Connection<TokioIo<TcpStream>, CallBody, TokioExecutor>,
        owner: &Weak<Shared>,
    ) -> hyper::Result<()> {
        let ended = tokio::select! {
            // Broken, or the service said goodbye.
            ended = connection => ended,
            () = self.let_go.cancelled() => Ok(()),
        };
        self.set(Way::Connecting, owner);
        ended
    }

    fn set(&self, way: Way, owner: &Weak<Shared>) {
        {
            let mut now = self.way();
            if !matches!(*now, Way::LetGo) {
                *now = way;
            }
        }
        if let Some(owner) = owner.upgrade() {
            owner.changed.notify_waiters();
        }
    }

    fn way(&self) -> MutexGuard<'_, Way> {
        // Nothing panics while the lock is held.
        self.way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// Notes how the call ended.
    pub(super) fn conclude(mut self, outcome: Outcome) {
        self.note(outcome);
    }

    fn note(&mut self, outcome: Outcome) {
        let Some(admitted) = self.admitted.take() else { return };
        self.link.in_flight.fetch_sub(1, Ordering::Relaxed);
        let now = self.link.since.elapsed();
        let mut breaker = self.link.breaker();
        let before = breaker.state(now);
        breaker.conclude(&admitted, outcome, now);
        let after = breaker.state(now);
        drop(breaker);
        if before != after {
            tracing::warn!(peer = %self.link.address, ?before, ?after, "a circuit breaker changed");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.note(Outcome::Abandoned);
    }
}

type Connected = (SendRequest<CallBody>, Connection<TokioIo<TcpStream>, CallBody, TokioExecutor>);

async fn connect(address: SocketAddr) -> Result<Connected, Box<dyn std::error::Error + Send + Sync>> {
    let connecting = async {
        let stream = TcpStream::connect(address).await?;
        // Without it, small calls wait for the acknowledgement of what went before.
        stream.set_nodelay(true)?;
        let connected = Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEP_ALIVE_EVERY)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .handshake(TokioIo::new(stream))
            .await?;
        Ok(connected)
    };
    tokio::time::timeout(CONNECT_TIMEOUT, connecting).await.map_err(|_| "it took too long")?
}
