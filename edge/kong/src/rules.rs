//! Rules on texts, beyond their type.

use std::net::IpAddr;

use regex::Regex;
use uuid::Uuid;

/// The longest regular expression of a path, in bytes; a compiled one may take [`MAX_REGEX_BYTES`].
const MAX_PATTERN_BYTES: usize = 1_024;
/// What a compiled regular expression may take, in bytes.
pub const MAX_REGEX_BYTES: usize = 256 * 1024;

fn ensure(good: bool, why: &str) -> Result<(), String> {
    if good { Ok(()) } else { Err(why.to_owned()) }
}

pub(crate) fn uuid(text: &str) -> Result<(), String> {
    ensure(Uuid::try_parse(text).is_ok_and(|_| text.len() == 36), "expected a valid UUID")
}

pub(crate) fn name(text: &str) -> Result<(), String> {
    let good = text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '~'));
    ensure(
        good,
        &format!(
            "invalid value '{text}': the only accepted ascii characters are alphanumerics or ., -, _, and ~"
        ),
    )
}

pub(crate) fn tag(text: &str) -> Result<(), String> {
    let good = !text.contains([',', '/']) && !text.chars().any(char::is_control);
    ensure(good, &format!("invalid tag '{text}': expected printable characters except , and /"))
}

pub(crate) fn host(text: &str) -> Result<(), String> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let is_name = text.len() <= 253 && text.trim_end_matches('.').split('.').all(is_label);
    ensure(bare.parse::<IpAddr>().is_ok() || is_name, &format!("invalid value: {text}"))
}

pub(crate) fn route_host(text: &str) -> Result<(), String> {
    let bare = text.strip_prefix("*.").or_else(|| text.strip_suffix(".*")).unwrap_or(text);
    let bare = match bare.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        _ => bare,
    };
    if bare.contains('*') {
        return Err("wildcard must be leftmost or rightmost character".to_owned());
    }
    host(bare)
}

pub(crate) fn target(text: &str) -> Result<(), String> {
    let bare = match text.rsplit_once(':') {
        // An IPv6 address without brackets has no port.
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
            let good = port.parse::<u16>().is_ok();
            ensure(good, &format!("Invalid target ('{text}'); not a valid hostname or ip address"))?;
            name
        }
        _ => text,
    };
    host(bare).map_err(|_| format!("Invalid target ('{text}'); not a valid hostname or ip address"))
}

pub(crate) fn method(text: &str) -> Result<(), String> {
    ensure(text.bytes().all(|b| b.is_ascii_uppercase()), &format!("invalid value: {text}"))
}

pub(crate) fn path(text: &str) -> Result<(), String> {
    ensure(text.starts_with('/'), "should start with: /")?;
    ensure(!text.contains("//"), "must not have empty segments")?;
    let good =
        text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'\\' | b'"' | b'<' | b'>'));
    ensure(
        good,
        &format!("invalid path: '{text}' (characters outside of the reserved list of RFC 3986 found)"),
    )
}

pub(crate) fn route_path(text: &str) -> Result<(), String> {
    match text.strip_prefix('~') {
        None => path(text).map_err(|why| match text.starts_with('/') {
            true => why,
            false => "should start with: / (fixed path) or ~/ (regex path)".to_owned(),
        }),
        Some(pattern) => {
            ensure(pattern.starts_with('/'), "should start with: / (fixed path) or ~/ (regex path)")?;
            ensure(pattern.len() <= MAX_PATTERN_BYTES, "the regular expression is too long")?;
            compiled(pattern).map(|_| ()).map_err(|error| format!("invalid regex: '{pattern}' ({error})"))
        }
    }
}

/// The regular expression of a route's path, bound to its beginning. The crate takes linear time, whatever a client
/// sends.
///
/// # Errors
/// When it cannot be read, or takes more than [`MAX_REGEX_BYTES`].
pub fn compiled(pattern: &str) -> Result<Regex, regex::Error> {
    regex::RegexBuilder::new(&format!("^(?:{pattern})")).size_limit(MAX_REGEX_BYTES).build()
}

fn pem(text: &str, label: &str) -> bool {
    text.contains(&format!("-----BEGIN {label}-----")) && text.contains(&format!("-----END {label}-----"))
}

pub(crate) fn certificate(text: &str) -> Result<(), String> {
    ensure(pem(text, "CERTIFICATE"), "invalid certificate: expected PEM")
}

pub(crate) fn private_key(text: &str) -> Result<(), String> {
    let good = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"].iter().any(|label| pem(text, label));
    ensure(good, "invalid key: expected PEM")
}

pub(crate) fn public_key(text: &str) -> Result<(), String> {
    let good = ["PUBLIC KEY", "RSA PUBLIC KEY"].iter().any(|label| pem(text, label));
    ensure(good, "invalid key: expected PEM")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_hosts_and_targets() {
        for good in ["/", "/v1/users", "~/v1/(?<id>[0-9]+)$"] {
            assert_eq!(route_path(good), Ok(()), "{good}");
        }
        for bad in ["v1", "/a b", "/a//b", "~v1", "~/(", "/a?b"] {
            assert!(route_path(bad).is_err(), "{bad}");
        }
        for good in ["example.org", "*.example.org", "example.*", "127.0.0.1", "example.org:8000"] {
            assert_eq!(route_host(good), Ok(()), "{good}");
        }
        for bad in ["", "a*b.org", "a..b", "a b"] {
            assert!(route_host(bad).is_err(), "{bad}");
        }
        for good in ["127.0.0.1:80", "users", "users:50051", "[::1]:80"] {
            assert_eq!(target(good), Ok(()), "{good}");
        }
        for bad in ["users:port", "a b:80", "users:70000"] {
            assert!(target(bad).is_err(), "{bad}");
        }
    }
}
