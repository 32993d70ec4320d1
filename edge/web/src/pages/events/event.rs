//! The page of an event.

use axum::{
    Json, Router,
    extract::Path,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{
    HeaderValue,
    header::{CONTENT_DISPOSITION, CONTENT_TYPE},
};
use maud::{Markup, html};
use proto::v1::{Event, Feedback, GetAvailabilityRequest, GetEventRequest, ListFeedbackRequest, TicketType};
use serde_json::json;

use super::{
    describe,
    parts::{KindSale, Sale, kind_sale, most, sale, sale_mark, when, where_in_one_line},
};
use crate::{
    failure::Answer,
    format::local,
    markdown,
    poster::poster,
    urls::{self, Url},
    view::{Head, Page, View},
    visit::Visit,
};

/// How many ratings are shown.
const RATINGS: i32 = 5;

/// The routes of this file.
pub(super) fn routes() -> Router {
    Router::new()
        .route(urls::Event::ROUTE, get(show))
        .route(urls::EventAvailability::ROUTE, get(availability))
        .route(urls::EventCalendar::ROUTE, get(calendar))
}

async fn show(visit: Visit, Path(event_id): Path<String>) -> Answer {
    let request = visit.request(GetEventRequest { event_id });
    let event = visit.ask(visit.services().event().get_event(request)).await?;
    let ratings = if event.rating_count > 0 { ratings(&visit, &event.id).await } else { Vec::new() };
    visit.view().show(&EventPage { event, ratings })
}

/// What is left, for a page that has no stream to listen to: the pages may be served without the REST surface.
async fn availability(visit: Visit, Path(event_id): Path<String>) -> Answer {
    let request = visit.request_look_up(GetAvailabilityRequest { event_id });
    let left = visit.ask(visit.services().event().get_availability(request)).await?;
    let kinds = left.ticket_types.iter().map(|kind| json!({"id": kind.id, "available": kind.available}));
    Ok(Json(json!({"ticket_types": kinds.collect::<Vec<_>>()})).into_response())
}

/// The newest ratings; none where they are not to be had, since the page is of use without them.
async fn ratings(visit: &Visit, event_id: &str) -> Vec<Feedback> {
    let message =
        ListFeedbackRequest { event_id: event_id.to_owned(), page_size: RATINGS, page_token: String::new() };
    let asked = visit.ask(visit.services().feedback().list_feedback(visit.request(message))).await;
    asked.map(|listed| listed.feedback).unwrap_or_default()
}

async fn calendar(visit: Visit, Path(event_id): Path<String>) -> Answer {
    let request = visit.request_look_up(GetEventRequest { event_id });
    let event = visit.ask(visit.services().event().get_event(request)).await?;
    let mut response: Response = describe::calendar(visit.view(), &event).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/calendar; charset=utf-8"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"event.ics\""));
    Ok(response)
}

/// An event.
pub(crate) struct EventPage {
    event: Event,
    ratings: Vec<Feedback>,
}

impl Page for EventPage {
    fn head(&self, view: &View) -> Head {
        Head {
            description: Some(markdown::summary(&self.event.description)),
            scripts: &["availability.js"],
            more: Some(describe::head(view, &self.event)),
            ..Head::titled(self.event.title.as_str())
        }
    }

    fn main(&self, view: &View) -> Markup {
        let (text, event) = (view.text, &self.event);
        html! {
            article.event data-event=(event.id) {
                header.event-head {
                    div.event-poster { (poster(&event.id, 6, 3)) }
                    div {
                        p.back { a href=(urls::Events) { (text.event_back()) } }
                        h1 { (event.title) }
                        p.when { (when(text, event)) }
                        p.where { (where_in_one_line(text, event)) " " (sale_mark(view, event)) }
                    }
                }
                div.event-columns {
                    aside.panel aria-labelledby="tickets-title" { (tickets(view, event)) }
                    div.event-text {
                        @if !event.description.is_empty() {
                            section.prose aria-labelledby="about-title" {
                                h2.visually-hidden id="about-title" { (text.event_about()) }
                                (markdown::render(&event.description))
                            }
                        }
                        (self.facts(view))
                        (self.rated(view))
                    }
                }
            }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let event = super::sample();
        let rating = Feedback { rating: 4, comment: "<b>fine".to_owned(), ..Feedback::default() };
        let cancelled = Event { status: proto::v1::event::Status::Cancelled.into(), ..event.clone() };
        let ended = Event { finished: true, online: true, venue: None, ..event.clone() };
        let bare = Event { id: event.id.clone(), title: "T".to_owned(), ..Event::default() };
        let of = |event| Self { event, ratings: vec![] };
        vec![Self { event, ratings: vec![rating] }, of(cancelled), of(ended), of(bare)]
    }
}

impl EventPage {
    fn facts(&self, view: &View) -> Markup {
        let (text, event) = (view.text, &self.event);
        let venue = event.venue.clone().unwrap_or_default();
        let place = [venue.name, venue.address, venue.city, venue.country];
        let place: Vec<String> = place.into_iter().filter(|part| !part.is_empty()).collect();
        html! {
            section aria-labelledby="facts-title" {
                h2 id="facts-title" { (text.event_facts()) }
                dl.facts {
                    dt { (text.event_when()) }
                    dd {
                        (when(text, event))
                        span.hint { (text.event_zone(&event.time_zone)) }
                        a href=(urls::EventCalendar { event_id: &event.id }) { (text.event_to_calendar()) }
                    }
                    dt { (text.event_where()) }
                    dd {
                        @if event.online { (text.event_online()) }
                        @for part in &place { span.line { (part) } }
                    }
                    @if !event.categories.is_empty() {
                        dt { (text.event_categories()) }
                        dd.tags {
                            @for category in &event.categories {
                                a.tag href={ (urls::Events) "?category=" (urls::encoded(category)) } { (category) }
                            }
                        }
                    }
                    @if event.website_url.starts_with("http") {
                        dt { (text.event_website()) }
                        dd { a href=(event.website_url) rel="nofollow noopener" { (event.website_url) } }
                    }
                }
            }
        }
    }

