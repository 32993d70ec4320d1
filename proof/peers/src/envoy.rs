//! The configuration of Envoy: one listener for each way of looking at tokens, one upstream.

use std::{fs, path::Path};

use anyhow::Context;
use serde_json::{Value, json};

/// The service that `peers upstream` serves.
const SERVICE: &str = "echo.EchoService";
/// The issuer and the audience of the tokens that `peers files` writes.
const ISSUER: &str = "compare";
/// More than the one token that the load carries.
const CACHED_TOKENS: u32 = 1_000;
/// Where Envoy's types are.
const TYPES: &str = "type.googleapis.com/envoy.extensions";

/// What a listener does about tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tokens {
    /// It does not look at them.
    Ignored,
    /// It verifies the signature of each request's token, by the key set of this name.
    Verified(String),
    /// It verifies a token once, and remembers it.
    Cached(String),
}

/// A port, and what is done about tokens there: `8080`, `8080:eddsa` or `8080:rs256:cached`.
///
/// # Errors
/// When it is none of these.
pub fn listener_of(text: &str) -> anyhow::Result<(u16, Tokens)> {
    let (port, tokens) = text.split_once(':').map_or((text, None), |(port, tokens)| (port, Some(tokens)));
    let tokens = match tokens {
        None => Tokens::Ignored,
        Some(tokens) => match tokens.strip_suffix(":cached") {
            Some(algorithm) => Tokens::Cached(algorithm.to_owned()),
            None => Tokens::Verified(tokens.to_owned()),
        },
    };
    Ok((port.parse().with_context(|| format!("{port} is no port"))?, tokens))
}

/// Everything; `directory` holds the key sets and the descriptor set.
///
/// # Errors
/// When a key set is not there.
pub fn configuration(
    directory: &Path,
    upstream_port: u16,
    listeners: &[(u16, Tokens)],
) -> anyhow::Result<Value> {
    let listeners = listeners.iter().map(|(port, tokens)| listener(directory, *port, tokens));
    let listeners = listeners.collect::<anyhow::Result<Vec<_>>>()?;
    Ok(json!({ "static_resources": { "listeners": listeners, "clusters": [cluster(upstream_port)] } }))
}

fn listener(directory: &Path, port: u16, tokens: &Tokens) -> anyhow::Result<Value> {
    let mut filters = Vec::new();
    match tokens {
        Tokens::Ignored => {}
        Tokens::Verified(algorithm) => filters.push(jwt_filter(directory, algorithm, None)?),
        Tokens::Cached(algorithm) => {
            let cache = json!({ "jwt_cache_size": CACHED_TOKENS });
            filters.push(jwt_filter(directory, algorithm, Some(cache))?);
        }
    }
    filters.push(json!({
        "name": "envoy.filters.http.grpc_json_transcoder",
        "typed_config": {
            "@type": format!("{TYPES}.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder"),
            "proto_descriptor": directory.join("echo.binpb"),
            "services": [SERVICE],
        },
    }));
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config": { "@type": format!("{TYPES}.filters.http.router.v3.Router") },
    }));
    let route = json!({ "match": { "prefix": "/" }, "route": { "cluster": "upstream" } });
    let connections = json!({
        "@type": format!("{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": format!("port_{port}"),
        "codec_type": "HTTP1",
        "route_config": { "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": [route] }] },
        "http_filters": filters,
    });
    Ok(json!({
        "address": address(port),
        "filter_chains": [{ "filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": connections,
        }] }],
    }))
}

fn jwt_filter(directory: &Path, algorithm: &str, cache: Option<Value>) -> anyhow::Result<Value> {
    let file = directory.join(format!("{algorithm}.jwks"));
    let keys = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut provider = json!({
        "issuer": ISSUER,
        "audiences": [ISSUER],
        "forward": true,
        "local_jwks": { "inline_string": keys },
    });
    if let Some(cache) = cache {
        provider["jwt_cache_config"] = cache;
    }
    Ok(json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": format!("{TYPES}.filters.http.jwt_authn.v3.JwtAuthentication"),
            "providers": { "compare": provider },
            "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "compare" } }],
        },
    }))
}

fn cluster(port: u16) -> Value {
    let endpoint = json!({ "endpoint": { "address": address(port) } });
    json!({
        "name": "upstream",
        "type": "STATIC",
        "load_assignment": { "cluster_name": "upstream", "endpoints": [{ "lb_endpoints": [endpoint] }] },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": format!("{TYPES}.upstreams.http.v3.HttpProtocolOptions"),
                "explicit_http_config": { "http2_protocol_options": {} },
            },
        },
    })
}

fn address(port: u16) -> Value {
    json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_a_port_and_what_is_done_about_tokens() {
        assert_eq!(listener_of("80").unwrap(), (80, Tokens::Ignored));
        assert_eq!(listener_of("80:eddsa").unwrap(), (80, Tokens::Verified("eddsa".to_owned())));
        assert_eq!(listener_of("80:rs256:cached").unwrap(), (80, Tokens::Cached("rs256".to_owned())));
        assert!(listener_of("eddsa").is_err());
    }
}
