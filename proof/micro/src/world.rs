//! What the workloads work on: an event on sale, free of charge, and a buyer of two places. Time and ids follow
//! from how often they were asked for.

pub mod rest;
pub mod stores;

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
};

use anyhow::Context;
use domain::{
    BookingId, Currency, EventId, Money, TicketTypeId, Time, UserId,
    event::{Event, EventDraft, TicketType, TicketTypeDraft, Venue, details::MAX_PLACES},
    facts::{BookingPlaced, EventStatus, PlacedLine, PricedLine, SeatsSold},
    ticket::{Booking, Command, Decision, apply, decide, decide::EventOff},
};
use kit::{
    Environment,
    clock::{Clock, Entropy},
};
use proto::v1;
use uuid::Uuid;

/// 2026-01-01T00:00:00Z, when everything begins.
pub const NOW: Time = Time::from_micros(1_767_225_600_000_000);
/// How much later it is each time that somebody looks.
const TICK_MICROS: i64 = 20;
const DAY_SECONDS: i64 = 86_400;
/// The event.
pub const EVENT: EventId = EventId(Uuid::from_u128(0x019b_0000_0000_7000_8000_0000_0000_0001));
const TICKET_TYPE: TicketTypeId = TicketTypeId(Uuid::from_u128(0x019b_0000_0000_7000_8000_0000_0000_0002));
const ORGANIZER: UserId = UserId(Uuid::from_u128(0x019b_0000_0000_7000_8000_0000_0000_0003));
/// The buyer.
pub const BUYER: UserId = UserId(Uuid::from_u128(0x019b_0000_0000_7000_8000_0000_0000_0004));
/// A booking, where it need not be a new one.
const BOOKING: u128 = 0x019b_0000_0000_7000_8000_0000_0000_0000;
/// How many places one booking has.
const PLACES: u32 = 2;

struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Time {
        Time::from_micros(self.0.fetch_add(TICK_MICROS, Relaxed))
    }
}

struct Counted(AtomicU64);

impl Entropy for Counted {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let number = self.0.fetch_add(1, Relaxed);
            // An odd factor keeps numbers apart and spreads them over all bits.
            let bits = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).swap_bytes();
            chunk.copy_from_slice(&bits.to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A clock and a source of ids that begin anew.
pub fn environment() -> Environment {
    Environment::new(Arc::new(Ticking(AtomicI64::new(NOW.micros()))), Arc::new(Counted(AtomicU64::new(1))))
}

/// An event on sale, with as many places as there can be.
pub fn event() -> Event {
    let draft = EventDraft {
        title: "Village Brass".to_owned(),
        description: "An evening in the market place, with three bands and a bar.".to_owned(),
        starts_at: NOW.plus_seconds(100 * DAY_SECONDS),
        ends_at: NOW.plus_seconds(101 * DAY_SECONDS),
        time_zone: "Europe/Berlin".to_owned(),
        venue: Venue {
            name: "Marktplatz".to_owned(),
            address: String::new(),
            city: "Oberdorf".to_owned(),
            country: "Germany".to_owned(),
        },
        online: false,
        categories: vec!["music".to_owned()],
        image_url: String::new(),
        website_url: String::new(),
        capacity: None,
    };
    let standing = TicketTypeDraft {
        name: "Standing".to_owned(),
        price: Money::zero(Currency::EUR),
        quantity: MAX_PLACES,
        max_per_booking: None,
        sales_start: None,
        sales_end: None,
        hidden: false,
    };
    Event {
        id: EVENT,
        organizer_id: ORGANIZER,
        status: EventStatus::Published,
        version: 1,
        draft,
        ticket_types: vec![TicketType { id: TICKET_TYPE, draft: standing }],
        created_at: NOW,
        updated_at: NOW,
    }
}

/// A buyer asks for places.
pub fn place(id: BookingId) -> Command {
    let BookingPlaced { event_id, user_id, lines, .. } = placed(id);
    Command::Place { id, event_id, user_id, lines, promo_code: None, attendees: Vec::new() }
}

/// The fact that follows.
pub fn placed(id: BookingId) -> BookingPlaced {
    let line = PlacedLine { ticket_type_id: TICKET_TYPE, quantity: PLACES, seat_ids: Vec::new() };
    BookingPlaced {
        booking_id: id,
        event_id: EVENT,
        user_id: BUYER,
        lines: vec![line],
        promo_code: None,
        at: NOW,
    }
}

/// The fact with which its seats are sold.
pub fn sold() -> SeatsSold {
    let unit_price = Money::zero(Currency::EUR);
    SeatsSold {
        booking_id: BookingId::from_bits(BOOKING),
        event_id: EVENT,
        user_id: BUYER,
        lines: vec![PricedLine { ticket_type_id: TICKET_TYPE, quantity: PLACES, unit_price }],
        total: unit_price,
        at: NOW,
    }
}

/// What the domain decides, where it refuses nothing.
pub fn decided(booking: Option<&Booking>, command: &Command) -> anyhow::Result<Decision> {
    decide(booking, command, NOW).map_err(|refusal| anyhow::anyhow!("refused: {refusal:?}"))
}

/// A booking that waits for its seats.
pub fn pending() -> anyhow::Result<Booking> {
    let decision = decided(None, &place(BookingId::from_bits(BOOKING)))?;
    apply(None, &decision).context("a placed booking is there")
}

/// A booking with its tickets.
pub fn booked() -> anyhow::Result<Booking> {
    let pending = pending()?;
    let decision = decided(Some(&pending), &Command::Sold(sold(), EventOff::No))?;
    apply(Some(&pending), &decision).context("a booking stays")
}

/// A booking with its tickets, as the ticket service answers it.
pub fn message() -> anyhow::Result<v1::Booking> {
    let booking = booked()?;
    let money = || Some(v1::Money { currency: Currency::EUR.as_str().to_owned(), minor: 0 });
    let ticket = |ticket: &domain::ticket::Ticket| v1::Ticket {
        id: booking.ticket_id(ticket).to_string(),
        booking_id: booking.id.to_string(),
        event_id: EVENT.to_string(),
        ticket_type_id: ticket.ticket_type_id.to_string(),
        status: v1::ticket::Status::Valid.into(),
        ..v1::Ticket::default()
    };
    let line = v1::BookingLine {
        ticket_type_id: TICKET_TYPE.to_string(),
        quantity: i32::try_from(PLACES)?,
        unit_price: money(),
        ..v1::BookingLine::default()
    };
    Ok(v1::Booking {
        id: booking.id.to_string(),
        event_id: EVENT.to_string(),
        user_id: BUYER.to_string(),
        status: v1::booking::Status::Booked.into(),
        lines: vec![line],
        total: money(),
        tickets: booking.tickets.iter().map(ticket).collect(),
        created_at: Some(prost_types::Timestamp { seconds: NOW.seconds(), nanos: 0 }),
        ..v1::Booking::default()
    })
}

/// What a client sends to book the same.
pub fn wish() -> String {
    format!(r#"{{"event_id":"{EVENT}","lines":[{{"ticket_type_id":"{TICKET_TYPE}","quantity":{PLACES}}}]}}"#)
}
