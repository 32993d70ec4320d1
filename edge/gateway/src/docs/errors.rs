//! The pages of docs/errors: what a code means, who sees it, what to do next.

use include_dir::{Dir, include_dir};

use super::{
    html::{page, prose},
    markdown,
};

static PAGES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../docs/errors");

/// Stands before the status in a page.
const STATUS: &str = "HTTP status: ";

/// The page of one code.
pub(crate) struct ErrorPage {
    /// The code, such as `sold_out`.
    pub code: String,
    /// The status of answers with it; none for the reason of a booking, which no answer has as its code.
    pub status: Option<u16>,
    /// Its meaning in one sentence: the first paragraph.
    pub summary: String,
    /// The page.
    pub html: String,
}

/// All pages, in the order of their codes.
pub(crate) fn error_pages() -> Vec<ErrorPage> {
    let mut pages = Vec::new();
    for file in PAGES.files() {
        let Some(code) = file.path().file_name().and_then(|name| name.to_str()?.strip_suffix(".md")) else {
            continue;
        };
        if code == "README" {
            continue;
        }
        let text = file.contents_utf8().unwrap_or_default();
        let status = text.lines().find_map(|line| line.strip_prefix(STATUS)?.trim().parse().ok());
        let mut paragraphs = text.split("\n\n").map(str::trim);
        let summary = paragraphs.find(|paragraph| !paragraph.starts_with('#')).unwrap_or_default();
        let way_back =
            "<p class=\"way\"><a href=\"/docs\">API reference</a> / <a href=\"/docs/errors\">Errors</a></p>";
        let body = format!("<main class=\"page\">{way_back}{}</main>", markdown::render(text));
        pages.push(ErrorPage {
            code: code.to_owned(),
            status,
            summary: summary.replace('\n', " "),
            html: page(&format!("{code} - Boxoffice"), &body),
        });
    }
    pages.sort_by(|a, b| a.code.cmp(&b.code));
    pages
}

/// The list of all codes.
pub(crate) fn error_list(pages: &[ErrorPage]) -> String {
    let mut body = String::from(
        "<main class=\"page\"><p class=\"way\"><a href=\"/docs\">API reference</a></p><h1>Errors</h1>\
         <p>Errors are <code>application/problem+json</code> (RFC 9457). The <code>code</code> is stable.</p>\
         <dl>",
    );
    for page in pages {
        let summary = prose(&page.summary);
        body.push_str(&format!(
            "<dt><a href=\"/docs/errors/{0}\"><code>{0}</code></a></dt><dd>{summary}</dd>",
            page.code
        ));
    }
    body.push_str("</dl></main>");
    page("Errors - Boxoffice", &body)
}
