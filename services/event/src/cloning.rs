//! A new draft with everything that an event says.

use domain::{
    EventId, Refusal, TicketTypeId, Time,
    event::{Event, TicketType},
    facts::EventStatus,
    refusal::Check,
};
use kit::Caller;
use proto::v1;
use tonic::Request;

use crate::{
    convert::{Eyes, read_time},
    machine::EventCommand,
    reading::eyes_of,
    service::{Answer, Events, created},
};

impl Events {
    pub(crate) async fn clone_one(&self, request: Request<v1::CloneEventRequest>) -> Answer<v1::Event> {
        let caller = Caller::of(&request);
        let organizer_id = caller.user()?;
        let original = self.visible(&caller, &request.get_ref().event_id).await?.event;
        if eyes_of(&caller, &original) == Eyes::Anybody {
            return Err(Refusal::forbidden("only its organiser may clone the event").into());
        }
        let mut check = Check::default();
        let starts_at = read_time(&mut check, "starts_at", request.get_ref().starts_at);
        check.finish()?;
        let environment = self.handle.environment();
        let mut event = original;
        event.id = EventId(environment.id());
        event.organizer_id = organizer_id;
        (event.status, event.version) = (EventStatus::Draft, 1);
        (event.created_at, event.updated_at) = (environment.now(), environment.now());
        if let Some(title) = &request.get_ref().title {
            event.draft.title = title.trim().to_owned();
        }
        for kind in &mut event.ticket_types {
            kind.id = TicketTypeId(environment.id());
        }
        if let Some(starts_at) = starts_at {
            move_to(&mut event, starts_at)?;
        }
        let replied = self.submit(&request, "CloneEvent", EventCommand::Create(Box::new(event))).await?;
        created(&replied, environment.now())
    }
}

/// Everything keeps its distance from the beginning.
fn move_to(event: &mut Event, starts_at: Time) -> Result<(), Refusal> {
    let too_far = || Refusal::field("starts_at", "must leave the end and the sales in the years 1 to 9999");
    let by_us = starts_at.micros().checked_sub(event.draft.starts_at.micros()).ok_or_else(too_far)?;
    let moved = |time: Time| {
        let micros = time.micros().checked_add(by_us)?;
        Time::from_parts(micros.div_euclid(1_000_000), (micros.rem_euclid(1_000_000) * 1_000) as i32)
    };
    event.draft.starts_at = starts_at;
    event.draft.ends_at = moved(event.draft.ends_at).ok_or_else(too_far)?;
    for TicketType { draft, .. } in &mut event.ticket_types {
        for time in [&mut draft.sales_start, &mut draft.sales_end] {
            *time = time.map(|time| moved(time).ok_or_else(too_far)).transpose()?;
        }
    }
    Ok(())
}
