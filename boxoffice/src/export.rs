//! The gateway's routes for another gateway: Envoy or Kong, made from the same contracts.
//!
//! Through Envoy the surface is the same but for what docs/envoy.md lists. Kong has the routes alone: no problem
//! answers, no `Prefer: wait`. Services verify tokens themselves, so a call that comes through either is as safe as one
//! through our own gateway.

mod contract;
mod envoy;

use anyhow::Context;
use serde_json::{Value, json};

use crate::{config::Config, serve::Role};

/// For which gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Target {
    /// A static configuration of Envoy, as JSON
    Envoy,
    /// A declarative file of Kong (`deck gateway sync`), as JSON, which YAML contains
    Kong,
}

/// How long a call may take: the longest wait that a client can prefer, and what comes on top.
const TIMEOUT_SECONDS: u32 = 60;

/// A service that another gateway is to call.
struct Upstream {
    /// Such as `boxoffice.v1.UserService`.
    service: &'static str,
    role: Role,
    host: String,
    port: u16,
}

/// Writes a configuration.
///
/// # Errors
/// When the address of a service is not set, or is no URL.
pub fn run(target: Target, config: &Config) -> anyhow::Result<String> {
    let upstreams = Role::SERVICES.into_iter().map(|role| upstream(role, config));
    let upstreams = upstreams.collect::<anyhow::Result<Vec<_>>>()?;
    let written = match target {
        Target::Envoy => envoy::configuration(config, &upstreams)?,
        Target::Kong => kong(&upstreams),
    };
    Ok(serde_json::to_string_pretty(&written)?)
}

fn upstream(role: Role, config: &Config) -> anyhow::Result<Upstream> {
    let (setting, url) = config.fleet.url_of(role);
    let url = url.with_context(|| format!("{setting} is not set: where does the {role} service listen?"))?;
    // Of several addresses the first; a name stands for all of them.
    let first = url.split(',').next().unwrap_or_default().trim();
    let parsed = reqwest::Url::parse(first).with_context(|| format!("{setting} is no URL: {first}"))?;
    let host = parsed.host_str().with_context(|| format!("{setting} has no host"))?.to_owned();
    let port = parsed.port_or_known_default().with_context(|| format!("{setting} has no port"))?;
    let service = role.grpc_name().context("the gateway is no service")?;
    Ok(Upstream { service, role, host, port })
}

/// Kong reads the contracts as files: `config.proto` is a path on its machine.
fn kong(upstreams: &[Upstream]) -> Value {
    let services: Vec<Value> = upstreams
        .iter()
        .map(|upstream| {
            let name = upstream.role.name();
            let paths = paths_of(upstream.service);
            json!({
                "name": name,
                "protocol": "grpc",
                "host": upstream.host,
                "port": upstream.port,
                "read_timeout": TIMEOUT_SECONDS * 1_000,
                "routes": [{ "name": name, "protocols": ["http", "https"], "paths": paths, "strip_path": false }],
                "plugins": [{
                    "name": "grpc-gateway",
                    "config": { "proto": format!("/usr/local/share/boxoffice/proto/boxoffice/v1/{name}.proto") },
                }],
            })
        })
        .collect();
    json!({ "_format_version": "3.0", "services": services })
}

/// The paths of a service as Kong's routes have them: a template becomes a regular expression, so that services that
/// share a beginning are told apart.
fn paths_of(service: &str) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    for rpc in contract::rpcs_of(service) {
        let path = format!("~{}$", rpc.pattern());
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kong_has_each_path_once() {
        let paths = paths_of("boxoffice.v1.UserService");
        assert_eq!(paths.iter().filter(|path| *path == "~/v1/users/me$").count(), 1);
        assert!(paths.contains(&"~/\\.well-known/jwks\\.json$".to_owned()));
    }
}
