//! The pages. Each file has one subject: its routes, its handlers, its pages.
//!
//! To add a page:
//! 1. Name its address in `urls.rs`.
//! 2. Write a struct with what it shows, `impl Page` for it with `samples`, and a handler
//!    `async fn show(visit: Visit, ...) -> Answer` that ends with `visit.view().show(&TheStruct { ... })`.
//! 3. Add the handler to the `routes()` of its file, and the file's `routes()` here.
//! 4. Name the struct in `every_page!` in `tests.rs`; the test renders its samples in every language.
//! 5. Write its texts into every file of `locales`.

pub(crate) mod account;
pub(crate) mod bookings;
pub(crate) mod error;
pub(crate) mod events;
pub(crate) mod preferences;
#[cfg(test)]
mod tests;
pub(crate) mod tickets;

use axum::Router;

use crate::failure::Failure;

/// All pages.
pub(crate) fn router() -> Router {
    Router::new()
        .merge(events::routes())
        .merge(bookings::routes())
        .merge(tickets::routes())
        .merge(account::routes())
        .merge(preferences::routes())
        .fallback(|| async { Failure::NoPage })
        .method_not_allowed_fallback(|| async { Failure::WrongMethod })
}
