//! Paying a booking.

use axum::{Router, extract::Path, routing::post};
use http::StatusCode;
use kit::Code;
use maud::{Markup, html};
use proto::v1::{Booking, PayBookingRequest};

use super::show;
use crate::{
    components::{Field, submit},
    failure::Answer,
    form::{Errors, Fields, Form},
    i18n::Text,
    refusals,
    urls::{self, Url},
    view::{Notice, View},
    visit::{Visit, see_other},
};

/// The cards of the payment simulator: all that this deployment takes.
const TEST_CARDS: [&str; 4] =
    ["4242 4242 4242 4242", "4000 0000 0000 0002", "4000 0000 0000 0044", "4000 0000 0000 0051"];

/// The routes of this file.
pub(super) fn routes() -> Router {
    Router::new().route(urls::Pay::ROUTE, post(pay).get(back))
}

/// Reloading what a refused payment answered with, or choosing another language there, leads to the booking.
async fn back(Path(booking_id): Path<String>) -> Answer {
    Ok(see_other(urls::Booking { booking_id: &booking_id }, None))
}

async fn pay(visit: Visit, Path(booking_id): Path<String>, Form(form): Form) -> Answer {
    visit.person()?;
    let message =
        PayBookingRequest { booking_id: booking_id.clone(), payment_method: form.text("card").to_owned() };
    let request = visit.request_decided(message, &form);
    let text = visit.text();
    match visit.ask(visit.services().ticket().pay_booking(request)).await {
        Ok(_) => Ok(see_other(urls::Booking { booking_id: &booking_id }, Some(Notice::Paid))),
        // The places are still held: another card may be taken on the same page.
        Err(error) if matches!(error.reason.as_ref(), "payment_declined" | "payment_in_progress") => {
            let words = refusals::words(text, &error.reason);
            let mut errors = Errors::none();
            errors.add("card", format!("{}. {}", words.title, words.next));
            show::page(&visit, booking_id, errors, StatusCode::CONFLICT).await
        }
        Err(error) if error.code == Code::BadInput => {
            let mut errors = Errors::none();
            errors.add("card", text.card_mend());
            show::page(&visit, booking_id, errors, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error.into()),
    }
}

/// What each test card does.
fn what_cards_do(text: Text) -> [(&'static str, &'static str); 4] {
    let words = [text.card_pays(), text.card_declined(), text.card_silent(), text.card_late()];
    [0, 1, 2, 3].map(|card| (TEST_CARDS[card], words[card]))
}

/// The form to pay a held booking.
pub(super) fn pay_form(view: &View, booking: &Booking, errors: &Errors) -> Markup {
    let text = view.text;
    html! {
        form.stack.panel method="post" action=(urls::Pay { booking_id: &booking.id }) id="pay" data-once novalidate {
            (view.form_token()) (view.form_key())
            (Field::new("card", text.card()).hint(text.card_hint()).with("inputmode", "numeric").required()
                .with("maxlength", 30).shown(errors, &Fields::default()))
            (submit(&text.pay_action(text.price(booking.total.as_ref()))))
            details open[errors.is_empty()] {
                summary { (text.cards_title()) }
                table.cards {
                    caption.visually-hidden { (text.cards_title()) }
                    thead { tr { th scope="col" { (text.card()) } th scope="col" { (text.card_what()) } } }
                    tbody {
                        @for (card, words) in what_cards_do(text) {
                            tr { td { code { (card) } } td { (words) } }
                        }
                    }
                }
            }
        }
    }
}
