//! Tickets: reading, printing and giving them away.

use std::collections::BTreeMap;

use domain::{
    Refusal, TicketTypeId, UserId,
    ticket::{Booking, Ticket},
    user::Email,
};
use kit::{Caller, ServiceError, pages};
use proto::{google_api::HttpBody, v1};
use store::{Condition, Cursor, Direction, Query, Value};
use tonic::{Request, Response};

use crate::{
    convert, documents,
    documents::Paper,
    machine::{Actor, TicketCommand, is_alive},
    rows::{EventInfo, TicketRow, email_key},
    service::{Answer, Tickets, actor, as_booking, respond, set},
};

/// The page token's order value for tickets that one bought, and for those that one was given.
const BOUGHT: i64 = 0;
const GIVEN: i64 = 1;

impl Tickets {
    pub(crate) async fn ticket(&self, request: Request<v1::GetTicketRequest>) -> Answer<v1::Ticket> {
        let actor = actor(&request)?;
        let (booking, ticket) = self.held_ticket(actor, &request.get_ref().ticket_id).await?;
        Ok(Response::new(self.with_code(&booking, &ticket)))
    }

    /// The ticket with its code, which only a ticket that admits has.
    fn with_code(&self, booking: &Booking, ticket: &Ticket) -> v1::Ticket {
        let code = is_alive(ticket).then(|| self.key.sign(convert::code_of(booking, ticket)));
        convert::to_ticket(booking, ticket, code)
    }

    /// A ticket that this caller holds; another's is as good as unknown.
    async fn held_ticket(&self, actor: Actor, id: &str) -> Result<(Booking, Ticket), ServiceError> {
        let (booking_id, number) = convert::ticket_id(id)?.parts();
        let booking = self.booking(booking_id).await?.ok_or_else(|| Refusal::not_found("ticket"))?;
        let ticket = booking.ticket(number).filter(|ticket| ticket.holder_id == actor.user_id).cloned();
        let ticket = ticket.ok_or_else(|| Refusal::not_found("ticket"))?;
        Ok((booking, ticket))
    }

    pub(crate) async fn list_held_tickets(
        &self,
        request: Request<v1::ListTicketsRequest>,
    ) -> Answer<v1::ListTicketsResponse> {
        let actor = actor(&request)?;
        let body = request.get_ref();
        let size = pages::page_size(body.page_size)?;
        let list = format!("tickets {} {}", actor.user_id, body.event_id);
        let mut cursor = pages::cursor(&list, &body.page_token)?;
        let mut tickets = Vec::new();
        let mut phase = match cursor.as_ref().map(|cursor| &cursor.value) {
            Some(Value::Int(GIVEN)) => GIVEN,
            _ => BOUGHT,
        };
        loop {
            let found =
                self.tickets_of(actor.user_id, phase, &body.event_id, cursor.take(), size + 1).await?;
            tickets.extend(found.into_iter().map(|(booking, ticket)| (phase, booking, ticket)));
            if tickets.len() > size || phase == GIVEN {
                break;
            }
            phase = GIVEN;
        }
        let has_more = tickets.len() > size;
        tickets.truncate(size);
        let next_page_token = match tickets.last() {
            Some((phase, booking, ticket)) if has_more => {
                let id = booking.ticket_id(ticket).to_string();
                pages::token(&list, &Cursor { value: Value::Int(*phase), id })
            }
            _ => String::new(),
        };
        let tickets = tickets.iter().map(|(_, booking, ticket)| self.with_code(booking, ticket)).collect();
        Ok(Response::new(v1::ListTicketsResponse { tickets, next_page_token }))
    }

