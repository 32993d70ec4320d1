//! HTTP/1.1, as little of it as a load generator needs: one request at a time on a kept connection.
//!
//! The generator shares its cores with the server that it measures, so what it spends is taken from the
//! figure. Requests are written into one buffer and sent with one call of the operating system; answers
//! are read into another one and looked at where they lie.

mod call;
mod connection;
mod response;

pub use call::Call;
pub use connection::{Answer, Connection, is_gave_up};
