//! Nothing that a client sends makes a 5xx.

use std::sync::LazyLock;

use axum::body::Body;
use http::Request;
use proptest::{prelude::*, sample::select};
use tower::ServiceExt;

use crate::fixture::Fixture;

const PATHS: &[&str] = &[
    "/v1/events",
    "/v1/events/e1",
    "/v1/events/%C3%BC%2F",
    "/v1/events/e1:publish",
    "/v1/events/e1/ticket-types/t1",
    "/v1/bookings",
    "/v1/bookings/b1:cancel",
    "/v1/users/me",
    "/v1/auth/login",
    "/docs",
    "/metrics",
];
const VALUES: &[&str] = &[
    "1",
    "-1",
    "1e400",
    "\"x\"",
    "\"\\u0000\"",
    "\"2030-05-01T18:00:00Z\"",
    "\"9999999-13-45T99:99:99Z\"",
    "null",
    "true",
    "[]",
    "[[[]]]",
    "[{}]",
    "{}",
    "{\"minor\":-0.0}",
    "[{\"quantity\":1e30}]",
    "",
];
const NAMES: &[&str] = &[
    "title",
    "lines",
    "starts_at",
    "venue",
    "ticket_types",
    "capacity",
    "update_mask",
    "event_id",
    "gender",
    "x",
];
const HEADERS: &[(&str, &str)] = &[
    ("prefer", "wait=99999999999999999999"),
    ("prefer", "wait=;;,="),
    ("if-match", "\u{fc}"),
    ("if-none-match", "*"),
    ("idempotency-key", "\u{fc}"),
    ("traceparent", "00-\u{fc}"),
    ("x-request-id", ""),
    ("content-type", "application/json;;;"),
    ("content-length", "-5"),
    ("content-length", "99999999999999999999999999"),
    ("authorization", "Bearer \u{fc}"),
    ("expect", "100-continue"),
];

static FIXTURE: LazyLock<Fixture> = LazyLock::new(Fixture::quiet);

fn body() -> impl Strategy<Value = String> {
    let field = (select(NAMES), select(VALUES)).prop_map(|(name, value)| format!("\"{name}\":{value}"));
    let object = prop::collection::vec(field, 0..4).prop_map(|fields| format!("{{{}}}", fields.join(",")));
    prop_oneof![3 => object, 1 => "\\PC{0,30}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn nothing_that_a_client_sends_makes_a_5xx(
        method in select(&["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"][..]),
        path in select(PATHS),
        query in prop_oneof![2 => Just(String::new()), 1 => "\\?[-a-z_=&%+0-9\\[\\]]{0,40}"],
        header in select(HEADERS),
        signed_in in any::<bool>(),
        body in body(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let token = FIXTURE.token(0, &[]);
            let mut request = Request::builder().method(method).uri(format!("{path}{query}"));
            request = request.header(header.0, header.1).header("content-type", "application/json");
            if signed_in {
                request = request.header("authorization", token);
            }
            let response = FIXTURE.gateway.clone().oneshot(request.body(Body::from(body.clone())).unwrap()).await.unwrap();
            assert!(response.status().as_u16() < 500, "{method} {path}{query} {header:?} {body}");
        });
    }
}
