//! The gRPC handlers: each is a way into one of the modules beside it.

use std::sync::Arc;

use domain::{
    BookingId, Refusal,
    ticket::{Booking, payment::Provider},
};
use kit::{Caller, Desk, Handle, Idempotency, Replied, Request as Order, ServiceError, request as metadata};
use prost::Message;
use proto::{
    google_api::HttpBody,
    v1::{self, ticket_service_server::TicketService},
};
use store::Versioned;
use tonic::{Request, Response, Status};

use crate::{
    codes::TicketKey,
    decisions::Decisions,
    machine::{Actor, TicketCommand, TicketMachine, TicketReply},
    rows::{EventInfo, TicketRow, booking_key, event_key},
};

/// The service: a handle to its pipeline, the key of its tickets and its payment provider.
pub(crate) struct Tickets {
    pub(crate) handle: Handle<TicketMachine>,
    pub(crate) desk: Desk<TicketMachine>,
    pub(crate) decisions: Arc<Decisions>,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) key: TicketKey,
}

pub(crate) type Answer<T> = Result<Response<T>, ServiceError>;

#[tonic::async_trait]
impl TicketService for Tickets {
    async fn create_booking(
        &self,
        request: Request<v1::CreateBookingRequest>,
    ) -> Result<Response<v1::Booking>, Status> {
        Ok(self.create(request).await?)
    }

    async fn list_bookings(
        &self,
        request: Request<v1::ListBookingsRequest>,
    ) -> Result<Response<v1::ListBookingsResponse>, Status> {
        Ok(self.list_own_bookings(request).await?)
    }

    async fn get_booking(
        &self,
        request: Request<v1::GetBookingRequest>,
    ) -> Result<Response<v1::Booking>, Status> {
        Ok(self.get(request).await?)
    }

    async fn pay_booking(
        &self,
        request: Request<v1::PayBookingRequest>,
    ) -> Result<Response<v1::Booking>, Status> {
        Ok(self.pay(request).await?)
    }

    async fn cancel_booking(
        &self,
        request: Request<v1::CancelBookingRequest>,
    ) -> Result<Response<v1::Booking>, Status> {
        Ok(self.cancel(request).await?)
    }

    async fn list_tickets(
        &self,
        request: Request<v1::ListTicketsRequest>,
    ) -> Result<Response<v1::ListTicketsResponse>, Status> {
        Ok(self.list_held_tickets(request).await?)
    }

    async fn get_ticket(
        &self,
        request: Request<v1::GetTicketRequest>,
    ) -> Result<Response<v1::Ticket>, Status> {
        Ok(self.ticket(request).await?)
    }

    async fn get_ticket_qr(
        &self,
        request: Request<v1::GetTicketRequest>,
    ) -> Result<Response<HttpBody>, Status> {
        Ok(self.qr(request).await?)
    }

    async fn get_ticket_calendar(
        &self,
        request: Request<v1::GetTicketRequest>,
    ) -> Result<Response<HttpBody>, Status> {
        Ok(self.calendar(request).await?)
    }

    async fn get_ticket_pdf(
        &self,
        request: Request<v1::GetTicketRequest>,
    ) -> Result<Response<HttpBody>, Status> {
        Ok(self.pdf(request).await?)
    }

    async fn transfer_ticket(
        &self,
        request: Request<v1::TransferTicketRequest>,
    ) -> Result<Response<v1::Ticket>, Status> {
        Ok(self.transfer(request).await?)
    }

    async fn check_in(
        &self,
        request: Request<v1::CheckInRequest>,
    ) -> Result<Response<v1::CheckInResponse>, Status> {
        Ok(self.admit(request).await?)
    }

    async fn list_attendees(
        &self,
        request: Request<v1::ListAttendeesRequest>,
    ) -> Result<Response<v1::ListAttendeesResponse>, Status> {
        Ok(self.attendees(request).await?)
    }

    async fn get_standing(
        &self,
        _: Request<v1::GetStandingRequest>,
    ) -> Result<Response<v1::Standing>, Status> {
        Ok(Response::new(self.desk.standing().await?))
    }

    async fn redrive(&self, _: Request<v1::RedriveRequest>) -> Result<Response<v1::RedriveResponse>, Status> {
        Ok(Response::new(self.desk.redrive().await?))
    }

    async fn export(
        &self,
        request: Request<v1::ExportRequest>,
    ) -> Result<Response<v1::ExportResponse>, Status> {
        Ok(self.export_mine(request).await?)
    }
}

impl Tickets {
    /// A booking that this caller may see; another's is as good as unknown.
    pub(crate) async fn own_booking(&self, actor: Actor, id: BookingId) -> Result<Booking, ServiceError> {
        let booking =
            self.booking(id).await?.filter(|booking| booking.user_id == actor.user_id || actor.is_admin);
        booking.ok_or_else(|| Refusal::not_found("booking").into())
    }

    pub(crate) async fn booking(&self, id: BookingId) -> Result<Option<Booking>, ServiceError> {
        let rows = self.handle.rows(&[booking_key(id)]).await?;
        Ok(rows.into_iter().flatten().find_map(as_booking))
    }

    pub(crate) async fn event_info(&self, id: domain::EventId) -> Result<Option<EventInfo>, ServiceError> {
        let rows = self.handle.rows(&[event_key(id)]).await?;
        Ok(rows.into_iter().flatten().find_map(|versioned| match versioned.into_row() {
            TicketRow::Event(event) => Some(event),
            _ => None,
        }))
    }

    /// The client's idempotency key, bound to who sent it and to what it asks for.
    pub(crate) fn bind<T: Message>(
        &self,
        request: &Request<T>,
        actor: Actor,
        rpc: &str,
    ) -> Result<Option<Idempotency>, Refusal> {
        let key = metadata::idempotency_key(request.metadata())?;
        let body = || request.get_ref().encode_to_vec();
        Ok(key.map(|key| kit::idempotency(key, &actor.user_id.to_string(), rpc, &body())))
    }

    pub(crate) async fn submit<T>(
        &self,
        request: &Request<T>,
        idempotency: Option<Idempotency>,
        command: TicketCommand,
    ) -> Result<Replied<Booking>, ServiceError> {
        let traceparent = metadata::traceparent(request.metadata());
        let replied = self.handle.submit(Order { command, idempotency, traceparent }).await?;
        match replied.reply {
            TicketReply::Booking(booking) => Ok(Replied { reply: *booking, replayed: replied.replayed }),
            _ => Err(ServiceError::internal(&"a command on a booking answered without it")),
        }
    }
}

pub(crate) fn actor<T>(request: &Request<T>) -> Result<Actor, Refusal> {
    let caller = Caller::of(request);
    Ok(Actor { user_id: caller.user()?, is_admin: caller.is_admin() })
}

pub(crate) fn as_booking(versioned: Versioned<TicketRow>) -> Option<Booking> {
    match versioned.into_row() {
        TicketRow::Booking(booking) => Some(booking),
        _ => None,
    }
}

/// An answer, marked when it is the first one again.
pub(crate) fn respond<T>(body: T, replayed: bool) -> Response<T> {
    let mut response = Response::new(body);
    if replayed {
        set(&mut response, metadata::IDEMPOTENCY_REPLAYED, "true");
    }
    response
}

/// Sets metadata whose value is always plain ASCII.
pub(crate) fn set<T>(response: &mut Response<T>, key: &'static str, value: &str) {
    if let Ok(value) = value.parse() {
        response.metadata_mut().insert(key, value);
    }
}
