//! How one event does: its figures as charts, and what can be done with it.

use axum::{
    Router,
    extract::Path,
    routing::{get, post},
};
use maud::{Markup, html};
use proto::v1::{
    CancelEventRequest, CloneEventRequest, Demographics, Event, GetAvailabilityRequest,
    GetDemographicsRequest, GetPopularityRequest, GetRatingsRequest, GetTrendsRequest, ListTopEventsRequest,
    Popularity, PublishEventRequest, Ratings, TopEvent, Trends, event, get_trends_request::Period,
};

use super::{
    chart::{Chart, Series},
    event_of, status_of,
};
use crate::{
    failure::{Answer, Failure},
    form::{Fields, Form},
    format::local,
    i18n::Text,
    urls::{self, Url},
    view::{Head, Notice, Page, View},
    visit::{Visit, see_other},
};

/// How many of one's events are compared.
const TOP_EVENTS: i32 = 8;
/// The most periods of a chart.
const MAX_POINTS: usize = 31;

/// The routes of this file.
pub(super) fn routes() -> Router {
    Router::new().route(urls::OrganiseEvent::ROUTE, get(show)).route(urls::OrganiseAct::ROUTE, post(act))
}

async fn show(visit: Visit, Path(event_id): Path<String>, query: Fields) -> Answer {
    visit.person()?;
    let event = event_of(&visit, &event_id).await?;
    let message = GetAvailabilityRequest { event_id: event_id.clone() };
    let availability = visit.ask(visit.services().event().get_availability(visit.request(message))).await?;
    let sold = availability.ticket_types.iter().map(|kind| i64::from(kind.sold)).sum();
    let held = availability.ticket_types.iter().map(|kind| i64::from(kind.held)).sum();
    let period = period_of(query.text("period"));
    let figures = figures(&visit, &event_id, period).await;
    visit.view().show(&DashboardPage { event, sold, held, period, figures })
}

fn period_of(name: &str) -> Period {
    match name {
        "weekly" => Period::Weekly,
        "monthly" => Period::Monthly,
        _ => Period::Daily,
    }
}

/// What analytics knows. A fresh event may not have reached it, and the page is of use without.
async fn figures(visit: &Visit, event_id: &str, period: Period) -> Option<Figures> {
    let (id, analytics) = (|| event_id.to_owned(), || visit.services().analytics());
    let (mut one, mut two, mut three, mut four, mut five) =
        (analytics(), analytics(), analytics(), analytics(), analytics());
    let (popularity, demographics, ratings, trends, top) = futures_util::join!(
        visit.ask(one.get_popularity(visit.request(GetPopularityRequest { event_id: id() }))),
        visit.ask(two.get_demographics(visit.request(GetDemographicsRequest { event_id: id() }))),
        visit.ask(three.get_ratings(visit.request(GetRatingsRequest { event_id: id() }))),
        visit.ask(four.get_trends(visit.request(GetTrendsRequest { event_id: id(), period: period.into() }))),
        visit.ask(five.list_top_events(visit.request(ListTopEventsRequest { limit: TOP_EVENTS }))),
    );
    Some(Figures {
        popularity: popularity.ok()?,
        demographics: demographics.ok()?,
        ratings: ratings.ok()?,
        trends: trends.ok()?,
        top: top.ok()?.events,
    })
}

async fn act(visit: Visit, Path(event_id): Path<String>, Form(form): Form) -> Answer {
    visit.person()?;
    let mut events = visit.services().event();
    match form.text("do") {
        "publish" => {
            let message = PublishEventRequest { event_id: event_id.clone() };
            visit.ask(events.publish_event(visit.request_once(message, &form))).await?;
            Ok(see_other(urls::OrganiseEvent { event_id: &event_id }, Some(Notice::Published)))
        }
        "cancel" if form.filled("sure").is_some() => {
            let message = CancelEventRequest { event_id: event_id.clone() };
            visit.ask(events.cancel_event(visit.request_once(message, &form))).await?;
            Ok(see_other(urls::OrganiseEvent { event_id: &event_id }, Some(Notice::CalledOff)))
        }
        "cancel" => Ok(see_other(urls::OrganiseEvent { event_id: &event_id }, None)),
        "clone" => {
            let message = CloneEventRequest { event_id, ..CloneEventRequest::default() };
            let copy = visit.ask(events.clone_event(visit.request_once(message, &form))).await?;
            Ok(see_other(urls::OrganiseEdit { event_id: &copy.id }, Some(Notice::Cloned)))
        }
        _ => Err(Failure::BadRequest),
    }
}

