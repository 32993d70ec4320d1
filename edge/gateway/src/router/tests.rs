use http::HeaderValue;
use serde_json::{Value, json};

use super::*;

fn route(name: &str, fields: Value) -> Route {
    let mut route = json!({
        "id": uuid::Uuid::from_u128(1), "name": name, "protocols": ["http", "https"],
        "https_redirect_status_code": 426, "regex_priority": 0, "strip_path": true, "preserve_host": false,
        "request_buffering": true, "response_buffering": true,
        "created_at": 1,
    });
    for (key, value) in fields.as_object().unwrap() {
        route[key] = value.clone();
    }
    serde_json::from_value(route).unwrap()
}

fn router(routes: &[(&str, Value)]) -> Router<String> {
    let mut router = Router::default();
    for (name, fields) in routes {
        router.add(&route(name, fields.clone()), &Arc::new((*name).to_owned())).unwrap();
    }
    router.finish();
    router
}

fn asked<'r>(path: &'r str, host: &'r str, headers: &'r HeaderMap) -> Asked<'r> {
    let method = &Method::GET;
    Asked { method, host, port: None, path, headers, is_secure: false, is_grpc: false, sni: None }
}

fn found(router: &Router<String>, path: &str, host: &str) -> Option<String> {
    router.find(&asked(path, host, &HeaderMap::new())).map(|found| found.value.to_string())
}

#[test]
fn the_longest_prefix_wins_and_expressions_come_before_prefixes() {
    let router = router(&[
        ("root", json!({"paths": ["/"]})),
        ("users", json!({"paths": ["/users"]})),
        ("one", json!({"paths": ["~/users/(?<id>[0-9]+)$"]})),
        ("first", json!({"paths": ["~/users/7"], "regex_priority": 10})),
    ]);
    for (path, name) in [
        ("/", "root"),
        ("/us", "root"),
        ("/users", "users"),
        ("/usersx", "users"),
        ("/users/8", "one"),
        ("/users/7", "first"),
        ("/users/8x", "users"),
    ] {
        assert_eq!(found(&router, path, "a").as_deref(), Some(name), "{path}");
    }
    let headers = HeaderMap::new();
    let one = router.find(&asked("/users/42", "a", &headers)).unwrap();
    assert_eq!(one.captures, [("id".to_owned(), "42".to_owned())]);
    assert_eq!(one.matched, "/users/42".len());
}

#[test]
fn who_says_more_wins() {
    let router = router(&[
        ("path", json!({"paths": ["/a/very/long/path"]})),
        ("wild", json!({"paths": ["/a"], "hosts": ["*.example.org"]})),
        ("host", json!({"paths": ["/a"], "hosts": ["api.example.org"]})),
        (
            "header",
            json!({"paths": ["/a"], "hosts": ["api.example.org"], "headers": {"x-version": ["2", "3"]}}),
        ),
    ]);
    assert_eq!(found(&router, "/a/very/long/path", "other.org").as_deref(), Some("path"));
    assert_eq!(found(&router, "/a/very/long/path", "x.example.org").as_deref(), Some("wild"));
    assert_eq!(found(&router, "/a/very/long/path", "api.example.org").as_deref(), Some("host"));
    assert_eq!(found(&router, "/a", "other.org"), None);
    let mut headers = HeaderMap::new();
    headers.insert("x-version", HeaderValue::from_static("3"));
    let with_header = router.find(&asked("/a", "api.example.org", &headers)).unwrap();
    assert_eq!(with_header.value.as_str(), "header");
}

#[test]
fn of_equal_routes_the_older_one_wins() {
    let router = router(&[
        ("young", json!({"paths": ["/a"], "created_at": 9})),
        ("old", json!({"paths": ["/a"], "created_at": 3})),
    ]);
    assert_eq!(found(&router, "/a", "x").as_deref(), Some("old"));
}

#[test]
fn methods_and_protocols_are_held_against_the_request() {
    let router = router(&[
        ("write", json!({"methods": ["POST"], "paths": ["/a"]})),
        ("secure", json!({"paths": ["/tls"], "protocols": ["https"]})),
        ("grpc", json!({"paths": ["/pkg.Service"], "protocols": ["grpc"]})),
    ]);
    assert_eq!(found(&router, "/a", "x"), None);
    let headers = HeaderMap::new();
    assert!(router.find(&asked("/tls", "x", &headers)).unwrap().needs_tls);
    assert_eq!(found(&router, "/pkg.Service/Get", "x"), None, "REST is no gRPC");
    let call = Asked { is_grpc: true, ..asked("/pkg.Service/Get", "x", &headers) };
    assert_eq!(router.find(&call).unwrap().value.as_str(), "grpc");
}
