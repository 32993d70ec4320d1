//! What buyers do: they place, pay, cancel, give away and come, and ask again when they get no answer.

use domain::{
    BookingId, EventId, PaymentId, RefundId, UserId,
    facts::PlacedLine,
    ticket::{
        Attendee, Booking, BookingStatus, Command, TicketStatus,
        code::TicketCode,
        payment::{Answer, Provider},
    },
};
use kit::{Idempotency, Item, Request};
use store::AnswerKey;
use ticket::{Actor, TicketCommand};

use crate::{
    node::{Service, poll},
    provider::{BAD_CARD, GOOD_CARD},
    world::{World, uuid},
};

/// Buyers look at so many of the latest bookings most of the time.
const RECENT: usize = 40;

/// What one buyer wants, however often they ask for it.
#[derive(Debug, Clone)]
pub struct Order {
    /// Who.
    pub buyer: UserId,
    /// For which event.
    pub event_id: EventId,
    /// What.
    pub lines: Vec<PlacedLine>,
    /// The key, if they send one.
    pub key: Option<AnswerKey>,
    /// Every booking id that a request of this order was given.
    pub candidates: Vec<BookingId>,
    /// The booking that they were told of.
    pub answered: Option<BookingId>,
}

/// A payment on its way.
#[derive(Debug, Clone)]
pub struct Paying {
    /// Whose.
    pub buyer: UserId,
    /// Of which booking.
    pub booking_id: BookingId,
    /// Of which event.
    pub event_id: EventId,
    /// Which.
    pub id: PaymentId,
    /// How far it is.
    pub state: PayState,
}

/// How far a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayState {
    /// The service has noted it; the provider is to be asked.
    Started,
    /// The provider has answered; the service is to be told.
    Answered(Answer),
    /// Nobody knows; the buyer may ask again with the same key, which makes the same payment.
    Abandoned,
}

/// What a request is about, for reading its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// An order, by its number.
    Place(usize),
    /// A payment is started.
    Start(PaymentId),
    /// A payment is finished.
    Finish(PaymentId),
    /// Somebody reaches for what is another's.
    Trespass,
    /// A code at the door.
    Door(TicketCode),
    /// A ticket, by its number in its booking, is given to somebody.
    GiveAway(u16, UserId),
    /// Anything else.
    Other,
}

/// How often a request that could be made by its owner is made by a stranger, in 10,000.
const BY_STRANGERS: u32 = 200;
/// How often a code at the door is not the one that admits, in 10,000.
const WRONG_CODES: u32 = 2_000;

/// One request of a buyer.
pub struct Ask {
    /// As it is handed to the pipeline.
    pub item: Item<TicketCommand>,
    /// What it is about.
    pub about: About,
    /// Its key was used for another body.
    pub is_changed: bool,
}

impl Ask {
    fn new(command: TicketCommand, idempotency: Option<Idempotency>, about: About) -> Self {
        Self {
            item: Item::Request(Request { command, idempotency, traceparent: None }),
            about,
            is_changed: false,
        }
    }
}

fn own(buyer: UserId, booking: BookingId, event: EventId, command: Command) -> TicketCommand {
    TicketCommand::Own(Actor { user_id: buyer, is_admin: false }, booking, event, command)
}

impl World {
    /// What some buyers ask for now.
    pub(crate) fn draw_asks(&mut self) -> Vec<Ask> {
        let count = 1 + self.rng.below(self.knobs.most_requests);
        let mut asks: Vec<Ask> = (0..count).filter_map(|_| self.draw_ask()).collect();
        // Sometimes the very same request arrives twice at once.
        if self.rng.chance(1_000)
            && let Some(About::Place(number)) = asks.last().map(|ask| ask.about)
            && self.orders[number].key.is_some()
        {
            asks.push(self.ask_for(number));
        }
        asks
    }

    fn draw_ask(&mut self) -> Option<Ask> {
        if let Some(index) = self.draw_answered() {
            return Some(self.finish(index));
        }
        match self.rng.below(10) {
            0..=3 if self.orders.len() < self.knobs.orders => Some(self.place()),
            4 if !self.unanswered.is_empty() => {
                let index = self.rng.index(self.unanswered.len());
                let number = self.unanswered.swap_remove(index);
                Some(self.ask_for(number))
            }
            5 if !self.orders.is_empty() && self.rng.chance(1_500) => {
                let number = self.rng.index(self.orders.len());
                self.orders[number].key.is_some().then(|| self.ask_for(number))
            }
            _ => self.act_on_booking(),
        }
    }

