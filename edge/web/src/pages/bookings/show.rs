//! One booking: how it stands and what to do next.

use axum::{Router, extract::Path, response::Response, routing::get};
use http::{HeaderValue, StatusCode, header::REFRESH};
use maud::{Markup, html};
use proto::v1::{Booking, BookingLine, Event, GetBookingRequest, Money, Ticket, booking, refund, ticket};

use super::{event_of, pay::pay_form, status_word};
use crate::{
    components::error_summary,
    failure::Answer,
    form::Errors,
    format::{local, timestamp},
    pages::events::{rate_form, when, where_in_one_line},
    refusals,
    urls::{self, Url},
    view::{Head, Page, View},
    visit::Visit,
};

/// After so many seconds a page that waits for a decision asks again.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("2");

/// The routes of this file.
pub(super) fn routes() -> Router {
    Router::new().route(urls::Booking::ROUTE, get(show))
}

async fn show(visit: Visit, Path(booking_id): Path<String>) -> Answer {
    visit.person()?;
    page(&visit, booking_id, Errors::none(), StatusCode::OK).await
}

/// The page of a booking, with what is wrong with the form on it.
pub(super) async fn page(visit: &Visit, booking_id: String, errors: Errors, status: StatusCode) -> Answer {
    let request = visit.request(GetBookingRequest { booking_id });
    let booking = visit.ask(visit.services().ticket().get_booking(request)).await?;
    let event = event_of(visit, &booking.event_id).await;
    let is_pending = booking.status() == booking::Status::Pending;
    let mut response: Response = visit.view().show_with(status, &BookingPage { booking, event, errors });
    if is_pending {
        response.headers_mut().insert(REFRESH, ASK_AGAIN);
    }
    Ok(response)
}

fn sum_of(line: &BookingLine) -> Option<Money> {
    let price = line.unit_price.clone()?;
    Some(Money { minor: price.minor.saturating_mul(i64::from(line.quantity)), ..price })
}

/// A booking.
pub(crate) struct BookingPage {
    booking: Booking,
    event: Option<Event>,
    errors: Errors,
}

impl Page for BookingPage {
    fn head(&self, view: &View) -> Head {
        let scripts: &[&str] =
            if self.booking.status() == booking::Status::Held { &["countdown.js"] } else { &[] };
        Head { scripts, ..Head::titled(self.title(view)) }
    }

    fn main(&self, view: &View) -> Markup {
        let (text, booking) = (view.text, &self.booking);
        html! {
            div.narrow data-booking=(booking.id) data-status=(booking.status().as_str_name()) {
                (error_summary(text, &self.errors))
                p.back { a href=(urls::Bookings) { (text.nav_bookings()) } }
                h1 { (self.title(view)) }
                (self.about(view))
                @match booking.status() {
                    booking::Status::Pending | booking::Status::Unspecified => {
                        p.lead role="status" { (text.booking_pending_next()) }
                    }
                    booking::Status::Held => (self.held(view)),
                    booking::Status::Booked => (self.booked(view)),
                    booking::Status::Rejected | booking::Status::Cancelled | booking::Status::Expired => {
                        (self.over(view))
                    }
                }
                (self.money(view))
            }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let event = crate::pages::events::sample();
        let of = |status| Self {
            booking: super::sample(status),
            event: Some(event.clone()),
            errors: Errors::none(),
        };
        let mut errors = Errors::none();
        errors.add("card", "Declined");
        let started = Event {
            starts_at: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            ..event.clone()
        };
        vec![
            of(booking::Status::Pending),
            Self { errors, ..of(booking::Status::Held) },
            of(booking::Status::Booked),
            Self { event: Some(started), ..of(booking::Status::Booked) },
            Self { event: None, ..of(booking::Status::Rejected) },
            of(booking::Status::Cancelled),
            of(booking::Status::Expired),
        ]
    }
}

impl BookingPage {
    fn title(&self, view: &View) -> &'static str {
        let text = view.text;
        match self.booking.status() {
            booking::Status::Held => text.booking_held_title(),
            booking::Status::Booked => text.booking_booked_title(),
            booking::Status::Rejected | booking::Status::Expired => {
                refusals::words(text, self.reason()).title
            }
            _ => status_word(text, &self.booking),
        }
    }

    fn reason(&self) -> &str {
        if self.booking.status() == booking::Status::Expired { "expired" } else { &self.booking.reason }
    }

    fn about(&self, view: &View) -> Markup {
        let text = view.text;
        html! {
            @match &self.event {
                Some(event) => p.lead {
                    a href=(urls::Event { event_id: &event.id }) { (event.title) } br;
                    (when(text, event)) br; (where_in_one_line(text, event))
                },
                None => p.lead { (text.booking_event_gone()) },
            }
        }
    }

