//! The way to a service in other processes: HTTP/2 to each of its addresses, kept open, balanced and watched.
//!
//! ```text
//!   names --resolver--> one Link for each address: connection, breaker, calls that run
//!   call ---------------> the link with the fewest calls --> answer
//!                           |  surely not processed there
//!                           '---> the next link, a few times
//! ```
//!
//! A call is made again elsewhere only when the first service surely did not process it: there was no connection,
//! or the service said goodbye before it took the call. Whatever may have been processed is for the client to
//! repeat, by its idempotency key. Nothing waits for somebody who does not answer: without a connection, and while
//! its breaker is open, an address gets no calls, and when none is left the call is refused at once.

mod call;
mod link;
mod resolver;

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use http::{Request, Response, uri::Authority};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::body::Body;
use tower::Service;

use crate::breaker::State;
use link::Link;

/// The most calls that run at a time to one address. The gateway carries out no more requests than that.
const MAX_IN_FLIGHT: usize = 2_048;
/// How long a call waits for a connection that is being made; never for one that has just failed.
const CONNECT_WAIT: Duration = Duration::from_secs(1);

/// Names that are no addresses of a service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPeer {
    /// There is none.
    #[error("there is no address")]
    None,
    /// One cannot be used.
    #[error("{0} is no address of a service: it must be like http://ticket:9000, without a path")]
    Malformed(String),
    /// It asks for TLS.
    #[error("{0} asks for TLS, which services do not speak: let a proxy beside each do so, and use http://")]
    Tls(String),
}

/// The way to a service by its addresses. Copies share the connections, which end with the last of them.
#[derive(Clone)]
pub struct Remote {
    shared: Arc<Shared>,
    _ends_with_the_last: Arc<DropGuard>,
}

struct Shared {
    /// Of the service, for people.
    name: String,
    links: RwLock<Vec<Arc<Link>>>,
    /// No name could be resolved, the last time.
    unresolved: std::sync::atomic::AtomicBool,
    /// Something about the links is another by now.
    changed: Notify,
    /// Where the search for the least busy link begins, so that equal ones take turns.
    turn: AtomicUsize,
    stop: CancellationToken,
}

/// One address of a service, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its address.
    pub address: String,
    /// Whether there is a connection.
    pub connected: bool,
    /// Where its breaker is.
    pub breaker: State,
    /// Calls that run.
    pub in_flight: usize,
}

impl Remote {
    /// The way to a service at these addresses, separated by commas, such as `http://ticket:9000`. A name may stand
    /// for several addresses; it is looked up again and again. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// When an address cannot be used. Whether anybody answers there shows later.
    pub fn new(name: &str, urls: &str) -> Result<Self, BadPeer> {
        let names = authorities(urls)?;
        let stop = CancellationToken::new();
        let shared = Arc::new(Shared {
            name: name.to_owned(),
            links: RwLock::default(),
            unresolved: std::sync::atomic::AtomicBool::new(false),
            changed: Notify::new(),
            turn: AtomicUsize::new(0),
            stop: stop.clone(),
        });
        tokio::spawn(resolver::run(Arc::downgrade(&shared), names, stop.clone()));
        Ok(Self { shared, _ends_with_the_last: Arc::new(stop.drop_guard()) })
    }

    /// Its addresses, as they are now.
    #[must_use]
    pub fn peers(&self) -> Vec<Peer> {
        self.shared.links().iter().map(|link| link.peer()).collect()
    }

    /// The service's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }
}

impl Shared {
    fn links(&self) -> Vec<Arc<Link>> {
        // Nothing panics while the lock is held.
        self.links.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The links, beginning with another one each time.
    fn links_in_turn(&self) -> Vec<Arc<Link>> {
        let mut links = self.links();
        if !links.is_empty() {
            let first = self.turn.fetch_add(1, Ordering::Relaxed) % links.len();
            links.rotate_left(first);
        }
        links
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Remote").field(&self.shared.name).finish()
    }
}

impl Service<Request<Body>> for Remote {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        Box::pin(
            async move { Ok(call::make(&shared, request).await.unwrap_or_else(|status| status.into_http())) },
        )
    }
}

fn authorities(urls: &str) -> Result<Vec<Authority>, BadPeer> {
    let urls = urls.split(',').map(str::trim).filter(|url| !url.is_empty());
    let authorities = urls.map(authority).collect::<Result<Vec<_>, _>>()?;
    if authorities.is_empty() { Err(BadPeer::None) } else { Ok(authorities) }
}

fn authority(url: &str) -> Result<Authority, BadPeer> {
    let malformed = || BadPeer::Malformed(url.to_owned());
    let uri: http::Uri = url.parse().map_err(|_| malformed())?;
    if uri.scheme_str() == Some("https") {
        return Err(BadPeer::Tls(url.to_owned()));
    }
    let authority = uri.authority().ok_or_else(malformed)?;
    let is_plain =
        uri.scheme_str() == Some("http") && matches!(uri.path(), "" | "/") && uri.query().is_none();
    let has_port = authority.port_u16().is_some_and(|port| port > 0) && !authority.as_str().contains('@');
    if is_plain && has_port { Ok(authority.clone()) } else { Err(malformed()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_http_with_a_port_and_nothing_else() {
        let two = authorities("http://ticket-1:9000, http://[::1]:9001/").unwrap();
        assert_eq!(two.iter().map(Authority::as_str).collect::<Vec<_>>(), ["ticket-1:9000", "[::1]:9001"]);
        assert_eq!(authorities(" , "), Err(BadPeer::None));
        for malformed in [
            "ticket:9000",
            "http://ticket",
            "http://ticket:0",
            "http://a:1/path",
            "http://a:1?x",
            "ftp://a:1",
            "http://me@a:1",
            "grpc://a:1",
        ] {
            assert_eq!(authorities(malformed), Err(BadPeer::Malformed(malformed.to_owned())), "{malformed}");
        }
        assert_eq!(authorities("https://a:1"), Err(BadPeer::Tls("https://a:1".to_owned())));
    }
}
