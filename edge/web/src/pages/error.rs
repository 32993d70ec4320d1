//! The page that says why there is no page, and what to do next.

use axum::response::Response;
use maud::{Markup, html};

use crate::{
    failure::Failure,
    refusals, urls,
    view::{Head, Page, View},
};

/// What is said where not even a page can be made.
pub(crate) const BUSY: &str = "Too many requests are being carried out. Try again in a moment.\n";

/// A failure as a page.
pub(crate) struct ErrorPage<'a> {
    failure: &'a Failure,
}

/// The page of a failure.
pub(crate) fn page(view: &View, failure: &Failure) -> Response {
    view.show_with(failure.status(), &ErrorPage { failure })
}

impl Page for ErrorPage<'_> {
    fn head(&self, view: &View) -> Head {
        Head::titled(refusals::words(view.text, self.failure.reason()).title)
    }

    fn main(&self, view: &View) -> Markup {
        let (text, reason) = (view.text, self.failure.reason());
        let words = refusals::words(text, reason);
        html! {
            section.narrow id="error" data-code=(reason) {
                p.status { (self.failure.status().as_u16()) }
                h1 { (words.title) }
                p.lead { (words.next) }
                p.actions {
                    a.button href=(urls::Events) { (text.error_to_events()) }
                    @if view.person.is_some() {
                        a.button.quiet href=(urls::Bookings) { (text.error_to_bookings()) }
                    }
                }
                p.hint { (text.error_code()) ": " code { (reason) } }
            }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        const FAILURES: [Failure; 4] =
            [Failure::NoPage, Failure::Forged, Failure::WrongMethod, Failure::BadRequest];
        FAILURES.iter().map(|failure| ErrorPage { failure }).collect()
    }
}
