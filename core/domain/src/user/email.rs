//! An email address: as its owner writes it, and the one form by which two of them are the same.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The longest address, in bytes of its canonical form (RFC 5321).
pub const MAX_EMAIL_BYTES: usize = 254;
/// The longest part before the `@`, in bytes (RFC 5321).
const MAX_LOCAL_BYTES: usize = 64;
/// The longest label of a domain, in bytes (RFC 1035).
const MAX_LABEL_BYTES: usize = 63;
/// Why an address is refused.
const REASON: &str = "must be an email address such as ada@example.org, of at most 254 bytes";

/// The canonical form of an address: trimmed, NFKC, lower case. Accounts are unique by it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// The canonical form of what somebody wrote.
    ///
    /// # Errors
    /// The reason, for naming the field, when it is no address.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        // Characters whose canonical form is another `@` or nothing would make two addresses of one.
        let one_at = |text: &str| text.matches('@').count() == 1;
        if text.len() > MAX_EMAIL_BYTES || !one_at(text) || text.chars().any(is_refused) {
            return Err(REASON);
        }
        // Lower case can decompose a character, so it is composed again.
        let folded: String = text.nfkc().flat_map(char::to_lowercase).collect();
        let canonical: String = folded.nfkc().collect();
        let is_clean = canonical.len() <= MAX_EMAIL_BYTES && !canonical.chars().any(is_refused);
        match canonical.split_once('@') {
            Some((local, domain)) if is_clean && is_local(local) && is_domain(domain) => Ok(Self(canonical)),
            _ => Err(REASON),
        }
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Email {
    /// An address is personal: it does not get into a log by accident.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(..)")
    }
}

/// Characters that no address has: blanks, controls, and those that cannot be seen.
fn is_refused(c: char) -> bool {
    let is_hidden = matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffd}'
            | '\u{e0000}'..='\u{e0fff}'
    );
    c.is_control() || c.is_whitespace() || is_hidden
}

fn is_local(local: &str) -> bool {
    let is_odd =
        |c: char| matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | ',' | ';' | ':' | '\\' | '"' | '@');
    let has_empty_part = local.split('.').any(str::is_empty);
    local.len() <= MAX_LOCAL_BYTES && !has_empty_part && !local.contains(is_odd)
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        let is_usual = |c: char| c.is_alphanumeric() || c == '-' || is_combining_mark(c);
        let has_edge = label.starts_with('-') || label.ends_with('-');
        !label.is_empty() && label.len() <= MAX_LABEL_BYTES && !has_edge && label.chars().all(is_usual)
    };
    (domain.contains('.') || domain == "localhost") && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_have_one_canonical_form() {
        for (text, canonical) in [
            (" Ada@Example.ORG ", "ada@example.org"),
            ("ada.l+tickets@example.co.uk", "ada.l+tickets@example.co.uk"),
            ("root@localhost", "root@localhost"),
            ("Jos\u{65}\u{301}@ex\u{e4}mple.org", "jos\u{e9}@ex\u{e4}mple.org"),
            ("\u{ff41}da@example.org", "ada@example.org"),
            ("o'neill@example.org", "o'neill@example.org"),
        ] {
            assert_eq!(Email::parse(text).unwrap().as_str(), canonical, "{text}");
            assert_eq!(Email::parse(canonical).unwrap().as_str(), canonical, "{canonical}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.org", "a".repeat(65));
        let longer = format!("a@{}.org", "a.".repeat(130));
        for text in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "ada@example",
            "ada@@example.org",
            "a@b@example.org",
            "ada@example..org",
            "ada@.example.org",
            "ada@-example.org",
            "ada@example.org.",
            "ada lovelace@example.org",
            "ada@exam ple.org",
            "ada@example.org\r\nBcc: b@example.org",
            "ada\u{202e}@example.org",
            "ada\u{200b}@example.org",
            "ada\u{0}@example.org",
            "ada\u{ff20}example.org",
            "ada@[127.0.0.1]",
            "<ada@example.org>",
            ".ada@example.org",
            "a..b@example.org",
            "ada@exam_ple.org",
            &long,
            &longer,
        ] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_address_does_not_print_itself() {
        assert_eq!(format!("{:?}", Email::parse("ada@example.org").unwrap()), "Email(..)");
    }
}
