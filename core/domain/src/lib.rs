//! The rules of Boxoffice as pure functions: no IO, no clock, no randomness, no hash order.
//!
//! Each service has a module with its state and with
//! `decide(state, command, now) -> facts or refusal` and `apply(state, fact) -> state`.
//! Whether a seat may be taken is decided in [`event::seats`].

pub mod analytics;
pub mod event;
pub mod facts;
pub mod feedback;
pub mod ids;
pub mod money;
pub mod notification;
pub mod planted;
pub mod refusal;
pub mod text;
pub mod ticket;
pub mod time;
pub mod user;

pub use ids::{BookingId, EventId, PaymentId, RefundId, SessionId, TicketId, TicketTypeId, UserId};
pub use money::{Currency, Money};
pub use refusal::{Check, FieldError, Refusal, RefusalKind};
pub use time::{Day, Time};
