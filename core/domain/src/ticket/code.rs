//! The code on a ticket: which ticket, of which event, of which generation, and a signature.
//!
//! The code is derived whenever it is shown; nothing is stored. A signature does not stop copying:
//! the first scan admits, later ones are shown the time of the first.

use crate::ids::{EventId, TicketId};

use uuid::Uuid;

/// The first characters of every code; the digit is the version of the format.
pub const PREFIX: &str = "BX1.";
/// Ticket, event and generation, as they are signed.
pub const BODY_BYTES: usize = 36;
/// An Ed25519 signature (RFC 8032).
pub const SIGNATURE_BYTES: usize = 64;

/// What a code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketCode {
    /// Which ticket.
    pub ticket_id: TicketId,
    /// Of which event.
    pub event_id: EventId,
    /// Counts the ticket's transfers.
    pub generation: u32,
}

impl TicketCode {
    /// The bytes that are signed.
    #[must_use]
    pub fn body(&self) -> [u8; BODY_BYTES] {
        let mut body = [0; BODY_BYTES];
        body[..16].copy_from_slice(self.ticket_id.0.as_bytes());
        body[16..32].copy_from_slice(self.event_id.0.as_bytes());
        body[32..].copy_from_slice(&self.generation.to_be_bytes());
        body
    }

    /// Reads what [`Self::body`] wrote.
    #[must_use]
    pub fn from_body(body: &[u8; BODY_BYTES]) -> Self {
        let uuid = |from: usize| Uuid::from_bytes(std::array::from_fn(|index| body[from + index]));
        Self {
            ticket_id: TicketId(uuid(0)),
            event_id: EventId(uuid(16)),
            generation: u32::from_be_bytes(std::array::from_fn(|index| body[32 + index])),
        }
    }
}
