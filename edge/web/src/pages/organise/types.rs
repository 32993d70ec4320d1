//! The ticket types of an event: a new one, a change of one, its end.

use axum::{
    Router,
    extract::Path,
    routing::{get, post},
};
use http::StatusCode;
use maud::{Markup, html};
use prost_types::FieldMask;
use proto::v1::{
    CreateTicketTypeRequest, DeleteTicketTypeRequest, Event, TicketType, TicketTypeInput,
    UpdateTicketTypeRequest,
};

use super::{
    edit::{self, errors_of, fields},
    event_of,
    times::{read_price, write_price},
};
use crate::{
    components::{Field, error_summary, submit},
    failure::{Answer, Failure},
    form::{Errors, Fields, Form},
    urls::{self, Url},
    view::{Head, Notice, Page, View},
    visit::{Visit, see_other},
};

/// What the pages suggest.
pub(super) const DEFAULT_CURRENCY: &str = "EUR";
/// What a change names.
const CHANGED: [&str; 3] = ["name", "price", "quantity"];

/// The routes of this file.
pub(super) fn routes() -> Router {
    Router::new()
        .route(urls::OrganiseTypes::ROUTE, post(add))
        .route(urls::OrganiseType::ROUTE, get(show).post(change))
        .route(urls::OrganiseTypeGone::ROUTE, post(delete))
}

async fn add(visit: Visit, Path(event_id): Path<String>, Form(form): Form) -> Answer {
    visit.person()?;
    let event = event_of(&visit, &event_id).await?;
    let mut errors = Errors::none();
    let Some(kind) = read(&visit, &form, &mut errors) else {
        return edit::refused_type(&visit, event, &form, errors);
    };
    let message = CreateTicketTypeRequest {
        event_id: event_id.clone(),
        name: kind.name,
        price: kind.price,
        quantity: kind.quantity,
        ..CreateTicketTypeRequest::default()
    };
    match visit.ask(visit.services().event().create_ticket_type(visit.request_once(message, &form))).await {
        Ok(_) => Ok(see_other(urls::OrganiseEdit { event_id: &event_id }, Some(Notice::Saved))),
        Err(error) => edit::refused_type(&visit, event, &form, errors_of(error)?),
    }
}

async fn show(visit: Visit, Path((event_id, ticket_type_id)): Path<(String, String)>) -> Answer {
    visit.person()?;
    let (event, kind) = find(&visit, &event_id, &ticket_type_id).await?;
    let typed = typed(&kind);
    visit.view().show(&TypePage { event, kind, typed, errors: Errors::none() })
}

async fn find(visit: &Visit, event_id: &str, ticket_type_id: &str) -> Result<(Event, TicketType), Failure> {
    let event = event_of(visit, event_id).await?;
    let kind = event.ticket_types.iter().find(|kind| kind.id == ticket_type_id).cloned();
    kind.map(|kind| (event, kind)).ok_or(Failure::NoPage)
}

/// Who has booked keeps the price of then.
async fn change(
    visit: Visit,
    Path((event_id, ticket_type_id)): Path<(String, String)>,
    Form(form): Form,
) -> Answer {
    visit.person()?;
    let (event, kind) = find(&visit, &event_id, &ticket_type_id).await?;
    let mut errors = Errors::none();
    let Some(wanted) = read(&visit, &form, &mut errors) else {
        return Ok(refused(&visit, TypePage { event, kind, typed: form, errors }));
    };
    let message = UpdateTicketTypeRequest {
        event_id: event_id.clone(),
        ticket_type_id,
        name: Some(wanted.name),
        price: wanted.price,
        quantity: Some(wanted.quantity),
        update_mask: Some(FieldMask { paths: CHANGED.map(str::to_owned).to_vec() }),
        ..UpdateTicketTypeRequest::default()
    };
    match visit.ask(visit.services().event().update_ticket_type(visit.request(message))).await {
        Ok(_) => Ok(see_other(urls::OrganiseEdit { event_id: &event_id }, Some(Notice::Saved))),
        Err(error) => {
            let errors = errors_of(error)?;
            Ok(refused(&visit, TypePage { event, kind, typed: form, errors }))
        }
    }
}

