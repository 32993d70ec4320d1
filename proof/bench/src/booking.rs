//! Bookings: how they are asked for, and what an answer says.

use serde::Deserialize;
use uuid::Uuid;

use crate::http::{Answer, Call};

/// An answer may wait for its decision, so that it says what the saga has decided, durably.
const WAIT_FOR_DECISION: &[(&str, &str)] = &[("prefer", "wait=10")];

/// One ticket of an event, ready to be booked.
pub struct Offer {
    /// The event.
    pub event_id: Uuid,
    body: Box<[u8]>,
}

impl Offer {
    /// One ticket of this type.
    pub fn new(event_id: Uuid, ticket_type_id: Uuid) -> Self {
        let body = format!(
            r#"{{"event_id":"{event_id}","lines":[{{"ticket_type_id":"{ticket_type_id}","quantity":1}}]}}"#
        );
        Self { event_id, body: body.into_bytes().into() }
    }

    /// The request that books it.
    pub fn call<'a>(&'a self, authorization: &'a str) -> Call<'a> {
        waiting(Call::post("/v1/bookings", &self.body)).by(authorization)
    }
}

/// The same call, answered when the booking is decided.
pub fn waiting(call: Call<'_>) -> Call<'_> {
    call.with(WAIT_FOR_DECISION)
}

/// The state of a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Not decided yet.
    Pending,
    /// To be paid.
    Held,
    /// It has its tickets.
    Booked,
    /// Refused.
    Rejected,
    /// Ended by its buyer, a failed payment or its event.
    Cancelled,
    /// Not paid in time.
    Expired,
}

/// What is needed of a booking. It borrows from the answer, which is read for each request.
#[derive(Debug, Deserialize)]
pub struct Booking<'a> {
    /// Its id.
    pub id: Uuid,
    /// Its event.
    pub event_id: Uuid,
    /// Its state.
    pub status: Status,
    /// Why it is refused or ended.
    #[serde(borrow, default)]
    pub reason: &'a str,
}

impl<'a> Booking<'a> {
    /// The booking in an answer; none when it is something else.
    pub fn read(answer: &Answer<'a>) -> Option<Self> {
        if answer.is_success() { serde_json::from_slice(answer.body).ok() } else { None }
    }

    /// It is refused because nothing is left.
    pub fn is_sold_out(&self) -> bool {
        self.status == Status::Rejected && self.reason == "sold_out"
    }
}

/// An answer that refuses because nothing is left, without a booking.
pub fn says_sold_out(answer: &Answer<'_>) -> bool {
    #[derive(Deserialize)]
    struct Problem<'a> {
        #[serde(borrow)]
        code: &'a str,
    }
    let code = || serde_json::from_slice::<Problem<'_>>(answer.body).is_ok_and(|p| p.code == "sold_out");
    answer.status == 409 && code()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer<'_> {
        Answer { status, has_retry_after: false, body: body.as_bytes() }
    }

    #[test]
    fn a_booking_is_read_by_its_own_fields() {
        let body = r#"{"id":"01a20e0f-a5e5-7189-acf4-a1b1d5350000",
            "event_id":"01a20e0f-a5ce-70a7-b011-986d93537f6a","status":"REJECTED","reason":"sold_out",
            "lines":[{"quantity":1}],"tickets":[{"id":"x","status":"VALID"}]}"#;
        let booking = Booking::read(&answer(201, body)).unwrap();
        assert_eq!(booking.id.as_u128() >> 96, 0x01a2_0e0f);
        assert!(booking.is_sold_out());
        assert!(Booking::read(&answer(409, body)).is_none());
        for other in [r#"{"status":503,"code":"unavailable"}"#, "", "[]", &body.replace("REJECTED", "LOST")] {
            assert!(Booking::read(&answer(200, other)).is_none(), "{other}");
        }
    }

    #[test]
    fn a_problem_may_say_that_it_is_sold_out() {
        let problem = r#"{"type":"https://x/sold_out","status":409,"code":"sold_out","detail":"none left"}"#;
        assert!(says_sold_out(&answer(409, problem)));
        assert!(!says_sold_out(&answer(503, problem)));
        assert!(!says_sold_out(&answer(409, &problem.replace("\"sold_out\"", "\"over_limit\""))));
    }

    #[test]
    fn only_a_lack_of_seats_is_sold_out() {
        let body = r#"{"id":"01a20e0f-a5e5-7189-acf4-a1b1d5350000",
            "event_id":"01a20e0f-a5ce-70a7-b011-986d93537f6a","status":"REJECTED","reason":"sales_ended"}"#;
        assert!(!Booking::read(&answer(201, body)).unwrap().is_sold_out());
    }
}
