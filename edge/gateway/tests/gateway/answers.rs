//! Answers of services as HTTP answers.

use std::time::Duration;

use gateway::Options;
use kit::{Code, ServiceError};
use prost::Message;
use proto::{
    google_api::HttpBody,
    v1::{Booking, BookingLine, Event, ListAttendeesResponse, Money},
};
use serde_json::json;
use tonic::Status;

use crate::fixture::{Call, Fixture, Reply, now};

const ALL_CODES: [Code; 10] = [
    Code::BadInput,
    Code::Unauthenticated,
    Code::Forbidden,
    Code::NotFound,
    Code::Conflict,
    Code::VersionMismatch,
    Code::KeyReused,
    Code::TooMany,
    Code::Unavailable,
    Code::Internal,
];

#[tokio::test]
async fn a_message_becomes_json() {
    let booking = Booking {
        id: "b1".to_owned(),
        status: 2,
        lines: vec![BookingLine { quantity: 2, ..Default::default() }],
        total: Some(Money { currency: "EUR".to_owned(), minor: 9_007_199_254_740_993 }),
        expires_at: Some(prost_types::Timestamp { seconds: 1_900_000_000, nanos: 0 }),
        ..Default::default()
    };
    let reply = Reply::of(&booking).with("x-http-status", "202").with("preference-applied", "wait=5");
    let fixture = Fixture::answering(Ok(reply.with("x-secret", "1")));
    let answer = fixture.send("POST", "/v1/bookings", r#"{"event_id":"e"}"#).await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("preference-applied"), "wait=5");
    assert_eq!((answer.header("x-http-status"), answer.header("x-secret")), ("", ""));
    let expected = json!({
        "id": "b1", "event_id": "", "user_id": "", "status": "HELD", "reason": "",
        "lines": [{"ticket_type_id": "", "quantity": 2, "seat_ids": []}],
        "total": {"currency": "EUR", "minor": 9_007_199_254_740_993_i64},
        "expires_at": "2030-03-17T17:46:40Z", "promo_code": "",
        "tickets": [], "payments": [], "refunds": [],
    });
    let json = answer.json();
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&json[name], value, "{name}");
    }
    // What is not set is left out.
    assert!(json.get("created_at").is_none());
}

#[tokio::test]
async fn services_choose_among_the_good_statuses() {
    for (sent, status) in [("201", 201), ("200", 200), ("303", 303), ("500", 200), ("x", 200)] {
        let reply = Reply::of(&Event::default()).with("x-http-status", sent).with("location", "/v1/events/1");
        let fixture = Fixture::answering(Ok(reply));
        let answer = fixture.send("POST", "/v1/events", r#"{"title":"x"}"#).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("location"), "/v1/events/1");
    }
    let fixture = Fixture::answering(Ok(Reply::of(&Event::default()).with("idempotency-replayed", "true")));
    let answer = fixture.send("POST", "/v1/events", r#"{"title":"x"}"#).await;
    assert_eq!(answer.header("Idempotency-Replayed"), "true");
}

#[tokio::test]
async fn an_empty_answer_has_no_body() {
    let answer = Fixture::quiet().send("DELETE", "/v1/events/e1", "").await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    assert_eq!(answer.header("content-type"), "");
}

#[tokio::test]
async fn a_known_version_is_not_sent_again() {
    let fixture = Fixture::answering(Ok(Reply::of(&Event::default()).with("etag", "\"3\"")));
    for tag in ["\"3\"", "W/\"3\"", "\"1\", \"3\"", "*"] {
        let answer = fixture.send_with("GET", "/v1/events/e1", &[("if-none-match", tag)], "").await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (304, 0), "{tag}");
        assert_eq!(answer.header("etag"), "\"3\"");
    }
    let answer = fixture.send_with("GET", "/v1/events/e1", &[("if-none-match", "\"2\"")], "").await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"3\""));
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let fixture = Fixture::answering(Ok(Reply::of(&Event::default())));
    let get = fixture.send("GET", "/v1/events/e1", "").await;
    let head = fixture.send("HEAD", "/v1/events/e1", "").await;
    assert_eq!((head.status, head.body.len()), (get.status, 0));
    assert_eq!(head.header("content-length"), get.body.len().to_string());
    assert_eq!(head.header("content-type"), "application/json");
}

