//! What buyers make of their answers, and what must hold of every answer.

use std::sync::{Arc, Mutex, PoisonError};

use domain::{
    EventId,
    ticket::{Booking, BookingStatus},
};
use kit::{
    Item,
    pipeline::{Done, NotDone, Outcome},
};
use ticket::{DoorAnswer, TicketCommand, TicketReply};

use crate::{
    actors::{About, Ask, PayState, Paying},
    faults::{Fault, Marker},
    node::Service,
    world::World,
};

/// Calls to the store that a sweep makes before it ends the first booking of a called-off event.
const CALLS_BEFORE_FIRST: u64 = 4;

type Outcomes = Option<Vec<Outcome<TicketReply>>>;

/// Requests that another replica does meanwhile, and where their outcomes come.
pub(crate) struct Race {
    asks: Vec<Ask>,
    outcomes: Arc<Mutex<Outcomes>>,
}

fn items(asks: &[Ask]) -> Vec<Item<TicketCommand>> {
    asks.iter().map(|ask| ask.item.clone()).collect()
}

impl World {
    /// Some buyers ask at once.
    pub(crate) fn ask(&mut self) {
        let asks = self.draw_asks();
        if asks.is_empty() {
            return;
        }
        let replica = usize::from(self.faults.has(Fault::Race) && self.rng.chance(3_000));
        let partition = self.rng.index(2);
        let race = self.race_ticket(1 - replica, partition);
        let outcomes = self.ticket.run(replica, &items(&asks));
        self.hear(&asks, outcomes);
        self.finish_race(race);
    }

    /// Lets another replica of the ticket service act meanwhile: a consumer of it, or its pipeline.
    pub(crate) fn race_ticket(&mut self, rival: usize, partition: usize) -> Option<Race> {
        if !self.faults.tries(Fault::Race) {
            return None;
        }
        let calls = self.rng.below(8);
        if self.rng.chance(4_000) {
            self.ticket.race_consumer(calls, rival, partition);
            return None;
        }
        let asks = self.draw_asks();
        let outcomes = Arc::new(Mutex::new(None));
        self.ticket.race_batch(calls, rival, items(&asks), Arc::clone(&outcomes));
        Some(Race { asks, outcomes })
    }

    /// Lets buyers of an event that is being called off pay at another replica while the sweep ends
    /// their bookings.
    pub(crate) fn race_to_pay(&mut self, rival: usize) -> Option<Race> {
        let off: Option<EventId> = {
            let witness = self.watcher.witness();
            witness.infos.values().find(|info| info.calling_off).map(|info| info.id)
        };
        let off = off.filter(|_| self.faults.has(Fault::Race))?;
        let watcher = self.watcher.clone();
        let witness = watcher.witness();
        let held = |booking: &&Booking| booking.event_id == off && booking.status == BookingStatus::Held;
        let held: Vec<&Booking> = witness.bookings.values().filter(held).collect();
        let asks: Vec<Ask> = held.into_iter().filter_map(|booking| self.pay(booking)).collect();
        // Each booking that the sweep ends is a load and a commit, after a few queries.
        let calls = self.rng.below(CALLS_BEFORE_FIRST + 2 * asks.len() as u64);
        let outcomes = Arc::new(Mutex::new(None));
        self.ticket.race_batch(calls, rival, items(&asks), Arc::clone(&outcomes));
        Some(Race { asks, outcomes })
    }