struct Figures {
    popularity: Popularity,
    demographics: Demographics,
    ratings: Ratings,
    trends: Trends,
    top: Vec<TopEvent>,
}

/// How one event does.
pub(crate) struct DashboardPage {
    event: Event,
    sold: i64,
    held: i64,
    period: Period,
    figures: Option<Figures>,
}

impl DashboardPage {
    fn actions(&self, view: &View) -> Markup {
        let (text, event_id) = (view.text, self.event.id.as_str());
        let button = |what: &str, class: &str, words: &str| {
            html! {
                form method="post" action=(urls::OrganiseAct { event_id }) {
                    (view.form_token()) (view.form_key())
                    button class=(class) type="submit" name="do" value=(what) { (words) }
                }
            }
        };
        let is_over = self.event.status() == event::Status::Cancelled;
        html! {
            div.actions {
                @if self.event.status() == event::Status::Draft { (button("publish", "button", text.organise_publish())) }
                @if !is_over { a.button.quiet href=(urls::OrganiseEdit { event_id }) { (text.organise_edit()) } }
                a.button.quiet href=(urls::Event { event_id }) { (text.organise_preview()) }
                a.button.quiet href=(urls::Attendees { event_id }) { (text.attendees()) }
                a.button.quiet href=(urls::DoorOf { event_id }) { (text.door_title()) }
                (button("clone", "button quiet", text.organise_clone()))
            }
        }
    }

    fn charts(&self, text: Text, figures: &Figures) -> Markup {
        let skipped = figures.trends.points.len().saturating_sub(MAX_POINTS);
        let points = &figures.trends.points[skipped..];
        let sales = Chart {
            id: "sales",
            title: text.chart_sales(),
            along: text.chart_when(),
            labels: points.iter().map(|point| self.label(text, &point.start)).collect(),
            series: vec![
                Series {
                    name: text.chart_booked(),
                    values: points.iter().map(|point| point.booked).collect(),
                },
                Series {
                    name: text.chart_cancelled(),
                    values: points.iter().map(|point| point.cancelled).collect(),
                },
            ],
        };
        let popularity = &figures.popularity;
        let kept = popularity.booked - popularity.cancelled;
        let funnel = Chart {
            id: "funnel",
            title: text.chart_funnel(),
            along: text.chart_step(),
            labels: [text.chart_visits(), text.chart_booked(), text.chart_kept()].map(str::to_owned).to_vec(),
            series: vec![Series {
                name: text.chart_count(),
                values: vec![popularity.visits, popularity.booked, kept],
            }],
        };
        let groups = &figures.demographics.groups;
        let by = |name: &'static str, of: fn(&proto::v1::demographics::Group) -> &str| {
            let found =
                groups.iter().filter(|group| of(group) == name).map(|group| group.tickets).sum::<i64>();
            (name, found)
        };
        let ages: Vec<_> = BANDS.map(|band| by(band, |group| &group.age_band)).to_vec();
        let genders: Vec<_> = GENDERS.map(|gender| by(gender, |group| &group.gender)).to_vec();
        let of_groups = |id: &'static str, title: &'static str, counted: &[(&'static str, i64)]| {
            let labels = counted.iter().map(|(name, _)| group_name(text, name)).collect();
            let values = counted.iter().map(|(_, tickets)| *tickets).collect();
            Chart {
                id,
                title,
                along: text.chart_group(),
                labels,
                series: vec![Series { name: text.chart_count(), values }],
            }
            .columns(text)
        };
        let trend = Chart {
            id: "visits",
            title: text.chart_visits_over_time(),
            along: text.chart_when(),
            labels: points.iter().map(|point| self.label(text, &point.start)).collect(),
            series: vec![Series {
                name: text.chart_visits(),
                values: points.iter().map(|point| point.visits).collect(),
            }],
        };
        let top = Chart {
            id: "top",
            title: text.chart_top(),
            along: text.chart_event(),
            labels: figures.top.iter().map(|one| shortened(&one.title)).collect(),
            series: vec![Series {
                name: text.chart_booked(),
                values: figures.top.iter().map(|one| one.booked).collect(),
            }],
        };
        html! {
            div.charts {
                (sales.columns(text)) (trend.columns(text)) (funnel.columns(text))
                (of_groups("ages", text.chart_ages(), &ages)) (of_groups("genders", text.chart_genders(), &genders))
                (ratings(text, &figures.ratings)) (top.columns(text))
            }
        }
    }

