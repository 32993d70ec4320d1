//! What is on, by month.

use axum::{Router, routing::get};
use jiff::{ToSpan, civil::Date, tz::TimeZone};
use maud::{Markup, html};
use proto::v1::{Event, ListEventsRequest, event};

use crate::{
    failure::{Answer, Failure},
    form::Fields,
    format::local,
    urls::{self, Url},
    view::{Head, Page, View},
    visit::Visit,
};

/// How many events are asked for at a time.
const PAGE_SIZE: i32 = 100;
/// The most pages of events of one month; the list has what is beyond.
const MAX_PAGES: usize = 5;
/// How many events are shown of one day; the list has the rest.
const MAX_PER_DAY: usize = 4;

/// The routes of this file.
pub(super) fn routes() -> Router {
    Router::new().route(urls::Calendar::ROUTE, get(show))
}

async fn show(visit: Visit, query: Fields) -> Answer {
    let today = visit.view().now.to_zoned(TimeZone::UTC).date();
    let first = match query.filled("month") {
        None => today.first_of_month(),
        Some(month) => format!("{month}-01").parse().map_err(|_| Failure::BadRequest)?,
    };
    // A day more on each side: a day of the event's zone may begin on another day in UTC.
    let (from, to) = (first.yesterday(), first.checked_add(1.month()).and_then(Date::tomorrow));
    let (Ok(from), Ok(to)) = (from, to) else { return Err(Failure::BadRequest) };
    let mut events = Vec::new();
    let mut token = String::new();
    for _ in 0..MAX_PAGES {
        let message = ListEventsRequest {
            from: from.to_string(),
            to: to.to_string(),
            status: event::Status::Published.into(),
            page_size: PAGE_SIZE,
            page_token: token,
            ..ListEventsRequest::default()
        };
        let listed = visit.ask(visit.services().event().list_events(visit.request(message))).await?;
        events.extend(listed.events);
        token = listed.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    visit.view().show(&CalendarPage { first, today, events })
}

/// A month.
pub(crate) struct CalendarPage {
    first: Date,
    today: Date,
    events: Vec<Event>,
}

impl Page for CalendarPage {
    fn head(&self, view: &View) -> Head {
        Head::titled(view.text.month_and_year(self.first))
    }

    fn main(&self, view: &View) -> Markup {
        let text = view.text;
        html! {
            div.title-row {
                h1 { (text.month_and_year(self.first)) }
                p { a href=(urls::Events) { (text.calendar_to_list()) } }
            }
            nav.months aria-label=(text.calendar_months()) {
                @if let Ok(before) = self.first.checked_sub(1.month()) {
                    a.button.quiet rel="prev" href=(address(before)) { (text.month_and_year(before)) }
                }
                @if let Ok(after) = self.first.checked_add(1.month()) {
                    a.button.quiet rel="next" href=(address(after)) { (text.month_and_year(after)) }
                }
            }
            table.month id="month" {
                caption.visually-hidden { (text.month_and_year(self.first)) }
                thead { tr { @for day in 0..7 { th scope="col" { (text.short_weekday_at(day)) } } } }
                tbody {
                    @for week in weeks(self.first) {
                        tr { @for day in week { (self.day(view, day)) } }
                    }
                }
            }
            @if self.events.is_empty() { p.empty { (text.calendar_none()) } }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let first = jiff::civil::date(2027, 1, 1);
        let events = vec![super::sample(); 6];
        vec![
            Self { first, today: jiff::civil::date(2027, 1, 15), events },
            Self { first: jiff::civil::date(2028, 2, 1), today: first, events: vec![] },
        ]
    }
}

impl CalendarPage {
    fn day(&self, view: &View, day: Date) -> Markup {
        if day.month() != self.first.month() {
            return html! { td.outside {} };
        }
        let starts = |event: &&Event| local(event.starts_at.as_ref(), &event.time_zone).date() == day;
        let on: Vec<&Event> = self.events.iter().filter(starts).collect();
        let text = view.text;
        html! {
            td.today[day == self.today].none[on.is_empty()] {
                p.day {
                    span.weekday { (text.short_weekday(day)) " " }
                    (day.day())
                }
                @if !on.is_empty() {
                    ul {
                        @for event in on.iter().take(MAX_PER_DAY) {
                            li {
                                a href=(urls::Event { event_id: &event.id }) {
                                    span.hour { (text.clock(&local(event.starts_at.as_ref(), &event.time_zone))) }
                                    " " (event.title)
                                }
                            }
                        }
                        @if on.len() > MAX_PER_DAY {
                            li {
                                a.more href={ (urls::Events) "?from=" (day) "&to=" (day) } {
                                    (text.calendar_more(i64::try_from(on.len() - MAX_PER_DAY).unwrap_or(0)))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn address(month: Date) -> String {
    format!("{}?month={}", urls::Calendar, month.strftime("%Y-%m"))
}

/// The weeks of a month, each from Monday on, with days of the months around it.
fn weeks(first: Date) -> Vec<Vec<Date>> {
    let before = first.weekday().to_monday_zero_offset();
    let Ok(monday) = first.checked_sub(i64::from(before).days()) else { return Vec::new() };
    let days = usize::from(first.days_in_month().unsigned_abs()) + usize::from(before.unsigned_abs());
    let week = |number: usize| {
        let day = |offset: usize| monday.checked_add(i64::try_from(7 * number + offset).unwrap_or(0).days());
        (0..7).filter_map(|offset| day(offset).ok()).collect()
    };
    (0..days.div_ceil(7)).map(week).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_month_is_whole_weeks_from_monday_on() {
        let weeks_of = |first| weeks(first);
        let february = weeks_of(date(2027, 2, 1));
        assert_eq!((february.len(), february[0][0]), (4, date(2027, 2, 1)));
        let august = weeks_of(date(2026, 8, 1));
        assert_eq!((august.len(), august[0][0], august[5][6]), (6, date(2026, 7, 27), date(2026, 9, 6)));
        assert!(august.iter().all(|week| week.len() == 7));
    }
}
