//! What clients send: bodies, paths, queries, tokens, codes of tickets, page tokens.

use std::sync::LazyLock;

use domain::ticket::code::TicketCode;
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};
use store::Cursor;
use ticket::TicketKey;

use crate::{
    config,
    mutation::{mutated, mutated_text},
    platform::{HERE, event},
};

/// Signs the codes of the samples.
static TICKET_KEY: LazyLock<TicketKey> = LazyLock::new(|| {
    let key = kit::identity::Signer::generate().unwrap();
    TicketKey::from_pkcs8(&key).map_err(|_| "it is a key").unwrap()
});

/// The rpcs that take a body, each with a good one.
fn bodies() -> Vec<(&'static str, String, Value)> {
    let here = &*HERE;
    let (event_id, kind) = (&here.event_id, &here.ticket_type_id);
    vec![
        ("POST", "/v1/events".to_owned(), event()),
        (
            "PATCH",
            format!("/v1/events/{event_id}"),
            json!({"title": "Other", "capacity": 60, "venue": {"city": "Bern", "country": "CH"}}),
        ),
        (
            "POST",
            format!("/v1/events/{event_id}/ticket-types"),
            json!({"name": "New", "quantity": 1, "price": {"currency": "EUR", "minor": 5}}),
        ),
        (
            "PATCH",
            format!("/v1/events/{event_id}/ticket-types/{kind}"),
            json!({"quantity": 45, "sales_end": "2099-01-01T00:00:00Z"}),
        ),
        (
            "POST",
            format!("/v1/events/{event_id}:clone"),
            json!({"title": "Again", "starts_at": "2099-07-01T18:00:00Z"}),
        ),
        (
            "POST",
            "/v1/bookings".to_owned(),
            json!({"event_id": event_id, "lines": [{"ticket_type_id": kind, "quantity": 1, "seat_ids": []}], "promo_code": "X", "attendees": [{"name": "Ada", "email": "a@example.org"}]}),
        ),
        (
            "POST",
            format!("/v1/bookings/{}:pay", here.booking_id),
            json!({"payment_method": "4242424242424242"}),
        ),
        ("POST", format!("/v1/bookings/{}:cancel", here.booking_id), json!({"ticket_ids": [here.ticket_id]})),
        ("POST", format!("/v1/tickets/{}:transfer", here.ticket_id), json!({"email": "b@example.org"})),
        ("POST", format!("/v1/events/{event_id}/check-ins"), json!({"code": here.code})),
        ("POST", format!("/v1/events/{event_id}/feedback"), json!({"rating": 5, "comment": "Loud"})),
        (
            "POST",
            "/v1/auth/register".to_owned(),
            json!({"name": "A", "email": "c@example.org", "password": "long enough", "gender": "OTHER", "birth_year": 1990}),
        ),
        ("POST", "/v1/auth/refresh".to_owned(), json!({"refresh_token": "0190-x.abc"})),
        ("PATCH", "/v1/users/me".to_owned(), json!({"name": "B", "gender": "FEMALE", "birth_year": 1991})),
        ("POST", "/v1/events:import".to_owned(), json!({"csv": "name,start_date\nA,2099-01-01\n"})),
    ]
}

/// An answer that a client may get, whatever it sent.
fn is_fine(answer: Option<(u16, Vec<u8>)>) -> Result<(), TestCaseError> {
    let Some((status, body)) = answer else { return Ok(()) };
    let said = String::from_utf8_lossy(&body);
    prop_assert!(status < 500, "{status}: {said}");
    if status >= 400 {
        let problem: Value = serde_json::from_slice(&body)
            .map_err(|_| TestCaseError::fail(format!("{status} is no problem: {said}")))?;
        prop_assert!(problem["code"].is_string() && problem["status"] == status, "{said}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn json_of_a_body(
        (method, path, body) in select(bodies()).prop_flat_map(|(method, path, body)| {
            (Just(method), Just(path), mutated(vec![body.to_string().into_bytes()]))
        }),
    ) {
        is_fine(HERE.ask(method, &path, body))?;
    }

    #[test]
    fn path_and_query(
        method in select(&["GET", "POST", "PATCH", "DELETE", "PUT"][..]),
        path in mutated_text(&bodies().into_iter().map(|(_, path, _)| path).chain([
            "/v1/events?q=brass&city=Berlin&from=2030-01-01&page_size=5&sort=latest&status=PUBLISHED".to_owned(),
            "/v1/bookings?status=BOOKED&page_size=3&page_token=abc".to_owned(),
            format!("/v1/analytics/events/{}/trends?period=DAILY", HERE.event_id),
            format!("/v1/events/{}/attendees?format=csv", HERE.event_id),
            format!("/v1/tickets/{}/qr.svg", HERE.ticket_id),
            "/v1/users/me:export".to_owned(),
            "/.well-known/jwks.json".to_owned(),
        ]).collect::<Vec<_>>()),
    ) {
        // The account is needed for the rest.
        prop_assume!(method != "DELETE" || !path.contains("users"));
        if path.starts_with('/') {
            is_fine(HERE.ask(method, &path, b"{}".to_vec()))?;
        }
    }

    #[test]
    fn access_token(token in mutated_text(std::slice::from_ref(&HERE.token))) {
        let verifier = HERE.platform.signer.verifier();
        let good = verifier.verify(&HERE.token, HERE.started);
        if let Ok(claims) = verifier.verify(&token, HERE.started) {
            // Whatever is believed says what was signed, and nothing else.
            prop_assert_eq!(Ok(claims), good);
        }
    }

    #[test]
    fn code_of_a_ticket(
        (text, code) in any::<(u128, u128, u32)>().prop_flat_map(|(ticket, event, generation)| {
            let code = TicketCode {
                ticket_id: domain::TicketId(uuid::Uuid::from_u128(ticket)),
                event_id: domain::EventId(uuid::Uuid::from_u128(event)),
                generation,
            };
            (mutated_text(&[TICKET_KEY.sign(code)]), Just(code))
        }),
    ) {
        if let Some(read) = TICKET_KEY.read(&text) {
            prop_assert_eq!(read, code);
        }
    }

    #[test]
    fn page_token(
        (text, value) in any::<(i64, String)>().prop_flat_map(|(number, id)| {
            let row = Cursor { value: store::Value::Int(number), id };
            (mutated_text(&[kit::pages::token("events", &row)]), Just(row))
        }),
    ) {
        // It is not signed: what is read is only a place in one's own list, of this list and no other.
        if let Ok(Some(cursor)) = kit::pages::cursor("events", &text) {
            prop_assert!(kit::pages::cursor("bookings", &text).is_err(), "{value:?} {cursor:?}");
        }
    }
}
