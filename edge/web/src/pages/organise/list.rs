//! One's own events, and events from a file.

use axum::{
    Router,
    routing::{get, post},
};
use http::StatusCode;
use maud::{Markup, html};
use proto::v1::{Event, ImportEventsRequest, ImportEventsResponse, ListEventsRequest};

use super::status_of;
use crate::{
    components::{Field, error_summary, submit},
    failure::Answer,
    form::{Errors, Fields, Form},
    format::local,
    urls::{self, Url},
    view::{Head, Page, View},
    visit::Visit,
};

/// How many events are on a page.
const PAGE_SIZE: i32 = 20;
/// The lines of the field for a file.
const FILE_ROWS: u32 = 8;

/// The routes of this file.
pub(super) fn routes() -> Router {
    Router::new().route(urls::Organise::ROUTE, get(show)).route(urls::OrganiseImport::ROUTE, post(import))
}

async fn show(visit: Visit, query: Fields) -> Answer {
    visit.person()?;
    let page = page(&visit, query.text("page"), Fields::default(), Errors::none()).await?;
    visit.view().show(&page)
}

async fn page(
    visit: &Visit,
    token: &str,
    typed: Fields,
    errors: Errors,
) -> Result<OrganisePage, kit::ServiceError> {
    let message = ListEventsRequest {
        organizer_id: "me".to_owned(),
        sort: "latest".to_owned(),
        page_size: PAGE_SIZE,
        page_token: token.to_owned(),
        ..ListEventsRequest::default()
    };
    let listed = visit.ask(visit.services().event().list_events(visit.request(message))).await?;
    Ok(OrganisePage { events: listed.events, next: listed.next_page_token, typed, errors })
}

async fn import(visit: Visit, Form(form): Form) -> Answer {
    visit.person()?;
    let message = ImportEventsRequest { csv: form.raw("csv").to_owned() };
    match visit.ask(visit.services().event().import_events(visit.request(message))).await {
        Ok(report) => visit.view().show(&ImportedPage { report }),
        Err(error) => {
            let errors = Errors::of(&error, &[]).ok_or(error)?;
            let page = page(&visit, "", form, errors).await?;
            Ok(visit.view().show_with(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

/// One's own events, latest first.
pub(crate) struct OrganisePage {
    events: Vec<Event>,
    next: String,
    typed: Fields,
    errors: Errors,
}

/// An event in a list of who works on it.
pub(crate) fn event_row(view: &View, event: &Event) -> Markup {
    let text = view.text;
    let (word, class) = status_of(text, event);
    let event_id = event.id.as_str();
    let left: i64 = event.ticket_types.iter().map(|kind| i64::from(kind.available)).sum();
    html! {
        li.stub {
            div.stub-name {
                a href=(urls::OrganiseEvent { event_id }) { (event.title) }
                span.hint { (text.day_and_clock(&local(event.starts_at.as_ref(), &event.time_zone))) " · " (text.organise_left(left)) }
            }
            span class=(class) { (word) }
        }
    }
}

impl Page for OrganisePage {
    fn head(&self, view: &View) -> Head {
        Head::titled(view.text.nav_organise())
    }

    fn main(&self, view: &View) -> Markup {
        let text = view.text;
        let hint = text.organise_import_hint();
        html! {
            (error_summary(text, &self.errors))
            div.title-row {
                h1 { (text.nav_organise()) }
                p { a.button href=(urls::OrganiseNew) { (text.organise_new()) } }
            }
            @if self.events.is_empty() {
                div.empty {
                    h2 { (text.organise_none()) }
                    p { a href=(urls::Welcome) { (text.welcome_title()) } }
                }
            } @else {
                ul.stubs id="own-events" { @for event in &self.events { (event_row(view, event)) } }
            }
            @if !self.next.is_empty() {
                nav.pages aria-label=(text.pages_label()) {
                    a.button.quiet rel="next" href={ (urls::Organise) "?page=" (urls::encoded(&self.next)) } { (text.pages_next()) }
                }
            }
            details open[!self.errors.is_empty()] {
                summary { (text.organise_import()) }
                form.stack.narrow method="post" action=(urls::OrganiseImport) id="import" {
                    (view.form_token())
                    (Field::new("csv", text.organise_import_file()).hint(hint).rows(FILE_ROWS).required().shown(&self.errors, &self.typed))
                    (submit(text.organise_import()))
                }
            }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let none = Self {
            events: Vec::new(),
            next: String::new(),
            typed: Fields::default(),
            errors: Errors::none(),
        };
        let mut errors = Errors::none();
        errors.add("csv", "has no column `name`");
        let events = vec![crate::pages::events::sample(), Event { id: "e2".to_owned(), ..Event::default() }];
        vec![none, Self { events, next: "t".to_owned(), typed: Fields::parse(b"csv=a%2Cb"), errors }]
    }
}

/// What became of a file.
pub(crate) struct ImportedPage {
    report: ImportEventsResponse,
}

impl Page for ImportedPage {
    fn head(&self, view: &View) -> Head {
        Head::titled(view.text.organise_import())
    }

    fn main(&self, view: &View) -> Markup {
        let (text, report) = (view.text, &self.report);
        let count = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
        html! {
            p.back { a href=(urls::Organise) { (text.nav_organise()) } }
            h1 { (text.organise_import()) }
            p.lead { (text.import_result(count(report.created.len()), i64::from(report.known), count(report.bad.len()))) }
            @if !report.unknown_columns.is_empty() {
                p { (text.import_unknown()) " " (report.unknown_columns.join(", ")) }
            }
            @if !report.bad.is_empty() {
                h2 { (text.import_bad()) }
                p.hint { (text.import_mend()) }
                table.cards id="bad-rows" {
                    thead { tr { th scope="col" { (text.import_line()) } th scope="col" { (text.import_column()) } th scope="col" { (text.import_reason()) } } }
                    tbody {
                        @for bad in &report.bad {
                            tr { td { (text.number(i64::from(bad.row))) } td { code { (bad.field) } } td { (bad.reason) } }
                        }
                    }
                }
            }
            @if !report.created.is_empty() {
                h2 { (text.import_created()) }
                ul { @for one in &report.created { li { a href=(urls::OrganiseEdit { event_id: &one.event_id }) { (one.title) } } } }
            }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        use proto::v1::import_events_response::{Bad, Created};
        let created =
            vec![Created { row: 2, event_id: "e1".to_owned(), title: "<script>a</script>".to_owned() }];
        let bad = vec![Bad { row: 3, field: "name".to_owned(), reason: "must be <b>given</b>".to_owned() }];
        let unknown_columns = vec!["colour".to_owned()];
        let report = ImportEventsResponse { created, bad, known: 1, unknown_columns };
        vec![Self { report }, Self { report: ImportEventsResponse::default() }]
    }
}
