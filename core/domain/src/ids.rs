//! A typed id per entity, so that a user's id cannot be passed for a booking's.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text is not an id: ids are UUIDs in their hyphenated lower-case form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                // One spelling per id: no braces, no URN, no missing hyphens.
                if text.len() != 36 || text.bytes().any(|b| b.is_ascii_uppercase()) {
                    return Err(NotAnId);
                }
                Uuid::parse_str(text).map(Self).map_err(|_| NotAnId)
            }
        }
    };
}

id!(/// A person with an account.
    UserId);
id!(/// A thing that people attend.
    EventId);
id!(/// One kind of place at an event, with its price.
    TicketTypeId);
id!(/// One buyer's order for one event. Its last 16 bits are zero; see [`TicketId`].
    BookingId);
id!(/// One admission: its booking's id, with its number (from 1) in the last 16 bits.
    TicketId);
id!(/// One attempt to take money.
    PaymentId);
id!(/// One giving back of money.
    RefundId);
id!(/// A sign-in on one device: all refresh tokens that came of it.
    SessionId);

/// The bits of a ticket id that number it within its booking.
const NUMBER_MASK: u128 = 0xffff;

impl BookingId {
    /// The booking id made of these bits; the number bits are cleared.
    #[must_use]
    pub fn from_bits(bits: u128) -> Self {
        Self(Uuid::from_u128(bits & !NUMBER_MASK))
    }

    /// The id of this booking's ticket with a number, from 1.
    #[must_use]
    pub fn ticket(self, number: u16) -> TicketId {
        TicketId(Uuid::from_u128(self.0.as_u128() | u128::from(number)))
    }
}

impl TicketId {
    /// The booking that the ticket belongs to, and its number there.
    #[must_use]
    pub fn parts(self) -> (BookingId, u16) {
        let bits = self.0.as_u128();
        (BookingId::from_bits(bits), (bits & NUMBER_MASK) as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_id_leads_back_to_its_booking() {
        let booking = BookingId::from_bits(0x0192_0000_0000_7000_8000_0000_1234_5678);
        let ticket = booking.ticket(7);
        assert_eq!(ticket.parts(), (booking, 7));
        assert_ne!(ticket.0, booking.0);
    }

    #[test]
    fn only_one_spelling_is_an_id() {
        let id = "01920000-0000-7000-8000-000012345678";
        assert!(id.parse::<EventId>().is_ok());
        for other in ["", "me", "{01920000-0000-7000-8000-000012345678}", "01920000000070008000000012345678"]
        {
            assert_eq!(other.parse::<EventId>(), Err(NotAnId), "{other}");
        }
        assert!("0192000A-0000-7000-8000-000012345678".parse::<EventId>().is_err());
    }
}
