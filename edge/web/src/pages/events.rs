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
#[cfg(test)]
pub(crate) use parts::sample;
pub(crate) use parts::{when, where_in_one_line};
pub(crate) use rate::rate_form;
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
