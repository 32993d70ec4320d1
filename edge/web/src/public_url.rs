//! Where people reach the pages, as they see it.

use url::Url;

/// The address of the pages as people see it, such as `https://tickets.example.org`. It ends with the host or the
/// port: the pages are at the root of their host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
}

/// A public URL that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("must be http:// or https:// and a host, without a path, such as https://tickets.example.org")]
pub struct BadPublicUrl;

impl PublicUrl {
    /// Reads one.
    ///
    /// # Errors
    /// When it is something else than a scheme and a host.
    pub fn parse(text: &str) -> Result<Self, BadPublicUrl> {
        let url = Url::parse(text).map_err(|_| BadPublicUrl)?;
        let is_plain = matches!(url.scheme(), "http" | "https")
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if is_plain { Ok(Self { origin: url.origin().ascii_serialization() }) } else { Err(BadPublicUrl) }
    }

    /// Scheme, host and port, as a browser sends them.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether people come by TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.origin.starts_with("https://")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_an_origin() {
        assert_eq!(
            PublicUrl::parse("https://Tickets.Example:443/").unwrap().origin(),
            "https://tickets.example"
        );
        assert!(PublicUrl::parse("https://tickets.example").unwrap().is_secure());
        assert!(!PublicUrl::parse("http://127.0.0.1:8000").unwrap().is_secure());
        for wrong in
            ["", "tickets.example", "ftp://a.example", "https://a.example/shop", "https://u:p@a.example"]
        {
            assert!(PublicUrl::parse(wrong).is_err(), "{wrong}");
        }
    }
}
