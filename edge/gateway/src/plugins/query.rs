//! Values of a query or of cookies by their names.

use http::{HeaderMap, header::COOKIE};

use crate::tree::percent_decode;

/// The decoded values of a query parameter.
pub(crate) fn values<'q>(query: Option<&'q str>, name: &'q str) -> impl Iterator<Item = String> + 'q {
    let pairs = query.unwrap_or_default().split('&');
    pairs.filter_map(move |pair| {
        let (found, value) = pair.split_once('=').unwrap_or((pair, ""));
        let is_it = percent_decode(found, true).is_ok_and(|found| found == name);
        is_it.then(|| percent_decode(value, true).ok().map(|value| value.into_owned())).flatten()
    })
}

/// A query without a parameter; none when nothing is left.
pub(crate) fn without(query: &str, name: &str) -> Option<String> {
    let is_other = |pair: &&str| {
        let found = pair.split('=').next().unwrap_or_default();
        percent_decode(found, true).map_or(true, |found| found != name)
    };
    let kept: Vec<&str> = query.split('&').filter(is_other).collect();
    Some(kept.join("&")).filter(|query| !query.is_empty())
}

/// The value of a cookie (RFC 6265, section 5.4).
pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value.trim_matches('"').to_owned())
}
