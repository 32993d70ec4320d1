//! Writing an event: a new one, and a change.

use axum::{Router, extract::Path, routing::get};
use http::StatusCode;
use kit::ServiceError;
use maud::{Markup, html};
use prost_types::FieldMask;
use proto::v1::{CreateEventRequest, Event, UpdateEventRequest, Venue};

use super::{
    event_of, preview,
    times::{read_time, write_time},
    types::{self, DEFAULT_CURRENCY},
};
use crate::{
    components::{Field, error_summary, submit},
    failure::Answer,
    form::{Errors, Fields, Form},
    urls::{self, Url},
    view::{Head, Notice, Page, View},
    visit::{Visit, see_other},
};

const DESCRIPTION_ROWS: u32 = 8;
/// What the pages suggest.
const DEFAULT_ZONE: &str = "Europe/Berlin";
/// What a change may name.
const CHANGED: [&str; 9] = [
    "title",
    "description",
    "starts_at",
    "ends_at",
    "time_zone",
    "venue",
    "online",
    "categories",
    "image_url",
];

/// The routes of this file.
pub(super) fn routes() -> Router {
    Router::new()
        .route(urls::OrganiseNew::ROUTE, get(blank).post(create))
        .route(urls::OrganiseEdit::ROUTE, get(show).post(save))
}

async fn blank(visit: Visit) -> Answer {
    visit.person()?;
    let typed = Fields::parse(format!("time_zone={DEFAULT_ZONE}&currency={DEFAULT_CURRENCY}").as_bytes());
    visit.view().show(&EditPage { event: None, typed, errors: Errors::none() })
}

async fn show(visit: Visit, Path(event_id): Path<String>) -> Answer {
    visit.person()?;
    let event = event_of(&visit, &event_id).await?;
    let typed = typed(&event);
    visit.view().show(&EditPage { event: Some(event), typed, errors: Errors::none() })
}

async fn create(visit: Visit, Form(form): Form) -> Answer {
    visit.person()?;
    let mut errors = Errors::none();
    let what = written(&visit, &form, &mut errors);
    let kind = types::read(&visit, &form, &mut errors);
    let (true, Some(kind)) = (errors.is_empty(), kind) else { return refused(&visit, None, form, errors) };
    let message = CreateEventRequest { ticket_types: vec![kind], ..what };
    match visit.ask(visit.services().event().create_event(visit.request_once(message, &form))).await {
        Ok(event) => Ok(see_other(urls::OrganiseEvent { event_id: &event.id }, Some(Notice::Saved))),
        Err(error) => refused(&visit, None, form, errors_of(error)?),
    }
}

async fn save(visit: Visit, Path(event_id): Path<String>, Form(form): Form) -> Answer {
    visit.person()?;
    let event = event_of(&visit, &event_id).await?;
    let mut errors = Errors::none();
    let what = written(&visit, &form, &mut errors);
    if !errors.is_empty() {
        return refused(&visit, Some(event), form, errors);
    }
    let message = UpdateEventRequest {
        event_id: event_id.clone(),
        title: Some(what.title),
        description: Some(what.description),
        starts_at: what.starts_at,
        ends_at: what.ends_at,
        time_zone: Some(what.time_zone),
        venue: what.venue,
        online: Some(what.online),
        categories: what.categories,
        image_url: Some(what.image_url),
        update_mask: Some(FieldMask { paths: CHANGED.map(str::to_owned).to_vec() }),
        ..UpdateEventRequest::default()
    };
    match visit.ask(visit.services().event().update_event(visit.request(message))).await {
        Ok(_) => Ok(see_other(urls::OrganiseEvent { event_id: &event_id }, Some(Notice::Saved))),
        Err(error) => refused(&visit, Some(event), form, errors_of(error)?),
    }
}

fn refused(visit: &Visit, event: Option<Event>, typed: Fields, errors: Errors) -> Answer {
    Ok(visit.view().show_with(StatusCode::UNPROCESSABLE_ENTITY, &EditPage { event, typed, errors }))
}