    /// Until when, and the form to pay.
    fn held(&self, view: &View) -> Markup {
        let (text, booking) = (view.text, &self.booking);
        let until = local(booking.expires_at.as_ref(), self.zone());
        html! {
            p.countdown id="hold" data-countdown=(timestamp(booking.expires_at.as_ref())) data-left=(text.hold_left("{time}")) {
                (text.hold_until(text.clock(&until)))
            }
            (pay_form(view, booking, &self.errors))
            p { a href=(urls::Cancel { booking_id: &booking.id }) { (text.cancel_whole()) } }
        }
    }

    fn zone(&self) -> &str {
        self.event.as_ref().map_or("UTC", |event| event.time_zone.as_str())
    }

    fn booked(&self, view: &View) -> Markup {
        let (text, booking) = (view.text, &self.booking);
        let address = urls::Booking { booking_id: &booking.id }.to_string();
        let started = self.event.as_ref().filter(|event| timestamp(event.starts_at.as_ref()) <= view.now);
        html! {
            section aria-labelledby="tickets-title" {
                h2 id="tickets-title" { (text.tickets_title()) }
                p { (text.booking_tickets_hint()) }
                ul.stubs {
                    @for ticket in &booking.tickets { li { (self.stub(view, ticket)) } }
                }
            }
            @if let Some(event) = started {
                section aria-labelledby="rate-title" {
                    h2 id="rate-title" { (text.rate_title()) }
                    (rate_form(view, &event.id, &address))
                }
            } @else {
                p { a href=(urls::Cancel { booking_id: &booking.id }) { (text.cancel_some()) } }
            }
        }
    }

    fn stub(&self, view: &View, ticket: &Ticket) -> Markup {
        let text = view.text;
        let kinds = self.event.iter().flat_map(|event| &event.ticket_types);
        let name =
            kinds.into_iter().find(|kind| kind.id == ticket.ticket_type_id).map(|kind| kind.name.as_str());
        let name = name.unwrap_or(text.ticket_title());
        html! {
            div.stub data-ticket=(ticket.id) {
                span.stub-name {
                    (name)
                    @if !ticket.attendee_name.is_empty() { span.hint { (ticket.attendee_name) } }
                }
                @match ticket.status() {
                    ticket::Status::Cancelled => span.mark-word.quiet { (text.ticket_cancelled()) },
                    ticket::Status::Admitted => span.mark-word.good { (text.ticket_admitted()) },
                    _ => {
                        span.stub-actions {
                            a href=(urls::Ticket { ticket_id: &ticket.id }) { (text.ticket_show()) }
                            a href=(urls::TicketPdf { ticket_id: &ticket.id }) { (text.ticket_pdf()) }
                        }
                    }
                }
            }
        }
    }

    /// Why it is over, and what to do next.
    fn over(&self, view: &View) -> Markup {
        let (text, booking) = (view.text, &self.booking);
        html! {
            p id="reason" data-reason=(self.reason()) { (refusals::words(text, self.reason()).next) }
            p.actions {
                @if self.event.is_some() {
                    a.button href=(urls::Event { event_id: &booking.event_id }) { (text.booking_again()) }
                }
                a.button.quiet href=(urls::Events) { (text.error_to_events()) }
            }
        }
    }

    /// What was booked, with its sum.
    fn lines(&self, view: &View) -> Markup {
        let (text, booking) = (view.text, &self.booking);
        let name = |id: &str| {
            let kinds = self.event.iter().flat_map(|event| &event.ticket_types);
            kinds
                .into_iter()
                .find(|kind| kind.id == id)
                .map_or(text.ticket_title(), |kind| kind.name.as_str())
        };
        html! {
            table.sum {
                caption.visually-hidden { (text.booking_money()) }
                thead.visually-hidden { tr { th scope="col" { (text.tickets_title()) } th scope="col" { (text.price_column()) } } }
                tbody {
                    @for line in &booking.lines {
                        tr {
                            th scope="row" { (text.book_line(line.quantity, name(&line.ticket_type_id))) }
                            td { (text.price(sum_of(line).as_ref())) }
                        }
                    }
                }
                tfoot { tr { th scope="row" { (text.total()) } td { (text.price(booking.total.as_ref())) } } }
            }
        }
    }

    /// What it costs, and what was given back.
    fn money(&self, view: &View) -> Markup {
        let (text, booking) = (view.text, &self.booking);
        html! {
            @if booking.total.is_some() {
                section aria-labelledby="money-title" {
                    h2 id="money-title" { (text.booking_money()) }
                    (self.lines(view))
                    dl.facts {
                        @for refund in &booking.refunds {
                            dt { (if refund.status() == refund::Status::Refunded { text.refund_done() } else { text.refund_due() }) }
                            dd { (text.price(refund.amount.as_ref())) }
                        }
                        dt { (text.booking_number()) } dd { code { (booking.id) } }
                    }
                }
            }
        }
    }
}
