//! Cancelling a booking, or a part of it: what would happen is shown first.

use axum::{Router, extract::Path, routing::get};
use http::StatusCode;
use maud::{Markup, html};
use proto::v1::{Booking, CancelBookingRequest, Event, GetBookingRequest, Ticket, booking, ticket};

use super::event_of;
use crate::{
    components::error_summary,
    failure::Answer,
    form::{Errors, Form},
    pages::events::when,
    urls::{self, Url},
    view::{Head, Notice, Page, View},
    visit::{Visit, see_other},
};

/// The routes of this file.
pub(super) fn routes() -> Router {
    Router::new().route(urls::Cancel::ROUTE, get(ask).post(cancel))
}

async fn ask(visit: Visit, Path(booking_id): Path<String>) -> Answer {
    visit.person()?;
    page(&visit, booking_id, Errors::none(), StatusCode::OK).await
}

async fn page(visit: &Visit, booking_id: String, errors: Errors, status: StatusCode) -> Answer {
    let request = visit.request(GetBookingRequest { booking_id });
    let booking = visit.ask(visit.services().ticket().get_booking(request)).await?;
    let event = event_of(visit, &booking.event_id).await;
    Ok(visit.view().show_with(status, &CancelPage { booking, event, errors }))
}

async fn cancel(visit: Visit, Path(booking_id): Path<String>, Form(form): Form) -> Answer {
    visit.person()?;
    let ticket_ids: Vec<String> = form.all("ticket").map(str::to_owned).collect();
    let wants_tickets = form.filled("choose").is_some();
    if wants_tickets && ticket_ids.is_empty() {
        let mut errors = Errors::none();
        errors.add("tickets", visit.text().cancel_mend());
        return page(&visit, booking_id, errors, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let message = CancelBookingRequest { booking_id: booking_id.clone(), ticket_ids };
    let request = visit.request_decided(message, &form);
    visit.ask(visit.services().ticket().cancel_booking(request)).await?;
    Ok(see_other(urls::Booking { booking_id: &booking_id }, Some(Notice::Cancelled)))
}

/// What is to be cancelled.
pub(crate) struct CancelPage {
    booking: Booking,
    event: Option<Event>,
    errors: Errors,
}

impl Page for CancelPage {
    fn head(&self, view: &View) -> Head {
        Head::titled(view.text.cancel_title())
    }

    fn main(&self, view: &View) -> Markup {
        let (text, booking) = (view.text, &self.booking);
        let back = urls::Booking { booking_id: &booking.id };
        let valid: Vec<&Ticket> =
            booking.tickets.iter().filter(|ticket| ticket.status() == ticket::Status::Valid).collect();
        html! {
            section.narrow {
                (error_summary(text, &self.errors))
                p.back { a href=(back) { (text.cancel_keep()) } }
                h1 { (text.cancel_title()) }
                @if let Some(event) = &self.event { p.lead { (event.title) br; (when(text, event)) } }
                @if booking.status() == booking::Status::Booked && booking.total.as_ref().is_some_and(|total| total.minor > 0) {
                    p { (text.cancel_refund()) }
                }
                form.stack method="post" action=(urls::Cancel { booking_id: &booking.id }) id="cancel" data-once {
                    (view.form_token()) (view.form_key())
                    @if !valid.is_empty() {
                        input type="hidden" name="choose" value="yes";
                        fieldset id="tickets" tabindex="-1" {
                            legend { (text.cancel_which()) }
                            @if let Some(error) = self.errors.on("tickets") { p.error { (error) } }
                            @for (number, ticket) in valid.iter().enumerate() {
                                @let id = format!("ticket-{}", ticket.id);
                                div.tick {
                                    input type="checkbox" id=(id) name="ticket" value=(ticket.id) checked;
                                    label for=(id) { (self.name(view, ticket, number)) }
                                }
                            }
                        }
                    }
                    p.actions {
                        button.button.warn type="submit" { (text.cancel_action()) }
                        a.button.quiet href=(back) { (text.cancel_keep()) }
                    }
                }
            }
        }
    }

    #[cfg(test)]
    fn samples() -> Vec<Self> {
        let mut errors = Errors::none();
        errors.add("tickets", "Choose one");
        let event = Some(crate::pages::events::sample());
        vec![
            Self { booking: super::sample(booking::Status::Booked), event, errors },
            Self {
                booking: Booking { tickets: vec![], ..super::sample(booking::Status::Held) },
                event: None,
                errors: Errors::none(),
            },
        ]
    }
}

impl CancelPage {
    /// The kinds are often the same, so tickets are counted.
    fn name(&self, view: &View, ticket: &Ticket, number: usize) -> String {
        let kinds = self.event.iter().flat_map(|event| &event.ticket_types);
        let kind = kinds.into_iter().find(|kind| kind.id == ticket.ticket_type_id);
        let kind = kind.map_or(view.text.ticket_title(), |kind| kind.name.as_str());
        let gap = if ticket.attendee_name.is_empty() { "" } else { ", " };
        format!("{}. {kind}{gap}{}", number + 1, ticket.attendee_name)
    }
}
