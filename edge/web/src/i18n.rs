//! Languages. The texts are in `locales`, a file for each language, in the syntax of Fluent; `build/` makes of each a
//! method of [`Text`].
//!
//! To add a text: write it into every file of `locales`, under the heading of its page; then `text.its_name()` is there.
//! Its parameters are the variables in the order in which they stand in English; one that a choice is made by is a
//! number. To add a language: add its file.

use http::{HeaderMap, header::ACCEPT_LANGUAGE};

#[allow(clippy::all, missing_docs, dead_code, reason = "generated")]
mod catalogue {
    use super::Text;
    include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));
}

pub use catalogue::Locale;

/// The most languages of a browser that are looked at.
const MAX_WISHES: usize = 20;

/// The texts of one language.
#[derive(Debug, Clone, Copy)]
pub struct Text(pub Locale);

impl Text {
    /// Whether a number takes the plural form `one`.
    fn is_one(self, number: i64) -> bool {
        self.plural_one().split(' ').any(|one| one.parse() == Ok(number))
    }
}

impl Locale {
    /// The language with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|locale| locale.code().eq_ignore_ascii_case(code))
    }

    /// The language that a browser would like best (RFC 9110, 12.5.4); English where it wants none of ours.
    #[must_use]
    pub fn wanted(headers: &HeaderMap) -> Self {
        let wishes = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut best = (0.0, Self::En);
        for wish in wishes.split(',').take(MAX_WISHES) {
            let (tag, quality) = wish.split_once(";q=").unwrap_or((wish, "1"));
            let primary = tag.trim().split('-').next().unwrap_or_default();
            let quality: f32 = quality.trim().parse().unwrap_or(0.0);
            if let Some(locale) = Self::from_code(tag.trim()).or_else(|| Self::from_code(primary))
                && quality > best.0
            {
                best = (quality, locale);
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_s_first_language_of_ours_is_taken() {
        let wanted = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, http::HeaderValue::from_static(text));
            Locale::wanted(&headers)
        };
        assert_eq!(wanted("de-AT,de;q=0.9,en;q=0.8"), Locale::De);
        assert_eq!(wanted("pl, fr;q=0.5, hi;q=0.7"), Locale::Hi);
        assert_eq!(wanted("pl"), Locale::En);
        assert_eq!(wanted("en;q=0, es"), Locale::Es);
        assert_eq!(wanted(""), Locale::En);
    }

    #[test]
    fn plurals_follow_the_language() {
        let (english, french) = (Text(Locale::En), Text(Locale::Fr));
        assert!(english.is_one(1) && !english.is_one(0));
        assert!(french.is_one(1) && french.is_one(0) && !french.is_one(2));
    }
}
