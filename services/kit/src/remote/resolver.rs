//! Looks the names of a service up, and keeps one link for each address behind them.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, PoisonError, Weak, atomic::Ordering},
    time::Duration,
};

use http::uri::Authority;
use tokio_util::sync::CancellationToken;

use super::{Link, Shared};

/// How often names are looked up.
const RESOLVE_EVERY: Duration = Duration::from_secs(5);
/// How soon again while a name has no address.
const RESOLVE_AGAIN: Duration = Duration::from_millis(500);
/// How long a lookup may take.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(3);
/// The most addresses of a service.
const MAX_LINKS: usize = 256;

/// Looks up again and again, until told to stop or nobody needs it.
pub(super) async fn run(shared: Weak<Shared>, names: Vec<Authority>, stop: CancellationToken) {
    loop {
        let found = lookup(&names).await;
        let Some(shared) = shared.upgrade() else { return };
        let pause = if found.is_complete { RESOLVE_EVERY } else { RESOLVE_AGAIN };
        shared.unresolved.store(found.addresses.is_empty(), Ordering::Release);
        keep(&shared, found);
        drop(shared);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
    }
}

struct Found {
    addresses: BTreeMap<SocketAddr, Authority>,
    /// Every name was found.
    is_complete: bool,
}

async fn lookup(names: &[Authority]) -> Found {
    let mut found = Found { addresses: BTreeMap::new(), is_complete: true };
    for name in names {
        let asked = tokio::time::timeout(RESOLVE_TIMEOUT, tokio::net::lookup_host(name.as_str()));
        match asked.await {
            Ok(Ok(addresses)) => found.addresses.extend(addresses.map(|address| (address, name.clone()))),
            Ok(Err(error)) => {
                tracing::warn!(%name, %error, "a peer's name cannot be looked up");
                found.is_complete = false;
            }
            Err(_) => {
                tracing::warn!(%name, "looking up a peer's name takes too long");
                found.is_complete = false;
            }
        }
    }
    while found.addresses.len() > MAX_LINKS {
        found.addresses.pop_last();
    }
    found
}

/// Makes links to new addresses, and lets those go that are no longer there. When a name could not be looked up,
/// what was known of it stays.
fn keep(shared: &Arc<Shared>, found: Found) {
    let mut links = shared.links.write().unwrap_or_else(PoisonError::into_inner);
    if found.is_complete {
        links.retain(|link| {
            let stays = found.addresses.contains_key(&link.address());
            if !stays {
                link.let_go();
            }
            stays
        });
    }
    for (address, name) in found.addresses {
        if links.len() < MAX_LINKS && !links.iter().any(|link| link.address() == address) {
            links.push(Link::start(address, name, &shared.stop, Arc::downgrade(shared)));
        }
    }
    drop(links);
    shared.changed.notify_waiters();
}
