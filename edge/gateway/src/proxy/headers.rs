//! Which headers go on, and which stay here.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE},
};

use crate::plugin::Exchange;

/// What belongs to one connection (RFC 9110, 7.6.1).
const OF_A_CONNECTION: [HeaderName; 8] = [
    CONNECTION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("proxy-authorization"),
];
/// What only the gateway says: a client that sends it claims to be somebody.
const CLAIMED: &[&str] = &[
    "x-forwarded-",
    "x-consumer-",
    "x-jwt-claim-",
    "x-credential-",
    "x-authenticated-",
    "x-anonymous-consumer",
    "x-real-ip",
    "forwarded",
    "x-internal",
];

/// Removes what belongs to one connection.
pub(super) fn strip_hops(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in OF_A_CONNECTION.iter().chain(&named) {
        headers.remove(name);
    }
}

/// Removes what clients may not say, also where `_` stands for `-`, which some servers take for the same.
pub(super) fn strip_claimed(headers: &mut HeaderMap) {
    let is_claimed = |name: &HeaderName| {
        let name = name.as_str().replace('_', "-");
        CLAIMED.iter().any(|claimed| name.starts_with(claimed))
    };
    let claimed: Vec<HeaderName> = headers.keys().filter(|name| is_claimed(name)).cloned().collect();
    for name in claimed {
        headers.remove(name);
    }
}

/// The headers for an upstream that speaks HTTP.
pub(super) fn for_http(exchange: &Exchange, authority: &str, path: &str) -> HeaderMap {
    let mut headers = exchange.headers.clone();
    strip_hops(&mut headers);
    // The body says how long it is; who expects to be asked first was told to go on.
    for name in [CONTENT_LENGTH, EXPECT, HOST] {
        headers.remove(name);
    }
    add_forwarded(&mut headers, exchange, authority, path);
    add_metadata(&mut headers, exchange);
    headers
}

/// The metadata for an upstream that speaks gRPC, of a REST call.
pub(super) fn for_grpc(exchange: &Exchange, authority: &str) -> HeaderMap {
    let mut headers = for_http(exchange, authority, exchange.uri.path());
    let of_rest: Vec<HeaderName> = headers
        .keys()
        .filter(|name| {
            let name = name.as_str();
            name.starts_with("grpc-") || name.starts_with("content-") || name.starts_with("accept")
        })
        .cloned()
        .collect();
    for name in of_rest {
        headers.remove(name);
    }
    headers
}

fn add_forwarded(headers: &mut HeaderMap, exchange: &Exchange, authority: &str, path: &str) {
    let (host, port) = crate::router::split_host(authority);
    let usual = if exchange.scheme == "https" { 443 } else { 80 };
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    if let Some(client) = exchange.client {
        let client = client.to_string();
        put("x-forwarded-for", &client);
        put("x-real-ip", &client);
    }
    put("x-forwarded-proto", exchange.scheme);
    put("x-forwarded-host", host);
    put("x-forwarded-port", &port.unwrap_or(usual).to_string());
    put("x-forwarded-path", path);
}

fn add_metadata(headers: &mut HeaderMap, exchange: &Exchange) {
    headers.insert(crate::trace::X_REQUEST_ID, exchange.request_id.clone());
    headers.insert(kit::request::TRACEPARENT, exchange.traceparent.clone());
    for name in exchange.metadata.keys() {
        headers.remove(name);
    }
    for (name, value) in &exchange.metadata {
        headers.append(name, value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(names: &[&'static str]) -> HeaderMap {
        names.iter().map(|name| (HeaderName::from_static(name), HeaderValue::from_static("x"))).collect()
    }

    #[test]
    fn what_a_connection_says_of_itself_stays_here() {
        let mut sent = headers(&["te", "upgrade", "keep-alive", "x-mine", "x-hop"]);
        sent.insert(CONNECTION, HeaderValue::from_static("close, X-Hop"));
        strip_hops(&mut sent);
        assert_eq!(sent.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-mine"]);
    }

    #[test]
    fn nobody_claims_to_be_somebody() {
        let forged =
            ["x-consumer-id", "x_consumer_username", "x-jwt-claim-sub", "x-forwarded-for", "forwarded"];
        let mut sent = headers(&forged);
        sent.insert("x-consumption", HeaderValue::from_static("x"));
        strip_claimed(&mut sent);
        assert_eq!(sent.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-consumption"]);
    }
}