    /// Tickets that a user holds of bookings of theirs, or of others', newest booking first.
    async fn tickets_of(
        &self,
        user: UserId,
        phase: i64,
        event_id: &str,
        after: Option<Cursor>,
        most: usize,
    ) -> Result<Vec<(Booking, Ticket)>, ServiceError> {
        let column = if phase == BOUGHT { "user_id" } else { "holders" };
        let mut query =
            Query::all("booking").filter(Condition::Is(column, Value::Text(user.to_string()))).limit(most);
        query.direction = Direction::Descending;
        if !event_id.is_empty() {
            let event_id = convert::event_id(event_id)
                .map_err(|_| Refusal::field("event_id", "must be the id of an event"))?;
            query = query.filter(Condition::Is("event_id", Value::Text(event_id.to_string())));
        }
        // A ticket's id sorts just behind its booking's, so going on after a ticket sees its booking again.
        let last: Option<domain::TicketId> = after.as_ref().and_then(|cursor| cursor.id.parse().ok());
        let mut after = after.map(|cursor| Cursor { value: Value::Null, id: cursor.id });
        let mut found = Vec::new();
        while found.len() < most {
            let page = self.handle.store().query(&query.clone().after(after.take())).await?;
            let Some(end) = page.last().and_then(|row| as_booking(row.clone())) else { break };
            after = Some(Cursor { value: Value::Null, id: end.id.to_string() });
            for booking in page.into_iter().filter_map(as_booking) {
                let seen = last.map(domain::TicketId::parts).filter(|(of, _)| *of == booking.id);
                let new = |ticket: &&Ticket| {
                    ticket.holder_id == user && seen.is_none_or(|(_, number)| ticket.number > number)
                };
                let tickets: Vec<Ticket> = booking.tickets.iter().filter(new).cloned().collect();
                found.extend(tickets.into_iter().map(|ticket| (booking.clone(), ticket)));
            }
        }
        found.truncate(most);
        Ok(found)
    }

    pub(crate) async fn qr(&self, request: Request<v1::GetTicketRequest>) -> Answer<HttpBody> {
        let actor = actor(&request)?;
        let (booking, ticket) = self.admitting_ticket(actor, &request.get_ref().ticket_id).await?;
        let code = self.key.sign(convert::code_of(&booking, &ticket));
        let svg = documents::qr_svg(&code).map_err(|error| ServiceError::internal(&error))?;
        Ok(file("image/svg+xml", svg.into_bytes(), "inline; filename=\"ticket.svg\""))
    }

    pub(crate) async fn calendar(&self, request: Request<v1::GetTicketRequest>) -> Answer<HttpBody> {
        let actor = actor(&request)?;
        let (booking, ticket) = self.admitting_ticket(actor, &request.get_ref().ticket_id).await?;
        let event = self.known_event(&booking).await?;
        let paper = paper(&event, &booking, &ticket, "");
        let text = documents::calendar(&paper, self.handle.environment().now());
        Ok(file("text/calendar; charset=utf-8", text.into_bytes(), "attachment; filename=\"event.ics\""))
    }

    pub(crate) async fn pdf(&self, request: Request<v1::GetTicketRequest>) -> Answer<HttpBody> {
        let actor = actor(&request)?;
        let (booking, ticket) = self.admitting_ticket(actor, &request.get_ref().ticket_id).await?;
        let event = self.known_event(&booking).await?;
        let code = self.key.sign(convert::code_of(&booking, &ticket));
        let paper = paper(&event, &booking, &ticket, &code);
        let pdf = documents::pdf(&paper).map_err(|error| ServiceError::internal(&error))?;
        Ok(file("application/pdf", pdf, "inline; filename=\"ticket.pdf\""))
    }

    async fn admitting_ticket(&self, actor: Actor, id: &str) -> Result<(Booking, Ticket), ServiceError> {
        let (booking, ticket) = self.held_ticket(actor, id).await?;
        if !is_alive(&ticket) {
            return Err(
                Refusal::conflict("already_cancelled", "the ticket was cancelled; it has no code").into()
            );
        }
        Ok((booking, ticket))
    }

    async fn known_event(&self, booking: &Booking) -> Result<EventInfo, ServiceError> {
        let known = self.event_info(booking.event_id).await?;
        known.ok_or_else(|| {
            ServiceError::unavailable("unavailable", "the event is not known here yet: try again")
        })
    }

    pub(crate) async fn transfer(&self, request: Request<v1::TransferTicketRequest>) -> Answer<v1::Ticket> {
        let actor = actor(&request)?;
        let (booking, ticket) = match self.held_ticket(actor, &request.get_ref().ticket_id).await {
            Ok(held) => held,
            Err(error) => return self.repeated_transfer(&request, actor, error).await,
        };
        let to = self.recipient(&request.get_ref().email).await?;
        let idempotency = self.bind(&request, actor, "TransferTicket")?;
        let number = ticket.number;
        let command =
            TicketCommand::Transfer { actor, booking_id: booking.id, event_id: booking.event_id, number, to };
        let replied = self.submit(&request, idempotency, command).await?;
        let ticket = replied.reply.ticket(number).ok_or_else(|| Refusal::not_found("ticket"))?;
        // The new code is the new holder's alone.
        Ok(respond(convert::to_ticket(&replied.reply, ticket, None), replied.replayed))
    }

