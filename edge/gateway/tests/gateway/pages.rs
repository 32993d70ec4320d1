//! Health, metrics, OpenAPI and the documentation.

use axum::body::Body;
use gateway::{Options, Part};
use kit::identity::Role;
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

/// Every operation with its path and method.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            all.push((path.clone(), method.to_uppercase(), operation));
        }
    }
    all
}

#[tokio::test]
async fn each_body_that_openapi_shows_is_taken() {
    let fixture = Fixture::quiet();
    let document = fixture.anonymous("GET", "/openapi.json", &[]).await.json();
    let token = fixture.token(0, &[Role::Admin]);
    let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
    let mut taken = 0;
    for (path, method, operation) in operations(&document) {
        let Some(body) = operation["requestBody"].get("content") else { continue };
        let body = &body["application/json"]["example"];
        assert!(body.is_object(), "{method} {path} has no example");
        // Whatever is between braces is an id, or as good as one.
        let uri: String = path.split('{').enumerate().fold(String::new(), |uri, (at, part)| {
            let rest = if at == 0 { part } else { part.split_once('}').unwrap().1 };
            uri + if at == 0 { "" } else { "0198c0de-0000-7000-8000-000000000000" } + rest
        });
        let answer = fixture.raw(&method, &uri, &headers, Body::from(body.to_string())).await;
        assert!(answer.status.is_success(), "{method} {uri}: {body}: {}", answer.text());
        taken += 1;
    }
    assert!(taken > 10, "{taken}");
}

/// What is wrong with an example, held against its schema.
fn misfit(value: &Value, schema: &Value, document: &Value) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return misfit(value, document.pointer(&reference[1..]).unwrap(), document);
    }
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    let is_choice = schema["enum"].as_array().is_none_or(|choices| choices.contains(value));
    if !fits || !is_choice {
        return Some(format!("{value} is not as {schema}"));
    }
    let items = value.as_array().into_iter().flatten();
    let of_items = items.filter_map(|item| misfit(item, &schema["items"], document));
    let fields = value.as_object().into_iter().flatten();
    let of_fields = fields.filter_map(|(name, field)| match schema["properties"].get(name) {
        Some(schema) => misfit(field, schema, document),
        None if schema["properties"].is_object() => Some(format!("{name} is no field")),
        None => None,
    });
    of_items.chain(of_fields).next()
}

#[tokio::test]
async fn each_answer_that_openapi_shows_fits_its_schema() {
    let document = Fixture::quiet().anonymous("GET", "/openapi.json", &[]).await.json();
    let mut shown = 0;
    for (path, method, operation) in operations(&document) {
        for (status, answer) in operation["responses"].as_object().unwrap() {
            let json = &answer["content"]["application/json"];
            if json.is_null() {
                continue;
            }
            let misfit = misfit(&json["example"], &json["schema"], &document);
            assert_eq!(misfit, None, "{method} {path} {status}");
            shown += 1;
        }
    }
    assert!(shown > 20, "{shown}");
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for example in schema["examples"].as_array().into_iter().flatten() {
            assert_eq!(misfit(example, schema, &document), None, "{name}");
        }
    }
}

#[tokio::test]
async fn openapi_shows_every_kind_of_problem_as_it_is_answered() {
    let fixture = Fixture::quiet();
    let document = fixture.anonymous("GET", "/openapi.json", &[]).await.json();
    let examples = document["components"]["examples"].as_object().unwrap();
    let problem = &document["components"]["schemas"]["Problem"];
    let codes = problem["properties"]["code"]["examples"].as_array().unwrap();
    let listed =
        &document["components"]["responses"]["Problem"]["content"]["application/problem+json"]["examples"];
    // Why a booking came to nothing is said in the booking, and is the code of no answer.
    let reasons = ["buyer", "expired", "payment_failed"];
    for code in CODES.split_whitespace() {
        assert!(codes.contains(&json!(code)), "{code}");
        if reasons.contains(&code) {
            continue;
        }
        let example = &examples[code]["value"];
        assert_eq!(
            (&example["code"], &example["type"]),
            (&json!(code), &json!(format!("/docs/errors/{code}")))
        );
        assert_eq!(misfit(example, problem, &document), None, "{code}");
        assert!(listed.get(code).is_some(), "{code}");
    }
    for (method, path, status, code) in
        [("GET", "/nope", 404, "not_found"), ("POST", "/v1/events/e1", 405, "method_not_allowed")]
    {
        let answered = fixture.anonymous(method, path, &[]).await.problem(status, code);
        for same in ["type", "title", "status", "code"] {
            assert_eq!(answered[same], examples[code]["value"][same], "{code}");
        }
    }
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
