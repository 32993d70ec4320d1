//! The list of events, with search and filters.

use std::sync::Arc;

use axum::{Router, routing::get};
use http::StatusCode;
use jiff::civil::Date;
use kit::Code;
use maud::{Markup, html};
use proto::v1::{Event, ListEventsRequest, event};

use super::{
    facets::Facets,
    parts::{price_from, sale_mark, when, where_in_one_line},
};
use crate::{
    components::{Field, error_summary},
    failure::Answer,
    form::{Errors, Fields},
    poster::poster,
    urls::{self, Url},
    view::{Head, Page, View},
    visit::Visit,
};

/// How many events are on a page.
const PAGE_SIZE: i32 = 20;
/// The filters, in the order of the query.
const FILTERS: [&str; 5] = ["q", "category", "city", "from", "to"];

/// The routes of this file.
pub(super) fn routes() -> Router {
    Router::new().route(urls::Events::ROUTE, get(show))
}

async fn show(visit: Visit, query: Fields) -> Answer {
    let facets = visit.shared().facets.get(&visit).await?;
    let message = ListEventsRequest {
        q: query.text("q").to_owned(),
        category: query.text("category").to_owned(),
        city: query.text("city").to_owned(),
        from: query.text("from").to_owned(),
        to: day_after(query.text("to")),
        status: event::Status::Published.into(),
        page_size: PAGE_SIZE,
        page_token: query.text("page").to_owned(),
        ..ListEventsRequest::default()
    };
    let mut page =
        ListPage { query, facets, events: Vec::new(), next: String::new(), errors: Errors::none() };
    match visit.ask(visit.services().event().list_events(visit.request(message))).await {
        Ok(listed) => (page.events, page.next) = (listed.events, listed.next_page_token),
        Err(error) if error.code == Code::BadInput => {
            let text = visit.text();
            let words = [
                ("q", text.search_words_mend()),
                ("from", text.search_date_mend()),
                ("to", text.search_date_mend()),
            ];
            page.errors = Errors::of(&error, &words).unwrap_or_default();
            return Ok(visit.view().show_with(StatusCode::BAD_REQUEST, &page));
        }
        Err(error) => return Err(error.into()),
    }
    visit.view().show(&page)
}

/// "Until" a day means with all of it. What is no day is left as it is, for the service to refuse.
fn day_after(day: &str) -> String {
    let next = day.parse::<Date>().ok().and_then(|day| day.tomorrow().ok());
    next.map_or_else(|| day.to_owned(), |next| next.to_string())
}

/// The list of events.
pub(crate) struct ListPage {
    query: Fields,
    facets: Arc<Facets>,
    events: Vec<Event>,
    next: String,
    errors: Errors,
}

impl Page for ListPage {
    fn head(&self, view: &View) -> Head {
        let text = view.text;
        let description = Some(text.events_description().to_owned());
        Head { description, ..Head::titled(text.events_title()) }
    }

