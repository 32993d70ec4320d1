//! The door: a page for a phone that admits who has a ticket. It works as a form; with a script it scans, keeps what it
//! could not ask about, and asks again.

use axum::{
    Json, Router,
    extract::Path,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderName, HeaderValue, header::CONTENT_TYPE};
use maud::{Markup, html};
use proto::v1::{
    CheckInRequest, CheckInResponse, Event, ListAttendeesRequest, ListEventsRequest, check_in_response,
    event, ticket,
};
use serde_json::json;

use crate::{
    assets,
    components::submit,
    failure::Answer,
    form::Form,
    format::local,
    i18n::Text,
    pages::organise::event_of,
    urls::{self, Url},
    view::{Frame, Head, Page, View},
    visit::Visit,
};

const EVENTS: i32 = 50;
const PEOPLE: i32 = 100;
/// The most pages of people that are counted.
const MAX_PAGES: usize = 100;

/// The routes of this file.
pub(crate) fn routes() -> Router {
    Router::new()
        .route(urls::Door::ROUTE, get(list))
        .route(urls::DoorWorker::ROUTE, get(worker))
        .route(urls::DoorManifest::ROUTE, get(manifest))
        .route(urls::DoorOf::ROUTE, get(show).post(check_in))
}

async fn list(visit: Visit) -> Answer {
    visit.person()?;
    let message = ListEventsRequest {
        organizer_id: "me".to_owned(),
        status: event::Status::Published.into(),
        sort: "latest".to_owned(),
        page_size: EVENTS,
        ..ListEventsRequest::default()
    };
    let listed = visit.ask(visit.services().event().list_events(visit.request(message))).await?;
    visit.view().show(&DoorsPage { events: listed.events })
}

async fn show(visit: Visit, Path(event_id): Path<String>) -> Answer {
    let page = page(&visit, &event_id, None).await?;
    visit.view().show(&page)
}

async fn page(
    visit: &Visit,
    event_id: &str,
    result: Option<Shown>,
) -> Result<DoorPage, crate::failure::Failure> {
    visit.person()?;
    let (admitted, expected) = count(visit, event_id).await?;
    let event = event_of(visit, event_id).await?;
    Ok(DoorPage { event, admitted, expected, result })
}

/// How many are in, of how many. Only the event's organiser is told.
async fn count(visit: &Visit, event_id: &str) -> Result<(i64, i64), kit::ServiceError> {
    let (mut admitted, mut expected, mut page_token) = (0, 0, String::new());
    for _ in 0..MAX_PAGES {
        let message = ListAttendeesRequest {
            event_id: event_id.to_owned(),
            page_size: PEOPLE,
            page_token,
            format: String::new(),
        };
        let listed = visit.ask(visit.services().ticket().list_attendees(visit.request(message))).await?;
        for one in &listed.attendees {
            expected += 1;
            admitted += i64::from(one.status() == ticket::Status::Admitted);
        }
        page_token = listed.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    Ok((admitted, expected))
}

/// The script sends the same form, with a key of its own for each code, and asks for JSON.
async fn check_in(
    visit: Visit,
    Path(event_id): Path<String>,
    headers: http::HeaderMap,
    Form(form): Form,
) -> Answer {
    visit.person()?;
    let message = CheckInRequest { event_id: event_id.clone(), code: form.text("code").to_owned() };
    let request = visit.request_once(message, &form);
    let shown = match visit.ask(visit.services().ticket().check_in(request)).await {
        Ok(answer) => Shown::of(&answer),
        // What cannot be a code, such as that of a poster, is refused like one that was not signed here.
        Err(error) if error.fields.iter().any(|wrong| wrong.field == "code") => Shown::of(&CheckInResponse {
            result: check_in_response::Result::Forged.into(),
            ..CheckInResponse::default()
        }),
        Err(error) => return Err(error.into()),
    };
    let wants_json =
        headers.get("accept").is_some_and(|accept| accept.as_bytes().starts_with(b"application/json"));
    if wants_json {
        let text = visit.text();
        // The verdict is told also where the event cannot be asked for.
        let event = match shown.first_at {
            Some(_) => event_of(&visit, &event_id).await.ok(),
            None => None,
        };
        let who = shown.who(text, event.as_ref());
        let body = json!({"result": shown.name, "words": shown.words(text), "who": who});
        return Ok(Json(body).into_response());
    }
    visit.view().show(&page(&visit, &event_id, Some(shown)).await?)
}

async fn worker() -> Response {
    let mut response = assets::content("door-worker.js").into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    headers.insert(HeaderName::from_static("service-worker-allowed"), HeaderValue::from_static("/door"));
    response
}

async fn manifest(visit: Visit) -> Response {
    let icon = json!({"src": assets::href("icon.svg"), "sizes": "any", "type": "image/svg+xml"});
    let manifest = json!({
        "name": visit.text().door_title(), "short_name": visit.text().door_title(),
        "start_url": urls::Door.to_string(), "scope": urls::Door.to_string(), "display": "standalone",
        "background_color": "#121417", "theme_color": "#121417", "icons": [icon],
    });
    let mut response = manifest.to_string().into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/manifest+json"));
    response
}

/// What became of a code.
struct Shown {
    /// As in the contract, such as `ADMITTED`.
    name: &'static str,
    result: check_in_response::Result,
    attendee: String,
    first_at: Option<prost_types::Timestamp>,
}

impl Shown {
    fn of(answer: &CheckInResponse) -> Self {
        let attendee = answer.ticket.as_ref().map(|ticket| ticket.attendee_name.clone()).unwrap_or_default();
        let result = answer.result();
        Self { name: result.as_str_name(), result, attendee, first_at: answer.first_admitted_at }
    }

    fn words(&self, text: Text) -> &'static str {
        use check_in_response::Result::{
            Admitted, AlreadyAdmitted, Cancelled, Forged, Transferred, Unpaid, Unspecified, WrongEvent,
        };
        match self.result {
            Admitted => text.door_admitted(),
            AlreadyAdmitted => text.door_already(),
            WrongEvent => text.door_wrong_event(),
            Cancelled => text.door_cancelled(),
            Unpaid => text.door_unpaid(),
            Transferred => text.door_transferred(),
            Forged | Unspecified => text.door_forged(),
        }
    }

    /// Whose ticket it is, and when it was used first by the clock of the place.
    fn who(&self, text: Text, event: Option<&Event>) -> String {
        let is_again = self.result == check_in_response::Result::AlreadyAdmitted;
        let first = self.first_at.as_ref().filter(|_| is_again);
        let first = first.zip(event).map(|(at, event)| text.clock(&local(Some(at), &event.time_zone)));
        [Some(self.attendee.clone()), first]
            .into_iter()
            .flatten()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" · ")
    }
}

