//! A configuration of Envoy. It transcodes by the contracts; what its transcoder does otherwise than our gateway, a
//! script in Lua mends, on the way in and on the way out (ADR 0040).

mod script;

use anyhow::Context;
use base64::{Engine, prelude::BASE64_STANDARD};
use gateway::limits::{MAX_BODY_BYTES, STREAM_LIFETIME};
use prost::Message;
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use serde_json::{Value, json};

use super::{TIMEOUT_SECONDS, Upstream, contract, contract::Rpc};
use crate::config::Config;

/// Where Envoy's types are.
const TYPES: &str = "type.googleapis.com/envoy.extensions";
/// The longest answer that the script may hold, in bytes.
const BUFFER_BYTES: usize = kit::transport::MAX_RESPONSE_BYTES * 2;

/// The configuration.
///
/// # Errors
/// When the descriptors that are compiled in cannot be read.
pub(super) fn configuration(config: &Config, upstreams: &[Upstream]) -> anyhow::Result<Value> {
    let connections = json!({
        "@type": format!("{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "boxoffice",
        "preserve_external_request_id": true,
        "route_config": {
            "virtual_hosts": [{ "name": "boxoffice", "domains": ["*"], "routes": routes(upstreams) }],
        },
        "http_filters": [
            filter("buffer", "buffer.v3.Buffer", json!({ "max_request_bytes": MAX_BODY_BYTES })),
            filter("lua", "lua.v3.Lua", json!({
                "default_source_code": { "inline_string": script::source(upstreams) },
                // The route stays that of the path as it came; the transcoder writes another one.
                "clear_route_cache": false,
            })),
            filter("grpc_json_transcoder", "grpc_json_transcoder.v3.GrpcJsonTranscoder", transcoder(upstreams)?),
            filter("router", "router.v3.Router", json!({})),
        ],
    });
    let manager =
        json!({ "name": "envoy.filters.network.http_connection_manager", "typed_config": connections });
    let clusters: Vec<Value> = upstreams.iter().map(cluster).collect();
    Ok(json!({ "static_resources": {
        "listeners": [{
            "name": "boxoffice",
            "address": address(&config.listen.ip().to_string(), config.listen.port()),
            "per_connection_buffer_limit_bytes": BUFFER_BYTES,
            "filter_chains": [{ "filters": [manager] }],
        }],
        "clusters": clusters,
    } }))
}

fn filter(name: &str, kind: &str, mut settings: Value) -> Value {
    settings["@type"] = format!("{TYPES}.filters.http.{kind}").into();
    json!({ "name": format!("envoy.filters.http.{name}"), "typed_config": settings })
}

fn transcoder(upstreams: &[Upstream]) -> anyhow::Result<Value> {
    let services: Vec<&str> = upstreams.iter().map(|upstream| upstream.service).collect();
    Ok(json!({
        "proto_descriptor_bin": BASE64_STANDARD.encode(descriptors()?),
        "services": services,
        // Errors as the JSON of `google.rpc.Status`, which the script reads.
        "convert_grpc_status": true,
        // A route is chosen by the path of the request, so what is no REST path leads nowhere.
        "match_incoming_request_route": true,
        "ignore_unknown_query_parameters": true,
        "url_unescape_spec": "ALL_CHARACTERS",
        "query_param_unescape_plus": true,
        // Our surface: names as in the contract, and every value written out.
        "print_options": {
            "preserve_proto_field_names": true,
            "always_print_primitive_fields": true,
            "stream_sse_style_delimited": true,
        },
    }))
}

/// Our contracts, and the messages that errors are made of.
fn descriptors() -> anyhow::Result<Vec<u8>> {
    let errors = FileDescriptorSet::decode(tonic_types::pb::FILE_DESCRIPTOR_SET)
        .context("the descriptors of errors cannot be read")?;
    let pool = proto::descriptors();
    let is_new = |file: &FileDescriptorProto| pool.get_file_by_name(file.name()).is_none();
    let file: Vec<FileDescriptorProto> = errors.file.into_iter().filter(is_new).collect();
    // What is appended to a message is part of it. Ours stay as they are: read and written anew, they would lose their
    // bindings, which are extensions.
    let mut all = proto::DESCRIPTOR_SET.to_vec();
    all.extend(FileDescriptorSet { file }.encode_to_vec());
    Ok(all)
}

/// A route for each rpc; a path without one for its method is answered with what there is.
fn routes(upstreams: &[Upstream]) -> Vec<Value> {
    let mut all: Vec<(&Upstream, Rpc)> = Vec::new();
    for upstream in upstreams {
        all.extend(contract::rpcs_of(upstream.service).into_iter().map(|rpc| (upstream, rpc)));
    }
    let lengths = json!({ "start": MAX_BODY_BYTES + 1, "end": i64::MAX });
    let too_long =
        json!({ "prefix": "/", "headers": [{ "name": "content-length", "range_match": lengths }] });
    let mut routes = vec![refusal(413, &too_long, "")];
    routes.extend(all.iter().map(|(upstream, rpc)| route(upstream, rpc)));
    let mut patterns: Vec<String> = all.iter().map(|(_, rpc)| rpc.pattern()).collect();
    patterns.sort();
    patterns.dedup();
    routes.extend(patterns.iter().map(|pattern| {
        let methods = all.iter().filter(|(_, rpc)| rpc.pattern() == *pattern).map(|(_, rpc)| methods_of(rpc));
        refusal(405, &json!({ "safe_regex": { "regex": pattern } }), &methods.collect::<Vec<_>>().join(", "))
    }));
    routes.push(refusal(404, &json!({ "prefix": "/" }), ""));
    routes
}

/// HEAD is GET without a body in the answer.
fn methods_of(rpc: &Rpc) -> String {
    if rpc.method == "GET" { "GET, HEAD".to_owned() } else { rpc.method.clone() }
}

fn route(upstream: &Upstream, rpc: &Rpc) -> Value {
    let methods = methods_of(rpc).replace(", ", "|");
    let method = json!({ "name": ":method", "string_match": { "safe_regex": { "regex": methods } } });
    let seconds =
        if rpc.descriptor.is_server_streaming() { STREAM_LIFETIME.as_secs() } else { TIMEOUT_SECONDS.into() };
    let timeout = format!("{seconds}s");
    json!({
        "match": { "safe_regex": { "regex": rpc.pattern() }, "headers": [method] },
        "route": { "cluster": upstream.role.name(), "timeout": timeout, "idle_timeout": timeout },
        "metadata": { "filter_metadata": { "envoy.filters.http.lua": { "rpc": rpc.name() } } },
    })
}

/// Answered at once: nobody waits for the body, and nothing is made of it.
fn refusal(status: u16, matched: &Value, allow: &str) -> Value {
    let off = json!({ "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": true });
    let mut route = json!({
        "match": matched,
        "direct_response": { "status": status },
        "typed_per_filter_config": {
            "envoy.filters.http.buffer": off,
            "envoy.filters.http.grpc_json_transcoder": off,
        },
    });
    if !allow.is_empty() {
        route["response_headers_to_add"] = json!([{ "header": { "key": "allow", "value": allow } }]);
    }
    route
}

fn cluster(upstream: &Upstream) -> Value {
    let name = upstream.role.name();
    let endpoint = json!({ "endpoint": { "address": address(&upstream.host, upstream.port) } });
    json!({
        "name": name,
        "type": "STRICT_DNS",
        "connect_timeout": "5s",
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
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
