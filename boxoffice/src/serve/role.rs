//! What a process of a fleet may be.

use std::fmt;

/// A role: one of the six services, or the gateway or the pages in front of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Role {
    /// Accounts and sign-in
    User,
    /// Events and their seats
    Event,
    /// Bookings, money, tickets and the door
    Ticket,
    /// Ratings
    Feedback,
    /// Mail
    Notification,
    /// Figures for organisers
    Analytics,
    /// REST, in front of all services
    Gateway,
    /// The pages, in front of all services
    Web,
}

impl Role {
    /// The six services.
    pub const SERVICES: [Self; 6] =
        [Self::User, Self::Event, Self::Ticket, Self::Feedback, Self::Notification, Self::Analytics];

    /// Its name, as on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Event => "event",
            Self::Ticket => "ticket",
            Self::Feedback => "feedback",
            Self::Notification => "notification",
            Self::Analytics => "analytics",
            Self::Gateway => "gateway",
            Self::Web => "web",
        }
    }

    /// The full name of its gRPC service; `None` for what is in front of the services.
    #[must_use]
    pub fn grpc_name(self) -> Option<&'static str> {
        match self {
            Self::User => Some("boxoffice.v1.UserService"),
            Self::Event => Some("boxoffice.v1.EventService"),
            Self::Ticket => Some("boxoffice.v1.TicketService"),
            Self::Feedback => Some("boxoffice.v1.FeedbackService"),
            Self::Notification => Some("boxoffice.v1.NotificationService"),
            Self::Analytics => Some("boxoffice.v1.AnalyticsService"),
            Self::Gateway | Self::Web => None,
        }
    }

    /// The topics of its outbox.
    #[must_use]
    pub fn publishes(self) -> &'static [bus::Topic] {
        match self {
            Self::User => user::PUBLISHES,
            Self::Event => event::PUBLISHES,
            Self::Ticket => ticket::PUBLISHES,
            Self::Feedback => feedback::PUBLISHES,
            Self::Notification => notification::PUBLISHES,
            Self::Analytics => analytics::PUBLISHES,
            Self::Gateway | Self::Web => &[],
        }
    }

    /// The topics that it consumes.
    #[must_use]
    pub fn consumes(self) -> &'static [bus::Topic] {
        match self {
            Self::User => user::CONSUMES,
            Self::Event => event::CONSUMES,
            Self::Ticket => ticket::CONSUMES,
            Self::Feedback => feedback::CONSUMES,
            Self::Notification => notification::CONSUMES,
            Self::Analytics => analytics::CONSUMES,
            Self::Gateway | Self::Web => &[],
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
