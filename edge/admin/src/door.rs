//! Who may call: whoever has the token, or, where none is set, whoever is on this machine and no web page.

use std::net::IpAddr;

use http::{HeaderMap, StatusCode, header};

use crate::answer::Failure;

/// The header of Kong's own clients.
const TOKEN_HEADER: &str = "kong-admin-token";

/// Decides who may call.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    token: Option<String>,
}

impl Door {
    /// A door that opens to a token, or to this machine.
    pub fn new(token: Option<String>) -> Self {
        Self { token }
    }

    /// Refuses who may not call.
    pub fn admit(&self, headers: &HeaderMap) -> Result<(), Failure> {
        match &self.token {
            Some(token) => match sent_token(headers) {
                Some(sent) if same(sent.as_bytes(), token.as_bytes()) => Ok(()),
                _ => Err(Failure::Denied(
                    StatusCode::UNAUTHORIZED,
                    "send the admin token as Kong-Admin-Token, or as a bearer token",
                )),
            },
            None => from_this_machine(headers),
        }
    }
}

fn sent_token(headers: &HeaderMap) -> Option<&str> {
    let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    let bearer = || text(header::AUTHORIZATION.as_str())?.strip_prefix("Bearer ");
    text(TOKEN_HEADER).or_else(bearer)
}

/// Without a look at where the first difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// A page in a browser on this machine can reach it too, by its own name for the address or across origins; programs
/// send neither.
fn from_this_machine(headers: &HeaderMap) -> Result<(), Failure> {
    let denied = |why| Err(Failure::Denied(StatusCode::FORBIDDEN, why));
    if headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site") {
        return denied("no web page may call this without the admin token");
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let is_local =
        bare.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    if is_local { Ok(()) } else { denied("without an admin token, call it as localhost or 127.0.0.1") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs =
            pairs.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()));
        pairs.collect()
    }

    #[test]
    fn with_a_token_only_the_token_opens() {
        let door = Door::new(Some("secret".to_owned()));
        assert!(door.admit(&headers(&[("kong-admin-token", "secret")])).is_ok());
        assert!(door.admit(&headers(&[("authorization", "Bearer secret")])).is_ok());
        for wrong in [&[][..], &[("kong-admin-token", "Secret")], &[("authorization", "secret")]] {
            assert!(door.admit(&headers(wrong)).is_err());
        }
    }

    #[test]
    fn without_one_only_programs_of_this_machine_come_in() {
        let door = Door::new(None);
        for host in ["localhost:8001", "127.0.0.1:8001", "[::1]:8001", "127.0.0.1"] {
            assert!(door.admit(&headers(&[("host", host)])).is_ok(), "{host}");
        }
        assert!(door.admit(&headers(&[("host", "rebound.example:8001")])).is_err());
        assert!(door.admit(&headers(&[("host", "localhost:8001"), ("origin", "http://a.example")])).is_err());
    }
}
