//! Who calls, and what goes on to the services.

use gateway::Options;
use http::{HeaderMap, Request};
use kit::identity::Role;
use tower::ServiceExt;

use crate::fixture::{ADA, Fixture, Reply, now};

#[tokio::test]
async fn forged_identity_stays_behind() {
    let fixture = Fixture::quiet();
    let forged = [
        ("X-JWT-Claim-Sub", "root"),
        ("x-jwt-claim-roles", "ADMIN"),
        ("x_jwt_claim_sub", "root"),
        ("x-user-id", "root"),
        ("X-User", "root"),
        ("x-internal-service", "event"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-consumer-username", "root"),
        ("grpc-timeout", "1n"),
        ("x-http-status", "500"),
        ("cookie", "session=1"),
    ];
    fixture.anonymous("GET", "/v1/events/e1", &forged).await;
    let call = fixture.last_call();
    for (name, _) in forged.iter().filter(|(name, _)| *name != "grpc-timeout") {
        assert_eq!(call.header(name), None, "{name}");
    }
    assert_ne!(call.header("grpc-timeout"), Some("1n"));
    assert_eq!(call.header("authorization"), None);

    fixture.send_with("GET", "/v1/events/e1", &forged, "").await;
    let call = fixture.last_call();
    assert_eq!(call.header("x-jwt-claim-sub"), Some(ADA));
    assert_eq!(call.metadata.get_all("x-jwt-claim-sub").iter().count(), 1);
    assert_eq!(call.header("x-jwt-claim-roles"), Some("USER"));
    assert!(call.header("authorization").unwrap().starts_with("Bearer "));
}

#[tokio::test]
async fn roles_come_from_the_token() {
    let fixture = Fixture::quiet();
    let token = fixture.token(0, &[Role::User, Role::Admin]);
    fixture.anonymous("GET", "/v1/events/e1", &[("authorization", &token)]).await;
    assert_eq!(fixture.last_call().header("x-jwt-claim-roles"), Some("USER,ADMIN"));
}

#[tokio::test]
async fn a_bad_token_is_refused_on_public_calls_too() {
    let fixture = Fixture::quiet();
    let expired = fixture.token(600, &[Role::User]);
    let foreign = Fixture::quiet().token(0, &[Role::User]);
    let garbage = format!("{}x", fixture.token(0, &[Role::User]));
    let long = format!("Bearer {}", "a".repeat(10_000));
    for token in [&expired, &foreign, &garbage, &long, "Bearer", "Bearer ", "Basic YTpi", "nonsense", ""] {
        let answer = fixture.anonymous("GET", "/v1/events", &[("authorization", token)]).await;
        answer.problem(401, "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"", "{token}");
    }
    let twice = fixture.token(0, &[Role::User]);
    let answer =
        fixture.anonymous("GET", "/v1/events", &[("authorization", &twice), ("authorization", &twice)]).await;
    answer.problem(401, "unauthenticated");
    assert!(!fixture.was_called());
}

#[tokio::test]
async fn without_a_token_a_signed_in_call_is_refused_before_its_body() {
    let fixture = Fixture::quiet();
    let never = futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
    let headers = [("content-type", "application/json")];
    let body = axum::body::Body::from_stream(never);
    let answer = fixture.raw("POST", "/v1/bookings", &headers, body).await;
    answer.problem(401, "unauthenticated");
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    assert!(!fixture.was_called());
    assert_eq!(fixture.anonymous("GET", "/v1/events", &[]).await.status, 200);
}

#[tokio::test]
async fn trace_and_request_id_are_taken_when_well_formed() {
    let fixture = Fixture::quiet();
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let sent = [("traceparent", traceparent), ("x-request-id", "mine-1")];
    let answer = fixture.anonymous("GET", "/v1/events/e1", &sent).await;
    assert_eq!(answer.header("x-request-id"), "mine-1");
    let call = fixture.last_call();
    assert_eq!(
        (call.header("traceparent"), call.header("x-request-id")),
        (Some(traceparent), Some("mine-1"))
    );
    let problem = fixture.anonymous("GET", "/nope", &sent).await.problem(404, "not_found");
    assert_eq!(problem["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");

    let bad = [("traceparent", "00-zz"), ("x-request-id", "no spaces please")];
    let answer = fixture.anonymous("GET", "/v1/events/e1", &bad).await;
    assert_eq!(answer.header("x-request-id").len(), 32);
    let call = fixture.last_call();
    assert_eq!(call.header("traceparent").unwrap().len(), 55);
    assert_eq!(call.header("x-request-id").unwrap(), answer.header("x-request-id"));
}

#[tokio::test]
async fn conditions_and_preferences_go_on() {
    let fixture = Fixture::quiet();
    let headers = [("Idempotency-Key", "k1"), ("Prefer", "respond-async, wait=120"), ("If-Match", "\"3\"")];
    let body = r#"{"event_id":"e"}"#;
    fixture.send_with("POST", "/v1/bookings", &headers, body).await;
    let call = fixture.last_call();
    assert_eq!(call.header("idempotency-key"), Some("k1"));
    assert_eq!(call.header("prefer-wait-ms"), Some("30000"));
    assert_eq!(call.header("if-match"), Some("\"3\""));
    // 30 seconds and the wait.
    assert_eq!(call.header("grpc-timeout"), Some("60000000u"));
    fixture.send_with("GET", "/v1/events/e1", &headers, "").await;
    assert_eq!(fixture.last_call().header("idempotency-key"), None);
    let twice = [("Idempotency-Key", "k1"), ("Idempotency-Key", "k2")];
    fixture.send_with("POST", "/v1/bookings", &twice, body).await.field_problem("Idempotency-Key");
}

#[tokio::test]
async fn beyond_the_limit_requests_are_refused_at_once() {
    let (started, wait_for_start) = tokio::sync::oneshot::channel::<()>();
    let started = std::sync::Mutex::new(Some(started));
    let options = Options { max_concurrent_requests: 1, ..Options::default() };
    let hang = move |_: &crate::fixture::Call| {
        if let Some(started) = started.lock().unwrap().take() {
            started.send(()).unwrap();
            return Box::pin(std::future::pending()) as _;
        }
        now(Ok(Reply::default()))
    };
    let fixture = Fixture::new(hang, options, Vec::new());
    let gateway = fixture.gateway.clone();
    let request = Request::get("/v1/events/e1").body(axum::body::Body::empty()).unwrap();
    let first = tokio::spawn(gateway.oneshot(request));
    wait_for_start.await.unwrap();
    let answer = fixture.anonymous("GET", "/v1/events/e2", &[]).await;
    answer.problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "1");
    // Health does not queue behind the work.
    assert_eq!(fixture.anonymous("GET", "/healthz", &[]).await.status, 200);
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(fixture.anonymous("GET", "/v1/events/e2", &[]).await.status, 200);
    let _: HeaderMap = answer.headers;
}
