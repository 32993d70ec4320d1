//! The ticket service's rules: a booking's life, its money and its tickets.
//!
//! ```text
//!           seats.sold ---------------------------> BOOKED --cancel--> CANCELLED
//!   PENDING seats.held --> HELD --paid, seats.sold--^          (refund due)
//!           seats.refused -> REJECTED  \--not paid in time--> EXPIRED
//!           cancel --------> CANCELLED  \-cancel, declined--> CANCELLED
//! ```

pub mod booking;
pub mod code;
pub mod decide;
pub mod door;
mod ending;
pub mod payment;
pub mod steps;

pub use booking::{
    Attendee, Booking, BookingStatus, Line, Payment, PaymentStatus, Refund, RefundStatus, Ticket,
    TicketStatus,
};
pub use decide::{Command, decide};
pub use steps::{Decision, Step, apply};