    fn draw_answered(&mut self) -> Option<usize> {
        let answered = |paying: &Paying| matches!(paying.state, PayState::Answered(_));
        let index = self.paying.iter().position(answered)?;
        self.rng.chance(7_000).then_some(index)
    }

    fn place(&mut self) -> Ask {
        let rng = &mut self.rng;
        let buyer = *rng.pick(&self.buyers);
        let event_id =
            if self.shows.is_empty() || rng.chance(50) { EventId(uuid(rng)) } else { *rng.pick(&self.shows) };
        let mut lines = Vec::new();
        let skip = rng.below(3);
        if let Some(event) = self.watcher.witness().events.get(&event_id) {
            let types = event.ticket_types.iter().cycle().skip(skip as usize).take(event.ticket_types.len());
            for (index, kind) in types.enumerate() {
                if index == 0 || rng.chance(3_000) {
                    let most = if rng.chance(500) { 60 } else { 4 };
                    let quantity = rng.between(1, most) as u32;
                    lines.push(PlacedLine { ticket_type_id: kind.id, quantity, seat_ids: Vec::new() });
                }
            }
        }
        let key = rng.chance(self.knobs.keyed).then(|| AnswerKey(format!("order {}", self.orders.len())));
        let order = Order { buyer, event_id, lines, key, candidates: Vec::new(), answered: None };
        self.orders.push(order);
        self.ask_for(self.orders.len() - 1)
    }

    /// A request of an order, which may have been sent before. The service makes a booking id for each.
    pub(crate) fn ask_for(&mut self, number: usize) -> Ask {
        let id = BookingId::from_bits(self.ticket.environment(0).id().as_u128());
        let is_changed = self.orders[number].answered.is_some() && self.rng.chance(1_000);
        let order = &mut self.orders[number];
        order.candidates.push(id);
        let fingerprint = if is_changed { "changed" } else { "body" }.to_owned();
        let idempotency = order.key.clone().map(|key| Idempotency { key, fingerprint });
        let place = Command::Place {
            id,
            event_id: order.event_id,
            user_id: order.buyer,
            lines: order.lines.clone(),
            promo_code: None,
            attendees: attendees(number, &order.lines),
        };
        let command = own(order.buyer, id, order.event_id, place);
        Ask { is_changed, ..Ask::new(command, idempotency, About::Place(number)) }
    }

    fn act_on_booking(&mut self) -> Option<Ask> {
        let watcher = self.watcher.clone();
        let witness = watcher.witness();
        if witness.order.is_empty() {
            return None;
        }
        let recent = if self.rng.chance(8_000) { RECENT } else { usize::MAX };
        let from = witness.order.len().saturating_sub(recent);
        let id = witness.order[from + self.rng.index(witness.order.len() - from)];
        let booking = &witness.bookings[&id];
        if self.rng.chance(BY_STRANGERS) {
            return Some(self.trespass(booking));
        }
        match (booking.status, self.rng.below(100)) {
            (BookingStatus::Held, 0..=79) => self.pay(booking),
            (BookingStatus::Held, 80..=84) | (BookingStatus::Pending, 0..=7) => Some(self.cancel(booking)),
            (BookingStatus::Booked, 0..=19) => Some(self.cancel(booking)),
            (BookingStatus::Booked, 20..=29) => self.come(booking),
            (BookingStatus::Booked, 30..=34) => self.give_away(booking),
            // Whoever asks for what cannot be is refused, and nothing changes.
            (_, 99) => Some(self.cancel(booking)),
            (_, 98) => self.pay(booking),
            _ => None,
        }
    }

    pub(crate) fn pay(&mut self, booking: &Booking) -> Option<Ask> {
        let abandoned =
            |paying: &Paying| paying.booking_id == booking.id && paying.state == PayState::Abandoned;
        let known = self.paying.iter().position(abandoned);
        let id = match known {
            Some(index) if self.rng.chance(6_000) => self.paying.swap_remove(index).id,
            _ => PaymentId(uuid(&mut self.rng)),
        };
        let command = own(booking.user_id, booking.id, booking.event_id, Command::StartPayment(id));
        Some(Ask::new(command, None, About::Start(id)))
    }

    fn finish(&mut self, index: usize) -> Ask {
        let paying = &mut self.paying[index];
        let PayState::Answered(answer) = paying.state else { unreachable!("chosen because it is answered") };
        paying.state = PayState::Abandoned;
        let (id, fingerprint) = (paying.id, "body".to_owned());
        let idempotency = Idempotency { key: AnswerKey(format!("pay {id}")), fingerprint };
        let command = Command::FinishPayment(id, answer);
        let command = own(paying.buyer, paying.booking_id, paying.event_id, command);
        Ask::new(command, Some(idempotency), About::Finish(id))
    }

