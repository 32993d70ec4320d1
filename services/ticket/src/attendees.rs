//! The door and the organiser's list of who comes.

use std::collections::BTreeMap;

use domain::{
    EventId, Refusal, UserId,
    ticket::{Booking, Ticket},
};
use kit::{Idempotency, Request as Order, ServiceError, pages, request as metadata};
use proto::{google_api::HttpBody, v1};
use store::{Condition, Cursor, Query, Value};
use tonic::{Request, Response};

use crate::{
    convert,
    machine::{TicketCommand, TicketReply, is_alive, may_see_door},
    rows::{EventInfo, TicketRow, UserInfo, user_key},
    service::{Answer, Tickets, actor, as_booking, set},
    tickets::type_names,
};

/// The longest code that is looked at, in bytes.
const MAX_CODE_BYTES: usize = 512;
/// The most rows of an exported list.
const MAX_EXPORTED: usize = 100_000;

impl Tickets {
    pub(crate) async fn admit(&self, request: Request<v1::CheckInRequest>) -> Answer<v1::CheckInResponse> {
        let actor = actor(&request)?;
        let event_id = convert::event_id(&request.get_ref().event_id)?;
        may_see_door(self.event_info(event_id).await?.as_ref(), actor)?;
        let text = &request.get_ref().code;
        if text.is_empty() || text.len() > MAX_CODE_BYTES {
            return Err(Refusal::field("code", "must be the code of a ticket").into());
        }
        let Some(code) = self.key.read(text) else {
            let result = v1::check_in_response::Result::Forged.into();
            return Ok(Response::new(v1::CheckInResponse { result, ticket: None, first_admitted_at: None }));
        };
        let idempotency: Option<Idempotency> = self.bind(&request, actor, "CheckIn")?;
        let traceparent = metadata::traceparent(request.metadata());
        let command = TicketCommand::CheckIn(actor, event_id, code);
        let replied = self.handle.submit(Order { command, idempotency, traceparent }).await?;
        let TicketReply::Door(answer, booking) = replied.reply else {
            return Err(ServiceError::internal(&"the door answered something else"));
        };
        let (_, number) = code.ticket_id.parts();
        let ticket = booking
            .as_ref()
            .and_then(|booking| Some(convert::to_ticket(booking, booking.ticket(number)?, None)));
        Ok(crate::service::respond(convert::to_door(answer, ticket), replied.replayed))
    }

    pub(crate) async fn attendees(
        &self,
        request: Request<v1::ListAttendeesRequest>,
    ) -> Answer<v1::ListAttendeesResponse> {
        let actor = actor(&request)?;
        let body = request.get_ref();
        let event_id = convert::event_id(&body.event_id)?;
        let known = self.event_info(event_id).await?;
        let event = may_see_door(known.as_ref(), actor)?;
        match body.format.as_str() {
            "" | "json" => self.attendee_page(event, body).await,
            "csv" => self.attendee_file(event).await,
            _ => Err(Refusal::field("format", "must be csv, or left out").into()),
        }
    }

    async fn attendee_page(
        &self,
        event: &EventInfo,
        body: &v1::ListAttendeesRequest,
    ) -> Answer<v1::ListAttendeesResponse> {
        let size = pages::page_size(body.page_size)?;
        let list = format!("attendees {}", event.id);
        let cursor = pages::cursor(&list, &body.page_token)?;
        let mut found = self.attendees_after(event, cursor, size + 1).await?;
        let has_more = found.len() > size;
        found.truncate(size);
        let next_page_token = match found.last() {
            Some(last) if has_more => {
                pages::token(&list, &Cursor { value: Value::Null, id: last.ticket_id.clone() })
            }
            _ => String::new(),
        };
        Ok(Response::new(v1::ListAttendeesResponse { attendees: found, next_page_token, file: None }))
    }

    async fn attendee_file(&self, event: &EventInfo) -> Answer<v1::ListAttendeesResponse> {
        let attendees = self.attendees_after(event, None, MAX_EXPORTED).await?;
        let data = to_csv(&attendees).map_err(|error| ServiceError::internal(&error))?;
        let file =
            HttpBody { content_type: "text/csv; charset=utf-8".to_owned(), data, extensions: Vec::new() };
        let mut response =
            Response::new(v1::ListAttendeesResponse { file: Some(file), ..Default::default() });
        set(&mut response, "content-disposition", "attachment; filename=\"attendees.csv\"");
        Ok(response)
    }

