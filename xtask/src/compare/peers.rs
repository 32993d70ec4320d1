//! What is measured beside us. Each module starts one thing, puts load on it, and stops it.

mod axum;
mod boxoffice;
mod envoy;
mod mariadb;
mod postgres;
mod pretix;
mod redis;
mod tonic;

use std::{fs, path::Path};

use anyhow::Context;

use super::group::Peer;

/// The heavy one: it takes minutes to install and to start, so it is measured when asked for.
pub const HEAVY: &str = "pretix";

/// Every peer, in the order in which they are measured.
pub fn all() -> Vec<Box<dyn Peer>> {
    vec![
        Box::new(boxoffice::Boxoffice),
        Box::new(axum::Axum),
        Box::new(tonic::Tonic),
        Box::new(envoy::Envoy),
        Box::new(postgres::Postgres),
        Box::new(mariadb::MariaDb),
        Box::new(redis::Redis),
        Box::new(pretix::Pretix),
    ]
}

/// A crate with the version that the workspace has of it.
fn crate_version(name: &str) -> anyhow::Result<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    let lock = fs::read_to_string(file).context("cannot read Cargo.lock")?;
    let entry = lock.split("[[package]]").find(|entry| entry.contains(&format!("\nname = \"{name}\"\n")));
    let version = entry.and_then(|entry| entry.split("\nversion = \"").nth(1)).context("no such crate")?;
    Ok(format!("{name} {}", version.split('"').next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_has_a_version() {
        assert!(crate_version("axum").unwrap().starts_with("axum 0."));
        assert!(crate_version("no-such-crate").is_err());
    }

    #[test]
    fn each_figure_of_a_peer_has_a_name_of_its_own() {
        let peers = all();
        let ids: Vec<&str> = peers.iter().flat_map(|peer| peer.figures()).map(|figure| figure.id).collect();
        let different: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(ids.len(), different.len());
        assert!(peers.iter().any(|peer| peer.name() == HEAVY));
    }
}
