//! The rules of each service, told as stories. One program, so that it is linked once.
#![allow(clippy::unwrap_used, reason = "in a test, what is missing is a failure")]

mod accounts;
mod bookings;
mod calendar;
mod events;
mod figures;
mod invariants;
mod mails;
mod mixed;
mod money;
mod ratings;
mod seats;
mod texts;
