//! What matters when there is too much to do. Who has paid, cancels or stands at the door comes before who books, who
//! books before who looks around, and figures come last.

use gateway::Priority;

/// The rpcs that must not fail: they finish what was promised.
const CRITICAL: &[&str] = &["PayBooking", "CancelBooking", "CheckIn", "GetTicket", "GetTicketQr", "Refresh"];
/// The rpcs that begin something.
const HIGH: &[&str] = &["CreateBooking", "GetBooking", "CancelEvent", "TransferTicket"];

/// The priority of an rpc by its path, such as `/boxoffice.v1.TicketService/CheckIn`.
#[must_use]
pub fn of(rpc: &str) -> Priority {
    let (service, name) = rpc.trim_start_matches('/').rsplit_once('/').unwrap_or_default();
    if CRITICAL.contains(&name) {
        Priority::Critical
    } else if HIGH.contains(&name) {
        Priority::High
    } else if service.ends_with(".AnalyticsService") || name.starts_with("Export") {
        Priority::Low
    } else {
        Priority::Normal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_that_of_an_rpc() {
        let pool = proto::descriptors();
        let rpcs = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
        let known: Vec<String> = rpcs.map(|rpc| rpc.name().to_owned()).collect();
        for name in CRITICAL.iter().chain(HIGH) {
            assert!(known.iter().any(|known| known == name), "{name}");
        }
    }

    #[test]
    fn the_door_comes_before_a_booking_and_figures_come_last() {
        let of = |rpc: &str| of(&format!("/boxoffice.v1.{rpc}"));
        assert!(of("TicketService/CheckIn") > of("TicketService/CreateBooking"));
        assert!(of("TicketService/CreateBooking") > of("EventService/ListEvents"));
        assert!(of("EventService/ListEvents") > of("AnalyticsService/GetTrends"));
    }
}
