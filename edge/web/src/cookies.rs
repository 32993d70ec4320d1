//! Reading and writing cookies (RFC 6265).

use http::{HeaderMap, HeaderValue, header::COOKIE};

use crate::limits::MAX_COOKIE_BYTES;

/// The value of the first cookie with this name.
pub(crate) fn read<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, value)| *known == name && value.len() <= MAX_COOKIE_BYTES)
        .map(|(_, value)| value)
}

/// The line that sets a cookie for the whole site, out of reach of scripts and of other sites' forms. None where the
/// value cannot stand in a header.
pub(crate) fn written(name: &str, value: &str, max_age_seconds: i64, secure: Secure) -> Option<HeaderValue> {
    let flag = if secure == Secure::Yes { "; Secure" } else { "" };
    let line = format!("{name}={value}; Path=/; Max-Age={max_age_seconds}; HttpOnly; SameSite=Lax{flag}");
    HeaderValue::try_from(line).ok()
}

/// Whether a cookie is sent over TLS only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secure {
    /// Only over TLS.
    Yes,
    /// Also in the clear, such as on loopback.
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; session=x.y=z; b=2"));
        headers.append(COOKIE, HeaderValue::from_static("session=second"));
        assert_eq!(read(&headers, "session"), Some("x.y=z"));
        assert_eq!(read(&headers, "b"), Some("2"));
        assert_eq!(read(&headers, "sess"), None);
    }

    #[test]
    fn a_cookie_is_out_of_reach_of_scripts() {
        let line = written("s", "v", 60, Secure::Yes).unwrap();
        assert_eq!(line, "s=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
        assert!(written("s", "a\nb", 60, Secure::No).is_none());
    }
}
