//! Our own figures: scenarios of the load generator, each on a fresh platform of its own.

use super::{
    figure::Figure,
    group::{self, Place},
    listing,
};

/// Who buys at the same time in a sale: each has a connection, waits for the answer and buys again. Of 256, 512, 768, 1,024
/// and 2,000 it is the number at which most is sold; commits with fewer are smaller.
pub const BUYERS: u32 = 768;
/// The connections of the figure that shows whether more clients are served better than few.
const FEW_CONNECTIONS: u32 = 8;

/// A figure of ours.
#[derive(Debug, Clone, Copy)]
pub struct Ours {
    /// What it is.
    pub figure: Figure,
    source: Source,
}

/// Where a figure comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// A scenario of the load generator.
    Scenario {
        /// Its name with its options.
        arguments: &'static [&'static str],
        /// The connections, when it is not for the comparison to say.
        connections: Option<u32>,
        /// Where in the report the figure is.
        pointer: &'static str,
    },
    /// The list of events, as long as a peer's.
    EventList,
}

/// Every answer that the scenario wants.
const ALL: &str = "/per_s";
/// Answers that are bookings.
const BOOKED: &str = "/answers/booked/per_s";
/// Answers that there is no seat left.
const REFUSED: &str = "/answers/sold_out/per_s";

/// One hot event.
pub const BOOKINGS: Ours = Ours {
    figure: Figure { id: "bookings", title: "Boxoffice, bookings of one hot event", unit: "bookings" },
    source: Source::Scenario { arguments: &["flash-sale"], connections: Some(BUYERS), pointer: BOOKED },
};

/// The same with few clients.
pub const BOOKINGS_FEW: Ours = Ours {
    figure: Figure { id: "bookings-8", title: "Boxoffice, bookings with 8 clients", unit: "bookings" },
    source: Source::Scenario {
        arguments: &["flash-sale"],
        connections: Some(FEW_CONNECTIONS),
        pointer: BOOKED,
    },
};

/// Bookings of many events.
pub const BOOKINGS_SPREAD: Ours = Ours {
    figure: Figure { id: "bookings-spread", title: "Boxoffice, bookings of 10,000 events", unit: "bookings" },
    source: Source::Scenario {
        arguments: &["spread", "--events", "10000"],
        connections: Some(BUYERS),
        pointer: BOOKED,
    },
};

/// Bookings while somebody signs in, again and again without a pause.
pub const BOOKINGS_LOGIN: Ours = Ours {
    figure: Figure {
        id: "bookings-login",
        title: "Boxoffice, bookings while somebody signs in",
        unit: "bookings",
    },
    source: Source::Scenario {
        arguments: &["flash-sale", "--logins", "1"],
        connections: Some(BUYERS),
        pointer: BOOKED,
    },
};

/// Everybody comes too late.
pub const SOLD_OUT: Ours = Ours {
    figure: Figure { id: "sold-out", title: "Boxoffice, sold-out answers", unit: "answers" },
    source: Source::Scenario {
        arguments: &["flash-sale", "--seats", "1"],
        connections: Some(BUYERS),
        pointer: REFUSED,
    },
};

/// The list of events.
pub const EVENT_LIST: Ours = Ours {
    figure: Figure { id: "event-list", title: "Boxoffice, event list over REST", unit: "pages" },
    source: Source::EventList,
};

/// The cheapest call with a token: it is verified, and gRPC becomes JSON.
pub const GATEWAY: Ours = Ours {
    figure: Figure { id: "gateway-echo", title: "Boxoffice gateway, EdDSA, REST to gRPC", unit: "calls" },
    source: Source::Scenario { arguments: &["gateway-echo"], connections: None, pointer: ALL },
};

impl Ours {
    /// Runs it once. The load generator checks what it measured, and fails when it is not right.
    ///
    /// # Errors
    /// When the figure does not count.
    pub fn measure(&self, place: &Place) -> anyhow::Result<f64> {
        match self.source {
            Source::Scenario { arguments, connections, pointer } => {
                let connections = connections.unwrap_or(place.connections).to_string();
                let arguments = arguments.iter().copied().chain(["--connections", &connections]);
                group::rate(&place.bench(arguments, place.seconds)?, pointer)
            }
            Source::EventList => listing::measure(place),
        }
    }
}