    fn main(&self, view: &View) -> Markup {
        let text = view.text;
        html! {
            (error_summary(text, &self.errors))
            div.title-row {
                h1 { (text.events_title()) }
                p { a href=(urls::Calendar) { (text.events_by_month()) } }
            }
            (self.search(view))
            (self.chosen(view))
            @if self.events.is_empty() {
                (self.nothing(view))
            } @else {
                ul.events id="events" {
                    @for event in &self.events { (row(view, event)) }
                }
            }
            @if !self.next.is_empty() {
                nav.pages aria-label=(text.pages_label()) {
                    a.button.quiet rel="next" href={ (self.address(None)) "page=" (urls::encoded(&self.next)) } { (text.pages_next()) }
                }
            }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let event = super::sample();
        let facets = Arc::new(Facets::of(std::slice::from_ref(&event)));
        let mut errors = Errors::none();
        errors.add("from", "Enter a day");
        let query = || Fields::parse(b"q=%3Cscript%3E&city=Oberdorf&from=x");
        let of = |query, events, errors| Self {
            query,
            facets: Arc::clone(&facets),
            events,
            next: "token".to_owned(),
            errors,
        };
        vec![
            of(Fields::default(), vec![event.clone(), event], Errors::none()),
            of(query(), vec![], errors),
            of(Fields::default(), vec![], Errors::none()),
        ]
    }
}

impl ListPage {
    fn search(&self, view: &View) -> Markup {
        let (text, errors, query) = (view.text, &self.errors, &self.query);
        let choice = |name: &str, label: &str, values: &[(String, usize)]| {
            let chosen = query.text(name);
            let is_listed = chosen.is_empty() || values.iter().any(|(value, _)| value == chosen);
            html! {
                div.field {
                    label for=(name) { (label) }
                    select id=(name) name=(name) {
                        option value="" { (text.search_any()) }
                        @if !is_listed { option value=(chosen) selected { (chosen) } }
                        @for (value, count) in values {
                            option value=(value) selected[value == chosen] { (value) " (" (count) ")" }
                        }
                    }
                }
            }
        };
        html! {
            form.search method="get" action=(urls::Events) role="search" id="search" {
                (Field::new("q", text.search_words()).kind("search").with("maxlength", 200).shown(errors, query))
                (choice("category", text.search_category(), &self.facets.categories))
                (choice("city", text.search_city(), &self.facets.cities))
                (Field::new("from", text.search_from()).kind("date").shown(errors, query))
                (Field::new("to", text.search_to()).kind("date").shown(errors, query))
                button.button type="submit" { (text.search_action()) }
            }
        }
    }

    /// What the list is narrowed by, each with a way to take it away.
    fn chosen(&self, view: &View) -> Markup {
        let text = view.text;
        let chosen: Vec<_> = FILTERS.iter().filter(|name| self.query.filled(name).is_some()).collect();
        html! {
            @if !chosen.is_empty() {
                ul.chips aria-label=(text.search_chosen()) {
                    @for name in chosen {
                        li {
                            a.chip href=(self.address(Some(name)).trim_end_matches(['?', '&'])) {
                                span { (self.query.text(name)) }
                                span.visually-hidden { " · " (text.search_take_away()) }
                                span aria-hidden="true" { "×" }
                            }
                        }
                    }
                }
            }
        }
    }

    fn nothing(&self, view: &View) -> Markup {
        let text = view.text;
        let is_narrowed = FILTERS.iter().any(|name| self.query.filled(name).is_some());
        html! {
            div.empty id="nothing" {
                @if is_narrowed {
                    h2 { (text.events_none_found()) }
                    p { (text.events_none_found_next()) }
                    p { a.button.quiet href=(urls::Events) { (text.events_all()) } }
                } @else {
                    h2 { (text.events_none()) }
                    p { (text.events_none_next()) }
                    p { a.button href=(urls::Organise) { (text.nav_organise()) } }
                }
            }
        }
    }

    /// The address of this list without one of its filters; it ends with `?` or `&`.
    fn address(&self, without: Option<&str>) -> String {
        let kept = FILTERS.iter().filter(|name| Some(**name) != without);
        let pairs = kept.filter_map(|name| Some((*name, self.query.filled(name)?)));
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let mark = if query.is_empty() { "" } else { "&" };
        format!("{}?{query}{mark}", urls::Events)
    }
}

/// One event of the list.
fn row(view: &View, event: &Event) -> Markup {
    let text = view.text;
    html! {
        li {
            article.card data-event=(event.id) {
                div.thumb { (poster(&event.id, 3, 3)) }
                div.card-text {
                    p.when { (when(text, event)) }
                    h2 { a.stretched href=(urls::Event { event_id: &event.id }) { (event.title) } }
                    p.where { (where_in_one_line(text, event)) }
                    @if !event.categories.is_empty() {
                        p.tags { @for category in &event.categories { span.tag { (category) } } }
                    }
                }
                div.card-price {
                    p.price { (price_from(text, event)) }
                    (sale_mark(view, event))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn until_a_day_means_with_it() {
        assert_eq!(day_after("2026-12-31"), "2027-01-01");
        assert_eq!((day_after(""), day_after("soon")), (String::new(), "soon".to_owned()));
    }
}
