//! Text that people write: where it ends, what it may not have, and how it is found again.

use domain::{
    Check,
    text::{allow_line, allow_paragraphs, allow_url, fold, require_line, search_words},
};

fn is_right(rule: impl Fn(&mut Check)) -> bool {
    let mut check = Check::default();
    rule(&mut check);
    check.finish().is_ok()
}

#[test]
fn a_line_and_a_paragraph_have_their_lengths_and_characters() {
    for (text, line, paragraphs) in [
        ("", true, true),
        ("abcd", true, true),
        ("ééééé", true, true),
        ("éééééé", false, false),
        ("a\nb", false, true),
        ("a\r\nb", false, true),
        ("a\tb", false, true),
        ("a\u{0}b", false, false),
        ("a\u{7f}b", false, false),
        ("a\u{202e}b", false, false),
        ("a\u{2066}b", false, false),
    ] {
        assert_eq!(is_right(|check| allow_line(check, "f", text, 5)), line, "{text:?}");
        assert_eq!(is_right(|check| allow_paragraphs(check, "f", text, 5)), paragraphs, "{text:?}");
    }
    for (text, right) in [("", false), (" \t", false), ("a", true), ("abcdef", false), ("a\nb", false)] {
        assert_eq!(is_right(|check| require_line(check, "f", text, 5)), right, "{text:?}");
    }
}

#[test]
fn an_address_of_a_page_has_a_host_and_nothing_that_ends_an_attribute() {
    for (url, right) in [
        ("", true),
        ("https://example.org", true),
        ("http://[::1]:8080/", true),
        ("https://1.example", true),
        ("https:///path", false),
        ("https://", false),
        ("https://.example", false),
        ("https://example.org/a b", false),
        ("https://example.org/a\"b", false),
        ("https://example.org/<b>", false),
        ("mailto:ada@example.org", false),
        ("data:text/html,x", false),
    ] {
        assert_eq!(is_right(|check| allow_url(check, "f", url)), right, "{url}");
    }
    let long = |chars: usize| format!("https://{}", "a".repeat(chars - 8));
    assert!(is_right(|check| allow_url(check, "f", &long(500))));
    assert!(!is_right(|check| allow_url(check, "f", &long(501))));
}

#[test]
fn words_are_found_as_people_type_them() {
    for (text, words) in [
        ("", &[][..]),
        (" - ", &[]),
        ("One  two", &["one", "two"]),
        ("rock'n'roll", &["rocknroll"]),
        ("l’été", &["lete"]),
        ("Straße", &["strasse"]),
        ("Æther Œuvre", &["aether", "oeuvre"]),
        ("Øl Đà Ðor Łódź Þing", &["ol", "da", "dor", "lodz", "thing"]),
        ("ısı İstanbul", &["isi", "istanbul"]),
        ("ΛΌΓΟΣ λόγος", &["λογοσ", "λογοσ"]),
        ("a東b", &["a", "東", "b"]),
        ("東 京", &["東", "京"]),
        ("ไทย हिन्दी", &["ไทย", "हिन्दी"]),
        ("e\u{301}a", &["ea"]),
    ] {
        assert_eq!(search_words(text), words, "{text}");
        assert_eq!(fold(text), words.join(" "), "{text}");
    }
}
