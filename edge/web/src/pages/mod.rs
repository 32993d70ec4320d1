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
pub(crate) mod admin;
pub(crate) mod bookings;
pub(crate) mod door;
pub(crate) mod error;
pub(crate) mod events;
pub(crate) mod organise;
pub(crate) mod preferences;
pub(crate) mod start;
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
        .merge(organise::routes())
        .merge(door::routes())
        .merge(start::routes())
        .merge(admin::routes())
        .fallback(|| async { Failure::NoPage })
        .method_not_allowed_fallback(|| async { Failure::WrongMethod })
}
