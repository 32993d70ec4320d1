//! The first steps: from an empty platform to a sold ticket.

use axum::{Router, routing::get};
use maud::{Markup, html};
use proto::v1::{Event, ListBookingsRequest, ListEventsRequest, event};

use crate::{
    failure::Answer,
    urls::{self, Url},
    view::{Head, Page, View},
    visit::Visit,
};

/// The routes of this file.
pub(crate) fn routes() -> Router {
    Router::new().route(urls::Welcome::ROUTE, get(show))
}

async fn show(visit: Visit) -> Answer {
    let (mut own, mut has_booking) = (None, false);
    if visit.person().is_ok() {
        let message = ListEventsRequest {
            organizer_id: "me".to_owned(),
            sort: "newest".to_owned(),
            page_size: 1,
            ..ListEventsRequest::default()
        };
        own = visit.ask(visit.services().event().list_events(visit.request(message))).await?.events.pop();
        let message = ListBookingsRequest { page_size: 1, ..ListBookingsRequest::default() };
        let listed = visit.ask(visit.services().ticket().list_bookings(visit.request(message))).await?;
        has_booking = !listed.bookings.is_empty();
    }
    visit.view().show(&WelcomePage { own, has_booking })
}

/// The first steps, with those that are done.
pub(crate) struct WelcomePage {
    own: Option<Event>,
    has_booking: bool,
}

impl Page for WelcomePage {
    fn head(&self, view: &View) -> Head {
        Head { styles: &["work.css"], ..Head::titled(view.text.welcome_title()) }
    }

    fn main(&self, view: &View) -> Markup {
        let text = view.text;
        let is_signed_in = view.person.is_some();
        let is_published = self.own.as_ref().is_some_and(|event| event.status() == event::Status::Published);
        let event_id = self.own.as_ref().map_or("", |event| event.id.as_str());
        let own = |markup: Markup| {
            if self.own.is_some() {
                markup
            } else {
                html! {}
            }
        };
        let steps = [
            (
                is_signed_in,
                text.welcome_account(),
                text.welcome_account_how(),
                html! { a.button href=(urls::SignUp) { (text.nav_sign_up()) } },
            ),
            (
                self.own.is_some(),
                text.welcome_event(),
                text.welcome_event_how(),
                html! { a.button href=(urls::OrganiseNew) { (text.organise_new()) } },
            ),
            (
                is_published,
                text.welcome_publish(),
                text.welcome_publish_how(),
                own(html! { a.button href=(urls::OrganiseEvent { event_id }) { (text.organise_publish()) } }),
            ),
            (
                self.has_booking,
                text.welcome_book(),
                text.welcome_book_how(),
                own(html! { a.button href=(urls::Event { event_id }) { (text.organise_preview()) } }),
            ),
            (
                false,
                text.welcome_door(),
                text.welcome_door_how(),
                own(html! { a.button.quiet href=(urls::DoorOf { event_id }) { (text.door_title()) } }),
            ),
        ];
        let next = steps.iter().position(|(done, ..)| !done);
        html! {
            h1 { (text.welcome_title()) }
            p.lead { (text.welcome_lead()) }
            ol.steps {
                @for (number, (done, title, how, link)) in steps.iter().enumerate() {
                    li.done[*done] aria-current=[(Some(number) == next).then_some("step")] {
                        h2 { (title) @if *done { span.visually-hidden { " · " (text.welcome_done()) } } }
                        p { (how) }
                        @if Some(number) == next || (number > 2 && is_published) { p { (link) } }
                    }
                }
            }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let event = crate::pages::events::sample();
        vec![Self { own: None, has_booking: false }, Self { own: Some(event), has_booking: true }]
    }
}
