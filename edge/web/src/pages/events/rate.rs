//! Rating an event, by who was there.

use axum::{Router, extract::Path, routing::post};
use maud::{Markup, html};
use proto::v1::CreateFeedbackRequest;

use crate::{
    components::submit,
    failure::{Answer, Failure},
    form::Form,
    pages::account::return_to,
    urls::{self, Url},
    view::{Notice, View},
    visit::{Visit, see_other},
};

/// The longest comment, in characters.
const MAX_COMMENT: usize = 2_000;
/// The best rating.
const BEST: i32 = 5;

/// The routes of this file.
pub(super) fn routes() -> Router {
    Router::new().route(urls::Rate::ROUTE, post(rate))
}

async fn rate(visit: Visit, Path(event_id): Path<String>, Form(form): Form) -> Answer {
    visit.person()?;
    let rating = form.text("rating").parse().map_err(|_| Failure::BadRequest)?;
    let message = CreateFeedbackRequest { event_id, rating, comment: form.text("comment").to_owned() };
    let request = visit.request_once(message, &form);
    visit.ask(visit.services().feedback().create_feedback(request)).await?;
    Ok(see_other(return_to(&form), Some(Notice::Rated)))
}

/// The form for a rating; a second one changes the first.
pub(crate) fn rate_form(view: &View, event_id: &str, back: &str) -> Markup {
    let text = view.text;
    html! {
        form.stack method="post" action=(urls::Rate { event_id }) id="rate" {
            (view.form_token()) (view.form_key())
            input type="hidden" name="return_to" value=(back);
            fieldset.scale {
                legend { (text.rate_how()) }
                div.scale-row {
                    @for rating in 1..=BEST {
                        div.tick {
                            input type="radio" id={ "rating-" (rating) } name="rating" value=(rating) required;
                            label for={ "rating-" (rating) } { (text.ratings_of_five(rating)) }
                        }
                    }
                }
            }
            div.field {
                label for="comment" { (text.rate_comment()) " (" (text.optional()) ")" }
                textarea id="comment" name="comment" rows="3" maxlength=(MAX_COMMENT) {}
            }
            (submit(text.rate_action()))
        }
    }
}