    /// A day in short, by the period.
    fn label(&self, text: Text, start: &str) -> String {
        match start.parse::<jiff::civil::Date>() {
            Ok(date) if self.period == Period::Monthly => text.short_month(date).to_owned(),
            Ok(date) => format!("{} {}", date.day(), text.short_month(date)),
            Err(_) => start.to_owned(),
        }
    }
}

/// The most letters of a title below a column.
const TITLE_LETTERS: usize = 13;
const BANDS: [&str; 8] = ["UNDER_18", "18_24", "25_34", "35_44", "45_54", "55_64", "65_PLUS", "UNKNOWN"];
const GENDERS: [&str; 4] = ["FEMALE", "MALE", "OTHER", "UNKNOWN"];

/// A title that fits below a column.
fn shortened(title: &str) -> String {
    let mut letters = title.chars();
    let start: String = letters.by_ref().take(TITLE_LETTERS).collect();
    if letters.next().is_none() { start } else { format!("{}…", start.trim_end()) }
}

fn group_name(text: Text, name: &str) -> String {
    match name {
        "UNDER_18" => "< 18".to_owned(),
        "65_PLUS" => "65+".to_owned(),
        "FEMALE" => text.group_female().to_owned(),
        "MALE" => text.group_male().to_owned(),
        "OTHER" => text.group_other().to_owned(),
        "UNKNOWN" => text.group_unknown().to_owned(),
        band => band.replace('_', "–"),
    }
}

/// Averages by group are few numbers: a table says them best.
fn ratings(text: Text, ratings: &Ratings) -> Markup {
    html! {
        section.chart aria-labelledby="ratings" {
            h2 id="ratings" { (text.ratings_title()) }
            @match ratings.average_rating {
                None => p.hint { (text.chart_nothing()) },
                Some(average) => {
                    p.stars { (text.decimal(average, 1)) " / " (text.number(5)) " · " (text.chart_ratings(ratings.count)) }
                    table.cards {
                        thead { tr { th scope="col" { (text.chart_group()) } th scope="col" { (text.ratings_title()) } th scope="col" { (text.chart_count()) } } }
                        tbody { @for group in &ratings.groups { tr {
                            th scope="row" { (group_name(text, &group.gender)) ", " (group_name(text, &group.age_band)) }
                            td { (text.decimal(group.average_rating, 1)) } td { (text.number(group.count)) }
                        } } }
                    }
                }
            }
        }
    }
}

impl Page for DashboardPage {
    fn head(&self, view: &View) -> Head {
        let _ = view;
        Head { styles: &["work.css"], ..Head::titled(self.event.title.clone()) }
    }

