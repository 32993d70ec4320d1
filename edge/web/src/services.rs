//! The ways to the services. A service that is not in this deployment answers that it is not available.

use std::{collections::BTreeMap, future::ready};

use kit::{ServiceError, Transport, transport::MAX_RESPONSE_BYTES};
use proto::v1::{
    analytics_service_client::AnalyticsServiceClient, event_service_client::EventServiceClient,
    feedback_service_client::FeedbackServiceClient, notification_service_client::NotificationServiceClient,
    ticket_service_client::TicketServiceClient, user_service_client::UserServiceClient,
};
use tonic::{Status, body::Body};

/// The way to each service, by its full gRPC name, such as `boxoffice.v1.TicketService`.
pub type Upstreams = BTreeMap<String, Transport>;

/// A client for each service. Copies share their connections.
#[derive(Clone)]
pub(crate) struct Services {
    user: UserServiceClient<Transport>,
    event: EventServiceClient<Transport>,
    ticket: TicketServiceClient<Transport>,
    feedback: FeedbackServiceClient<Transport>,
    notification: NotificationServiceClient<Transport>,
    analytics: AnalyticsServiceClient<Transport>,
}

macro_rules! clients {
    ($($(#[$doc:meta])* $name:ident: $client:ident = $service:literal;)+) => {
        impl Services {
            /// The clients.
            pub fn new(upstreams: &Upstreams) -> Self {
                let way = |name: &str| upstreams.get(name).cloned().unwrap_or_else(absent);
                Self {
                    $($name: $client::new(way(concat!("boxoffice.v1.", $service)))
                        .max_decoding_message_size(MAX_RESPONSE_BYTES),)+
                }
            }

            $($(#[$doc])*
            pub fn $name(&self) -> $client<Transport> {
                self.$name.clone()
            })+
        }
    };
}

clients! {
    /// Accounts and sign-in.
    user: UserServiceClient = "UserService";
    /// Events and their seats.
    event: EventServiceClient = "EventService";
    /// Bookings, money, tickets and the door.
    ticket: TicketServiceClient = "TicketService";
    /// Ratings.
    feedback: FeedbackServiceClient = "FeedbackService";
    /// Mail.
    notification: NotificationServiceClient = "NotificationService";
    /// Figures for organisers.
    analytics: AnalyticsServiceClient = "AnalyticsService";
}

/// The way to a service that is not there.
fn absent() -> Transport {
    Transport::local(tower::service_fn(|_: http::Request<Body>| {
        let error = ServiceError::unavailable(
            "unavailable",
            "the service that answers this is not part of this deployment",
        );
        ready(Ok(Status::from(error).into_http()))
    }))
}