    fn cancel(&mut self, booking: &Booking) -> Ask {
        let event_starts_at = self.starts.get(&booking.event_id).copied();
        let numbers = booking.tickets.iter().map(|ticket| ticket.number);
        let numbers = match self.rng.below(2) {
            0 => Vec::new(),
            _ => numbers.filter(|_| self.rng.chance(4_000)).collect(),
        };
        let refund_id = RefundId(uuid(&mut self.rng));
        let command = Command::Cancel { numbers, refund_id, event_starts_at };
        Ask::new(own(booking.user_id, booking.id, booking.event_id, command), None, About::Other)
    }

    fn come(&mut self, booking: &Booking) -> Option<Ask> {
        let ticket = self.rng.pick(&booking.tickets);
        let mut generation = ticket.generation;
        if self.rng.chance(WRONG_CODES) {
            generation = generation.wrapping_sub(1);
        }
        let code =
            TicketCode { ticket_id: booking.ticket_id(ticket), event_id: booking.event_id, generation };
        let door = Actor { user_id: self.organizer, is_admin: false };
        Some(Ask::new(TicketCommand::CheckIn(door, booking.event_id, code), None, About::Door(code)))
    }

    /// Somebody who has nothing to do with a booking asks for something on it.
    fn trespass(&mut self, booking: &Booking) -> Ask {
        let stranger = UserId(uuid(&mut self.rng));
        let (booking_id, event_id) = (booking.id, booking.event_id);
        let actor = Actor { user_id: stranger, is_admin: false };
        let cancel = |refund_id| Command::Cancel { numbers: Vec::new(), refund_id, event_starts_at: None };
        let command = match (booking.tickets.first(), self.rng.below(4)) {
            (Some(ticket), 0) => TicketCommand::Transfer {
                actor,
                booking_id,
                event_id,
                number: ticket.number,
                to: self.organizer,
            },
            (Some(ticket), 1) => {
                let code = TicketCode {
                    ticket_id: booking.ticket_id(ticket),
                    event_id,
                    generation: ticket.generation,
                };
                TicketCommand::CheckIn(actor, event_id, code)
            }
            (_, 2) => {
                own(stranger, booking_id, event_id, Command::StartPayment(PaymentId(uuid(&mut self.rng))))
            }
            _ => own(stranger, booking_id, event_id, cancel(RefundId(uuid(&mut self.rng)))),
        };
        Ask::new(command, None, About::Trespass)
    }

    fn give_away(&mut self, booking: &Booking) -> Option<Ask> {
        let ticket = booking.tickets.iter().find(|ticket| ticket.status == TicketStatus::Valid)?;
        let actor = Actor { user_id: ticket.holder_id, is_admin: false };
        let to = *self.rng.pick(&self.buyers);
        let (booking_id, event_id, number) = (booking.id, booking.event_id, ticket.number);
        let command = TicketCommand::Transfer { actor, booking_id, event_id, number, to };
        Some(Ask::new(command, None, About::GiveAway(number, to)))
    }

    /// Asks the provider for one payment that has been started.
    pub(crate) fn capture(&mut self) {
        let Some(index) = self.paying.iter().position(|paying| paying.state == PayState::Started) else {
            return;
        };
        let paying = self.paying[index].clone();
        let total = self.watcher.witness().bookings.get(&paying.booking_id).and_then(|b| b.total);
        let Some(amount) = total else { return };
        let card = if self.rng.chance(self.knobs.declined) { BAD_CARD } else { GOOD_CARD };
        let asked = self.provider.capture(paying.id, amount, card);
        let answer = poll(&self.faults, asked);
        self.note(format_args!("capture {} of booking {}: {answer:?}", paying.id, paying.booking_id));
        if answer.is_none() {
            self.ticket.restart(0);
        }
        self.paying[index].state = match answer {
            Some(Ok(answer)) => PayState::Answered(answer),
            _ => PayState::Abandoned,
        };
    }
}

/// In every third order somebody is named for each place.
fn attendees(number: usize, lines: &[PlacedLine]) -> Vec<Attendee> {
    let places: u32 = lines.iter().map(|line| line.quantity).sum();
    let named = if number.is_multiple_of(3) { places } else { 0 };
    (1..=named)
        .map(|place| Attendee { name: format!("guest {place} of {number}"), email: String::new() })
        .collect()
}
