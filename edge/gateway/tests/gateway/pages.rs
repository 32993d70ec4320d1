//! Health, metrics, OpenAPI and the documentation.

use gateway::{Options, Part};
use serde_json::{Value, json};

use crate::fixture::{Fixture, Reply, now};

const CODES: &str = "bad_input malformed_json unauthenticated forbidden not_found method_not_allowed \
    unsupported_media_type body_too_large uri_too_long request_timeout too_many_requests unavailable internal \
    deadline_exceeded conflict version_mismatch idempotency_key_reused request_in_progress email_taken \
    wrong_credentials invalid_refresh_token already_exists already_published already_cancelled not_a_draft \
    not_publishable event_cancelled event_ended event_not_found event_not_published event_not_started \
    capacity_below_sold ticket_type_in_use sold_out over_limit sales_not_started sales_ended unknown_ticket_type \
    unknown_promo_code no_numbered_seats mixed_currencies payment_declined payment_in_progress nothing_to_pay \
    not_payable not_cancellable not_a_ticket_holder not_transferable unknown_recipient buyer expired payment_failed";

fn part(name: &str, ready: bool) -> Part {
    Part { name: name.to_owned(), ready, needed: true, detail: "starting".to_owned() }
}

#[tokio::test]
async fn health_and_readiness() {
    let fixture = Fixture::quiet();
    let answer = fixture.anonymous("GET", "/healthz", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"status": "ok"})));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(fixture.anonymous("GET", "/readyz", &[]).await.status, 200);
    let parts = vec![part("event", true), part("ticket", false)];
    let fixture = Fixture::new(|_| now(Ok(Reply::default())), Options::default(), parts);
    let answer = fixture.anonymous("GET", "/readyz", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"));
    let expected = json!({"ready": false, "parts": [
        {"name": "event", "ready": true, "detail": "starting"},
        {"name": "ticket", "ready": false, "detail": "starting"},
    ]});
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn requests_are_counted() {
    let fixture = Fixture::quiet();
    fixture.anonymous("GET", "/v1/events/e1", &[]).await;
    fixture.anonymous("GET", "/v1/users/me", &[]).await;
    fixture.anonymous("GET", "/nope", &[]).await;
    let text = fixture.anonymous("GET", "/metrics", &[]).await.text();
    let counted = |rpc: &str, method: &str, status: &str| {
        let line = format!(
            "boxoffice_gateway_requests_total{{rpc=\"{rpc}\",method=\"{method}\",status=\"{status}\"}} 1\n"
        );
        assert!(text.contains(&line), "{line} in {text}");
    };
    counted("boxoffice.v1.EventService/GetEvent", "GET", "2xx");
    counted("boxoffice.v1.UserService/GetMe", "GET", "4xx");
    counted("none", "any", "4xx");
    let duration =
        "boxoffice_gateway_request_duration_seconds_count{rpc=\"boxoffice.v1.EventService/GetEvent\"} 1\n";
    assert!(text.contains(duration));
    assert!(text.contains("boxoffice_gateway_requests_in_flight 1\n"), "the one for the metrics");
    assert!(text.ends_with("extra 7\n# EOF\n") && text.matches("# EOF").count() == 1);
}

/// Every rpc with a REST binding, as `EventService_GetEvent`.
fn rest_rpcs() -> Vec<String> {
    let pool = proto::descriptors();
    let http = pool.get_extension_by_name("google.api.http").unwrap();
    let mut names = Vec::new();
    for service in pool.services() {
        for rpc in service.methods() {
            if rpc.options().has_extension(&http) && !rpc.is_server_streaming() {
                names.push(format!("{}_{}", service.name(), rpc.name()));
            }
        }
    }
    names
}

#[tokio::test]
async fn openapi_has_every_rpc() {
    let document = Fixture::quiet().anonymous("GET", "/openapi.json", &[]).await.json();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    let operations: Vec<&Value> =
        paths.values().flat_map(|path| path.as_object().unwrap().values()).collect();
    let ids: Vec<&str> =
        operations.iter().map(|operation| operation["operationId"].as_str().unwrap()).collect();
    for name in rest_rpcs() {
        assert_eq!(ids.iter().filter(|id| **id == name).count(), 1, "{name}");
    }
    for operation in operations {
        assert!(!operation["description"].as_str().unwrap().is_empty(), "{operation} needs a comment");
    }
    check_references(&document, &document);

    let booking = &document["paths"]["/v1/bookings"]["post"];
    assert_eq!(booking["security"], json!([{"bearer": []}]));
    assert_eq!(booking["tags"], json!(["Ticket"]));
    let body = &booking["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["additionalProperties"], json!(false));
    assert_eq!(body["properties"]["lines"]["items"]["$ref"], "#/components/schemas/BookingLineInput");
    assert_eq!(document["components"]["schemas"]["BookingLineInput"]["additionalProperties"], json!(false));
    let headers: Vec<_> = booking["parameters"].as_array().unwrap().iter().map(|p| &p["name"]).collect();
    assert_eq!(headers, ["Idempotency-Key", "Prefer"]);

    let update = &document["paths"]["/v1/events/{event_id}"]["patch"];
    assert_eq!(update["parameters"][0]["required"], json!(true));
    let fields =
        update["requestBody"]["content"]["application/json"]["schema"]["properties"].as_object().unwrap();
    assert!(
        fields.contains_key("title")
            && !fields.contains_key("event_id")
            && !fields.contains_key("update_mask")
    );
    let status = &document["components"]["schemas"]["Event"]["properties"]["status"]["enum"];
    assert_eq!(status, &json!(["DRAFT", "PUBLISHED", "CANCELLED"]));
    assert!(document["paths"]["/v1/events/{event_id}"]["delete"]["responses"].get("204").is_some());
}

fn check_references(part: &Value, document: &Value) {
    match part {
        Value::Object(fields) => {
            if let Some(Value::String(target)) = fields.get("$ref") {
                let pointer = target.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{target}");
            }
            fields.values().for_each(|value| check_references(value, document));
        }
        Value::Array(values) => values.iter().for_each(|value| check_references(value, document)),
        _ => {}
    }
}

#[tokio::test]
async fn the_reference_shows_every_rpc_and_runs_no_script() {
    let fixture = Fixture::quiet();
    for path in ["/", "/docs", "/docs/errors", "/docs/errors/sold_out"] {
        let answer = fixture.anonymous("GET", path, &[]).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, "text/html; charset=utf-8")
        );
        let policy = "default-src 'none'; style-src 'self'; img-src 'self'";
        assert_eq!(answer.header("content-security-policy"), policy);
        let text = answer.text();
        assert!(
            !text.contains("<script") && !text.contains("style=\"") && !text.contains("<style"),
            "{path}"
        );
    }
    let text = fixture.anonymous("GET", "/docs", &[]).await.text();
    for name in rest_rpcs() {
        assert!(text.contains(&format!("<section id=\"{name}\">")), "{name}");
    }
    let style = fixture.anonymous("GET", "/docs/style.css", &[]).await;
    assert_eq!((style.status.as_u16(), style.header("content-type")), (200, "text/css; charset=utf-8"));
}

#[tokio::test]
async fn every_code_has_a_page() {
    let fixture = Fixture::quiet();
    let list = fixture.anonymous("GET", "/docs/errors", &[]).await.text();
    for code in CODES.split_whitespace() {
        let answer = fixture.anonymous("GET", &format!("/docs/errors/{code}"), &[]).await;
        assert_eq!(answer.status, 200, "{code} needs docs/errors/{code}.md");
        let text = answer.text();
        assert!(text.contains("Who sees it</h2>") && text.contains("What to do next</h2>"), "{code}");
        assert!(list.contains(&format!("href=\"/docs/errors/{code}\"")), "{code}");
    }
}
