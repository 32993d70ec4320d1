//! The event service's rules: what an event is, and who gets its seats.

pub mod details;
pub mod inventory;
pub mod seats;

pub use details::{Event, EventDraft, TicketType, TicketTypeDraft, Venue};
pub use inventory::{Hold, HoldState, Inventory, Stock};
