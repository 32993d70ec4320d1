//! The smallest machine that shows what consumers and relays promise together: sales by booking, and of each event the
//! bookings in the order in which they were first heard. Each test includes this file by its path.
#![allow(dead_code, reason = "each test file uses its part")]

use std::sync::Arc;

use bus::{Fact, FactId, Memo, Topic};
use domain::{
    BookingId, Currency, EventId, Money, Refusal, Time, UserId,
    facts::{Published, SeatsSold},
};
use kit::{Machine, View};
use serde::{Deserialize, Serialize};
use store::{Key, MemoryStore};
use uuid::Uuid;

/// A sale, and how often it was heard of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sale {
    pub booking: String,
    pub heard: u32,
}

/// An event, and the numbers of its sales in the order in which each was heard first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Show {
    pub event: String,
    pub sales: Vec<u32>,
}

store::rows! {
    /// What the ledger keeps.
    pub enum LedgerRow in "ledger" {
        /// A sale.
        Sale(Sale) in "sale" by |sale| &sale.booking => {} indexes [],
        /// An event.
        Show(Show) in "show" by |show| &show.event => {} indexes []
    }
}

/// Writes sales down, each once.
pub struct Ledger;

/// A sale that was heard of.
#[derive(Debug, Clone)]
pub struct Heard {
    event: String,
    booking: String,
    number: u32,
}

impl Machine for Ledger {
    type Row = LedgerRow;
    type Command = Heard;
    type Reply = ();

    fn keys(&self, heard: &Heard) -> Vec<Key> {
        vec![Key::new("sale", &heard.booking), Key::new("show", &heard.event)]
    }

    fn decide(&self, view: &mut View<LedgerRow>, heard: &Heard, _now: Time) -> Result<(), Refusal> {
        let before = match view.get(&Key::new("sale", &heard.booking)) {
            Some(LedgerRow::Sale(sale)) => sale.heard,
            _ => 0,
        };
        view.put(Sale { booking: heard.booking.clone(), heard: before + 1 });
        if before == 0 {
            let mut sales = match view.get(&Key::new("show", &heard.event)) {
                Some(LedgerRow::Show(show)) => show.sales.clone(),
                _ => Vec::new(),
            };
            sales.push(heard.number);
            view.put(Show { event: heard.event.clone(), sales });
        }
        Ok(())
    }

    fn hear(&self, fact: &Published) -> Option<Heard> {
        let Published::SeatsSold(sold) = fact else { return None };
        Some(Heard {
            event: sold.event_id.to_string(),
            booking: sold.booking_id.to_string(),
            number: u32::try_from(sold.total.minor).ok()?,
        })
    }
}

/// The sale of this number, of this event.
pub fn sold(event: u32, number: u32) -> Fact {
    let fact: Published = SeatsSold {
        booking_id: BookingId::from_bits((u128::from(event) << 64 | u128::from(number)) << 16),
        event_id: EventId(Uuid::from_u128(u128::from(event) + 1)),
        user_id: UserId(Uuid::from_u128(1)),
        lines: Vec::new(),
        total: Money { currency: Currency::EUR, minor: i64::from(number) },
        at: Time::from_micros(i64::from(number)),
    }
    .into();
    Fact {
        id: FactId(Uuid::from_u128(u128::from(event) << 64 | u128::from(number))),
        source: "event",
        kind: fact.kind().to_owned(),
        topic: Topic::TicketStatusEvent,
        key: fact.key(),
        time_us: i64::from(number),
        traceparent: None,
        payload: fact.payload().unwrap(),
        memo: Memo::default(),
    }
}

/// Sales 1 to `each` of events 1 to `events`, mixed.
pub fn sales(events: u32, each: u32) -> Vec<Arc<Fact>> {
    (1..=each).flat_map(|number| (1..=events).map(move |event| Arc::new(sold(event, number)))).collect()
}

/// What a ledger has.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Different sales.
    pub sales: usize,
    /// How often sales were heard again.
    pub repetitions: u32,
    /// The sales of each event are in their order, without one missing in between.
    pub is_in_order: bool,
}

pub fn written(store: &MemoryStore<LedgerRow>) -> Written {
    let mut written = Written { is_in_order: true, ..Written::default() };
    store.inspect(|row| match row {
        LedgerRow::Sale(sale) => {
            written.sales += 1;
            written.repetitions += sale.heard - 1;
        }
        LedgerRow::Show(show) => {
            let expected = 1..=u32::try_from(show.sales.len()).unwrap();
            written.is_in_order &= show.sales.iter().copied().eq(expected);
        }
    });
    written
}
