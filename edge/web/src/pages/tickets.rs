//! One ticket: on the screen, on paper, in a calendar, and handed on.

use axum::{
    Router,
    extract::Path,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_DISPOSITION, CONTENT_TYPE},
};
use maud::{Markup, PreEscaped, html};
use proto::{
    google_api::HttpBody,
    v1::{Event, GetTicketRequest, Ticket, TransferTicketRequest, ticket},
};

use super::bookings::event_of;
use crate::{
    components::{Field, error_summary},
    failure::Answer,
    form::{Errors, Fields, Form},
    pages::events::{when, where_in_one_line},
    urls::{self, Url},
    view::{Head, Notice, Page, View},
    visit::{Visit, see_other},
};

/// The routes of this subject.
pub(crate) fn routes() -> Router {
    Router::new()
        .route(urls::Ticket::ROUTE, get(show))
        .route(urls::TicketQr::ROUTE, get(qr))
        .route(urls::TicketPdf::ROUTE, get(pdf))
        .route(urls::TicketCalendar::ROUTE, get(calendar))
        .route(urls::TicketTransfer::ROUTE, post(transfer).get(back))
}

async fn show(visit: Visit, Path(ticket_id): Path<String>) -> Answer {
    visit.person()?;
    page(&visit, ticket_id, Fields::default(), Errors::none(), StatusCode::OK).await
}

async fn page(visit: &Visit, ticket_id: String, typed: Fields, errors: Errors, status: StatusCode) -> Answer {
    let request = visit.request(GetTicketRequest { ticket_id: ticket_id.clone() });
    let ticket = visit.ask(visit.services().ticket().get_ticket(request)).await?;
    let request = visit.request(GetTicketRequest { ticket_id });
    let picture = visit.ask(visit.services().ticket().get_ticket_qr(request)).await?;
    let event = event_of(visit, &ticket.event_id).await;
    let qr = svg(picture);
    Ok(visit.view().show_with(status, &TicketPage { ticket, event, qr, typed, errors }))
}

/// The picture as part of a page: without what stands before its element.
fn svg(picture: HttpBody) -> String {
    let text = String::from_utf8(picture.data).unwrap_or_default();
    text.find("<svg").map_or_else(String::new, |at| text[at..].to_owned())
}

async fn qr(visit: Visit, Path(ticket_id): Path<String>) -> Answer {
    visit.person()?;
    let request = visit.request(GetTicketRequest { ticket_id });
    Ok(file(visit.ask(visit.services().ticket().get_ticket_qr(request)).await?, "image/svg+xml", None))
}

async fn pdf(visit: Visit, Path(ticket_id): Path<String>) -> Answer {
    visit.person()?;
    let request = visit.request(GetTicketRequest { ticket_id });
    let body = visit.ask(visit.services().ticket().get_ticket_pdf(request)).await?;
    Ok(file(body, "application/pdf", Some("inline; filename=\"ticket.pdf\"")))
}

async fn calendar(visit: Visit, Path(ticket_id): Path<String>) -> Answer {
    visit.person()?;
    let request = visit.request(GetTicketRequest { ticket_id });
    let body = visit.ask(visit.services().ticket().get_ticket_calendar(request)).await?;
    Ok(file(body, "text/calendar; charset=utf-8", Some("attachment; filename=\"event.ics\"")))
}

fn file(body: HttpBody, media_type: &'static str, disposition: Option<&'static str>) -> Response {
    let mut response: Response = body.data.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    if let Some(disposition) = disposition {
        response.headers_mut().insert(CONTENT_DISPOSITION, HeaderValue::from_static(disposition));
    }
    response
}

/// Reloading what a refused transfer answered with leads to the ticket.
async fn back(Path(ticket_id): Path<String>) -> Answer {
    Ok(see_other(urls::Ticket { ticket_id: &ticket_id }, None))
}

