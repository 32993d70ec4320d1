//! The gateway's routes for another gateway: Envoy or Kong, made from the same contracts.
//!
//! What another gateway does not have stays behind: problem answers, `Prefer: wait`, admission by priority. Services
//! verify tokens themselves, so a call that comes through Envoy or Kong is as safe as one through ours.

use anyhow::Context;
use base64::{Engine, prelude::BASE64_STANDARD};
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

/// Where Envoy's types are.
const TYPES: &str = "type.googleapis.com/envoy.extensions";
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
        Target::Envoy => envoy(config, &upstreams),
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

fn envoy(config: &Config, upstreams: &[Upstream]) -> Value {
    let descriptors = BASE64_STANDARD.encode(proto::descriptors().encode_to_vec());
    let services: Vec<&str> = upstreams.iter().map(|upstream| upstream.service).collect();
    let transcoder = json!({
        "@type": format!("{TYPES}.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder"),
        "proto_descriptor_bin": descriptors,
        "services": services,
        "convert_grpc_status": true,
        "ignored_query_parameters": [],
        // Our surface: names as in the contract, and every value written out.
        "print_options": { "preserve_proto_field_names": true, "always_print_primitive_fields": true },
    });
    let routes: Vec<Value> = upstreams
        .iter()
        .map(|upstream| {
            json!({
                "match": { "prefix": format!("/{}/", upstream.service) },
                "route": { "cluster": upstream.role.name(), "timeout": format!("{TIMEOUT_SECONDS}s") },
            })
        })
        .collect();
    let connections = json!({
        "@type": format!("{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "boxoffice",
        // Who a caller is, services find out by the token alone.
        "route_config": {
            "virtual_hosts": [{ "name": "boxoffice", "domains": ["*"], "routes": routes }],
            "request_headers_to_remove": ["x-jwt-claim-sub", "x-jwt-claim-roles", "prefer-wait-ms"],
        },
        "http_filters": [
            { "name": "envoy.filters.http.grpc_json_transcoder", "typed_config": transcoder },
            {
                "name": "envoy.filters.http.router",
                "typed_config": { "@type": format!("{TYPES}.filters.http.router.v3.Router") },
            },
        ],
    });
    let manager =
        json!({ "name": "envoy.filters.network.http_connection_manager", "typed_config": connections });
    let address = address(&config.listen.ip().to_string(), config.listen.port());
    let clusters: Vec<Value> = upstreams.iter().map(cluster).collect();
    json!({ "static_resources": {
        "listeners": [{ "name": "boxoffice", "address": address, "filter_chains": [{ "filters": [manager] }] }],
        "clusters": clusters,
    } })
}

fn cluster(upstream: &Upstream) -> Value {
    let name = upstream.role.name();
    let endpoint = json!({ "endpoint": { "address": address(&upstream.host, upstream.port) } });
    json!({
        "name": name,
        "type": "STRICT_DNS",
        "connect_timeout": "5s",
        "load_assignment": { "cluster_name": name, "endpoints": [{ "lb_endpoints": [endpoint] }] },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": format!("{TYPES}.upstreams.http.v3.HttpProtocolOptions"),
                "explicit_http_config": { "http2_protocol_options": {} },
            },
        },
    })
}

fn address(host: &str, port: u16) -> Value {
    json!({ "socket_address": { "address": host, "port_value": port } })
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
    let pool = proto::descriptors();
    let Some(option) = pool.get_extension_by_name("google.api.http") else { return Vec::new() };
    let Some(service) = pool.get_service_by_name(service) else { return Vec::new() };
    let mut paths = Vec::new();
    for rpc in service.methods() {
        let options = rpc.options();
        let rule = options.get_extension(&option);
        let Some(rule) = rule.as_message() else { continue };
        let template = ["get", "put", "post", "delete", "patch"].iter().find_map(|verb| {
            let text = rule.get_field_by_name(verb)?.as_str().map(str::to_owned)?;
            Some(text).filter(|text| !text.is_empty())
        });
        let path = template.map(|template| as_pattern(&template));
        paths.extend(path.filter(|path| !paths.contains(path)));
    }
    paths
}

fn as_pattern(template: &str) -> String {
    let mut pattern = String::from("~");
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        pattern += &before.replace('.', "\\.");
        pattern += "[^/:]+";
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    pattern + &rest.replace('.', "\\.") + "$"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_become_patterns() {
        assert_eq!(as_pattern("/v1/events/{event_id}:publish"), "~/v1/events/[^/:]+:publish$");
        assert_eq!(as_pattern("/v1/tickets/{ticket_id}/qr.svg"), "~/v1/tickets/[^/:]+/qr\\.svg$");
        assert!(paths_of("boxoffice.v1.UserService").contains(&"~/v1/users/me$".to_owned()));
    }
}
