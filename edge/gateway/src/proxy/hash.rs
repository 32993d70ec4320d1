//! What consistent hashing goes by: a part of the request, or another where that is not there.

use http::{HeaderMap, HeaderName};

use super::Matched;
use crate::{
    balancer::{Way, hash_of},
    entity::{HashOn, Upstream},
    plugin::Exchange,
};

/// The hash of a request; none where nothing is hashed.
pub(super) fn hash(way: &Way, exchange: &Exchange, matched: &Matched) -> Option<u64> {
    let upstream = way.balancer().rules().upstream.as_ref()?;
    let first = part(upstream, upstream.hash_on, false, exchange, matched);
    first
        .or_else(|| part(upstream, upstream.hash_fallback, true, exchange, matched))
        .map(|text| hash_of(&text))
}

fn part(
    upstream: &Upstream,
    on: HashOn,
    is_fallback: bool,
    exchange: &Exchange,
    matched: &Matched,
) -> Option<String> {
    let of = |first: &Option<String>, second: &Option<String>| {
        if is_fallback { second.clone() } else { first.clone() }
    };
    match on {
        HashOn::None => None,
        HashOn::Consumer => exchange.consumer.as_ref().map(|consumer| consumer.id.to_string()),
        HashOn::Ip => exchange.client.map(|client| client.to_string()),
        HashOn::Header => {
            let name = of(&upstream.hash_on_header, &upstream.hash_fallback_header)?;
            Some(exchange.headers.get(name)?.to_str().ok()?.to_owned())
        }
        HashOn::Cookie => cookie(&exchange.headers, upstream.hash_on_cookie.as_deref()?),
        HashOn::Path => Some(exchange.uri.path().to_owned()),
        HashOn::QueryArg => {
            let name = of(&upstream.hash_on_query_arg, &upstream.hash_fallback_query_arg)?;
            let mut pairs = exchange.uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
        }
        HashOn::UriCapture => {
            let name = of(&upstream.hash_on_uri_capture, &upstream.hash_fallback_uri_capture)?;
            matched.captures.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
        }
    }
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let cookies = headers.get_all(HeaderName::from_static("cookie"));
    let mut pairs = cookies.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    pairs
        .find_map(|pair| pair.trim().split_once('=').filter(|(known, _)| *known == name))
        .map(|(_, v)| v.to_owned())
}
