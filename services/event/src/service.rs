//! The gRPC handlers.

use std::sync::Arc;

use domain::{
    EventId, Refusal, TicketTypeId,
    event::{Event, Inventory, TicketType},
    facts::EventStatus,
    refusal::Check,
};
use kit::{Caller, Handle, Idempotency, Replied, Request as Order, ServiceError, pages, request as metadata};
use prost::Message;
use proto::v1::{self, event_service_server::EventService};
use store::{Cursor, Row, Value, Versioned};
use tonic::{Request, Response, Status};

use crate::{
    convert::{self, Eyes},
    list,
    machine::{Actor, Edit, EventCommand, EventMachine, EventReply},
    rows::{EventRow, EventView, event_key, inventory_key, rating_key},
    visits::VisitCounter,
};

/// The most characters of an external id.
const MAX_EXTERNAL_ID: usize = 200;

/// The service: a handle to its pipeline.
pub(crate) struct Events {
    pub(crate) handle: Handle<EventMachine>,
    pub(crate) visits: Arc<VisitCounter>,
}

type Answer<T> = Result<Response<T>, ServiceError>;

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
        let mut response = event_response(&replied.reply, Eyes::Organiser, self.handle.environment().now())?;
        set(&mut response, proto::HTTP_STATUS_HEADER, "201");
        let location = format!("/v1/events/{}", response.get_ref().id);
        set(&mut response, "location", &location);
        mark_replayed(&mut response, &replied);
        Ok(response)
    }

    fn new_event(
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

    async fn list(&self, request: Request<v1::ListEventsRequest>) -> Answer<v1::ListEventsResponse> {
        let caller = Caller::of(&request);
        let now = self.handle.environment().now();
        let listing = list::listing(request.get_ref(), &caller, now)?;
        let size = pages::page_size(request.get_ref().page_size)?;
        let cursor = pages::cursor(&listing.name, &request.get_ref().page_token)?;
        // One more than the page tells whether there is a next one.
        let query = listing.query.after(cursor).limit(size + 1);
        let rows = self.handle.store().query(&query).await?;
        let has_more = rows.len() > size;
        let events: Vec<Event> = rows.into_iter().take(size).filter_map(as_event).collect();
        let next_page_token = match events.last() {
            Some(last) if has_more => pages::token(&listing.name, &cursor_of(last, listing.order)),
            _ => String::new(),
        };
        let views = self.views(events).await?;
        let eyes = |view: &EventView| eyes_of(&caller, &view.event);
        let events = views.iter().map(|view| convert::to_event(view, eyes(view), now)).collect();
        Ok(Response::new(v1::ListEventsResponse { events, next_page_token }))
    }

    async fn get(&self, request: Request<v1::GetEventRequest>) -> Answer<v1::Event> {
        let caller = Caller::of(&request);
        let now = self.handle.environment().now();
        let view = self.visible(&caller, &request.get_ref().event_id).await?;
        if view.event.status == EventStatus::Published {
            self.visits.count(view.event.id, now.day());
        }
        let eyes = eyes_of(&caller, &view.event);
        event_response(&EventReply::Event(Box::new(view)), eyes, now)
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

    async fn availability(&self, request: Request<v1::GetAvailabilityRequest>) -> Answer<v1::Availability> {
        let caller = Caller::of(&request);
        let view = self.visible(&caller, &request.get_ref().event_id).await?;
        let eyes = eyes_of(&caller, &view.event);
        let shown =
            view.event.ticket_types.iter().filter(|kind| eyes == Eyes::Organiser || !kind.draft.hidden);
        let figures = |kind: &TicketType| {
            let stock = view.inventory.stock(kind.id);
            v1::availability::TicketTypeAvailability {
                id: kind.id.to_string(),
                available: convert::to_count(view.inventory.available(&view.event, kind.id)),
                held: convert::to_count(stock.map_or(0, |stock| stock.held)),
                sold: convert::to_count(stock.map_or(0, |stock| stock.sold)),
            }
        };
        Ok(Response::new(v1::Availability {
            event_id: view.event.id.to_string(),
            sequence: i64::try_from(view.inventory.sequence).unwrap_or(i64::MAX),
            ticket_types: shown.map(figures).collect(),
        }))
    }

    async fn export_mine(&self, request: Request<v1::ExportRequest>) -> Answer<v1::ExportResponse> {
        let user = Caller::of(&request).user()?;
        let mut events = Vec::new();
        let mut cursor = None;
        loop {
            let owned = store::Condition::Is("organizer_id", Value::Text(user.to_string()));
            let query = store::Query::all("event").filter(owned).after(cursor);
            let rows = self.handle.store().query(&query).await?;
            let Some(last) = rows.last() else { break };
            cursor = Some(Cursor { value: Value::Null, id: last.row.key().id });
            events.extend(rows.into_iter().filter_map(as_event));
        }
        let json = serde_json::json!({ "events": events }).to_string();
        Ok(Response::new(v1::ExportResponse { json }))
    }

    /// An event that this caller may see: a draft is its organiser's alone.
    async fn visible(&self, caller: &Caller, id: &str) -> Result<EventView, ServiceError> {
        let id = convert::event_id(id)?;
        let view = self.view(id).await?.ok_or_else(|| Refusal::not_found("event"))?;
        if view.event.status == EventStatus::Draft && eyes_of(caller, &view.event) == Eyes::Anybody {
            return Err(Refusal::not_found("event").into());
        }
        Ok(view)
    }

    async fn view(&self, id: EventId) -> Result<Option<EventView>, ServiceError> {
        let loaded = self.handle.store().load(&[event_key(id)], &[]).await?;
        let event = loaded.rows.into_iter().flatten().find_map(as_event);
        Ok(self.views(event.into_iter().collect()).await?.pop())
    }

    /// Events with their figures, in the same order.
    async fn views(&self, events: Vec<Event>) -> Result<Vec<EventView>, ServiceError> {
        let keys: Vec<_> =
            events.iter().flat_map(|event| [inventory_key(event.id), rating_key(event.id)]).collect();
        let mut rows = self.handle.store().load(&keys, &[]).await?.rows.into_iter();
        let mut views = Vec::with_capacity(events.len());
        for event in events {
            let inventory = match rows.next().flatten() {
                Some(Versioned { row: EventRow::Inventory(inventory), .. }) => inventory,
                _ => Inventory::empty(&event),
            };
            let rating = match rows.next().flatten() {
                Some(Versioned { row: EventRow::Rating(rating), .. }) => Some(rating),
                _ => None,
            };
            views.push(EventView { event, inventory, rating });
        }
        Ok(views)
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

    async fn submit<T: Message>(
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

fn eyes_of(caller: &Caller, event: &Event) -> Eyes {
    if caller.is(event.organizer_id) || caller.is_admin() { Eyes::Organiser } else { Eyes::Anybody }
}

fn as_event(versioned: Versioned<EventRow>) -> Option<Event> {
    match versioned.row {
        EventRow::Event(event) => Some(event),
        _ => None,
    }
}

fn cursor_of(event: &Event, order: &str) -> Cursor {
    let value = match order {
        "created_at" => event.created_at,
        _ => event.draft.starts_at,
    };
    Cursor { value: Value::Int(value.micros()), id: event.id.to_string() }
}

fn event_response(reply: &EventReply, eyes: Eyes, now: domain::Time) -> Answer<v1::Event> {
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
