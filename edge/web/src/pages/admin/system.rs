//! How the services stand: facts behind, facts set aside, what is held, and the ways to others.

use axum::{
    Router,
    routing::{get, post},
};
use maud::{Markup, html};
use proto::v1::{GetSystemRequest, RedriveParkedFactsRequest, Standing, System, system};

use super::must_be_admin;
use crate::{
    failure::Answer,
    form::Form,
    format::local,
    i18n::Text,
    urls::{self, Url},
    view::{Head, Notice, Page, View},
    visit::{Visit, see_other},
};

/// The routes of this file.
pub(super) fn routes() -> Router {
    Router::new().route(urls::System::ROUTE, get(show)).route(urls::Redrive::ROUTE, post(redrive))
}

async fn show(visit: Visit) -> Answer {
    must_be_admin(&visit)?;
    let system = visit.ask(visit.services().user().get_system(visit.request(GetSystemRequest {}))).await?;
    visit.view().show(&SystemPage { system })
}

async fn redrive(visit: Visit, Form(form): Form) -> Answer {
    must_be_admin(&visit)?;
    let message = RedriveParkedFactsRequest { service: form.text("service").to_owned() };
    visit.ask(visit.services().user().redrive_parked_facts(visit.request(message))).await?;
    Ok(see_other(urls::System, Some(Notice::Redriven)))
}

/// How the services stand.
pub(crate) struct SystemPage {
    system: System,
}

impl SystemPage {
    fn service(view: &View, service: &system::Service) -> Markup {
        let text = view.text;
        let Some(standing) = &service.standing else {
            return html! {
                section.chart { h2 { (service.name) " " span.mark-word.out { (text.system_silent()) } } }
            };
        };
        let behind: i64 = standing.topics.iter().map(|topic| topic.behind).sum();
        let lost: i32 = standing.topics.iter().map(|topic| topic.lost).sum();
        html! {
            section.chart {
                h2 {
                    (service.name) " "
                    @if lost > 0 || standing.parked_count > 0 { span.mark-word.out { (text.system_parked(standing.parked_count)) } }
                    @else if behind > 0 { span.mark-word.wait { (text.system_behind(behind)) } }
                    @else { span.mark-word.good { (text.system_well()) } }
                }
                table.cards {
                    thead { tr { th scope="col" { (text.system_topic()) } th scope="col" { (text.system_behind_head()) } th scope="col" { (text.system_oldest()) } } }
                    tbody { @for topic in &standing.topics { tr {
                        th scope="row" { code { (topic.topic) } } td { (text.number(topic.behind)) }
                        td { @if topic.oldest_at.is_some() { (text.day_and_clock(&local(topic.oldest_at.as_ref(), "UTC"))) " UTC" } @else { "–" } }
                    } } }
                }
                (parked(view, service, standing))
                (figures(text, standing))
            }
        }
    }
}

fn parked(view: &View, service: &system::Service, standing: &Standing) -> Markup {
    let text = view.text;
    html! {
        @if standing.parked_count > 0 {
            ul { @for fact in &standing.parked { li { code { (fact.kind) } " " (fact.key) ": " (fact.reason) } } }
            form method="post" action=(urls::Redrive) {
                (view.form_token())
                input type="hidden" name="service" value=(service.name);
                button.button type="submit" { (text.system_redrive()) }
            }
        }
    }
}

fn figures(text: Text, standing: &Standing) -> Markup {
    html! {
        @if !standing.figures.is_empty() {
            details {
                summary { (text.system_figures()) }
                table.cards { tbody { @for figure in &standing.figures { tr {
                    th scope="row" { code { (figure.name.trim_start_matches("boxoffice_")) } " " (figure.labels.join(" ")) }
                    td { (text.decimal(figure.value, 0)) }
                } } } }
            }
        }
    }
}

impl Page for SystemPage {
    fn head(&self, view: &View) -> Head {
        Head { styles: &["work.css"], ..Head::titled(view.text.system_title()) }
    }

    fn main(&self, view: &View) -> Markup {
        let text = view.text;
        html! {
            p.back { a href=(urls::Admin) { (text.nav_admin()) } }
            h1 { (text.system_title()) }
            p.lead { (text.system_lead()) }
            div.charts { @for service in &self.system.services { (Self::service(view, service)) } }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        use proto::v1::standing;
        let topic = |behind| standing::Topic {
            topic: "ticket-event".to_owned(),
            behind,
            oldest_at: (behind > 0).then(Default::default),
            lost: 0,
        };
        let fact = standing::ParkedFact {
            kind: "seats.held".to_owned(),
            reason: "<b>odd</b>".to_owned(),
            ..Default::default()
        };
        let figure = standing::Figure {
            name: "boxoffice_seats".to_owned(),
            labels: vec!["state=held".to_owned()],
            value: 3.0,
        };
        let of = |name: &str, standing: Option<Standing>| system::Service {
            name: name.to_owned(),
            answers: standing.is_some(),
            standing,
        };
        let services = vec![
            of(
                "event",
                Some(Standing { topics: vec![topic(0)], figures: vec![figure], ..Standing::default() }),
            ),
            of("ticket", Some(Standing { topics: vec![topic(7)], ..Standing::default() })),
            of("feedback", Some(Standing { parked: vec![fact], parked_count: 1, ..Standing::default() })),
            of("analytics", None),
        ];
        vec![Self { system: System { services } }]
    }
}
