//! The path that an upstream is asked for: the service's path and the request's, joined as Kong joins them.

use std::borrow::Cow;

use crate::entity::PathHandling;

/// What a path is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'p> {
    /// The service's path.
    pub base: &'p str,
    /// The request's path.
    pub path: &'p str,
    /// How much of it the route matched, in bytes.
    pub matched: usize,
    /// Whether that is left out.
    pub strips: bool,
}

/// The path for the upstream.
pub(super) fn join(parts: Parts<'_>, handling: PathHandling) -> String {
    let base = if parts.base.is_empty() { "/" } else { parts.base };
    let rest = parts.path.get(parts.matched..).unwrap_or_default();
    let joined = match (parts.strips, handling) {
        (true, PathHandling::V0) if rest.is_empty() => last_slash_as(base, parts.path),
        (true, PathHandling::V0) => with_slash(base, rest),
        (true, PathHandling::V1) => concatenated(base, rest),
        (false, PathHandling::V0) if parts.path == "/" && !base.ends_with('/') => Cow::Borrowed(base),
        (false, _) => concatenated(base, parts.path),
    };
    joined.into_owned()
}

/// One after the other, with one slash where both have one.
fn concatenated<'p>(base: &'p str, rest: &str) -> Cow<'p, str> {
    match base.strip_suffix('/') {
        Some(bare) if rest.starts_with('/') => Cow::Owned(format!("{bare}{rest}")),
        _ => Cow::Owned(format!("{base}{rest}")),
    }
}

/// One after the other, with one slash between them in any case.
fn with_slash<'p>(base: &'p str, rest: &str) -> Cow<'p, str> {
    let bare = base.strip_suffix('/').unwrap_or(base);
    Cow::Owned(if rest.starts_with('/') { format!("{bare}{rest}") } else { format!("{bare}/{rest}") })
}

/// Nothing is left of the path: its last slash decides about that of the base.
fn last_slash_as<'p>(base: &'p str, path: &str) -> Cow<'p, str> {
    let has_slash = path.len() > 1 && path.ends_with('/');
    match base.strip_suffix('/') {
        Some(bare) if !has_slash && !bare.is_empty() => Cow::Borrowed(bare),
        None if has_slash => Cow::Owned(format!("{base}/")),
        _ => Cow::Borrowed(base),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Kong's documentation has it to our knowledge; not held against a running Kong.
    #[test]
    fn paths_are_joined_as_kong_joins_them() {
        use PathHandling::{V0, V1};
        for (base, route, path, strips, v0, v1) in [
            ("/s", "/f", "/f/req", false, "/s/f/req", "/s/f/req"),
            ("/s", "/f", "/f", false, "/s/f", "/s/f"),
            ("/s", "/f/", "/f/", false, "/s/f/", "/s/f/"),
            ("/s/", "/f", "/f/req", false, "/s/f/req", "/s/f/req"),
            ("/s", "/t", "/t/req", true, "/s/req", "/s/req"),
            ("/s", "/t", "/t", true, "/s", "/s"),
            ("/s", "/t/", "/t/req", true, "/s/req", "/sreq"),
            ("/s", "/t/", "/t/", true, "/s/", "/s"),
            ("/s", "/t", "/tre", true, "/s/re", "/sre"),
            ("/s/", "/t", "/t/req", true, "/s/req", "/s/req"),
            ("/s/", "/t", "/t", true, "/s", "/s/"),
            ("/s/", "/t/", "/t/", true, "/s/", "/s/"),
            ("/s", "/", "/", true, "/s", "/s"),
            ("/s", "/", "/", false, "/s", "/s/"),
            ("", "/t", "/t", true, "/", "/"),
            ("", "/t", "/t/req", true, "/req", "/req"),
            ("", "/t", "/t/req", false, "/t/req", "/t/req"),
            ("", "/", "/", false, "/", "/"),
        ] {
            let parts = Parts { base, path, matched: route.len(), strips };
            let said = format!("{base:?} {route} {path} {strips}");
            assert_eq!((join(parts, V0).as_str(), join(parts, V1).as_str()), (v0, v1), "{said}");
        }
    }
}