#[tokio::test]
async fn a_file_is_passed_on() {
    let svg =
        HttpBody { content_type: "image/svg+xml".to_owned(), data: b"<svg/>".to_vec(), extensions: vec![] };
    let reply = Reply::of(&svg).with("content-disposition", "inline").with("cache-control", "private");
    let answer = Fixture::answering(Ok(reply)).send("GET", "/v1/tickets/t1/qr.svg", "").await;
    assert_eq!((answer.header("content-type"), answer.text().as_str()), ("image/svg+xml", "<svg/>"));
    assert_eq!((answer.header("content-disposition"), answer.header("cache-control")), ("inline", "private"));

    let csv = HttpBody { content_type: "text/csv".to_owned(), data: b"a,b\n".to_vec(), extensions: vec![] };
    // The field `file` of ListAttendeesResponse, written by hand: the generated type may name it otherwise.
    let mut list =
        ListAttendeesResponse { next_page_token: "t".to_owned(), ..Default::default() }.encode_to_vec();
    let file = csv.encode_to_vec();
    list.extend([3 << 3 | 2, u8::try_from(file.len()).unwrap()]);
    list.extend(file);
    let reply = Reply { metadata: vec![], message: list };
    let answer = Fixture::answering(Ok(reply)).send("GET", "/v1/events/e/attendees?format=csv", "").await;
    assert_eq!((answer.header("content-type"), answer.text().as_str()), ("text/csv", "a,b\n"));
    let none = Fixture::quiet().send("GET", "/v1/events/e/attendees", "").await;
    assert_eq!(none.json(), json!({"attendees": [], "next_page_token": ""}));
}

#[tokio::test]
async fn each_kind_of_error_has_its_status() {
    for code in ALL_CODES {
        let error =
            ServiceError { retry_after: None, ..ServiceError::new(code, "sold_out", "a reason to tell") };
        let fixture = Fixture::answering(Err(Status::from(error)));
        let answer = fixture.send("POST", "/v1/bookings", r#"{"event_id":"e"}"#).await;
        let problem = answer.problem(code.http(), "sold_out");
        assert_eq!(problem["title"], code.title());
        assert_eq!(problem["instance"], "/v1/bookings");
        // What went wrong within is for the log.
        assert_eq!(problem["detail"] == "a reason to tell", code != Code::Internal);
        let has_challenge = answer.headers.contains_key("www-authenticate");
        assert_eq!(has_challenge, code == Code::Unauthenticated);
        let says_when = answer.header("retry-after") == "1";
        assert_eq!(says_when, matches!(code, Code::TooMany | Code::Unavailable));
    }
}

#[tokio::test]
async fn fields_and_waits_of_services_are_told() {
    let mut error = ServiceError::new(Code::TooMany, "too_many_requests", "slow down");
    error.retry_after = Some(Duration::from_millis(6_500));
    let answer = Fixture::answering(Err(error.into())).send("GET", "/v1/events", "").await;
    answer.problem(429, "too_many_requests");
    assert_eq!(answer.header("retry-after"), "7");
    let mut details = tonic_types::ErrorDetails::new();
    details.add_bad_request_violation("lines[0].quantity", "must be from 1 to 50");
    let status = <Status as tonic_types::StatusExt>::with_error_details(
        tonic::Code::InvalidArgument,
        "wrong",
        details,
    );
    let answer = Fixture::answering(Err(status)).send("GET", "/v1/events", "").await;
    assert_eq!(answer.field_problem("lines[0].quantity"), "must be from 1 to 50");
}

#[tokio::test]
async fn a_foreign_status_tells_nothing_of_the_inside() {
    let cases = [
        (Status::unavailable("tcp connect error 10.0.0.7:5432"), 503, "unavailable"),
        (Status::internal("panicked at secret.rs"), 500, "internal"),
        (Status::unknown("secret"), 500, "internal"),
        (Status::unimplemented("secret"), 500, "internal"),
        (Status::out_of_range("decoded message length too large: secret"), 500, "internal"),
        (Status::deadline_exceeded("secret"), 503, "deadline_exceeded"),
    ];
    for (status, http, code) in cases {
        let answer = Fixture::answering(Err(status)).send("GET", "/v1/events", "").await;
        answer.problem(http, code);
        assert!(
            !answer.text().contains("secret") && !answer.text().contains("10.0.0.7"),
            "{}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn a_broken_answer_is_our_defect() {
    for message in [b"\xff\xff\xff".to_vec(), b"\x0a\x05ab".to_vec(), b"\x0a\x01\xff".to_vec()] {
        let reply = Reply { metadata: vec![], message };
        Fixture::answering(Ok(reply)).send("GET", "/v1/events/e1", "").await.problem(500, "internal");
    }
}

#[tokio::test]
async fn when_the_deadline_passes_the_client_is_told() {
    let options = Options { call_deadline: Duration::from_millis(20), ..Options::default() };
    let hang = |_: &Call| Box::pin(std::future::pending()) as _;
    let fixture = Fixture::new(hang, options, Vec::new());
    let answer = fixture.send("GET", "/v1/events/e1", "").await;
    answer.problem(503, "deadline_exceeded");
    assert_eq!(answer.header("retry-after"), "1");
}

#[tokio::test]
async fn a_panic_is_answered() {
    let panics = |call: &Call| {
        assert_ne!(call.rpc, "/boxoffice.v1.EventService/GetEvent", "on purpose");
        now(Ok(Reply::default()))
    };
    let fixture = Fixture::new(panics, Options::default(), Vec::new());
    let answer = fixture.send("GET", "/v1/events/e1", "").await;
    answer.problem(500, "internal");
    assert!(!answer.text().contains("purpose"));
    assert_eq!(fixture.send("GET", "/v1/events", "").await.status, 200);
}