    /// Reads the answers of requests that another replica did meanwhile.
    pub(crate) fn finish_race(&mut self, race: Option<Race>) {
        if let Some(Race { asks, outcomes }) = race {
            let outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner).take();
            self.hear(&asks, outcomes);
        }
    }

    fn hear(&mut self, asks: &[Ask], outcomes: Outcomes) {
        let Some(outcomes) = outcomes else {
            self.note(format_args!("{} requests got no answer", asks.len()));
            asks.iter().for_each(|ask| self.hear_nothing(ask));
            return;
        };
        for (ask, outcome) in asks.iter().zip(outcomes) {
            match outcome {
                Ok(Done::Answered { reply, replayed }) => {
                    if replayed {
                        self.faults.mark(Marker::Replayed);
                    }
                    self.hear_answer(ask, &reply);
                }
                Ok(Done::Delivered(_)) => {}
                Err(NotDone::Refused(refusal)) => {
                    self.note(format_args!("{:?}: refused: {}", ask.about, refusal.code));
                    if ask.about == About::Trespass {
                        self.faults.mark(Marker::Trespass);
                    }
                    if refusal.code == "idempotency_key_reused" {
                        self.faults.mark(Marker::KeyReused);
                    }
                }
                Err(NotDone::Unavailable(_) | NotDone::Fenced(_)) => self.hear_not_done(ask),
                Err(NotDone::Unknown(_)) => self.hear_nothing(ask),
            }
        }
    }

    fn hear_answer(&mut self, ask: &Ask, reply: &TicketReply) {
        self.check_may_be(ask, reply);
        let TicketReply::Booking(booking) = reply else { return };
        self.note(format_args!("{:?}: booking {} is {}", ask.about, booking.id, booking.status.name()));
        self.check_durable(booking);
        match ask.about {
            About::Place(number) => {
                let before = self.orders[number].answered.replace(booking.id);
                let is_same = before.is_none_or(|before| before == booking.id);
                self.watcher.witness().require(is_same, "one key, one booking", || {
                    format!("order {number} was answered {before:?} and then {}", booking.id)
                });
            }
            About::Start(id) => self.paying.push(Paying {
                buyer: booking.user_id,
                booking_id: booking.id,
                event_id: booking.event_id,
                id,
                state: PayState::Started,
            }),
            About::Finish(_) | About::Other | About::Trespass | About::Door(_) | About::GiveAway(..) => {}
        }
    }

    /// Some requests must never be carried out: a stranger's, a used key's with another body, a wrong code's.
    fn check_may_be(&mut self, ask: &Ask, reply: &TicketReply) {
        let mut witness = self.watcher.witness();
        witness.require(ask.about != About::Trespass, "nobody reaches what is another's", || {
            format!("{reply:?}")
        });
        witness.require(!ask.is_changed, "a key is of one body", || format!("{:?}", ask.about));
        if let (About::Door(code), TicketReply::Door(DoorAnswer::Admitted, _)) = (ask.about, reply) {
            let (booking_id, number) = code.ticket_id.parts();
            let ticket = witness.bookings.get(&booking_id).and_then(|booking| booking.ticket(number));
            let is_right = ticket.is_some_and(|ticket| ticket.generation == code.generation);
            witness.require(is_right, "only the code that was given last admits", || format!("{code:?}"));
        }
        if let (About::GiveAway(number, to), TicketReply::Booking(booking)) = (ask.about, reply) {
            let is_theirs = booking.ticket(number).is_some_and(|ticket| ticket.holder_id == to);
            witness.require(is_theirs, "the ticket that was named changes hands", || {
                format!("ticket {number} of {booking:?}")
            });
        }
    }

    /// What was answered is there, and nothing of it is undone.
    fn check_durable(&mut self, answered: &Booking) {
        let mut witness = self.watcher.witness();
        let is_kept = witness.bookings.get(&answered.id).is_some_and(|now| {
            let is_further = rank(now.status) >= rank(answered.status);
            is_further
                && now.payments.len() >= answered.payments.len()
                && now.refunds.len() >= answered.refunds.len()
                && now.cancel_number >= answered.cancel_number
        });
        witness.require(is_kept, "answered is durable", || {
            format!("booking {} was answered as {} and is not there", answered.id, answered.status.name())
        });
    }

    /// Surely nothing happened: whoever asked may ask again.
    fn hear_not_done(&mut self, ask: &Ask) {
        if let About::Place(number) = ask.about {
            if let Item::Request(request) = &ask.item
                && let TicketCommand::Own(_, id, ..) = request.command
            {
                let mut witness = self.watcher.witness();
                let is_there = witness.bookings.contains_key(&id);
                witness.require(!is_there, "not done is not done", || format!("booking {id} is there"));
            }
            self.ask_again(number);
        }
        self.repeat_finish(ask);
    }

    /// Nobody knows what happened: only who has a key asks again.
    fn hear_nothing(&mut self, ask: &Ask) {
        self.faults.mark(Marker::OutcomeUnknown);
        match ask.about {
            About::Place(number) if self.orders[number].key.is_some() => self.ask_again(number),
            _ => self.repeat_finish(ask),
        }
    }

    fn ask_again(&mut self, number: usize) {
        if self.orders[number].answered.is_none() && !self.unanswered.contains(&number) {
            self.unanswered.push(number);
        }
    }

    /// A request that ends a payment is repeated by some; the others leave it to the service.
    fn repeat_finish(&mut self, ask: &Ask) {
        let (About::Finish(id), Item::Request(request)) = (ask.about, &ask.item) else { return };
        let TicketCommand::Own(.., domain::ticket::Command::FinishPayment(_, answer)) = &request.command
        else {
            return;
        };
        if self.rng.chance(5_000)
            && let Some(paying) = self.paying.iter_mut().find(|paying| paying.id == id)
        {
            paying.state = PayState::Answered(*answer);
        }
    }
}

/// How far a booking is in its life: it never goes back.
fn rank(status: BookingStatus) -> u8 {
    match status {
        BookingStatus::Pending => 0,
        BookingStatus::Held => 1,
        BookingStatus::Booked => 2,
        BookingStatus::Rejected | BookingStatus::Cancelled | BookingStatus::Expired => 3,
    }
}
