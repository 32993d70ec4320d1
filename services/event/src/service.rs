//! The gRPC handlers.

use std::sync::Arc;

use domain::{
    EventId, Refusal, TicketTypeId,
    event::{Event, TicketType},
    facts::EventStatus,
    refusal::Check,
};
use kit::{Caller, Desk, Handle, Idempotency, Replied, Request as Order, ServiceError, request as metadata};
use prost::Message;
use proto::v1::{self, event_service_server::EventService};
use tonic::{Request, Response, Status};

use crate::{
    convert::{self, Eyes},
    machine::{Actor, Edit, EventCommand, EventMachine, EventReply},
    visits::VisitCounter,
    watching::{AvailabilityStream, Streams},
};

/// The most characters of an external id.
const MAX_EXTERNAL_ID: usize = 200;

/// The service: a handle to its pipeline.
pub(crate) struct Events {
    pub(crate) handle: Handle<EventMachine>,
    pub(crate) desk: Desk<EventMachine>,
    pub(crate) visits: Arc<VisitCounter>,
    pub(crate) streams: Streams,
}

pub(crate) type Answer<T> = Result<Response<T>, ServiceError>;

#[tonic::async_trait]
impl EventService for Events {
    async fn create_event(
        &self,
        request: Request<v1::CreateEventRequest>,
    ) -> Result<Response<v1::Event>, Status> {
        Ok(self.create(request).await?)
    }

    async fn list_events(
        &self,
        request: Request<v1::ListEventsRequest>,
    ) -> Result<Response<v1::ListEventsResponse>, Status> {
        Ok(self.list(request).await?)
    }

    async fn get_event(&self, request: Request<v1::GetEventRequest>) -> Result<Response<v1::Event>, Status> {
        Ok(self.get(request).await?)
    }

    async fn update_event(
        &self,
        request: Request<v1::UpdateEventRequest>,
    ) -> Result<Response<v1::Event>, Status> {
        Ok(self.update(request).await?)
    }

    async fn delete_event(&self, request: Request<v1::DeleteEventRequest>) -> Result<Response<()>, Status> {
        let id = request.get_ref().event_id.clone();
        self.edit(&request, &id, Edit::Delete).await?;
        Ok(Response::new(()))
    }

    async fn publish_event(
        &self,
        request: Request<v1::PublishEventRequest>,
    ) -> Result<Response<v1::Event>, Status> {
        let id = request.get_ref().event_id.clone();
        Ok(self.edit_event(&request, &id, Edit::Publish).await?)
    }

    async fn cancel_event(
        &self,
        request: Request<v1::CancelEventRequest>,
    ) -> Result<Response<v1::Event>, Status> {
        let id = request.get_ref().event_id.clone();
        Ok(self.edit_event(&request, &id, Edit::Cancel).await?)
    }

    async fn create_ticket_type(
        &self,
        request: Request<v1::CreateTicketTypeRequest>,
    ) -> Result<Response<v1::TicketType>, Status> {
        Ok(self.add_type(request).await?)
    }

    async fn update_ticket_type(
        &self,
        request: Request<v1::UpdateTicketTypeRequest>,
    ) -> Result<Response<v1::TicketType>, Status> {
        Ok(self.update_type(request).await?)
    }

    async fn delete_ticket_type(
        &self,
        request: Request<v1::DeleteTicketTypeRequest>,
    ) -> Result<Response<()>, Status> {
        Ok(self.delete_type(request).await?)
    }

    async fn get_availability(
        &self,
        request: Request<v1::GetAvailabilityRequest>,
    ) -> Result<Response<v1::Availability>, Status> {
        Ok(self.availability(request).await?)
    }

    type StreamAvailabilityStream = AvailabilityStream;

    async fn stream_availability(
        &self,
        request: Request<v1::StreamAvailabilityRequest>,
    ) -> Result<Response<AvailabilityStream>, Status> {
        Ok(self.watch_availability(request).await?)
    }

    async fn clone_event(
        &self,
        request: Request<v1::CloneEventRequest>,
    ) -> Result<Response<v1::Event>, Status> {
        Ok(self.clone_one(request).await?)
    }

