//! Our own figures: scenarios of the load generator, each on a fresh platform of its own.

use super::{
    figure::Figure,
    fleet::{Fleet, Layout, Tickets},
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
    /// The sale of one hot event, on a fleet of processes.
    Fleet(Layout),
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

/// One hot event, each service by itself, all on PostgreSQL.
pub const FLEET_POSTGRES: Ours = Ours {
    figure: Figure {
        id: "fleet-postgres",
        title: "Boxoffice fleet on PostgreSQL, bookings of one hot event",
        unit: "bookings",
    },
    source: Source::Fleet(Layout { tickets: Tickets::OnPostgres, replicas: 1 }),
};

/// The same with more processes on the way of a booking.
pub const FLEET_POSTGRES_3: Ours = Ours {
    figure: Figure {
        id: "fleet-postgres-3",
        title: "Boxoffice fleet on PostgreSQL, three replicas of event and ticket",
        unit: "bookings",
    },
    source: Source::Fleet(Layout { tickets: Tickets::OnPostgres, replicas: 3 }),
};

/// One hot event, with bookings on MariaDB.
pub const FLEET_MARIADB: Ours = Ours {
    figure: Figure {
        id: "fleet-mariadb",
        title: "Boxoffice fleet with tickets on MariaDB, bookings of one hot event",
        unit: "bookings",
    },
    source: Source::Fleet(Layout { tickets: Tickets::OnMariaDb, replicas: 1 }),
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
            Source::Fleet(layout) => sale_of_a_fleet(place, layout),
        }
    }
}

/// Bookings per second of a fresh fleet in its second sale, which must be right and come to rest afterwards. In the first one
/// the broker's JVM compiles itself, and consumers of several replicas still share out the partitions.
fn sale_of_a_fleet(place: &Place, layout: Layout) -> anyhow::Result<f64> {
    let fleet = Fleet::start(place, layout)?;
    let buyers = BUYERS.to_string();
    let sale = ["flash-sale", "--url", &fleet.url, "--connections", &buyers];
    place.bench(sale, place.seconds)?;
    let report = place.bench(sale, place.seconds)?;
    fleet.audit()?;
    group::rate(&report, BOOKED)
}
