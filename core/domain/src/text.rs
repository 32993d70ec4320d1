//! Text that people write: its limits, and its folded form for search.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::refusal::Check;

/// The most words of a search.
pub const MAX_SEARCH_WORDS: usize = 8;

/// A text field's rules: trimmed, `1..=most` characters, no control characters. Notes what is wrong.
pub fn require_line(check: &mut Check, field: &str, text: &str, most: usize) {
    if text.trim().is_empty() {
        check.fail(field, "must not be empty");
        return;
    }
    allow_line(check, field, text, most);
}

/// As [`require_line`], but the text may be empty.
pub fn allow_line(check: &mut Check, field: &str, text: &str, most: usize) {
    if text.chars().any(|c| c.is_control() || is_bidi_control(c)) {
        check.fail(field, "must be one line without control characters");
    }
    if text.chars().count() > most {
        check.fail(field, format!("must have at most {most} characters"));
    }
}

/// Text of several lines: `0..=most` characters, no control characters but line feeds and tabs.
pub fn allow_paragraphs(check: &mut Check, field: &str, text: &str, most: usize) {
    if text.chars().any(|c| (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || is_bidi_control(c)) {
        check.fail(field, "must not have control characters");
    }
    if text.chars().count() > most {
        check.fail(field, format!("must have at most {most} characters"));
    }
}

/// Characters that make text read otherwise than it is stored.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A web address: http or https, and at most 500 characters.
pub fn allow_url(check: &mut Check, field: &str, url: &str) {
    if url.is_empty() {
        return;
    }
    allow_line(check, field, url, 500);
    let has_host = |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric() || c == '[');
    let is_web = ["http://", "https://"].iter().any(|scheme| url.strip_prefix(scheme).is_some_and(has_host));
    let is_clean = !url.chars().any(|c| c.is_whitespace() || matches!(c, '<' | '>' | '"'));
    check.require(is_web && is_clean, field, "must be a web address that begins with https:// or http://");
}

/// The words of a text as search compares them: lower case, accents removed, each character of a
/// script that writes without spaces a word of its own.
#[must_use]
pub fn search_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    // After decomposition an accent is a character of its own, which is left out.
    for c in text.nfkd().filter(|c| !is_combining_mark(*c) || is_letter_mark(*c)).flat_map(char::to_lowercase)
    {
        if writes_without_spaces(c) {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            words.push(c.to_string());
        } else if c.is_alphanumeric() || is_letter_mark(c) {
            push_folded(&mut word, c);
        } else if !matches!(c, '\'' | '’') {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

/// The folded form of a whole text, for comparing names of cities, countries and categories.
#[must_use]
pub fn fold(text: &str) -> String {
    search_words(text).join(" ")
}

/// Letters that have no decomposition but that people type without their stroke.
fn push_folded(word: &mut String, c: char) {
    match c {
        'ß' => word.push_str("ss"),
        'æ' => word.push_str("ae"),
        'œ' => word.push_str("oe"),
        'ø' => word.push('o'),
        'đ' | 'ð' => word.push('d'),
        'ł' => word.push('l'),
        'þ' => word.push_str("th"),
        'ı' => word.push('i'),
        'ς' => word.push('σ'),
        other => word.push(other),
    }
}

/// Marks that are vowels, not accents: those of the scripts of India, Thailand and their neighbours.
fn is_letter_mark(c: char) -> bool {
    is_combining_mark(c)
        && matches!(c, '\u{0900}'..='\u{0fff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}')
}

/// Chinese, Japanese and Korean.
fn writes_without_spaces(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{20000}'..='\u{3fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_and_case_do_not_matter() {
        for (text, folded) in [
            ("Kraków", "krakow"),
            ("Ørede", "orede"),
            ("Java Day İstanbul", "java day istanbul"),
            ("Das große Trainingsevent", "das grosse trainingsevent"),
            ("Łódź – 2026!", "lodz 2026"),
            ("L'été à Québec", "lete a quebec"),
            ("Testμ", "testμ"),
            ("東京Ruby会議", "東 京 ruby 会 議"),
            ("हिन्दी", "हिन्दी"),
        ] {
            assert_eq!(fold(text), folded);
        }
    }

    #[test]
    fn addresses_of_pages_are_web_addresses() {
        for (url, right) in [
            ("", true),
            ("https://example.org/a?b#c", true),
            ("http://[::1]/", true),
            ("javascript:alert(1)", false),
            ("https://", false),
            ("https://a b", false),
            ("ftp://example.org", false),
        ] {
            let mut check = Check::default();
            allow_url(&mut check, "url", url);
            assert_eq!(check.finish().is_ok(), right, "{url}");
        }
    }
}