/// The events whose door one may keep.
pub(crate) struct DoorsPage {
    events: Vec<Event>,
}

impl Page for DoorsPage {
    fn head(&self, view: &View) -> Head {
        Head::titled(view.text.door_title())
    }

    fn main(&self, view: &View) -> Markup {
        let text = view.text;
        html! {
            h1 { (text.door_title()) }
            p.lead { (text.door_choose()) }
            @if self.events.is_empty() { div.empty { p { (text.organise_none()) } } }
            ul.stubs {
                @for event in &self.events {
                    li.stub { a.stub-name href=(urls::DoorOf { event_id: &event.id }) { (event.title) } span.hint { (text.day_and_clock(&local(event.starts_at.as_ref(), &event.time_zone))) } }
                }
            }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        vec![Self { events: Vec::new() }, Self { events: vec![crate::pages::events::sample()] }]
    }
}

/// The door of one event.
pub(crate) struct DoorPage {
    event: Event,
    admitted: i64,
    expected: i64,
    result: Option<Shown>,
}

impl Page for DoorPage {
    fn head(&self, view: &View) -> Head {
        let more = html! { link rel="manifest" href=(urls::DoorManifest) crossorigin="use-credentials"; };
        Head {
            title: format!("{} · {}", view.text.door_title(), self.event.title),
            scripts: &["door.js"],
            styles: &["work.css"],
            more: Some(more),
            frame: Frame::Bare,
            ..Head::titled("")
        }
    }

    fn main(&self, view: &View) -> Markup {
        let text = view.text;
        let name = self.result.as_ref().map_or("READY", |shown| shown.name);
        html! {
            div.door data-worker=(urls::DoorWorker) {
                p.back { a href=(urls::Door) { (text.door_title()) } }
                h1 { (self.event.title) }
                p.door-count {
                    strong id="count" data-count=(self.admitted) { (text.number(self.admitted)) } " / " (text.number(self.expected)) " " (text.door_inside())
                }
                div.verdict id="verdict" role="status" aria-live="assertive" data-result=(name) {
                    p.verdict-words { @match &self.result { Some(shown) => (shown.words(text)), None => (text.door_ready()) } }
                    p.verdict-who { @if let Some(shown) = &self.result { (shown.who(text, Some(&self.event))) } }
                }
                video id="camera" hidden muted playsinline aria-label=(text.door_camera()) {}
                p { button.button.quiet.wide id="scan" type="button" hidden { (text.door_scan()) } }
                form.stack method="post" action=(urls::DoorOf { event_id: &self.event.id }) id="check-in"
                    data-waiting=(text.door_waiting()) data-lost=(text.door_lost()) {
                    (view.form_token())
                    div.field {
                        label for="code" { (text.door_code()) }
                        input id="code" name="code" type="text" required autocomplete="off" autocapitalize="off" spellcheck="false" autofocus;
                    }
                    (submit(text.door_check()))
                }
                section id="waiting" hidden { h2 { (text.door_waiting_title()) } ol id="waiting-list" {} }
            }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let event = crate::pages::events::sample();
        let of = |result: check_in_response::Result| {
            let first_at = Some(prost_types::Timestamp { seconds: 1_800_000_000, nanos: 0 });
            let result = Some(Shown {
                name: result.as_str_name(),
                result,
                attendee: "<b>Anna</b>".to_owned(),
                first_at,
            });
            Self { event: event.clone(), admitted: 3, expected: 40, result }
        };
        let mut all: Vec<Self> =
            (1..=7).filter_map(|number| check_in_response::Result::try_from(number).ok()).map(of).collect();
        all.push(Self { event: event.clone(), admitted: 0, expected: 0, result: None });
        all
    }
}
