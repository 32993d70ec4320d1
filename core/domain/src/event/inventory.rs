//! The seats of an event: how many are held and sold, and which booking has them.

use serde::{Deserialize, Serialize};

use crate::{
    event::details::Event,
    facts::{CancelReason, PricedLine},
    ids::{BookingId, EventId, TicketTypeId, UserId},
    time::Time,
};

/// How many places of one ticket type are taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stock {
    /// Which type.
    pub ticket_type_id: TicketTypeId,
    /// Set aside until they are paid.
    pub held: u32,
    /// Gone for good.
    pub sold: u32,
}

/// What is taken of an event. How many places there are at all stands in the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// The event.
    pub event_id: EventId,
    /// Grows with each change of the figures.
    pub sequence: u64,
    /// By ticket type, in the event's order.
    pub stocks: Vec<Stock>,
}

/// What became of the seats of a booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HoldState {
    /// Set aside until the booking is paid or cancelled.
    Held {
        /// When the buyer loses them.
        expires_at: Time,
    },
    /// The booking has them for good.
    Sold,
    /// There were none for it.
    Refused {
        /// A stable code such as `sold_out`.
        reason: String,
    },
    /// Given back. Without lines it is the tombstone of a release that came before its hold.
    Released {
        /// Why.
        reason: CancelReason,
    },
}

/// The seats of one booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The booking.
    pub booking_id: BookingId,
    /// Its event.
    pub event_id: EventId,
    /// The buyer.
    pub user_id: UserId,
    /// What the booking has now; empty once released.
    pub lines: Vec<PricedLine>,
    /// What became of them.
    #[serde(flatten)]
    pub state: HoldState,
    /// The last cancellation that was carried out, from 1; 0 is none.
    pub cancel_number: u32,
}

impl Inventory {
    /// Nothing taken of an event yet.
    #[must_use]
    pub fn empty(event: &Event) -> Self {
        let mut inventory = Self { event_id: event.id, sequence: 0, stocks: Vec::new() };
        inventory.follow(event);
        inventory
    }

    /// Takes over the ticket types of the event as it now is. A type with seats taken is never lost.
    pub fn follow(&mut self, event: &Event) {
        let stock = |id| self.stock(id).cloned().unwrap_or(Stock { ticket_type_id: id, held: 0, sold: 0 });
        self.stocks = event.ticket_types.iter().map(|kind| stock(kind.id)).collect();
        self.sequence += 1;
    }

    /// What is taken of a ticket type.
    #[must_use]
    pub fn stock(&self, id: TicketTypeId) -> Option<&Stock> {
        self.stocks.iter().find(|stock| stock.ticket_type_id == id)
    }

    /// Places that are taken of a ticket type.
    #[must_use]
    pub fn taken(&self, id: TicketTypeId) -> u32 {
        self.stock(id).map_or(0, |stock| stock.held.saturating_add(stock.sold))
    }

    /// Places that are taken, all types together.
    #[must_use]
    pub fn taken_in_all(&self) -> u64 {
        self.stocks.iter().map(|stock| u64::from(stock.held) + u64::from(stock.sold)).sum()
    }

    /// Places of a ticket type that can be booked now: never more than the shared capacity leaves.
    #[must_use]
    pub fn available(&self, event: &Event, id: TicketTypeId) -> u32 {
        let Some(kind) = event.ticket_type(id) else { return 0 };
        let of_type = kind.draft.quantity.saturating_sub(self.taken(id));
        of_type.min(self.shared_available(event))
    }

    /// What the shared capacity leaves.
    #[must_use]
    pub fn shared_available(&self, event: &Event) -> u32 {
        let Some(capacity) = event.draft.capacity else { return u32::MAX };
        let left = u64::from(capacity).saturating_sub(self.taken_in_all());
        u32::try_from(left).unwrap_or(u32::MAX)
    }

    /// What is wrong with the figures of an event: the invariant "never more taken than there is".
    #[must_use]
    pub fn violations(&self, event: &Event) -> Vec<String> {
        let mut found = Vec::new();
        for kind in &event.ticket_types {
            let taken = self.taken(kind.id);
            if taken > kind.draft.quantity {
                let quantity = kind.draft.quantity;
                found.push(format!("event {}: type {} has {taken} taken of {quantity}", event.id, kind.id));
            }
        }
        let in_all = self.taken_in_all();
        if event.draft.capacity.is_some_and(|capacity| in_all > u64::from(capacity)) {
            found.push(format!(
                "event {}: {in_all} taken of a capacity of {:?}",
                event.id, event.draft.capacity
            ));
        }
        found
    }
}

/// Stops a debug build when more is taken than there is. The simulator, which plants such defects,
/// reports them itself.
pub fn debug_assert_sound(inventory: &Inventory, event: &Event) {
    debug_assert!(cfg!(feature = "planted") || inventory.violations(event).is_empty());
}

impl Hold {
    /// Whether the booking has seats now.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self.state, HoldState::Held { .. } | HoldState::Sold)
    }
}

/// What is wrong between an event's figures and its holds: the two must count the same seats.
#[must_use]
pub fn holds_add_up(inventory: &Inventory, holds: &[Hold]) -> Vec<String> {
    let count = |id: TicketTypeId, wanted: fn(&HoldState) -> bool| -> u64 {
        let lines = holds.iter().filter(|hold| wanted(&hold.state)).flat_map(|hold| &hold.lines);
        lines.filter(|line| line.ticket_type_id == id).map(|line| u64::from(line.quantity)).sum()
    };
    let mut found = Vec::new();
    for stock in &inventory.stocks {
        let id = stock.ticket_type_id;
        let held = count(id, |state| matches!(state, HoldState::Held { .. }));
        let sold = count(id, |state| matches!(state, HoldState::Sold));
        if (held, sold) != (u64::from(stock.held), u64::from(stock.sold)) {
            found.push(format!(
                "event {}: type {id} counts {} held and {} sold, its holds have {held} and {sold}",
                inventory.event_id, stock.held, stock.sold
            ));
        }
    }
    found
}