async fn transfer(visit: Visit, Path(ticket_id): Path<String>, Form(form): Form) -> Answer {
    visit.person()?;
    let message =
        TransferTicketRequest { ticket_id: ticket_id.clone(), email: form.text("email").to_owned() };
    let request = visit.request_once(message, &form);
    let text = visit.text();
    match visit.ask(visit.services().ticket().transfer_ticket(request)).await {
        Ok(_) => Ok(see_other(urls::Bookings, Some(Notice::Transferred))),
        Err(error) if error.reason == "unknown_recipient" || !error.fields.is_empty() => {
            let mend = if error.reason == "unknown_recipient" {
                text.refused_unknown_recipient_next()
            } else {
                text.email_mend()
            };
            let mut errors = Errors::none();
            errors.add("email", mend);
            page(&visit, ticket_id, form, errors, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error.into()),
    }
}

/// A ticket, to be shown at the door.
pub(crate) struct TicketPage {
    ticket: Ticket,
    event: Option<Event>,
    qr: String,
    typed: Fields,
    errors: Errors,
}

impl Page for TicketPage {
    fn head(&self, view: &View) -> Head {
        Head::titled(view.text.ticket_title())
    }

    fn main(&self, view: &View) -> Markup {
        let (text, ticket) = (view.text, &self.ticket);
        html! {
            div.narrow {
                (error_summary(text, &self.errors))
                p.back { a href=(urls::Booking { booking_id: &ticket.booking_id }) { (text.ticket_to_booking()) } }
                (self.paper(view))
                p.actions.no-print {
                    a.button href=(urls::TicketPdf { ticket_id: &ticket.id }) { (text.ticket_pdf()) }
                    a.button.quiet href=(urls::TicketCalendar { ticket_id: &ticket.id }) { (text.event_to_calendar()) }
                }
                @if ticket.status() == ticket::Status::Valid { (self.transfer(view)) }
            }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let ticket = |status: ticket::Status| Ticket {
            id: "k1".to_owned(),
            booking_id: "b1".to_owned(),
            ticket_type_id: "t1".to_owned(),
            status: status.into(),
            code: "BX1.<b>".to_owned(),
            attendee_name: "<i>Ana".to_owned(),
            ..Ticket::default()
        };
        let mut errors = Errors::none();
        errors.add("email", "Nobody");
        let qr = "<svg><path d=\"M0 0h1v1z\"/></svg>".replace("/>", "></path>");
        vec![
            Self {
                ticket: ticket(ticket::Status::Valid),
                event: Some(super::events::sample()),
                qr: qr.clone(),
                typed: Fields::parse(b"email=%3Cb%3E"),
                errors,
            },
            Self {
                ticket: ticket(ticket::Status::Cancelled),
                event: None,
                qr,
                typed: Fields::default(),
                errors: Errors::none(),
            },
        ]
    }
}

impl TicketPage {
    /// The ticket itself, as it is printed.
    fn paper(&self, view: &View) -> Markup {
        let (text, ticket) = (view.text, &self.ticket);
        let kinds = self.event.iter().flat_map(|event| &event.ticket_types);
        let kind = kinds.into_iter().find(|kind| kind.id == ticket.ticket_type_id);
        let title = self.event.as_ref().map_or(text.ticket_title(), |event| event.title.as_str());
        html! {
            article.paper data-ticket=(ticket.id) data-status=(ticket.status().as_str_name()) {
                div.paper-text {
                    h1 { (title) }
                    @if let Some(event) = &self.event {
                        p.when { (when(text, event)) }
                        p.where { (where_in_one_line(text, event)) }
                    }
                    dl.facts {
                        @if let Some(kind) = kind { dt { (text.ticket_kind()) } dd { (kind.name) } }
                        @if !ticket.attendee_name.is_empty() { dt { (text.name()) } dd { (ticket.attendee_name) } }
                    }
                    @match ticket.status() {
                        ticket::Status::Cancelled => p.mark-word.out { (text.ticket_cancelled()) },
                        ticket::Status::Admitted => p.mark-word.good { (text.ticket_admitted()) },
                        _ => {}
                    }
                }
                div.paper-code {
                    @if ticket.status() != ticket::Status::Cancelled {
                        div.qr role="img" aria-label=(text.ticket_qr()) { (PreEscaped(&self.qr)) }
                        details {
                            summary { (text.ticket_code()) }
                            p.code id="ticket-code" { (ticket.code) }
                        }
                    }
                }
            }
        }
    }

    fn transfer(&self, view: &View) -> Markup {
        let text = view.text;
        html! {
            section.no-print aria-labelledby="transfer-title" {
                h2 id="transfer-title" { (text.transfer_title()) }
                p { (text.transfer_text()) }
                form.stack method="post" action=(urls::TicketTransfer { ticket_id: &self.ticket.id }) id="transfer" data-once novalidate {
                    (view.form_token()) (view.form_key())
                    (Field::new("email", text.transfer_email()).kind("email").required().shown(&self.errors, &self.typed))
                    button.button.quiet type="submit" { (text.transfer_action()) }
                }
            }
        }
    }
}
