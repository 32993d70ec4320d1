//! Paths in one form before routes are looked for: who may not reach `/admin` may not reach `/x/../admin` either.

use std::borrow::Cow;

/// Decodes what needs no escaping, merges slashes and takes `.` and `..` away (RFC 3986, 6.2.2). None where the path
/// does not begin with a slash or holds a `%` without two hexadecimal digits.
pub(crate) fn normalize(path: &str) -> Option<Cow<'_, str>> {
    if !path.starts_with('/') {
        return None;
    }
    if !path.contains('%') && !path.contains("//") && !path.contains("/.") {
        return Some(Cow::Borrowed(path));
    }
    let decoded = decode_unreserved(path)?;
    let mut segments: Vec<&str> = Vec::new();
    let mut parts = decoded.split('/').skip(1).peekable();
    let mut ends_with_slash = false;
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        match part {
            "." => ends_with_slash = is_last,
            ".." => {
                segments.pop();
                ends_with_slash = is_last;
            }
            "" => ends_with_slash = is_last,
            part => {
                segments.push(part);
                ends_with_slash = false;
            }
        }
    }
    let mut normal = String::with_capacity(decoded.len());
    for segment in &segments {
        normal.push('/');
        normal.push_str(segment);
    }
    if ends_with_slash || segments.is_empty() {
        normal.push('/');
    }
    Some(Cow::Owned(normal))
}

fn decode_unreserved(path: &str) -> Option<String> {
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        decoded.push_str(&rest[..at]);
        let digits = rest.get(at + 1..at + 3)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let byte = u8::from_str_radix(digits, 16).ok()?;
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            decoded.push(char::from(byte));
        } else {
            decoded.push('%');
            decoded.push_str(&digits.to_ascii_uppercase());
        }
        rest = &rest[at + 3..];
    }
    decoded.push_str(rest);
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_place_has_one_path() {
        let cases = [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/./b/", "/a/b/"),
            ("/a/../b", "/b"),
            ("/a/..", "/"),
            ("/../../etc", "/etc"),
            ("//a///b", "/a/b"),
            ("/%61%2e%2E/b", "/a../b"),
            ("/a/%2e%2e/b", "/b"),
            ("/a%2fb", "/a%2Fb"),
            ("/.hidden", "/.hidden"),
        ];
        for (path, normal) in cases {
            assert_eq!(normalize(path).as_deref(), Some(normal), "{path}");
        }
        for bad in ["a", "", "*", "/%", "/%4", "/%zz"] {
            assert_eq!(normalize(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_normal_path_stays_as_it_is(path in "/[a-c./%2eE]{0,30}") {
            if let Some(normal) = normalize(&path) {
                prop_assert_eq!(normalize(&normal), Some(normal.clone()));
                prop_assert!(!normal.split('/').any(|part| part == ".."));
            }
        }
    }
}
