//! The ways to the other services.

use anyhow::Context;
use kit::{Remote, Runtime, Transport, breaker::State};

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
    let watched = remote.clone();
    status.watch(runtime, role.name(), Need::Shown, move || {
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
