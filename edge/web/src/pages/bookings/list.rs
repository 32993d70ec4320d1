//! The list of one's own bookings.

use std::collections::BTreeMap;

use axum::{Router, routing::get};
use maud::{Markup, html};
use proto::v1::{Booking, Event, ListBookingsRequest, booking};

use super::{events_of, status_word};
use crate::{
    failure::Answer,
    form::Fields,
    format::local,
    pages::events::{when, where_in_one_line},
    poster::poster,
    urls::{self, Url},
    view::{Head, Page, View},
    visit::Visit,
};

/// How many bookings are on a page.
const PAGE_SIZE: i32 = 20;

/// The routes of this file.
pub(super) fn routes() -> Router {
    Router::new().route(urls::Bookings::ROUTE, get(show))
}

async fn show(visit: Visit, query: Fields) -> Answer {
    visit.person()?;
    let message = ListBookingsRequest {
        page_size: PAGE_SIZE,
        page_token: query.text("page").to_owned(),
        ..ListBookingsRequest::default()
    };
    let listed = visit.ask(visit.services().ticket().list_bookings(visit.request(message))).await?;
    let events = events_of(&visit, &listed.bookings).await;
    visit.view().show(&BookingsPage { bookings: listed.bookings, events, next: listed.next_page_token })
}

/// One's own bookings, newest first.
pub(crate) struct BookingsPage {
    bookings: Vec<Booking>,
    events: BTreeMap<String, Event>,
    next: String,
}

impl Page for BookingsPage {
    fn head(&self, view: &View) -> Head {
        Head::titled(view.text.nav_bookings())
    }

    fn main(&self, view: &View) -> Markup {
        let text = view.text;
        html! {
            h1 { (text.nav_bookings()) }
            @if self.bookings.is_empty() {
                div.empty {
                    h2 { (text.bookings_none()) }
                    p { (text.bookings_none_next()) }
                    p { a.button href=(urls::Events) { (text.error_to_events()) } }
                }
            } @else {
                ul.events id="bookings" {
                    @for booking in &self.bookings { li { (self.row(view, booking)) } }
                }
            }
            @if !self.next.is_empty() {
                nav.pages aria-label=(text.pages_label()) {
                    a.button.quiet rel="next" href={ (urls::Bookings) "?page=" (urls::encoded(&self.next)) } { (text.pages_next()) }
                }
            }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let event = crate::pages::events::sample();
        let bookings = vec![super::sample(booking::Status::Held), super::sample(booking::Status::Expired)];
        let events = BTreeMap::from([("e1".to_owned(), event)]);
        vec![
            Self { bookings: bookings.clone(), events, next: "token".to_owned() },
            Self { bookings, events: BTreeMap::new(), next: String::new() },
            Self { bookings: vec![], events: BTreeMap::new(), next: String::new() },
        ]
    }
}

impl BookingsPage {
    fn row(&self, view: &View, booking: &Booking) -> Markup {
        let (text, event) = (view.text, self.events.get(&booking.event_id));
        let class = match booking.status() {
            booking::Status::Booked => "good",
            booking::Status::Held | booking::Status::Pending => "wait",
            _ => "quiet",
        };
        let made = local(booking.created_at.as_ref(), event.map_or("UTC", |event| &event.time_zone));
        let title = event.map_or_else(|| text.booking_event_gone(), |event| event.title.as_str());
        html! {
            article.card data-booking=(booking.id) {
                div.thumb { (poster(&booking.event_id, 3, 3)) }
                div.card-text {
                    @if let Some(event) = event { p.when { (when(text, event)) } }
                    h2 { a.stretched href=(urls::Booking { booking_id: &booking.id }) { (title) } }
                    @if let Some(event) = event { p.where { (where_in_one_line(text, event)) } }
                    p.hint { (text.booking_made(text.day_and_clock(&made))) }
                }
                div.card-price {
                    p.price { (text.price(booking.total.as_ref())) }
                    span.mark-word.{ (class) } { (status_word(text, booking)) }
                }
            }
        }
    }
}