    /// A transfer that was made before, asked for again with its key: the first answer again.
    async fn repeated_transfer(
        &self,
        request: &Request<v1::TransferTicketRequest>,
        actor: Actor,
        error: ServiceError,
    ) -> Answer<v1::Ticket> {
        let Some(idempotency) = self.bind(request, actor, "TransferTicket")? else { return Err(error) };
        let known = self.handle.store().load(&[], std::slice::from_ref(&idempotency.key)).await?;
        if known.answers.iter().all(Option::is_none) {
            return Err(error);
        }
        let (booking_id, number) = convert::ticket_id(&request.get_ref().ticket_id)?.parts();
        let booking = self.booking(booking_id).await?.ok_or_else(|| Refusal::not_found("ticket"))?;
        let command = TicketCommand::Transfer {
            actor,
            booking_id,
            event_id: booking.event_id,
            number,
            to: actor.user_id,
        };
        let replied = self.submit(request, Some(idempotency), command).await?;
        let ticket = replied.reply.ticket(number).ok_or_else(|| Refusal::not_found("ticket"))?;
        Ok(respond(convert::to_ticket(&replied.reply, ticket, None), replied.replayed))
    }

    async fn recipient(&self, email: &str) -> Result<UserId, ServiceError> {
        Email::parse(email).map_err(|reason| Refusal::field("email", reason))?;
        let query = Query::all("user").filter(Condition::Is("email", Value::Text(email_key(email)))).limit(1);
        let found = self.handle.store().query(&query).await?;
        let user = found.into_iter().find_map(|versioned| match versioned.into_row() {
            // The mark of somebody who is gone has no address.
            TicketRow::User(user) if !user.email.is_empty() => Some(user.id),
            _ => None,
        });
        user.ok_or_else(|| {
            Refusal::conflict(
                "unknown_recipient",
                "nobody with this address has an account: they must register first",
            )
            .into()
        })
    }

    pub(crate) async fn export_mine(
        &self,
        request: Request<v1::ExportRequest>,
    ) -> Answer<v1::ExportResponse> {
        let user = Caller::of(&request).user()?;
        let mut bookings = Vec::new();
        let mut after = None;
        loop {
            let mine = Condition::Is("user_id", Value::Text(user.to_string()));
            let page =
                self.handle.store().query(&Query::all("booking").filter(mine).after(after.take())).await?;
            let Some(last) = page.last().and_then(|row| as_booking(row.clone())) else { break };
            after = Some(Cursor { value: Value::Null, id: last.id.to_string() });
            bookings.extend(page.into_iter().filter_map(as_booking));
        }
        let given = self.tickets_of(user, GIVEN, "", None, store::MAX_PAGE).await?;
        let given: Vec<String> =
            given.iter().map(|(booking, ticket)| booking.ticket_id(ticket).to_string()).collect();
        let json = serde_json::json!({ "bookings": bookings, "tickets_received": given }).to_string();
        Ok(Response::new(v1::ExportResponse { json }))
    }
}

/// The names of an event's ticket types.
pub(crate) fn type_names(event: &EventInfo) -> BTreeMap<TicketTypeId, &str> {
    event.ticket_types.iter().map(|kind| (kind.id, kind.name.as_str())).collect()
}

fn paper<'a>(event: &'a EventInfo, booking: &Booking, ticket: &'a Ticket, code: &'a str) -> Paper<'a> {
    let line = booking.lines.iter().find(|line| line.placed.ticket_type_id == ticket.ticket_type_id);
    Paper {
        title: &event.title,
        starts_at: event.starts_at,
        ends_at: event.ends_at,
        time_zone: &event.time_zone,
        place: &event.place,
        ticket_type: type_names(event).get(&ticket.ticket_type_id).copied().unwrap_or(""),
        attendee: ticket.attendee.as_ref().map_or("", |attendee| attendee.name.as_str()),
        ticket_id: booking.ticket_id(ticket).to_string(),
        number: format!("{} of {}", ticket.number, booking.tickets.len()),
        price: line.and_then(|line| line.unit_price),
        code,
    }
}

pub(crate) fn file(content_type: &str, data: Vec<u8>, disposition: &str) -> Response<HttpBody> {
    let body = HttpBody { content_type: content_type.to_owned(), data, extensions: Vec::new() };
    let mut response = Response::new(body);
    set(&mut response, "content-disposition", disposition);
    response
}