    fn main(&self, view: &View) -> Markup {
        let (text, event_id) = (view.text, self.event.id.as_str());
        let (word, class) = status_of(text, &self.event);
        let tile = |name: &str, value: String| html! { div.tile { dt { (name) } dd { (value) } } };
        let periods = [
            ("daily", text.chart_daily(), Period::Daily),
            ("weekly", text.chart_weekly(), Period::Weekly),
            ("monthly", text.chart_monthly(), Period::Monthly),
        ];
        html! {
            p.back { a href=(urls::Organise) { (text.nav_organise()) } }
            p.when { (text.day_and_clock(&local(self.event.starts_at.as_ref(), &self.event.time_zone))) " " span class=(class) { (word) } }
            h1 { (self.event.title) }
            (self.actions(view))
            dl.tiles {
                (tile(text.chart_sold(), text.number(self.sold)))
                (tile(text.chart_held(), text.number(self.held)))
                @if let Some(figures) = &self.figures {
                    (tile(text.chart_visits(), text.number(figures.popularity.visits)))
                    (tile(text.chart_conversion(), format!("{} %", text.decimal(figures.popularity.conversion * 100.0, 1))))
                    @for money in &figures.popularity.revenue { (tile(text.chart_revenue(), text.money(money))) }
                }
            }
            nav.periods aria-label=(text.chart_period()) {
                @for (name, words, period) in periods {
                    a.chip href={ (urls::OrganiseEvent { event_id }) "?period=" (name) } aria-current=[(period == self.period).then_some("true")] { (words) }
                }
            }
            @match &self.figures {
                Some(figures) => (self.charts(text, figures)),
                None => div.empty { p { (text.chart_not_yet()) } },
            }
            @if self.event.status() != event::Status::Cancelled {
                section.danger {
                    h2 { (text.organise_cancel()) }
                    p { (text.organise_cancel_hint()) }
                    form.stack method="post" action=(urls::OrganiseAct { event_id }) {
                        (view.form_token()) (view.form_key())
                        div.tick { input type="checkbox" id="sure" name="sure" value="yes" required; label for="sure" { (text.organise_cancel_sure()) } }
                        button.button.warn type="submit" name="do" value="cancel" { (text.organise_cancel()) }
                    }
                }
            }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        use proto::v1::{Money, demographics, ratings, trends};
        let point = |day: u32, booked| trends::Point {
            start: format!("2027-01-{day:02}"),
            booked,
            cancelled: booked / 3,
            visits: booked * 9,
        };
        let revenue = vec![Money { currency: "EUR".to_owned(), minor: 123_400 }];
        let figures = Figures {
            popularity: Popularity {
                booked: 40,
                cancelled: 3,
                visits: 300,
                conversion: 0.13,
                revenue,
                ..Popularity::default()
            },
            demographics: Demographics {
                groups: vec![demographics::Group {
                    gender: "FEMALE".to_owned(),
                    age_band: "25_34".to_owned(),
                    tickets: 7,
                }],
                ..Demographics::default()
            },
            ratings: Ratings {
                average_rating: Some(4.5),
                count: 2,
                groups: vec![ratings::Group {
                    gender: "MALE".to_owned(),
                    age_band: "UNKNOWN".to_owned(),
                    average_rating: 4.5,
                    count: 2,
                }],
                ..Ratings::default()
            },
            trends: Trends {
                points: (1..20).map(|day| point(day, i64::from(day % 7))).collect(),
                ..Trends::default()
            },
            top: vec![TopEvent { title: "<b>Best</b>".to_owned(), booked: 9, ..TopEvent::default() }],
        };
        let event = crate::pages::events::sample();
        let empty = Figures {
            popularity: Popularity::default(),
            demographics: Demographics::default(),
            ratings: Ratings::default(),
            trends: Trends::default(),
            top: Vec::new(),
        };
        let draft = Event { status: event::Status::Draft.into(), ..event.clone() };
        let cancelled = Event { status: event::Status::Cancelled.into(), ..event.clone() };
        vec![
            Self { event, sold: 37, held: 2, period: Period::Daily, figures: Some(figures) },
            Self { event: draft, sold: 0, held: 0, period: Period::Monthly, figures: Some(empty) },
            Self { event: cancelled, sold: 0, held: 0, period: Period::Weekly, figures: None },
        ]
    }
}
