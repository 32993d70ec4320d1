//! The ways to the other services.

use anyhow::Context;
use kit::{Remote, Runtime, Transport, breaker::State, metrics::BreakerState};

use super::{Need, Role, Status};
use crate::config::Config;

/// The way to a service by its setting; `None` where it is not set. Whether it can be reached is shown as a part of
/// this process.
///
/// # Errors
/// When the setting holds no addresses.
pub fn way_to(
    role: Role,
    config: &Config,
    runtime: &Runtime,
    status: &Status,
) -> anyhow::Result<Option<Transport>> {
    let (setting, Some(urls)) = config.fleet.url_of(role) else { return Ok(None) };
    let remote = Remote::new(role.name(), urls).context(setting)?;
    let (watched, figures) = (remote.clone(), runtime.metrics.breaker(role.name()));
    status.watch(runtime, role.name(), Need::Shown, move || {
        figures.set(worst(&watched));
        let answer = reachable(&watched);
        async move { answer }
    });
    Ok(Some(Transport::Remote(remote)))
}

fn reachable(remote: &Remote) -> Result<String, String> {
    let peers = remote.peers();
    let usable = peers.iter().filter(|peer| peer.connected && peer.breaker != State::Open).count();
    match (peers.len(), usable) {
        (0, _) => Err("its name has no address".to_owned()),
        (all, 0) => Err(format!("none of {all} can be reached")),
        (all, usable) => Ok(format!("{usable} of {all} can be reached")),
    }
}

/// Calls are refused only where every address is left alone; while some are, it is being tried.
fn worst(remote: &Remote) -> BreakerState {
    let peers = remote.peers();
    let is_open = |peer: &kit::remote::Peer| peer.breaker == State::Open;
    if !peers.is_empty() && peers.iter().all(is_open) {
        BreakerState::Open
    } else if peers.iter().any(|peer| peer.breaker != State::Closed) {
        BreakerState::HalfOpen
    } else {
        BreakerState::Closed
    }
}
