//! Reading events: one, a list, the seats that are left, and what is held about somebody.

use domain::{
    EventId, Refusal,
    event::{Event, Inventory, TicketType},
    facts::EventStatus,
};
use kit::{Caller, Handle, ServiceError, pages};
use proto::v1;
use store::{Cursor, Row, Value, Versioned};
use tonic::{Request, Response};

use crate::{
    convert::{self, Eyes},
    list,
    machine::{EventMachine, EventReply},
    rows::{EventRow, EventView, event_key, inventory_key, rating_key},
    service::{Answer, Events, event_response},
};

impl Events {
    pub(crate) async fn list(
        &self,
        request: Request<v1::ListEventsRequest>,
    ) -> Answer<v1::ListEventsResponse> {
        let caller = Caller::of(&request);
        let now = self.handle.environment().now();
        let listing = list::listing(request.get_ref(), &caller, now)?;
        let size = pages::page_size(request.get_ref().page_size)?;
        let cursor = pages::cursor(&listing.name, &request.get_ref().page_token)?;
        // One more than the page tells whether there is a next one.
        let query = listing.query.after(cursor).limit(size + 1);
        let asked = format!("{} {:?} {} {size}", listing.name, listing.scope, request.get_ref().page_token);
        let recent = self.handle.machine().recent();
        let rows = recent.page(self.handle.store().as_ref(), &query, asked, now).await?;
        let has_more = rows.len() > size;
        let events: Vec<Event> = rows.iter().take(size).cloned().filter_map(as_event).collect();
        let next_page_token = match events.last() {
            Some(last) if has_more => pages::token(&listing.name, &cursor_of(last, listing.order)),
            _ => String::new(),
        };
        let views = self.views(events).await?;
        let eyes = |view: &EventView| eyes_of(&caller, &view.event);
        let events = views.iter().map(|view| convert::to_event(view, eyes(view), now)).collect();
        Ok(Response::new(v1::ListEventsResponse { events, next_page_token }))
    }

    pub(crate) async fn get(&self, request: Request<v1::GetEventRequest>) -> Answer<v1::Event> {
        let caller = Caller::of(&request);
        let now = self.handle.environment().now();
        let view = self.visible(&caller, &request.get_ref().event_id).await?;
        let is_visit = request.metadata().get(kit::request::LOOK_UP).is_none();
        if is_visit && view.event.status == EventStatus::Published {
            self.visits.count(view.event.id, now.day());
        }
        let eyes = eyes_of(&caller, &view.event);
        event_response(&EventReply::Event(Box::new(view)), eyes, now)
    }

    pub(crate) async fn availability(
        &self,
        request: Request<v1::GetAvailabilityRequest>,
    ) -> Answer<v1::Availability> {
        let caller = Caller::of(&request);
        let view = self.visible(&caller, &request.get_ref().event_id).await?;
        Ok(Response::new(availability_of(&view, eyes_of(&caller, &view.event))))
    }

    pub(crate) async fn export_mine(
        &self,
        request: Request<v1::ExportRequest>,
    ) -> Answer<v1::ExportResponse> {
        let user = Caller::of(&request).user()?;
        let mut events = Vec::new();
        let mut cursor = None;
        loop {
            let owned = store::Condition::Is("organizer_id", Value::Text(user.to_string()));
            let query = store::Query::all("event").filter(owned).after(cursor);
            let rows = self.handle.store().query(&query).await?;
            let Some(last) = rows.last() else { break };
            cursor = Some(Cursor { value: Value::Null, id: last.row.key().id.to_string() });
            events.extend(rows.into_iter().filter_map(as_event));
        }
        let json = serde_json::json!({ "events": events }).to_string();
        Ok(Response::new(v1::ExportResponse { json }))
    }

    /// An event that this caller may see: a draft is its organiser's alone.
    pub(crate) async fn visible(&self, caller: &Caller, id: &str) -> Result<EventView, ServiceError> {
        let id = convert::event_id(id)?;
        let view = self.view(id).await?.ok_or_else(|| Refusal::not_found("event"))?;
        if view.event.status == EventStatus::Draft && eyes_of(caller, &view.event) == Eyes::Anybody {
            return Err(Refusal::not_found("event").into());
        }
        Ok(view)
    }

    pub(crate) async fn view(&self, id: EventId) -> Result<Option<EventView>, ServiceError> {
        view_of(&self.handle, id).await
    }

    /// Events with their figures, in the same order.
    pub(crate) async fn views(&self, events: Vec<Event>) -> Result<Vec<EventView>, ServiceError> {
        views_of(&self.handle, events).await
    }
}

/// An event with its figures, as it now is.
pub(crate) async fn view_of(
    handle: &Handle<EventMachine>,
    id: EventId,
) -> Result<Option<EventView>, ServiceError> {
    let rows = handle.rows(&[event_key(id)]).await?;
    let event = rows.into_iter().flatten().find_map(as_event);
    Ok(views_of(handle, event.into_iter().collect()).await?.pop())
}

async fn views_of(handle: &Handle<EventMachine>, events: Vec<Event>) -> Result<Vec<EventView>, ServiceError> {
    let keys: Vec<_> =
        events.iter().flat_map(|event| [inventory_key(event.id), rating_key(event.id)]).collect();
    let mut rows = handle.rows(&keys).await?.into_iter().map(|row| row.map(Versioned::into_row));
    let mut views = Vec::with_capacity(events.len());
    for event in events {
        let inventory = match rows.next().flatten() {
            Some(EventRow::Inventory(inventory)) => inventory,
            _ => Inventory::empty(&event),
        };
        let rating = match rows.next().flatten() {
            Some(EventRow::Rating(rating)) => Some(rating),
            _ => None,
        };
        views.push(EventView { event, inventory, rating });
    }
    Ok(views)
}

/// What is left, held and sold of an event.
pub(crate) fn availability_of(view: &EventView, eyes: Eyes) -> v1::Availability {
    let shown = view.event.ticket_types.iter().filter(|kind| eyes == Eyes::Organiser || !kind.draft.hidden);
    let figures = |kind: &TicketType| {
        let stock = view.inventory.stock(kind.id);
        v1::availability::TicketTypeAvailability {
            id: kind.id.to_string(),
            available: convert::to_count(view.inventory.available(&view.event, kind.id)),
            held: convert::to_count(stock.map_or(0, |stock| stock.held)),
            sold: convert::to_count(stock.map_or(0, |stock| stock.sold)),
        }
    };
    v1::Availability {
        event_id: view.event.id.to_string(),
        sequence: i64::try_from(view.inventory.sequence).unwrap_or(i64::MAX),
        ticket_types: shown.map(figures).collect(),
    }
}

pub(crate) fn eyes_of(caller: &Caller, event: &Event) -> Eyes {
    if caller.is(event.organizer_id) || caller.is_admin() { Eyes::Organiser } else { Eyes::Anybody }
}

fn as_event(versioned: Versioned<EventRow>) -> Option<Event> {
    match versioned.into_row() {
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
