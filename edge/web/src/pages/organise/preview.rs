//! How an event will look, while it is being written. `preview.js` asks for it and shows it beside the form.

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::post,
};
use http::{HeaderValue, header::CONTENT_TYPE};
use maud::{Markup, html};
use proto::v1::Event;

use super::edit::written;
use crate::{
    failure::Answer,
    form::{Errors, Form},
    i18n::Text,
    markdown,
    pages::events::{when, where_in_one_line},
    urls::{self, Url},
    visit::Visit,
};

/// The routes of this file.
pub(super) fn routes() -> Router {
    Router::new().route(urls::OrganisePreview::ROUTE, post(preview))
}

/// What is wrong with the form so far is not said: it is not finished.
async fn preview(visit: Visit, Form(form): Form) -> Answer {
    visit.person()?;
    let what = written(&visit, &form, &mut Errors::none());
    let event = Event {
        title: what.title,
        description: what.description,
        starts_at: what.starts_at,
        ends_at: what.ends_at,
        time_zone: what.time_zone,
        venue: what.venue,
        online: what.online,
        ..Event::default()
    };
    let mut response: Response = shown(visit.text(), &event).into_string().into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    Ok(response)
}

fn shown(text: Text, event: &Event) -> Markup {
    let has_place =
        event.venue.as_ref().is_some_and(|venue| !venue.name.is_empty() || !venue.city.is_empty());
    html! {
        @if !event.title.is_empty() { h3 { (event.title) } }
        @if event.starts_at.is_some() && event.ends_at.is_some() { p.when { (when(text, event)) } }
        @if event.online || has_place { p.where { (where_in_one_line(text, event)) } }
        div.prose { (markdown::render(&event.description)) }
    }
}

/// Where it is shown; nothing without the script.
pub(super) fn place(text: Text) -> Markup {
    html! {
        section.preview id="preview" aria-labelledby="preview-title" hidden {
            h2 id="preview-title" { (text.edit_preview()) }
            div id="preview-shown" {}
        }
    }
}
