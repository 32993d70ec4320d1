//! What visitors do: they read an event's page, and rate what they have been to.

use domain::{
    BookingId, EventId, UserId,
    feedback::{FeedbackId, Rate},
};
use event::EventCommand;
use feedback::machine::Command;
use kit::{
    Idempotency, Item, Request,
    pipeline::{Done, NotDone},
};
use store::{AnswerKey, Store};

use crate::{
    faults::Marker,
    node::{Service, poll},
    world::{World, uuid},
};

impl World {
    /// Visits of some events' pages are committed together, as the event service does it.
    pub(crate) fn visit(&mut self) {
        let Some(event_id) = self.draw_show() else { return };
        let count = 1 + self.rng.below(20);
        let day = self.event.environment(0).now().day();
        let command = EventCommand::Visited(event_id, day, count);
        let replica = self.acting_replica(0);
        self.race_event();
        let item = Item::Request(Request { command, idempotency: None, traceparent: None });
        self.event.run(replica, std::slice::from_ref(&item));
        self.note(format_args!("{count} visits of {event_id}"));
    }

    fn draw_show(&mut self) -> Option<EventId> {
        (!self.shows.is_empty()).then(|| *self.rng.pick(&self.shows))
    }

    /// Somebody rates an event. Some have no ticket, some come too early: they are refused.
    pub(crate) fn rate(&mut self) {
        let Some(event_id) = self.draw_show() else { return };
        let user_id = *self.rng.pick(&self.buyers);
        let Some(evidence) = self.evidence(event_id, user_id) else { return };
        let command = Command::Rate(Rate {
            event_id,
            user_id,
            rating: self.rng.between(0, 6) as i32,
            comment: "as it was".to_owned(),
            new_id: FeedbackId(uuid(&mut self.rng)),
            evidence,
        });
        let key = AnswerKey(format!("rate {}", self.rng.below(1_000)));
        let idempotency =
            self.rng.chance(3_000).then(|| Idempotency { key, fingerprint: format!("{command:?}") });
        let replica = self.acting_replica(2);
        if self.faults.tries(crate::faults::Fault::Race) {
            let calls = self.rng.below(4);
            self.feedback.race_consumer(calls, 1 - replica, 0);
        }
        let item = Item::Request(Request { command, idempotency, traceparent: None });
        let outcome = self.feedback.run(replica, std::slice::from_ref(&item)).and_then(|mut all| all.pop());
        let text = match outcome {
            None => "no answer",
            Some(Ok(Done::Answered { .. } | Done::Delivered(_))) => "taken",
            Some(Err(NotDone::Refused(refusal))) => {
                if refusal.code == "not_a_ticket_holder" {
                    self.faults.mark(Marker::Trespass);
                }
                refusal.code
            }
            Some(Err(_)) => "not done",
        };
        self.note(format_args!("{user_id} rates {event_id}: {text}"));
    }

    /// The booking that the service finds as the proof; sometimes somebody else's, as a forger would name it.
    fn evidence(&mut self, event_id: EventId, user_id: UserId) -> Option<Option<BookingId>> {
        if self.rng.chance(1_000) {
            let witness = self.watcher.witness();
            let any = witness.order.get(self.rng.index(witness.order.len()));
            return Some(any.copied());
        }
        let store: &dyn Store<_> = self.feedback.store.as_ref();
        let found = poll(&self.faults, feedback::evidence(store, event_id, user_id));
        if found.is_none() {
            self.feedback.restart(0);
        }
        found.and_then(Result::ok)
    }
}
