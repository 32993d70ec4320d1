//! Who comes: a list, and a file for other programs.

use axum::{
    Router,
    extract::Path,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{
    HeaderValue,
    header::{CONTENT_DISPOSITION, CONTENT_TYPE},
};
use maud::{Markup, html};
use proto::v1::{Attendee, Event, ListAttendeesRequest, ticket};

use super::event_of;
use crate::{
    failure::Answer,
    form::Fields,
    format::local,
    urls::{self, Url},
    view::{Head, Page, View},
    visit::Visit,
};

/// How many people are on a page.
const PAGE_SIZE: i32 = 100;

/// The routes of this file.
pub(super) fn routes() -> Router {
    Router::new().route(urls::Attendees::ROUTE, get(show)).route(urls::AttendeesFile::ROUTE, get(file))
}

async fn show(visit: Visit, Path(event_id): Path<String>, query: Fields) -> Answer {
    visit.person()?;
    let message = ListAttendeesRequest {
        event_id: event_id.clone(),
        page_size: PAGE_SIZE,
        page_token: query.text("page").to_owned(),
        format: String::new(),
    };
    let listed = visit.ask(visit.services().ticket().list_attendees(visit.request(message))).await?;
    let event = event_of(&visit, &event_id).await?;
    visit.view().show(&AttendeesPage { event, attendees: listed.attendees, next: listed.next_page_token })
}

async fn file(visit: Visit, Path(event_id): Path<String>) -> Answer {
    visit.person()?;
    let message =
        ListAttendeesRequest { event_id, format: "csv".to_owned(), ..ListAttendeesRequest::default() };
    let listed = visit.ask(visit.services().ticket().list_attendees(visit.request(message))).await?;
    let mut response: Response = listed.file.unwrap_or_default().data.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"attendees.csv\""));
    Ok(response)
}

/// Who comes to an event.
pub(crate) struct AttendeesPage {
    event: Event,
    attendees: Vec<Attendee>,
    next: String,
}

impl Page for AttendeesPage {
    fn head(&self, view: &View) -> Head {
        Head { styles: &["work.css"], ..Head::titled(view.text.attendees()) }
    }

    fn main(&self, view: &View) -> Markup {
        let (text, event_id) = (view.text, self.event.id.as_str());
        html! {
            p.back { a href=(urls::OrganiseEvent { event_id }) { (self.event.title) } }
            div.title-row {
                h1 { (text.attendees()) }
                p { a.button.quiet href=(urls::AttendeesFile { event_id }) { (text.attendees_file()) } }
            }
            @if self.attendees.is_empty() { div.empty { p { (text.attendees_none()) } } } @else {
                div.scroll tabindex="0" role="region" aria-label=(text.attendees()) {
                    table.cards id="attendees" {
                        thead { tr {
                            th scope="col" { (text.name()) } th scope="col" { (text.email()) }
                            th scope="col" { (text.ticket_type()) } th scope="col" { (text.door_admitted()) }
                        } }
                        tbody { @for one in &self.attendees { tr {
                            th scope="row" { (one.name) } td { (one.email) } td { (one.ticket_type) }
                            td { @if one.status() == ticket::Status::Admitted { (text.day_and_clock(&local(one.admitted_at.as_ref(), &self.event.time_zone))) } @else { "–" } }
                        } } }
                    }
                }
            }
            @if !self.next.is_empty() {
                nav.pages aria-label=(text.pages_label()) {
                    a.button.quiet rel="next" href={ (urls::Attendees { event_id }) "?page=" (urls::encoded(&self.next)) } { (text.pages_next()) }
                }
            }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let event = crate::pages::events::sample();
        let admitted = Attendee {
            name: "<b>Anna</b>".to_owned(),
            email: "anna@example.org".to_owned(),
            status: ticket::Status::Admitted.into(),
            ..Attendee::default()
        };
        let attendees = vec![admitted, Attendee::default()];
        vec![
            Self { event: event.clone(), attendees: Vec::new(), next: String::new() },
            Self { event, attendees, next: "t".to_owned() },
        ]
    }
}
