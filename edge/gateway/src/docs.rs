//! The documentation as HTML pages: the API reference, and a page for each error code.

mod errors;
mod html;
mod markdown;
mod reference;

pub(crate) use errors::{ErrorPage, error_list, error_pages};
pub(crate) use reference::reference;

/// The one style sheet.
pub(crate) const STYLE: &str = include_str!("../assets/style.css");

/// The page at `/`.
pub(crate) fn index() -> String {
    let body = "<main class=\"page\"><h1>Boxoffice</h1><p>Event ticketing over REST and gRPC.</p><ul>\
        <li><a href=\"/docs\">API reference</a></li>\
        <li><a href=\"/openapi.json\">OpenAPI document</a></li>\
        <li><a href=\"/v1/events\">Events on sale</a></li>\
        <li><a href=\"/docs/errors\">Error codes</a></li></ul></main>";
    html::page("Boxoffice", body)
}