fn refused(visit: &Visit, page: TypePage) -> axum::response::Response {
    visit.view().show_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

async fn delete(
    visit: Visit,
    Path((event_id, ticket_type_id)): Path<(String, String)>,
    Form(form): Form,
) -> Answer {
    visit.person()?;
    let message = DeleteTicketTypeRequest { event_id: event_id.clone(), ticket_type_id };
    visit.ask(visit.services().event().delete_ticket_type(visit.request_once(message, &form))).await?;
    Ok(see_other(urls::OrganiseEdit { event_id: &event_id }, Some(Notice::Saved)))
}

/// What a form says of a ticket type; none where something is wrong, which is added to the errors.
pub(super) fn read(visit: &Visit, form: &Fields, errors: &mut Errors) -> Option<TicketTypeInput> {
    let price = read_price(form.filled("price").unwrap_or("0"), form.text("currency"));
    if price.is_none() {
        errors.add("price", visit.text().edit_price_mend());
    }
    let quantity = form.text("quantity").parse().ok();
    if quantity.is_none() {
        errors.add("quantity", visit.text().edit_quantity_mend());
    }
    let name = form.text("type_name").to_owned();
    Some(TicketTypeInput { name, price: Some(price?), quantity: quantity?, ..TicketTypeInput::default() })
}

/// A ticket type as its form has it.
fn typed(kind: &TicketType) -> Fields {
    let price = kind.price.clone().unwrap_or_default();
    let currency = if price.currency.is_empty() { DEFAULT_CURRENCY } else { &price.currency };
    let pairs = [
        ("type_name", kind.name.clone()),
        ("price", write_price(&price)),
        ("currency", currency.to_owned()),
        ("quantity", kind.quantity.to_string()),
    ];
    fields(&pairs.map(|(name, value)| (name.to_owned(), value)))
}

/// The fields of a ticket type.
pub(super) fn fields_of_type(view: &View, typed: &Fields, errors: &Errors) -> Markup {
    let text = view.text;
    let shown = |field: Field<'_>| field.shown(errors, typed);
    html! {
        (shown(Field::new("type_name", text.edit_type_name()).required()))
        div.pair {
            (shown(Field::new("price", text.edit_price()).hint(text.edit_price_hint()).with("inputmode", "decimal")))
            (shown(Field::new("currency", text.edit_currency()).with("maxlength", 3)))
        }
        (shown(Field::new("quantity", text.edit_quantity()).kind("number").required().with("min", 1)))
    }
}

/// All ticket types of an event, and the form for another one.
pub(super) fn section(view: &View, event: &Event, typed: &Fields, errors: &Errors) -> Markup {
    let (text, event_id) = (view.text, event.id.as_str());
    html! {
        section.narrow {
            h2 { (text.edit_types()) }
            ul.stubs {
                @for kind in &event.ticket_types {
                    li.stub {
                        div.stub-name { (kind.name) span.hint { (text.price(kind.price.as_ref())) " · " (text.organise_left(i64::from(kind.available))) } }
                        a href=(urls::OrganiseType { event_id, ticket_type_id: &kind.id }) { (text.organise_edit()) span.visually-hidden { " " (kind.name) } }
                    }
                }
            }
            h3 { (text.edit_type_add()) }
            form.stack method="post" action=(urls::OrganiseTypes { event_id }) id="type" novalidate {
                (view.form_token()) (view.form_key())
                (fields_of_type(view, typed, errors))
                (submit(text.edit_type_add()))
            }
        }
    }
}

/// One ticket type.
pub(crate) struct TypePage {
    event: Event,
    kind: TicketType,
    typed: Fields,
    errors: Errors,
}

impl Page for TypePage {
    fn head(&self, view: &View) -> Head {
        Head {
            styles: &["work.css"],
            ..Head::titled(format!("{} · {}", self.kind.name, view.text.edit_type()))
        }
    }

    fn main(&self, view: &View) -> Markup {
        let (text, event_id, ticket_type_id) = (view.text, self.event.id.as_str(), self.kind.id.as_str());
        html! {
            div.narrow {
                (error_summary(text, &self.errors))
                p.back { a href=(urls::OrganiseEdit { event_id }) { (self.event.title) } }
                h1 { (self.kind.name) }
                form.stack method="post" action=(urls::OrganiseType { event_id, ticket_type_id }) id="type" novalidate {
                    (view.form_token())
                    (fields_of_type(view, &self.typed, &self.errors))
                    p.hint { (text.edit_type_booked_hint()) }
                    (submit(text.save()))
                }
                form.danger method="post" action=(urls::OrganiseTypeGone { event_id, ticket_type_id }) id="remove" {
                    (view.form_token()) (view.form_key())
                    p { (text.edit_type_delete_hint()) }
                    button.button.warn type="submit" { (text.edit_type_delete()) }
                }
            }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let event = crate::pages::events::sample();
        let kind = event.ticket_types[1].clone();
        let mut errors = Errors::none();
        errors.add("price", "must be <b>one</b>");
        let wrong = Fields::parse(b"type_name=%3Cscript%3E&price=x");
        vec![
            Self { event: event.clone(), typed: typed(&kind), kind: kind.clone(), errors: Errors::none() },
            Self { event, kind, typed: wrong, errors },
        ]
    }
}
