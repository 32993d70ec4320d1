//! What the driver must be told, and what is wrong with it.

use std::fmt;

use reqwest::Url;

/// Where EmailJS takes mails.
pub(crate) const ENDPOINT: &str = "https://api.emailjs.com/api/v1.0/email/send";
/// The longest id or key; those of EmailJS have about twenty characters.
const MAX_KEY_CHARS: usize = 200;

/// The EmailJS account that sends.
#[derive(Clone)]
pub struct Settings {
    /// The EmailJS service by which mail leaves, such as `service_x1y2z3`; `default_service` is the account's default.
    pub service_id: String,
    /// The template, such as `template_a1b2c3`; its fields are in the description of this crate.
    pub template_id: String,
    /// The account's public key, which the API calls `user_id`.
    pub public_key: String,
    /// The account's private key, which the API calls `accessToken`. EmailJS works without it unless the account
    /// says otherwise; this driver always sends it, so that the account can refuse whoever has only the public key.
    pub private_key: String,
    /// Another address than that of EmailJS: a proxy, or a double in a test. Only loopback may be without TLS.
    pub url: Option<String>,
}

/// Shows which settings there are, and none of their values: both keys send mail in the account's name.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("has_own_url", &self.url.is_some()).finish_non_exhaustive()
    }
}

/// Why a mailer cannot be made of its settings. It names no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// An id or a key is missing or is none.
    #[error("the {0} of EmailJS is missing, or has spaces in it: it is in the EmailJS dashboard")]
    BadKey(&'static str),
    /// The address is none, or would send the keys in the clear.
    #[error("the address of EmailJS must begin with https://")]
    BadUrl,
    /// There are no certificate authorities to trust, or no TLS.
    #[error("no HTTPS client can be made: are the CA certificates of the system installed")]
    NoTls,
}

impl Settings {
    /// The address to post to, once everything is as it must be.
    pub(crate) fn checked(&self) -> Result<Url, SetupError> {
        let keys = [
            ("service id", &self.service_id),
            ("template id", &self.template_id),
            ("public key", &self.public_key),
            ("private key", &self.private_key),
        ];
        for (name, value) in keys {
            let is_one_word = value.chars().all(|letter| letter.is_ascii_graphic());
            if value.is_empty() || value.len() > MAX_KEY_CHARS || !is_one_word {
                return Err(SetupError::BadKey(name));
            }
        }
        let url = Url::parse(self.url.as_deref().unwrap_or(ENDPOINT)).map_err(|_| SetupError::BadUrl)?;
        let is_here = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_here);
        if is_safe { Ok(url) } else { Err(SetupError::BadUrl) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            service_id: "service_1".to_owned(),
            template_id: "template_1".to_owned(),
            public_key: "the-public-key".to_owned(),
            private_key: "the-private-key".to_owned(),
            url: None,
        }
    }

    #[test]
    fn nothing_is_shown() {
        let shown = format!("{:?}", Settings { url: Some("https://me:pass@proxy".to_owned()), ..settings() });
        for value in ["service_1", "template_1", "the-public-key", "the-private-key", "pass"] {
            assert!(!shown.contains(value), "{shown}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(settings().checked().map(|url| url.to_string()), Ok(ENDPOINT.to_owned()));
        let no_service = Settings { service_id: String::new(), ..settings() };
        assert_eq!(no_service.checked(), Err(SetupError::BadKey("service id")));
        let copied = Settings { private_key: "a key\n".to_owned(), ..settings() };
        assert_eq!(copied.checked(), Err(SetupError::BadKey("private key")));
    }

    #[test]
    fn keys_do_not_travel_in_the_clear() {
        let to = |url: &str| Settings { url: Some(url.to_owned()), ..settings() }.checked().is_ok();
        assert!(to("https://proxy.example.org/send") && to("http://127.0.0.1:8080/send"));
        for url in
            ["http://api.emailjs.com/send", "http://127.0.0.1.example.org", "ftp://127.0.0.1", "", "proxy"]
        {
            assert!(!to(url), "{url}");
        }
    }
}
