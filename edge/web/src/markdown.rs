//! Descriptions in Markdown (CommonMark), made into a few safe elements.
//!
//! Markup in the text is shown as text, and pictures as links: nothing runs, and nothing is loaded from elsewhere.

use maud::{Escaper, Markup, PreEscaped};
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use std::fmt::Write;

/// The longest summary, in characters.
const SUMMARY_CHARS: usize = 160;

/// A text as markup.
pub(crate) fn render(text: &str) -> Markup {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    for event in Parser::new_ext(text, Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(tag) => start(&mut out, &tag),
            Event::End(tag) => out.push_str(end(tag)),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => escape(&mut out, &text),
            Event::Code(text) => {
                out.push_str("<code>");
                escape(&mut out, &text);
                out.push_str("</code>");
            }
            Event::SoftBreak => out.push('\n'),
            Event::HardBreak => out.push_str("<br>"),
            Event::Rule => out.push_str("<hr>"),
            _ => {}
        }
    }
    PreEscaped(out)
}

/// The beginning of a text, without its markup, for search engines.
pub(crate) fn summary(text: &str) -> String {
    let mut words = String::new();
    for event in Parser::new(text) {
        match event {
            Event::Text(text) | Event::Code(text) => words.push_str(&text),
            Event::SoftBreak | Event::HardBreak | Event::End(_) => words.push(' '),
            _ => {}
        }
        if words.len() > 4 * SUMMARY_CHARS {
            break;
        }
    }
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(SUMMARY_CHARS) {
        Some((at, _)) => format!("{}…", words[..at].trim_end()),
        None => words,
    }
}

fn start(out: &mut String, tag: &Tag<'_>) {
    match tag {
        Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
            // Whatever is not an address of these kinds is kept as words only.
            let is_safe =
                ["https://", "http://", "mailto:"].iter().any(|scheme| dest_url.starts_with(scheme));
            out.push_str("<a rel=\"nofollow noopener ugc\"");
            if is_safe {
                out.push_str(" href=\"");
                escape(out, dest_url);
                out.push('"');
            }
            out.push('>');
        }
        // The page has the levels above.
        Tag::Heading { level: HeadingLevel::H1 | HeadingLevel::H2, .. } => out.push_str("<h3>"),
        Tag::Heading { .. } => out.push_str("<h4>"),
        Tag::Paragraph => out.push_str("<p>"),
        Tag::BlockQuote(_) => out.push_str("<blockquote>"),
        Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented) => out.push_str("<pre><code>"),
        Tag::List(Some(_)) => out.push_str("<ol>"),
        Tag::List(None) => out.push_str("<ul>"),
        Tag::Item => out.push_str("<li>"),
        Tag::Emphasis => out.push_str("<em>"),
        Tag::Strong => out.push_str("<strong>"),
        Tag::Strikethrough => out.push_str("<del>"),
        _ => {}
    }
}

fn end(tag: TagEnd) -> &'static str {
    match tag {
        TagEnd::Link | TagEnd::Image => "</a>",
        TagEnd::Heading(HeadingLevel::H1 | HeadingLevel::H2) => "</h3>",
        TagEnd::Heading(_) => "</h4>",
        TagEnd::Paragraph => "</p>",
        TagEnd::BlockQuote(_) => "</blockquote>",
        TagEnd::CodeBlock => "</code></pre>",
        TagEnd::List(true) => "</ol>",
        TagEnd::List(false) => "</ul>",
        TagEnd::Item => "</li>",
        TagEnd::Emphasis => "</em>",
        TagEnd::Strong => "</strong>",
        TagEnd::Strikethrough => "</del>",
        _ => "",
    }
}

fn escape(out: &mut String, text: &str) {
    // Writing into a string cannot fail.
    let _ = Escaper::new(out).write_str(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> String {
        render(text).into_string()
    }

    #[test]
    fn the_usual_elements_are_made() {
        assert_eq!(html("# One\n\ntwo *three*"), "<h3>One</h3><p>two <em>three</em></p>");
        assert_eq!(html("- a\n- b"), "<ul><li>a</li><li>b</li></ul>");
        assert_eq!(
            html("[a](https://a.example/?x=1&y=2)"),
            "<p><a rel=\"nofollow noopener ugc\" href=\"https://a.example/?x=1&amp;y=2\">a</a></p>"
        );
    }

    #[test]
    fn nothing_runs_and_nothing_is_loaded() {
        for hostile in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "[a](javascript:alert(1))",
            "[a](JaVaScRiPt:alert(1))",
            "[a](data:text/html,<script>)",
            "![a](https://evil.example/track.gif)",
            "<a href=\"javascript:alert(1)\">a</a>",
            "[a](https://a.example/\"onmouseover=\"alert(1))",
            "`<script>`",
            "```\n<script>\n```",
        ] {
            let html = html(hostile);
            assert!(!html.contains("<script") && !html.contains("<img"), "{hostile}: {html}");
            assert!(!html.to_lowercase().contains("href=\"javascript"), "{hostile}: {html}");
            let tags: Vec<&str> = html.split('<').skip(1).map(|tag| tag.split('>').next().unwrap()).collect();
            assert!(tags.iter().all(|tag| !tag.contains(" on")), "{hostile}: {html}");
        }
    }

    #[test]
    fn a_summary_is_short_and_plain() {
        assert_eq!(summary("# One\n\ntwo *three* `four`"), "One two three four");
        let long = summary(&"words and ".repeat(100));
        assert!(long.chars().count() <= SUMMARY_CHARS + 1 && long.ends_with('…'));
    }
}
