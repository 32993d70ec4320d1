//! What every answer says to the browser about safety, and who may send a form.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
        X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
};

use crate::PublicUrl;

/// No inline script or style, nothing from elsewhere, no frames around.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     manifest-src 'self'; worker-src 'self'; media-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'",
);
/// The same for what other sites may frame.
const FRAMED_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'none'; base-uri 'none'; frame-ancestors *",
);
const PERMISSIONS: HeaderValue = HeaderValue::from_static(
    "camera=(self), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
);
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Whether other sites may show a page in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// They may not.
    Refused,
    /// They may: there is nothing on it to be tricked into.
    Allowed,
}

/// Adds what every answer has.
pub(crate) fn secure(headers: &mut HeaderMap, framing: Framing, public_url: Option<&PublicUrl>) {
    let fixed = |text| HeaderValue::from_static(text);
    headers.insert(X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
    headers.insert(REFERRER_POLICY, fixed("same-origin"));
    headers.insert(HeaderName::from_static("permissions-policy"), PERMISSIONS);
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), fixed("same-origin"));
    match framing {
        Framing::Refused => {
            headers.insert(CONTENT_SECURITY_POLICY, POLICY);
            headers.insert(X_FRAME_OPTIONS, fixed("DENY"));
            headers.insert(HeaderName::from_static("cross-origin-resource-policy"), fixed("same-origin"));
        }
        Framing::Allowed => {
            headers.insert(CONTENT_SECURITY_POLICY, FRAMED_POLICY);
            headers.insert(HeaderName::from_static("cross-origin-resource-policy"), fixed("cross-origin"));
        }
    }
    if public_url.is_some_and(PublicUrl::is_secure) {
        headers.insert(STRICT_TRANSPORT_SECURITY, fixed("max-age=31536000"));
    }
}

/// Whether a request that changes something comes from a page of ours, by what the browser itself says: scripts
/// cannot set these headers. The token of the form is asked for besides.
pub(crate) fn is_from_here(headers: &HeaderMap, public_url: Option<&PublicUrl>) -> bool {
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("?"));
    if let Some(site) = text(HeaderName::from_static(SEC_FETCH_SITE))
        && site != "same-origin"
        && site != "none"
    {
        return false;
    }
    let Some(origin) = text(ORIGIN) else { return true };
    if public_url.is_some_and(|url| url.origin() == origin) {
        return true;
    }
    let host = text(HOST).unwrap_or("?");
    public_url.is_none() && origin.split_once("://").is_some_and(|(_, from)| from == host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_here(pairs: &[(&'static str, &'static str)], public_url: Option<&str>) -> bool {
        let headers = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let public_url = public_url.map(|url| PublicUrl::parse(url).unwrap());
        is_from_here(&headers, public_url.as_ref())
    }

    #[test]
    fn a_form_of_another_site_is_told_by_its_headers() {
        let host = ("host", "127.0.0.1:8000");
        assert!(from_here(
            &[host, ("origin", "http://127.0.0.1:8000"), ("sec-fetch-site", "same-origin")],
            None
        ));
        assert!(from_here(&[host], None));
        assert!(!from_here(&[host, ("sec-fetch-site", "cross-site")], None));
        assert!(!from_here(&[host, ("sec-fetch-site", "same-site")], None));
        assert!(!from_here(&[host, ("origin", "https://evil.example")], None));
        assert!(!from_here(&[host, ("origin", "null")], None));
    }

    #[test]
    fn behind_a_proxy_the_public_url_counts() {
        let url = Some("https://tickets.example");
        assert!(from_here(&[("host", "web:8000"), ("origin", "https://tickets.example")], url));
        assert!(!from_here(&[("host", "web:8000"), ("origin", "http://web:8000")], url));
    }
}
