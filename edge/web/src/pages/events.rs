//! What is on: the list, the month and the page of an event.

mod book;
mod calendar;
mod describe;
mod event;
mod facets;
mod list;
mod parts;
mod rate;
mod widget;

use axum::Router;

#[cfg(test)]
pub(crate) use book::BookPage;
#[cfg(test)]
pub(crate) use calendar::CalendarPage;
#[cfg(test)]
pub(crate) use event::EventPage;
pub(crate) use facets::FacetCache;
#[cfg(test)]
pub(crate) use list::ListPage;
pub(crate) use parts::{price_of_all, when, where_in_one_line};
#[cfg(test)]
pub(crate) use parts::sample;
#[cfg(test)]
pub(crate) use widget::WidgetPage;

/// The routes of this subject.
pub(crate) fn routes() -> Router {
    Router::new()
        .merge(list::routes())
        .merge(calendar::routes())
        .merge(event::routes())
        .merge(book::routes())
        .merge(rate::routes())
        .merge(widget::routes())
}
