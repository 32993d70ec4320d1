//! Every address of the pages, as a type: what is routed is what is linked, and there is no other place for either.
//!
//! ```text
//!   Event { event_id: "0192" }.to_string()   is "/events/0192"
//!   Event::ROUTE                             is "/events/{event_id}"
//! ```

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands in a path as it is (RFC 3986, unreserved).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An address of ours.
pub(crate) trait Url: fmt::Display {
    /// As the router takes it.
    const ROUTE: &'static str;
}

/// A value in an address, encoded.
pub(crate) fn encoded(value: &str) -> impl fmt::Display + '_ {
    utf8_percent_encode(value, ENCODED)
}

/// The first segments of all addresses of the pages; beside them, on the same host, are those of the REST surface.
pub(crate) const FIRST_SEGMENTS: &[&str] = &[
    "",
    "calendar",
    "events",
    "widget",
    "widget.js",
    "sign-up",
    "log-in",
    "log-out",
    "account",
    "bookings",
    "tickets",
    "preferences",
    "assets",
    "organise",
    "door",
    "admin",
    "welcome",
    "mailbox",
    "system",
];

macro_rules! urls {
    ($($(#[$doc:meta])* $name:ident $({ $($field:ident),+ })? => $route:literal;)+) => {
        $(urls!(@one $(#[$doc])* $name [$($($field),+)?] $route);)+
        /// The routes of all pages.
        #[cfg(test)]
        pub(crate) const ROUTES: &[&str] = &[$($route),+];
    };
    (@one $(#[$doc:meta])* $name:ident [] $route:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub(crate) struct $name;
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($route)
            }
        }
        impl Url for $name {
            const ROUTE: &'static str = $route;
        }
    };
    (@one $(#[$doc:meta])* $name:ident [$($field:ident),+] $route:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub(crate) struct $name<'a> {
            $(pub $field: &'a str,)+
        }
        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $(let $field = encoded(self.$field);)+
                write!(f, $route)
            }
        }
        impl Url for $name<'_> {
            const ROUTE: &'static str = $route;
        }
    };
}

urls! {
    /// What is on: the list of events.
    Events => "/";
    /// What is on, by month.
    Calendar => "/calendar";
    /// One event.
    Event { event_id } => "/events/{event_id}";
    /// The event for a calendar program.
    EventCalendar { event_id } => "/events/{event_id}/event.ics";
    /// What is left of it, for the script.
    EventAvailability { event_id } => "/events/{event_id}/availability";
    /// Books places of an event.
    Book { event_id } => "/events/{event_id}/book";
    /// Rates an event.
    Rate { event_id } => "/events/{event_id}/rating";
    /// An event for another site to frame.
    Widget { event_id } => "/widget/{event_id}";
    /// What inserts that frame.
    WidgetScript => "/widget.js";
    /// Opens an account.
    SignUp => "/sign-up";
    /// Signs in.
    LogIn => "/log-in";
    /// Signs out.
    LogOut => "/log-out";
    /// One's own account.
    Account => "/account";
    /// Changes the password.
    AccountPassword => "/account/password";
    /// All that is held about the caller.
    AccountExport => "/account/export";
    /// Erases the account.
    AccountDelete => "/account/delete";
    /// One's own bookings.
    Bookings => "/bookings";
    /// One booking.
    Booking { booking_id } => "/bookings/{booking_id}";
    /// Pays a booking.
    Pay { booking_id } => "/bookings/{booking_id}/pay";
    /// Cancels a booking, or a part of it.
    Cancel { booking_id } => "/bookings/{booking_id}/cancel";
    /// One ticket.
    Ticket { ticket_id } => "/tickets/{ticket_id}";
    /// Its code as a picture.
    TicketQr { ticket_id } => "/tickets/{ticket_id}/qr.svg";
    /// It on paper.
    TicketPdf { ticket_id } => "/tickets/{ticket_id}/ticket.pdf";
    /// It for a calendar program.
    TicketCalendar { ticket_id } => "/tickets/{ticket_id}/event.ics";
    /// Gives it to somebody else.
    TicketTransfer { ticket_id } => "/tickets/{ticket_id}/transfer";
    /// Chooses language and colours.
    Preferences => "/preferences";
    /// Files that pages use; their names hold a hash of what is in them.
    Asset { name } => "/assets/{name}";
    /// One's own events, to change them.
    Organise => "/organise";
    /// A new event.
    OrganiseNew => "/organise/new";
    /// How an event will look that is being written.
    OrganisePreview => "/organise/preview";
    /// Events from a file.
    OrganiseImport => "/organise/import";
    /// How one event does.
    OrganiseEvent { event_id } => "/organise/{event_id}";
    /// Publishes, calls off or clones it.
    OrganiseAct { event_id } => "/organise/{event_id}/act";
    /// Changes it.
    OrganiseEdit { event_id } => "/organise/{event_id}/edit";
    /// Adds a ticket type.
    OrganiseTypes { event_id } => "/organise/{event_id}/ticket-types";
    /// Changes one.
    OrganiseType { event_id, ticket_type_id } => "/organise/{event_id}/ticket-types/{ticket_type_id}";
    /// Removes one.
    OrganiseTypeGone { event_id, ticket_type_id } => "/organise/{event_id}/ticket-types/{ticket_type_id}/delete";
    /// Who comes.
    Attendees { event_id } => "/organise/{event_id}/attendees";
    /// The same as a file.
    AttendeesFile { event_id } => "/organise/{event_id}/attendees.csv";
    /// The door.
    Door => "/door";
    /// What keeps it open without a network.
    DoorWorker => "/door/worker.js";
    /// What a phone needs to install it.
    DoorManifest => "/door/manifest.webmanifest";
    /// The door of one event.
    DoorOf { event_id } => "/door/{event_id}";
    /// The first steps.
    Welcome => "/welcome";
    /// For administrators.
    Admin => "/admin";
    /// Captured mail.
    Mailbox => "/mailbox";
    /// One captured mail.
    Mail { mail_id } => "/mailbox/{mail_id}";
    /// How the services stand.
    System => "/system";
    /// Tries parked facts again.
    Redrive => "/system/redrive";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_begins_as_one_of_the_pages() {
        for route in ROUTES {
            let first = route.trim_start_matches('/').split('/').next().unwrap();
            assert!(FIRST_SEGMENTS.contains(&first), "{route} is not in FIRST_SEGMENTS");
        }
    }

    #[test]
    fn what_is_in_an_address_is_encoded() {
        assert_eq!(Events.to_string(), "/");
        assert_eq!(Book { event_id: "a/b?c" }.to_string(), "/events/a%2Fb%3Fc/book");
        assert_eq!(Book::ROUTE, "/events/{event_id}/book");
    }
}
