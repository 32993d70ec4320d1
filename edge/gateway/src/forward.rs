//! What goes on to the services. Nothing but this does: whatever else a client sends, such as a forged
//! `x-jwt-claim-sub`, stays behind.

use std::time::Duration;

use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{AUTHORIZATION, IF_MATCH},
};
use kit::{
    Caller,
    request::{self, IDEMPOTENCY_KEY, PREFER_WAIT_MS, TRACEPARENT},
};

use crate::{
    problem::Problem,
    trace::{Trace, X_REQUEST_ID},
};

const CLAIM_SUB: HeaderName = HeaderName::from_static("x-jwt-claim-sub");
const CLAIM_ROLES: HeaderName = HeaderName::from_static("x-jwt-claim-roles");
const PREFER: &str = "prefer";

/// The metadata of an upstream call.
#[derive(Debug)]
pub(crate) struct Forwarded {
    /// As headers; gRPC metadata is nothing else.
    pub metadata: HeaderMap,
    /// How long the client would wait for a decision.
    pub wait: Duration,
}

impl Forwarded {
    /// Picks what goes on from the headers of a request.
    pub fn of(headers: &HeaderMap, method: &Method, caller: &Caller, trace: &Trace) -> Result<Self, Problem> {
        let mut metadata = HeaderMap::with_capacity(8);
        set_identity(&mut metadata, headers, caller);
        metadata.insert(X_REQUEST_ID, trace.request_id.clone());
        metadata.insert(TRACEPARENT, trace.traceparent());
        if *method == Method::POST
            && let Some(key) = single(headers, IDEMPOTENCY_KEY, "Idempotency-Key")?
        {
            metadata.insert(IDEMPOTENCY_KEY, key.clone());
        }
        if let Some(version) = single(headers, IF_MATCH.as_str(), "If-Match")? {
            metadata.insert(request::IF_MATCH, version.clone());
        }
        let wait = preferred_wait(headers);
        if let Some(wait) = wait {
            // At most 30,000 by the cap.
            metadata.insert(PREFER_WAIT_MS, HeaderValue::from(u64::try_from(wait.as_millis()).unwrap_or(0)));
        }
        Ok(Self { metadata, wait: wait.unwrap_or_default() })
    }

    /// Adds what plugins say. The identity stays that of the verified token.
    pub fn add(&mut self, added: &HeaderMap) {
        for (name, value) in added {
            if !self.metadata.contains_key(name) && name != AUTHORIZATION {
                self.metadata.insert(name, value.clone());
            }
        }
    }
}

/// Metadata that plugins add to what goes on.
#[derive(Debug, Clone)]
pub(crate) struct Added(pub HeaderMap);

/// The claims are those of the verified token; services verify the token again.
fn set_identity(metadata: &mut HeaderMap, headers: &HeaderMap, caller: &Caller) {
    let Caller::User { id, admin } = caller else {
        return;
    };
    if let Some(token) = headers.get(AUTHORIZATION) {
        metadata.insert(AUTHORIZATION, token.clone());
    }
    if let Ok(sub) = HeaderValue::try_from(id.to_string()) {
        metadata.insert(CLAIM_SUB, sub);
    }
    let roles = if *admin { "USER,ADMIN" } else { "USER" };
    metadata.insert(CLAIM_ROLES, HeaderValue::from_static(roles));
}

/// Which of two values is meant, nobody can tell.
fn single<'h>(headers: &'h HeaderMap, name: &str, shown: &str) -> Result<Option<&'h HeaderValue>, Problem> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    match values.next() {
        Some(_) => Err(Problem::field(shown, "is given more than once")),
        None => Ok(first),
    }
}

/// `Prefer: wait=N` (RFC 7240): the first one counts; what is not understood is ignored, as it says.
fn preferred_wait(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    for preference in values.flat_map(|value| value.split(',')) {
        let token = preference.split(';').next().unwrap_or_default();
        let (name, value) = token.split_once('=').unwrap_or((token, ""));
        if name.trim().eq_ignore_ascii_case("wait") {
            let seconds = value.trim().trim_matches('"');
            let is_number = !seconds.is_empty() && seconds.bytes().all(|b| b.is_ascii_digit());
            // A number too large for us is more than the cap.
            let seconds = is_number.then(|| seconds.parse().unwrap_or(u64::MAX))?;
            return Some(Duration::from_secs(seconds).min(request::MAX_WAIT));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(values: &[&'static str]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(PREFER, HeaderValue::from_static(value));
        }
        preferred_wait(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn the_first_wait_counts_and_is_capped() {
        assert_eq!(wait(&["wait=5"]), Some(5));
        assert_eq!(wait(&["respond-async, Wait = \"7\"; x=y, wait=9"]), Some(7));
        assert_eq!(wait(&["return=minimal", "wait=2"]), Some(2));
        let most = request::MAX_WAIT.as_secs();
        assert_eq!(wait(&["wait=86400"]), Some(most));
        assert_eq!(wait(&["wait=99999999999999999999999"]), Some(most));
        for ignored in ["wait", "wait=", "wait=-1", "wait=soon", "waiting=3", ""] {
            assert_eq!(wait(&[ignored]), None, "{ignored}");
        }
    }
}
