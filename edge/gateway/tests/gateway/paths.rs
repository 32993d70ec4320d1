//! Paths, methods and queries.

use proto::v1::{ListBookingsRequest, ListEventsRequest, UpdateTicketTypeRequest};

use crate::fixture::Fixture;

#[tokio::test]
async fn each_path_finds_its_rpc() {
    let fixture = Fixture::quiet();
    let cases = [
        ("GET", "/v1/users/me", "UserService/GetMe"),
        ("GET", "/v1/users/me:export", "UserService/ExportMe"),
        ("GET", "/.well-known/jwks.json", "UserService/GetJwks"),
        ("GET", "/v1/events/e1", "EventService/GetEvent"),
        ("HEAD", "/v1/events/e1", "EventService/GetEvent"),
        ("POST", "/v1/events/e1:publish", "EventService/PublishEvent"),
        ("POST", "/v1/events/a%3Ab:publish", "EventService/PublishEvent"),
        ("DELETE", "/v1/events/e1/ticket-types/t1", "EventService/DeleteTicketType"),
        ("GET", "/v1/tickets/t1/qr.svg", "TicketService/GetTicketQr"),
        ("GET", "/v1/tickets/t1", "TicketService/GetTicket"),
    ];
    for (method, path, rpc) in cases {
        fixture.send(method, path, "").await;
        assert_eq!(fixture.last_call().rpc, format!("/boxoffice.v1.{rpc}"), "{method} {path}");
    }
}

#[tokio::test]
async fn an_unknown_path_is_404_and_another_method_405() {
    let fixture = Fixture::quiet();
    for path in
        ["/v2/events", "/v1/events/", "/v1/events/e1:explode", "/v1", "/docs/errors/nope", "/v1/events/e/x/y"]
    {
        let problem = fixture.send("GET", path, "").await.problem(404, "not_found");
        assert_eq!(problem["instance"], path);
    }
    let answer = fixture.send("PUT", "/v1/events/e1", "{}").await;
    answer.problem(405, "method_not_allowed");
    let mut allow: Vec<&str> = answer.header("allow").split(", ").collect();
    allow.sort_unstable();
    assert_eq!(allow, ["DELETE", "GET", "HEAD", "PATCH"]);
    let answer = fixture.send("POST", "/healthz", "{}").await;
    answer.problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "GET, HEAD");
    fixture.send("GET", "/v1/events/e1:publish", "").await.problem(405, "method_not_allowed");
    assert!(!fixture.was_called());
}

#[tokio::test]
async fn path_variables_are_decoded() {
    let fixture = Fixture::quiet();
    fixture.send("PATCH", "/v1/events/a%2Fb%20c/ticket-types/%C3%BC%3Ax", r#"{"name":"n"}"#).await;
    let message: UpdateTicketTypeRequest = fixture.last_call().read();
    assert_eq!((message.event_id.as_str(), message.ticket_type_id.as_str()), ("a/b c", "\u{fc}:x"));
    fixture.send("GET", "/v1/events/%zz", "").await.problem(400, "bad_input");
    fixture.send("GET", "/v1/events/%ff", "").await.problem(400, "bad_input");
    fixture.send("GET", "/v1/events/a%00b", "").await.field_problem("event_id");
}

#[tokio::test]
async fn query_parameters_become_fields() {
    let fixture = Fixture::quiet();
    let uri = "/v1/events?q=jazz+%26%20blues&pageSize=5&status=PUBLISHED&utm_source=x&&city=K%C3%B6ln&sort";
    assert_eq!(fixture.anonymous("GET", uri, &[]).await.status, 200);
    let message: ListEventsRequest = fixture.last_call().read();
    assert_eq!(
        (message.q.as_str(), message.city.as_str(), message.page_size),
        ("jazz & blues", "K\u{f6}ln", 5)
    );
    assert_eq!(message.status, proto::v1::event::Status::Published as i32);
    fixture.send("GET", "/v1/bookings?event_id=e&status=HELD", "").await;
    let message: ListBookingsRequest = fixture.last_call().read();
    assert_eq!(message.event_id, "e");
}

#[tokio::test]
async fn a_wrong_query_is_refused() {
    let fixture = Fixture::quiet();
    let cases = [
        ("page_size=ten", "page_size"),
        ("page_size=", "page_size"),
        ("page_size=-99999999999", "page_size"),
        ("status=STATUS_UNSPECIFIED", "status"),
        ("status=1", "status"),
        ("status=DRAFT&status=PUBLISHED", "status"),
        ("page_size=1&pageSize=2", "pageSize"),
    ];
    for (query, field) in cases {
        fixture.send("GET", &format!("/v1/events?{query}"), "").await.field_problem(field);
    }
    fixture.send("GET", "/v1/events?q=%f", "").await.problem(400, "bad_input");
    fixture.send("GET", "/v1/events?q=%ff", "").await.problem(400, "bad_input");
    let many = "a=1&".repeat(101);
    fixture.send("GET", &format!("/v1/events?{many}"), "").await.problem(400, "bad_input");
    fixture.send("GET", "/v1/events/e1?event_id=e2", "").await.field_problem("event_id");
    fixture.send("DELETE", "/v1/events/e1?force=true", "").await.field_problem("force");
    fixture.send("POST", "/v1/events/e1:publish?now=1", "").await.field_problem("now");
    fixture.send("POST", "/v1/bookings?event_id=e", r#"{"event_id":"e"}"#).await.field_problem("event_id");
    assert!(!fixture.was_called());
}

#[tokio::test]
async fn a_long_path_is_refused() {
    let fixture = Fixture::quiet();
    let long = format!("/v1/events?q={}", "x".repeat(5_000));
    fixture.send("GET", &long, "").await.problem(414, "uri_too_long");
    let deep = "/x".repeat(2_000);
    fixture.send("GET", &deep, "").await.problem(404, "not_found");
}

#[tokio::test]
async fn a_service_that_is_not_deployed_is_unavailable() {
    let fixture = Fixture::quiet();
    let answer = fixture.send("GET", "/v1/notifications", "").await;
    answer.problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "1");
}
