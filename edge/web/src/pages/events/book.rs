//! From a choice of tickets to a booking: the choice is shown with its sum, and one press books it, once.

use axum::{Router, extract::Path, routing::get};
use http::StatusCode;
use maud::{Markup, html};
use proto::v1::{BookingLineInput, CreateBookingRequest, Event, GetEventRequest, Money, TicketType};

use super::parts::{price_of_all, when, where_in_one_line};
use crate::{
    components::{Field, error_summary, submit},
    failure::Answer,
    form::{Errors, Fields, Form},
    urls::{self, Url},
    view::{Head, Page, View},
    visit::{Visit, see_other},
};

/// Fields with a number of tickets begin so, and go on with the id of the kind.
const NUMBER_FIELD: &str = "n.";

/// The routes of this file.
pub(super) fn routes() -> Router {
    Router::new().route(urls::Book::ROUTE, get(review).post(book))
}

/// The numbers that were chosen, by the ids of the kinds.
fn chosen(fields: &Fields) -> Vec<(String, i32)> {
    let numbers = fields.iter().filter_map(|(name, value)| {
        let kind = name.strip_prefix(NUMBER_FIELD)?;
        let number = value.parse().ok().filter(|number| *number > 0)?;
        Some((kind.to_owned(), number))
    });
    numbers.collect()
}

async fn review(visit: Visit, Path(event_id): Path<String>, query: Fields) -> Answer {
    visit.person()?;
    page(&visit, event_id, &query, Errors::none(), StatusCode::OK).await
}

async fn page(
    visit: &Visit,
    event_id: String,
    typed: &Fields,
    mut errors: Errors,
    mut status: StatusCode,
) -> Answer {
    let request = visit.request_look_up(GetEventRequest { event_id });
    let event = visit.ask(visit.services().event().get_event(request)).await?;
    let chosen = chosen(typed);
    let lines: Vec<(TicketType, i32)> = chosen
        .into_iter()
        .filter_map(|(id, number)| {
            let kind = event.ticket_types.iter().find(|kind| kind.id == id)?;
            Some((kind.clone(), number))
        })
        .collect();
    if lines.is_empty() {
        errors.add("choice", visit.text().book_nothing_chosen());
        status = StatusCode::UNPROCESSABLE_ENTITY;
    }
    let promo_code = typed.text("promo_code").to_owned();
    Ok(visit.view().show_with(status, &BookPage { event, lines, promo_code, errors }))
}

async fn book(visit: Visit, Path(event_id): Path<String>, Form(form): Form) -> Answer {
    visit.person()?;
    let lines = chosen(&form);
    if lines.is_empty() {
        return page(&visit, event_id, &form, Errors::none(), StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let line = |(ticket_type_id, quantity)| BookingLineInput { ticket_type_id, quantity, seat_ids: vec![] };
    let message = CreateBookingRequest {
        event_id: event_id.clone(),
        lines: lines.into_iter().map(line).collect(),
        promo_code: form.text("promo_code").to_owned(),
        attendees: vec![],
    };
    let request = visit.request_decided(message, &form);
    match visit.ask(visit.services().ticket().create_booking(request)).await {
        Ok(booking) => Ok(see_other(urls::Booking { booking_id: &booking.id }, None)),
        Err(error) if error.reason == "unknown_promo_code" => {
            let mut errors = Errors::none();
            errors.add("promo_code", visit.text().refused_unknown_promo_code_next());
            page(&visit, event_id, &form, errors, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error.into()),
    }
}

/// A choice of tickets, before it is booked.
pub(crate) struct BookPage {
    event: Event,
    lines: Vec<(TicketType, i32)>,
    promo_code: String,
    errors: Errors,
}

impl Page for BookPage {
    fn head(&self, view: &View) -> Head {
        Head::titled(view.text.book_title())
    }

    fn main(&self, view: &View) -> Markup {
        let (text, event) = (view.text, &self.event);
        html! {
            section.narrow {
                (error_summary(text, &self.errors))
                p.back { a href=(urls::Event { event_id: &event.id }) { (text.book_back()) } }
                h1 { (text.book_title()) }
                p.lead { strong { (event.title) } br; (when(text, event)) br; (where_in_one_line(text, event)) }
                @if self.lines.is_empty() {
                    p.empty id="choice" { (text.book_nothing_chosen()) }
                    p { a.button href=(urls::Event { event_id: &event.id }) { (text.book_choose()) } }
                } @else {
                    (self.form(view))
                }
            }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let event = super::sample();
        let lines: Vec<_> = event.ticket_types.iter().map(|kind| (kind.clone(), 2)).collect();
        let mut errors = Errors::none();
        errors.add("promo_code", "Unknown");
        let mut none = Errors::none();
        none.add("choice", "Choose");
        vec![
            Self { event: event.clone(), lines, promo_code: "\"><b>".to_owned(), errors },
            Self { event, lines: vec![], promo_code: String::new(), errors: none },
        ]
    }
}

impl BookPage {
    fn form(&self, view: &View) -> Markup {
        let text = view.text;
        let free = Money::default();
        let total = price_of_all(
            self.lines.iter().map(|(kind, number)| (kind.price.as_ref().unwrap_or(&free), *number)),
        );
        let is_free = total.as_ref().is_some_and(|total| total.minor == 0);
        let promo = format!("{} ({})", text.promo_code(), text.optional());
        html! {
            form.stack method="post" action=(urls::Book { event_id: &self.event.id }) id="confirm" data-once {
                (view.form_token()) (view.form_key())
                table.sum {
                    caption.visually-hidden { (text.book_title()) }
                    thead.visually-hidden { tr { th scope="col" { (text.tickets_title()) } th scope="col" { (text.price_column()) } } }
                    tbody {
                        @for (kind, number) in &self.lines {
                            tr {
                                th scope="row" { (text.book_line(*number, &kind.name)) }
                                td { (line_price(view, kind, *number)) }
                            }
                        }
                    }
                    @if let Some(total) = &total {
                        tfoot { tr { th scope="row" { (text.total()) } td { (text.price(Some(total))) } } }
                    }
                }
                @for (kind, number) in &self.lines {
                    input type="hidden" name={ (NUMBER_FIELD) (kind.id) } value=(number);
                }
                (Field::new("promo_code", &promo).with("maxlength", 100).valued(&self.errors, &self.promo_code))
                @if is_free {
                    p.hint { (text.book_free_hint()) }
                    (submit(text.book_free_action()))
                } @else {
                    p.hint { (text.book_hold_hint()) }
                    (submit(text.book_action()))
                }
            }
        }
    }
}

fn line_price(view: &View, kind: &TicketType, number: i32) -> String {
    let price = kind.price.clone().unwrap_or_default();
    let minor = price.minor.saturating_mul(i64::from(number));
    view.text.price(Some(&Money { minor, ..price }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_chosen_is_booked() {
        let fields = Fields::parse(b"n.a=2&n.b=0&n.c=-1&n.d=x&other=3&n.e=99999999999");
        assert_eq!(chosen(&fields), [("a".to_owned(), 2)]);
    }
}