    async fn import_events(
        &self,
        request: Request<v1::ImportEventsRequest>,
    ) -> Result<Response<v1::ImportEventsResponse>, Status> {
        Ok(self.import(request).await?)
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

impl Events {
    async fn create(&self, request: Request<v1::CreateEventRequest>) -> Answer<v1::Event> {
        let caller = Caller::of(&request);
        let organizer_id = caller.user()?;
        let event = self.new_event(organizer_id, request.get_ref())?;
        let command = EventCommand::Create(Box::new(event));
        let replied = self.submit(&request, "CreateEvent", command).await?;
        created(&replied, self.handle.environment().now())
    }

    pub(crate) fn new_event(
        &self,
        organizer_id: domain::UserId,
        request: &v1::CreateEventRequest,
    ) -> Result<Event, Refusal> {
        let mut check = Check::default();
        let draft = convert::draft(&mut check, request);
        let prices =
            request.ticket_types.iter().map(|input| input.price.as_ref().map(|price| price.currency.clone()));
        let currency = convert::usual_currency(prices);
        let environment = self.handle.environment();
        let mut ticket_types = Vec::with_capacity(request.ticket_types.len());
        for (index, input) in request.ticket_types.iter().enumerate() {
            let prefix = format!("ticket_types[{index}].");
            let draft = convert::type_draft(&mut check, &prefix, input.clone(), currency);
            ticket_types.push(TicketType { id: TicketTypeId(environment.id()), draft });
        }
        let id = match request.external_id.as_deref() {
            None => environment.id(),
            Some(external_id) => {
                domain::text::require_line(&mut check, "external_id", external_id, MAX_EXTERNAL_ID);
                kit::clock::derived_id(&[organizer_id.0.as_bytes(), external_id.as_bytes()])
            }
        };
        check.finish()?;
        let now = environment.now();
        let status = if request.publish { EventStatus::Published } else { EventStatus::Draft };
        Ok(Event {
            id: EventId(id),
            organizer_id,
            status,
            version: 1,
            draft,
            ticket_types,
            created_at: now,
            updated_at: now,
        })
    }

    async fn update(&self, request: Request<v1::UpdateEventRequest>) -> Answer<v1::Event> {
        let patch = convert::event_patch(request.get_ref().clone())?;
        let id = request.get_ref().event_id.clone();
        self.edit_event(&request, &id, Edit::Update(Box::new(patch))).await
    }

    async fn add_type(&self, request: Request<v1::CreateTicketTypeRequest>) -> Answer<v1::TicketType> {
        let body = request.get_ref().clone();
        let currency = self.currency_of(&body.event_id).await?;
        let input = v1::TicketTypeInput {
            name: body.name,
            price: body.price,
            quantity: body.quantity,
            max_per_booking: body.max_per_booking,
            sales_start: body.sales_start,
            sales_end: body.sales_end,
            hidden: body.hidden,
        };
        let mut check = Check::default();
        let draft = convert::type_draft(&mut check, "", input, currency);
        check.finish()?;
        let id = TicketTypeId(self.handle.environment().id());
        let edit = Edit::AddType(TicketType { id, draft });
        let replied = self.edit(&request, &body.event_id, edit).await?;
        // A replayed answer names the type that the first request made: the last one.
        let mut response = type_response(&replied.reply, None)?;
        set(&mut response, proto::HTTP_STATUS_HEADER, "201");
        mark_replayed(&mut response, &replied);
        Ok(response)
    }

    async fn update_type(&self, request: Request<v1::UpdateTicketTypeRequest>) -> Answer<v1::TicketType> {
        let body = request.get_ref().clone();
        let id = convert::ticket_type_id(&body.ticket_type_id)?;
        let currency = self.currency_of(&body.event_id).await?;
        let event_id = body.event_id.clone();
        let edit = Edit::UpdateType(id, convert::type_patch(body, currency)?);
        let replied = self.edit(&request, &event_id, edit).await?;
        type_response(&replied.reply, Some(id))
    }

    async fn delete_type(&self, request: Request<v1::DeleteTicketTypeRequest>) -> Answer<()> {
        let id = convert::ticket_type_id(&request.get_ref().ticket_type_id)?;
        let event_id = request.get_ref().event_id.clone();
        self.edit(&request, &event_id, Edit::DeleteType(id)).await?;
        Ok(Response::new(()))
    }

    async fn currency_of(&self, event_id: &str) -> Result<domain::Currency, ServiceError> {
        let view = self.view(convert::event_id(event_id)?).await?;
        let types = view.map(|view| view.event.ticket_types).unwrap_or_default();
        let codes = types.iter().map(|kind| Some(kind.draft.price.currency.as_str().to_owned()));
        Ok(convert::usual_currency(codes))
    }

    async fn edit_event<T: Message>(&self, request: &Request<T>, id: &str, edit: Edit) -> Answer<v1::Event> {
        let replied = self.edit(request, id, edit).await?;
        let mut response = event_response(&replied.reply, Eyes::Organiser, self.handle.environment().now())?;
        mark_replayed(&mut response, &replied);
        Ok(response)
    }

    async fn edit<T: Message>(
        &self,
        request: &Request<T>,
        id: &str,
        edit: Edit,
    ) -> Result<Replied<EventReply>, ServiceError> {
        let caller = Caller::of(request);
        let actor = Actor { user_id: caller.user()?, is_admin: caller.is_admin() };
        let expected = metadata::if_match(request.metadata())?;
        let rpc = match &edit {
            Edit::Update(_) => "UpdateEvent",
            Edit::Delete => "DeleteEvent",
            Edit::Publish => "PublishEvent",
            Edit::Cancel => "CancelEvent",
            Edit::AddType(_) => "CreateTicketType",
            Edit::UpdateType(..) => "UpdateTicketType",
            Edit::DeleteType(_) => "DeleteTicketType",
        };
        let command = EventCommand::Edit { event_id: convert::event_id(id)?, actor, expected, edit };
        self.submit(request, rpc, command).await
    }

    pub(crate) async fn submit<T: Message>(
        &self,
        request: &Request<T>,
        rpc: &str,
        command: EventCommand,
    ) -> Result<Replied<EventReply>, ServiceError> {
        let caller = Caller::of(request).user()?.to_string();
        let key = metadata::idempotency_key(request.metadata())?;
        let bind = |key: &str| -> Idempotency {
            kit::idempotency(key, &caller, rpc, &request.get_ref().encode_to_vec())
        };
        let order = Order {
            command,
            idempotency: key.map(bind),
            traceparent: metadata::traceparent(request.metadata()),
        };
        self.handle.submit(order).await
    }
}

/// The answer to who made a new event.
pub(crate) fn created(replied: &Replied<EventReply>, now: domain::Time) -> Answer<v1::Event> {
    let mut response = event_response(&replied.reply, Eyes::Organiser, now)?;
    set(&mut response, proto::HTTP_STATUS_HEADER, "201");
    let location = format!("/v1/events/{}", response.get_ref().id);
    set(&mut response, "location", &location);
    mark_replayed(&mut response, replied);
    Ok(response)
}

pub(crate) fn event_response(reply: &EventReply, eyes: Eyes, now: domain::Time) -> Answer<v1::Event> {
    let EventReply::Event(view) = reply else {
        return Err(ServiceError::internal(&"an edit answered without its event"));
    };
    let mut response = Response::new(convert::to_event(view, eyes, now));
    set(&mut response, metadata::ETAG, &view.etag());
    Ok(response)
}

/// The ticket type of an answer; the last one where none is named.
fn type_response(reply: &EventReply, id: Option<TicketTypeId>) -> Answer<v1::TicketType> {
    let EventReply::Event(view) = reply else {
        return Err(ServiceError::internal(&"an edit answered without its event"));
    };
    let kind = match id {
        Some(id) => view.event.ticket_type(id),
        None => view.event.ticket_types.last(),
    };
    let kind = kind.ok_or_else(|| ServiceError::internal(&"an edit answered without its ticket type"))?;
    let available = view.inventory.available(&view.event, kind.id);
    Ok(Response::new(convert::to_ticket_type(kind, available)))
}

fn mark_replayed<T, R>(response: &mut Response<T>, replied: &Replied<R>) {
    if replied.replayed {
        set(response, metadata::IDEMPOTENCY_REPLAYED, "true");
    }
}

/// Sets metadata whose value is always plain ASCII.
fn set<T>(response: &mut Response<T>, key: &'static str, value: &str) {
    if let Ok(value) = value.parse() {
        response.metadata_mut().insert(key, value);
    }
}