/// The event's own fields stay as they are; the type's are those that were typed.
pub(super) fn refused_type(visit: &Visit, event: Event, form: &Fields, errors: Errors) -> Answer {
    let mut all: Vec<(String, String)> = pairs(&event);
    all.extend(form.iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
    refused(visit, Some(event), fields(&all), errors)
}

/// The errors of a service, by the fields of the form.
pub(super) fn errors_of(error: ServiceError) -> Result<Errors, ServiceError> {
    if error.fields.is_empty() {
        return Err(error);
    }
    let mut errors = Errors::none();
    for wrong in &error.fields {
        let field = wrong.field.replace("ticket_types[0].", "").replace("venue.", "venue_");
        let field = match field.as_str() {
            "name" => "type_name",
            "price.minor" => "price",
            "price.currency" => "currency",
            other => other,
        };
        errors.add(field, wrong.reason.as_ref());
    }
    Ok(errors)
}

/// What the form says of the event.
pub(super) fn written(visit: &Visit, form: &Fields, errors: &mut Errors) -> CreateEventRequest {
    let zone = form.text("time_zone");
    let mut time = |name: &str| {
        let read = read_time(form.text(name), zone);
        if read.is_none() {
            errors.add(name, visit.text().edit_time_mend());
        }
        read
    };
    let (starts_at, ends_at) = (time("starts_at"), time("ends_at"));
    let text = |name: &str| form.text(name).to_owned();
    let categories = form.text("categories").split(',').map(str::trim).filter(|one| !one.is_empty());
    CreateEventRequest {
        title: text("title"),
        description: form.raw("description").replace("\r\n", "\n"),
        starts_at,
        ends_at,
        time_zone: zone.to_owned(),
        venue: Some(Venue {
            name: text("venue_name"),
            address: text("venue_address"),
            city: text("venue_city"),
            country: text("venue_country"),
        }),
        online: form.filled("online").is_some(),
        categories: categories.map(str::to_owned).collect(),
        image_url: text("image_url"),
        ..CreateEventRequest::default()
    }
}

/// An event as its form has it.
fn typed(event: &Event) -> Fields {
    fields(&pairs(event))
}

fn pairs(event: &Event) -> Vec<(String, String)> {
    let (zone, venue) = (event.time_zone.as_str(), event.venue.clone().unwrap_or_default());
    let currency = event.ticket_types.iter().find_map(|kind| Some(kind.price.as_ref()?.currency.as_str()));
    let pairs = [
        ("title", event.title.clone()),
        ("description", event.description.clone()),
        ("starts_at", write_time(event.starts_at.as_ref(), zone)),
        ("ends_at", write_time(event.ends_at.as_ref(), zone)),
        ("time_zone", zone.to_owned()),
        ("venue_name", venue.name),
        ("venue_address", venue.address),
        ("venue_city", venue.city),
        ("venue_country", venue.country),
        ("online", if event.online { "yes" } else { "" }.to_owned()),
        ("categories", event.categories.join(", ")),
        ("image_url", event.image_url.clone()),
        ("currency", currency.unwrap_or(DEFAULT_CURRENCY).to_owned()),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Pairs as a form sends them.
pub(super) fn fields(pairs: &[(String, String)]) -> Fields {
    let encoded = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    Fields::parse(encoded.as_bytes())
}

/// The form of an event.
pub(crate) struct EditPage {
    /// None for a new one.
    event: Option<Event>,
    typed: Fields,
    errors: Errors,
}

impl EditPage {
    fn about(&self, view: &View) -> Markup {
        let text = view.text;
        let shown = |field: Field<'_>| field.shown(&self.errors, &self.typed);
        html! {
            (shown(Field::new("title", text.edit_title()).required().with("maxlength", 200)))
            (shown(Field::new("description", text.edit_description()).hint(text.edit_description_hint()).rows(DESCRIPTION_ROWS)))
            div.pair {
                (shown(Field::new("starts_at", text.edit_starts()).kind("datetime-local").required()))
                (shown(Field::new("ends_at", text.edit_ends()).kind("datetime-local").required()))
            }
            (shown(Field::new("time_zone", text.edit_zone()).hint(text.edit_zone_hint()).required()))
            div.tick { input type="checkbox" id="online" name="online" value="yes" checked[self.typed.filled("online").is_some()]; label for="online" { (text.edit_online()) } }
            (shown(Field::new("venue_name", text.edit_venue())))
            (shown(Field::new("venue_address", text.edit_address())))
            div.pair {
                (shown(Field::new("venue_city", text.edit_city())))
                (shown(Field::new("venue_country", text.edit_country())))
            }
            (shown(Field::new("categories", text.edit_categories()).hint(text.edit_categories_hint())))
            (shown(Field::new("image_url", text.edit_image()).kind("url")))
        }
    }
}

impl Page for EditPage {
    fn head(&self, view: &View) -> Head {
        let title = if self.event.is_some() { view.text.organise_edit() } else { view.text.organise_new() };
        Head { styles: &["work.css"], scripts: &["preview.js"], ..Head::titled(title) }
    }

    fn main(&self, view: &View) -> Markup {
        let text = view.text;
        let Some(event) = &self.event else {
            return html! {
                p.back { a href=(urls::Organise) { (text.nav_organise()) } }
                h1 { (text.organise_new()) }
                (error_summary(text, &self.errors))
                div.editor {
                    form.stack method="post" action=(urls::OrganiseNew) id="event" data-preview=(urls::OrganisePreview) novalidate {
                        (view.form_token()) (view.form_key())
                        (self.about(view))
                        h2 { (text.edit_type()) }
                        (types::fields_of_type(view, &self.typed, &self.errors))
                        p.hint { (text.edit_draft_hint()) }
                        (submit(text.save()))
                    }
                    (preview::place(text))
                }
            };
        };
        let event_id = event.id.as_str();
        html! {
            p.back { a href=(urls::OrganiseEvent { event_id }) { (event.title) } }
            h1 { (text.organise_edit()) }
            (error_summary(text, &self.errors))
            div.editor {
                form.stack method="post" action=(urls::OrganiseEdit { event_id }) id="event" data-preview=(urls::OrganisePreview) novalidate {
                    (view.form_token())
                    (self.about(view))
                    (submit(text.save()))
                }
                (preview::place(text))
            }
            (types::section(view, event, &self.typed, &self.errors))
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let description = "<script>alert(1)</script>".to_owned();
        let event = Event { description, ..crate::pages::events::sample() };
        let mut errors = Errors::none();
        errors.add("title", "must be <b>given</b>");
        errors.add("quantity", "must be a number");
        let fields = typed(&event);
        vec![
            Self { event: None, typed: Fields::default(), errors: Errors::none() },
            Self { event: None, typed: Fields::parse(b"title=%3Cscript%3E"), errors: errors.clone() },
            Self { event: Some(event), typed: fields, errors },
        ]
    }
}
