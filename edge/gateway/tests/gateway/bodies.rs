//! What a body says, and what is refused in it.

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use proto::v1::{CreateBookingRequest, CreateEventRequest, UpdateEventRequest};

use crate::fixture::Fixture;

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

#[tokio::test]
async fn a_body_becomes_the_message() {
    let fixture = Fixture::quiet();
    let body = r#"{"title":"Gig","startsAt":"2030-05-01T18:00:00Z","venue":{"city":"Berlin"},
        "ticket_types":[{"name":"Floor","price":{"currency":"EUR","minor":2050},"quantity":10}],"capacity":5}"#;
    let answer = fixture.send("POST", "/v1/events", body).await;
    assert_eq!(answer.status, 200);
    let call = fixture.last_call();
    assert_eq!(call.rpc, "/boxoffice.v1.EventService/CreateEvent");
    let message: CreateEventRequest = call.read();
    assert_eq!((message.title.as_str(), message.capacity), ("Gig", Some(5)));
    assert_eq!(message.starts_at.unwrap().seconds, 1_903_888_800);
    assert_eq!(message.venue.unwrap().city, "Berlin");
    assert_eq!(message.ticket_types[0].price.as_ref().unwrap().minor, 2050);
}

#[tokio::test]
async fn a_wrong_field_is_named() {
    let fixture = Fixture::quiet();
    let cases = [
        (r#"{"event_id":"e","lines":[{"quantity":"2"}]}"#, "lines[0].quantity", "whole number"),
        (r#"{"event_id":"e","lines":[{},{"quantity":2147483648}]}"#, "lines[1].quantity", "2147483647"),
        (r#"{"event_id":"e","seats":1}"#, "seats", "not a known field"),
        (r#"{"event_id":"e","event_id":"f"}"#, "event_id", "more than once"),
        (r#"{"event_id":"e","eventId":"f"}"#, "event_id", "more than once"),
        (r#"{"event_id":7}"#, "event_id", "string"),
        (r#"{"event_id":"e","lines":{}}"#, "lines", "list"),
        ("[]", "body", "object"),
        ("\"x\"", "body", "object"),
    ];
    for (body, field, reason) in cases {
        let found = fixture.send("POST", "/v1/bookings", body).await.field_problem(field);
        assert!(found.contains(reason), "{body}: {found}");
    }
    let gender = r#"{"gender":"ROBOT"}"#;
    let reason = fixture.send("PATCH", "/v1/users/me", gender).await.field_problem("gender");
    assert_eq!(reason, "must be one of MALE, FEMALE, OTHER");
    let gender = r#"{"gender":"GENDER_UNSPECIFIED"}"#;
    fixture.send("PATCH", "/v1/users/me", gender).await.field_problem("gender");
    assert!(!fixture.was_called());
}

#[tokio::test]
async fn what_is_not_json_is_refused() {
    let fixture = Fixture::quiet();
    let bomb = "[".repeat(60_000);
    let named_bomb = format!("{{\"lines\":{}", "[".repeat(60_000));
    for body in ["{", "{} {}", "nonsense", "{\"event_id\":}", "\u{0}", &bomb, &named_bomb] {
        fixture.send("POST", "/v1/bookings", body).await.problem(400, "malformed_json");
    }
    let token = fixture.token(0, &[]);
    let headers = [("authorization", token.as_str()), JSON[0]];
    let not_utf8 = Body::from(&b"{\"event_id\":\"\xff\"}"[..]);
    fixture.raw("POST", "/v1/bookings", &headers, not_utf8).await.problem(400, "malformed_json");
    assert!(!fixture.was_called());
}

#[tokio::test]
async fn a_body_may_be_left_out_where_nothing_is_needed() {
    let fixture = Fixture::quiet();
    assert_eq!(fixture.send("POST", "/v1/events/e:publish", "").await.status, 200);
    assert_eq!(fixture.send("POST", "/v1/bookings/b:cancel", "").await.status, 200);
    fixture.send("POST", "/v1/bookings", "").await.problem(400, "malformed_json");
    fixture.send("POST", "/v1/auth/login", "").await.problem(400, "malformed_json");
}

#[tokio::test]
async fn another_media_type_is_refused() {
    let fixture = Fixture::quiet();
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
        let headers = [("content-type", media_type)];
        let answer = fixture.send_with("POST", "/v1/bookings", &headers, "{}").await;
        answer.problem(415, "unsupported_media_type");
    }
    let token = fixture.token(0, &[]);
    let answer = fixture.raw("POST", "/v1/bookings", &[("authorization", &token)], Body::from("{}")).await;
    answer.problem(415, "unsupported_media_type");
    let headers = [("content-type", "Application/JSON; charset=utf-8")];
    let answer = fixture.send_with("POST", "/v1/bookings", &headers, "{\"event_id\":\"e\"}").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_large_body_is_refused_unread() {
    let fixture = Fixture::quiet();
    let large = "x".repeat(10 * 1024 * 1024);
    let token = fixture.token(0, &[]);
    let length = large.len().to_string();
    let headers = [("authorization", token.as_str()), JSON[0], ("content-length", &length)];
    // The body never comes; the announced length is enough.
    let never = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    fixture.raw("POST", "/v1/bookings", &headers, never).await.problem(413, "body_too_large");
    // Without a length it is refused as soon as it is too long.
    let chunk = Bytes::from(vec![b' '; 8 * 1024]);
    let endless = Body::from_stream(stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone())));
    fixture.raw("POST", "/v1/bookings", &headers[..2], endless).await.problem(413, "body_too_large");
    let just_fits = format!("{{\"event_id\":\"{}\"}}", "x".repeat(64 * 1024 - 15));
    assert_eq!(just_fits.len(), 64 * 1024);
    assert_eq!(fixture.send("POST", "/v1/bookings", &just_fits).await.status, 200);
    let too_long = format!("{just_fits} ");
    fixture.send("POST", "/v1/bookings", &too_long).await.problem(413, "body_too_large");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let fixture = Fixture::quiet();
    let token = fixture.token(0, &[]);
    let broken = stream::iter([Ok(Bytes::from("{\"event")), Err(std::io::Error::other("gone"))]);
    let headers = [("authorization", token.as_str()), JSON[0]];
    let answer = fixture.raw("POST", "/v1/bookings", &headers, Body::from_stream(broken)).await;
    answer.problem(400, "bad_input");
}

#[tokio::test]
async fn a_patch_names_the_fields_it_sends() {
    let fixture = Fixture::quiet();
    let body = r#"{"title":"New","imageUrl":null,"ends_at":null}"#;
    fixture.send("PATCH", "/v1/events/e1", body).await;
    let message: UpdateEventRequest = fixture.last_call().read();
    assert_eq!((message.event_id.as_str(), message.title.as_deref()), ("e1", Some("New")));
    assert_eq!(message.update_mask.unwrap().paths, ["title", "image_url", "ends_at"]);

    fixture.send("PATCH", "/v1/events/e1", r#"{"title":"New","update_mask":"title,imageUrl"}"#).await;
    let message: UpdateEventRequest = fixture.last_call().read();
    assert_eq!(message.update_mask.unwrap().paths, ["title", "image_url"]);

    fixture.send("PATCH", "/v1/events/e1", r#"{"update_mask":null,"categories":[]}"#).await;
    let message: UpdateEventRequest = fixture.last_call().read();
    assert_eq!(message.update_mask.unwrap().paths, ["categories"]);
}

#[tokio::test]
async fn what_the_path_gives_is_refused_in_the_body() {
    let fixture = Fixture::quiet();
    let reason =
        fixture.send("PATCH", "/v1/events/e1", r#"{"event_id":"e2"}"#).await.field_problem("event_id");
    assert_eq!(reason, "is given by the path");
}

#[tokio::test]
async fn a_call_without_a_body_refuses_one() {
    let fixture = Fixture::quiet();
    let headers = [("content-length", "2")];
    fixture.send_with("DELETE", "/v1/events/e1", &headers, "{}").await.problem(400, "bad_input");
    assert!(!fixture.was_called());
    let answer = fixture.send("POST", "/v1/bookings", r#"{"event_id":"e","lines":[{"quantity":1}]}"#).await;
    assert_eq!(answer.status, 200);
    let message: CreateBookingRequest = fixture.last_call().read();
    assert_eq!(message.lines[0].quantity, 1);
}