    /// The living tickets of an event after a ticket, oldest booking first.
    async fn attendees_after(
        &self,
        event: &EventInfo,
        after: Option<Cursor>,
        most: usize,
    ) -> Result<Vec<v1::Attendee>, ServiceError> {
        // Going on after a ticket: its booking was seen, but perhaps not all of its tickets.
        let last: Option<domain::TicketId> = after.as_ref().and_then(|cursor| cursor.id.parse().ok());
        let mut found = Vec::new();
        if let Some((booking_id, number)) = last.map(domain::TicketId::parts)
            && let Some(booking) = self.booking(booking_id).await?
        {
            self.append(event, vec![booking], number, &mut found).await?;
        }
        let mut after = after;
        while found.len() < most {
            let query = of_event(event.id).after(after.take());
            let page = self.handle.store().query(&query).await?;
            let bookings: Vec<Booking> = page.into_iter().filter_map(as_booking).collect();
            let Some(end) = bookings.last() else { break };
            after = Some(Cursor { value: Value::Null, id: end.id.to_string() });
            self.append(event, bookings, 0, &mut found).await?;
        }
        found.truncate(most);
        Ok(found)
    }

    async fn append(
        &self,
        event: &EventInfo,
        bookings: Vec<Booking>,
        after_number: u16,
        found: &mut Vec<v1::Attendee>,
    ) -> Result<(), ServiceError> {
        let users = self.users(&bookings).await?;
        let names = type_names(event);
        for booking in &bookings {
            for ticket in
                booking.tickets.iter().filter(|ticket| is_alive(ticket) && ticket.number > after_number)
            {
                let name = names.get(&ticket.ticket_type_id).copied().unwrap_or_default();
                found.push(to_attendee(booking, ticket, name, users.get(&ticket.holder_id)));
            }
        }
        Ok(())
    }

    async fn users(&self, bookings: &[Booking]) -> Result<BTreeMap<UserId, UserInfo>, ServiceError> {
        let mut keys: Vec<_> =
            bookings.iter().flat_map(|b| &b.tickets).map(|t| user_key(t.holder_id)).collect();
        keys.sort();
        keys.dedup();
        let loaded = self.handle.store().load(&keys, &[]).await?;
        let users = loaded.rows.into_iter().flatten().filter_map(|versioned| match versioned.into_row() {
            TicketRow::User(user) => Some((user.id, user)),
            _ => None,
        });
        Ok(users.collect())
    }
}

fn of_event(event_id: EventId) -> Query {
    let booked = vec!["BOOKED".into()];
    Query::all("booking")
        .filter(Condition::Is("event_id", Value::Text(event_id.to_string())))
        .filter(Condition::OneOf("status", booked))
}

fn to_attendee(
    booking: &Booking,
    ticket: &Ticket,
    type_name: &str,
    holder: Option<&UserInfo>,
) -> v1::Attendee {
    let (name, email) = match (&ticket.attendee, holder) {
        (Some(attendee), _) if !attendee.email.is_empty() => (attendee.name.clone(), attendee.email.clone()),
        (Some(attendee), Some(holder)) => (attendee.name.clone(), holder.email.clone()),
        (Some(attendee), None) => (attendee.name.clone(), String::new()),
        (None, Some(holder)) => (holder.name.clone(), holder.email.clone()),
        (None, None) => (String::new(), String::new()),
    };
    v1::Attendee {
        ticket_id: booking.ticket_id(ticket).to_string(),
        booking_id: booking.id.to_string(),
        ticket_type_id: ticket.ticket_type_id.to_string(),
        ticket_type: type_name.to_owned(),
        name,
        email,
        status: convert::to_ticket_status(ticket.status).into(),
        admitted_at: ticket.admitted_at.map(convert::timestamp),
    }
}

fn to_csv(attendees: &[v1::Attendee]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "ticket_id",
        "booking_id",
        "ticket_type",
        "name",
        "email",
        "status",
        "admitted_at",
    ])?;
    for attendee in attendees {
        let admitted_at = attendee.admitted_at.and_then(|at| domain::Time::from_parts(at.seconds, at.nanos));
        writer.write_record([
            &attendee.ticket_id,
            &attendee.booking_id,
            &cell(&attendee.ticket_type),
            &cell(&attendee.name),
            &cell(&attendee.email),
            attendee.status().as_str_name(),
            &admitted_at.map(|at| at.to_string()).unwrap_or_default(),
        ])?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// Text that a spreadsheet would take for a formula is shown as text.
fn cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        let attendee =
            v1::Attendee { name: "=cmd()".to_owned(), email: "a,\"b\"".to_owned(), ..Default::default() };
        let text = String::from_utf8(to_csv(&[attendee]).unwrap()).unwrap();
        assert!(text.contains(",'=cmd(),\"a,\"\"b\"\"\","), "{text}");
    }
}
