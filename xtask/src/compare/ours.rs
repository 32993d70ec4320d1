//! Our own figures: scenarios of the load generator, each on a fresh platform of its own.

use super::{
    figure::Figure,
    group::{self, Place},
};

/// The connections of the figure that shows whether more clients are served better than few.
const FEW_CONNECTIONS: u32 = 8;

/// A figure of ours.
#[derive(Debug, Clone, Copy)]
pub struct Ours {
    /// What it is.
    pub figure: Figure,
    /// The scenario with its options.
    arguments: &'static [&'static str],
    /// The connections, when it is not for the comparison to say.
    connections: Option<u32>,
    /// The field of the report.
    field: &'static str,
}

/// One hot event.
pub const BOOKINGS: Ours = Ours {
    figure: Figure { id: "bookings", title: "Boxoffice, bookings of one hot event", unit: "bookings" },
    arguments: &["flash-sale"],
    connections: None,
    field: "per_s",
};

/// The same with few clients.
pub const BOOKINGS_FEW: Ours = Ours {
    figure: Figure { id: "bookings-8", title: "Boxoffice, bookings with 8 clients", unit: "bookings" },
    arguments: &["flash-sale"],
    connections: Some(FEW_CONNECTIONS),
    field: "per_s",
};

/// Bookings of many events.
pub const BOOKINGS_SPREAD: Ours = Ours {
    figure: Figure { id: "bookings-spread", title: "Boxoffice, bookings of 10,000 events", unit: "bookings" },
    arguments: &["spread"],
    connections: None,
    field: "per_s",
};

/// Bookings while others sign in, one after the other without a pause.
pub const BOOKINGS_LOGIN: Ours = Ours {
    figure: Figure {
        id: "bookings-login",
        title: "Boxoffice, bookings while others sign in",
        unit: "bookings",
    },
    arguments: &["login"],
    connections: None,
    field: "per_s",
};

/// Everybody comes too late.
pub const SOLD_OUT: Ours = Ours {
    figure: Figure { id: "sold-out", title: "Boxoffice, sold-out answers", unit: "answers" },
    arguments: &["flash-sale", "--seats", "1"],
    connections: None,
    field: "rejected_per_s",
};

/// The list of events.
pub const EVENT_LIST: Ours = Ours {
    figure: Figure { id: "event-list", title: "Boxoffice, event list", unit: "pages" },
    arguments: &["browse"],
    connections: None,
    field: "per_s",
};

/// The gateway alone: a token is verified, JSON becomes a gRPC call and back.
pub const GATEWAY: Ours = Ours {
    figure: Figure { id: "gateway-echo", title: "Boxoffice gateway, EdDSA, REST to gRPC", unit: "calls" },
    arguments: &["gateway-echo"],
    connections: None,
    field: "per_s",
};

impl Ours {
    /// Runs it once. The load generator checks what it measured, and fails when it is not right.
    ///
    /// # Errors
    /// When the figure does not count.
    pub fn measure(&self, place: &Place) -> anyhow::Result<f64> {
        let connections = self.connections.unwrap_or(place.connections).to_string();
        let arguments = self.arguments.iter().copied().chain(["--connections", &connections]);
        group::rate(&place.bench(arguments, place.seconds)?, self.field)
    }
}
