//! Accounts, and everybody's events.

use axum::{Router, routing::get};
use maud::{Markup, html};
use proto::v1::{Event, ListEventsRequest, ListUsersRequest, User, user};

use super::must_be_admin;
use crate::{
    components::{Field, submit},
    failure::Answer,
    form::{Errors, Fields},
    format::local,
    pages::organise::event_row,
    urls::{self, Url},
    view::{Head, Page, View},
    visit::Visit,
};

const PAGE_SIZE: i32 = 50;
const EVENTS: i32 = 20;

/// The routes of this file.
pub(super) fn routes() -> Router {
    Router::new().route(urls::Admin::ROUTE, get(show))
}

async fn show(visit: Visit, query: Fields) -> Answer {
    must_be_admin(&visit)?;
    let message = ListUsersRequest {
        email: query.text("email").to_owned(),
        page_size: PAGE_SIZE,
        page_token: query.text("page").to_owned(),
    };
    let listed = visit.ask(visit.services().user().list_users(visit.request(message))).await?;
    let message = ListEventsRequest {
        sort: "newest".to_owned(),
        from: "0001-01-02".to_owned(),
        page_size: EVENTS,
        page_token: query.text("events").to_owned(),
        ..ListEventsRequest::default()
    };
    let events = visit.ask(visit.services().event().list_events(visit.request(message))).await?;
    visit.view().show(&AdminPage {
        query,
        users: listed.users,
        next: listed.next_page_token,
        events: events.events,
        next_events: events.next_page_token,
    })
}

/// Accounts and events.
pub(crate) struct AdminPage {
    query: Fields,
    users: Vec<User>,
    next: String,
    events: Vec<Event>,
    next_events: String,
}

impl Page for AdminPage {
    fn head(&self, view: &View) -> Head {
        Head { styles: &["work.css"], ..Head::titled(view.text.nav_admin()) }
    }

    fn main(&self, view: &View) -> Markup {
        let text = view.text;
        html! {
            div.title-row {
                h1 { (text.nav_admin()) }
                p { a href=(urls::System) { (text.system_title()) } " · " a href=(urls::Mailbox) { (text.mailbox_title()) } }
            }
            h2 { (text.admin_users()) }
            form.stack.narrow method="get" action=(urls::Admin) {
                (Field::new("email", text.email()).kind("email").shown(&Errors::none(), &self.query))
                (submit(text.admin_find()))
            }
            @if self.users.is_empty() { p.hint { (text.admin_nobody()) } } @else {
                div.scroll tabindex="0" role="region" aria-label=(text.admin_users()) {
                    table.cards id="users" {
                        thead { tr { th scope="col" { (text.name()) } th scope="col" { (text.email()) } th scope="col" { (text.admin_role()) } th scope="col" { (text.admin_since()) } } }
                        tbody { @for user in &self.users { tr {
                            th scope="row" { (user.name) } td { (user.email) }
                            td { @if user.roles().any(|role| role == user::Role::Admin) { span.mark-word.wait { "ADMIN" } } }
                            td { (text.short_date(local(user.created_at.as_ref(), "UTC").date())) }
                        } } }
                    }
                }
            }
            @if !self.next.is_empty() { p.pages { a.button.quiet rel="next" href={ (urls::Admin) "?page=" (urls::encoded(&self.next)) } { (text.pages_next()) } } }
            h2 { (text.admin_events()) }
            ul.stubs id="all-events" { @for event in &self.events { (event_row(view, event)) } }
            @if !self.next_events.is_empty() { p.pages { a.button.quiet href={ (urls::Admin) "?events=" (urls::encoded(&self.next_events)) } { (text.pages_next()) } } }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let user = User {
            name: "<b>Anna</b>".to_owned(),
            email: "a@example.org".to_owned(),
            roles: vec![1, 2],
            ..User::default()
        };
        let events = vec![crate::pages::events::sample()];
        let none = Self {
            query: Fields::parse(b"email=%22%3E"),
            users: vec![],
            next: String::new(),
            events: vec![],
            next_events: String::new(),
        };
        vec![
            none,
            Self {
                query: Fields::default(),
                users: vec![user],
                next: "t".to_owned(),
                events,
                next_events: "u".to_owned(),
            },
        ]
    }
}
