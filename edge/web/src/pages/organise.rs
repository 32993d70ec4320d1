//! For who organises: one's own events, how they do, who comes.

mod attendees;
mod chart;
mod dashboard;
mod edit;
mod list;
mod preview;
mod times;
mod types;

use axum::Router;
use kit::ServiceError;
use proto::v1::{Event, GetEventRequest, event};

use crate::{i18n::Text, visit::Visit};

#[cfg(test)]
pub(crate) use attendees::AttendeesPage;
#[cfg(test)]
pub(crate) use dashboard::DashboardPage;
#[cfg(test)]
pub(crate) use edit::EditPage;
pub(crate) use list::event_row;
#[cfg(test)]
pub(crate) use list::{ImportedPage, OrganisePage};
#[cfg(test)]
pub(crate) use types::TypePage;

/// The routes of this subject.
pub(crate) fn routes() -> Router {
    list::routes()
        .merge(edit::routes())
        .merge(types::routes())
        .merge(preview::routes())
        .merge(dashboard::routes())
        .merge(attendees::routes())
}

/// An event, read by who works on it: it is no visit.
pub(crate) async fn event_of(visit: &Visit, event_id: &str) -> Result<Event, ServiceError> {
    let message = GetEventRequest { event_id: event_id.to_owned() };
    visit.ask(visit.services().event().get_event(visit.request_look_up(message))).await
}

/// What an event's status is called, and how the word looks.
pub(crate) fn status_of(text: Text, event: &Event) -> (&'static str, &'static str) {
    match event.status() {
        event::Status::Published if event.finished => (text.organise_over(), "mark-word"),
        event::Status::Published => (text.organise_on_sale(), "mark-word good"),
        event::Status::Cancelled => (text.organise_called_off(), "mark-word out"),
        event::Status::Draft | event::Status::Unspecified => (text.organise_draft(), "mark-word wait"),
    }
}