    fn rated(&self, view: &View) -> Markup {
        let (text, event) = (view.text, &self.event);
        html! {
            @if let Some(average) = event.average_rating {
                section id="ratings" aria-labelledby="ratings-title" {
                    h2 id="ratings-title" { (text.ratings_title()) }
                    p.average { (text.ratings_average(event.rating_count, text.decimal(average, 1))) }
                    ul.ratings {
                        @for rating in self.ratings.iter().filter(|rating| !rating.comment.is_empty()) {
                            li {
                                p.stars { (text.ratings_of_five(rating.rating)) }
                                p { (rating.comment) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The panel in which tickets are chosen. It leads on to a page that shows the choice, and asks to sign in where that
/// is needed, so it works for everyone.
fn tickets(view: &View, event: &Event) -> Markup {
    let text = view.text;
    let sale = sale(view, event);
    html! {
        h2 id="tickets-title" { (text.tickets_title()) }
        @match sale {
            Sale::Cancelled => p { (text.refused_event_cancelled_next()) },
            Sale::Ended => p { (text.refused_event_ended_next()) },
            Sale::Draft => p { (text.refused_event_not_published_next()) },
            Sale::Open | Sale::SoldOut | Sale::Closed => {
                form method="get" action=(urls::Book { event_id: &event.id }) id="book" data-live=(event.id)
                    data-asked=(urls::EventAvailability { event_id: &event.id })
                    data-left-one=(text.live_left_one("{n}")) data-left-other=(text.live_left_other("{n}"))
                    data-none=(text.sale_sold_out()) {
                    ul.kinds {
                        @for kind in event.ticket_types.iter().filter(|kind| !kind.hidden) {
                            li { (kind_line(view, event, kind)) }
                        }
                    }
                    @if sale == Sale::Open {
                        button.button.wide type="submit" { (text.tickets_go_on()) }
                        p.hint { (text.tickets_go_on_hint()) }
                    } @else if sale == Sale::SoldOut {
                        p.hint { (text.tickets_sold_out_hint()) }
                        button.button.wide type="submit" disabled { (text.sale_sold_out()) }
                    }
                }
            }
        }
    }
}

fn kind_line(view: &View, event: &Event, kind: &TicketType) -> Markup {
    let text = view.text;
    let (sale, most) = (kind_sale(view, kind), most(kind));
    let id = format!("kind-{}", kind.id);
    html! {
        div.kind data-kind=(kind.id) {
            label for=(id) {
                span.kind-name { (kind.name) }
                span.kind-price { (text.price(kind.price.as_ref())) }
            }
            p.kind-left id={ (id) "-left" } {
                @match sale {
                    KindSale::Open => span data-available { (text.tickets_left(kind.available)) },
                    KindSale::SoldOut => span data-available { (text.sale_sold_out()) },
                    KindSale::Closed => (closed(view, event, kind)),
                }
                @if let Some(most) = kind.max_per_booking { span.hint { (text.tickets_most(most)) } }
            }
            select id=(id) name={ "n." (kind.id) } aria-describedby={ (id) "-left" } disabled[sale != KindSale::Open] {
                option value="0" { "0" }
                @for number in 1..=most { option value=(number) { (number) } }
            }
        }
    }
}

/// Since when, or until when, a kind of ticket is on sale.
fn closed(view: &View, event: &Event, kind: &TicketType) -> Markup {
    let begins = local(kind.sales_start.as_ref(), &event.time_zone);
    let text = view.text;
    html! {
        @if kind.sales_start.is_some() && view.now < begins.timestamp() {
            (text.tickets_from(text.day_and_clock(&begins)))
        } @else {
            (text.refused_sales_ended())
        }
    }
}
