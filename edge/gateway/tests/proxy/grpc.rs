//! REST made into gRPC by contracts that are read while the program runs, gRPC as it is, and gRPC-Web.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kong::Kind;
use serde_json::{Value, json};
use tonic::Status;

use crate::{
    fixture::Front,
    library::{Library, PROTO},
};

async fn asked(front: &Front, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = reqwest::Client::new().request(method, front.url(path));
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

#[tokio::test]
async fn every_kind_of_rule_reaches_its_rpc() {
    let library = Library::of_one_book().await;
    let front = library.behind(Some(PROTO)).await;
    let book = json!({"title": "Dune", "kind": "SCIENCE", "author": {"name": "Frank", "born": "1920"}});
    let cases: Vec<(&str, &str, Option<Value>, &str, Value)> = vec![
        ("GET", "/v1/shelves/1/books/2", None, "GetBook", json!({"name": "shelves/1/books/2"})),
        ("GET", "/v1/isbn/0441013597", None, "GetBook", json!({"isbn": "0441013597"})),
        (
            "POST",
            "/v1/shelves/1/books?dry_run=true",
            Some(book),
            "CreateBook",
            json!({
                "parent": "shelves/1", "dry_run": true,
                "book": {"title": "Dune", "kind": "SCIENCE", "author": {"name": "Frank", "born": 1920}},
            }),
        ),
        (
            "PATCH",
            "/v1/shelves/1/books/2?update_mask=title",
            Some(json!({"title": "D"})),
            "UpdateBook",
            json!({
                "book": {"name": "shelves/1/books/2", "title": "D"}, "update_mask": "title",
            }),
        ),
        (
            "POST",
            "/v1/shelves/1/books/2:reserve",
            Some(json!({"reader": "ada"})),
            "ReserveBook",
            json!({
                "name": "shelves/1/books/2", "reader": "ada",
            }),
        ),
        ("POST", "/v1/shelves/1/books/2:reserve", None, "ReserveBook", json!({"name": "shelves/1/books/2"})),
        (
            "GET",
            "/v1/shelves/9/books?page_size=5&filter.author.name=Ann&filter.kinds=FICTION&filter.kinds=UNSORTED&tags=a&tags=b",
            None,
            "ListBooks",
            json!({
                "parent": "shelves/9", "page_size": 5, "tags": ["a", "b"],
                "filter": {"author": {"name": "Ann"}, "kinds": ["FICTION", "UNSORTED"]},
            }),
        ),
        (
            "PUT",
            "/v1/tags/dune",
            Some(json!(["sand", "spice"])),
            "TagBook",
            json!({
                "name": "dune", "tags": ["sand", "spice"],
            }),
        ),
        ("PROBE", "/v1/probe", None, "Probe", json!({})),
    ];
    let listed = asked(&front, "GET", "/v1/shelves/9/books", None).await.1;
    assert_eq!(listed[0]["title"], "Dune", "response_body is the answer: {listed}");
    for (method, path, body, rpc, message) in cases {
        let (status, answer) = asked(&front, method, path, body).await;
        assert!(status == 200 || status == 204, "{method} {path}: {status} {answer}");
        let last = library.last();
        assert_eq!((last.rpc.as_str(), &last.message), (rpc, &message), "{method} {path}");
    }
}

#[tokio::test]
async fn every_kind_of_field_passes_in_both_directions() {
    let book = json!({
        "name": "n", "title": "t", "copies": 9_007_199_254_740_993_i64, "kind": "FICTION",
        "author": {"name": "a", "born": 1},
        "tags": ["x"], "ratings": {"ada": 5}, "lent": false, "floor": 2,
        "bought": "2030-01-02T03:04:05Z", "loan": "1.500s", "note": "hm", "extra": {"a": [1.0, null, {"b": true}]},
        "attachment": {"@type": "type.googleapis.com/library.Author", "name": "b"},
        "cover": "AAEC", "weight_kg": 1.25,
    });
    let echo = |asked: &crate::library::Asked| Ok(vec![asked.message["book"].clone()]);
    let library = Library::start(echo).await;
    let front = library.behind(Some(PROTO)).await;
    let (status, answer) = asked(&front, "POST", "/v1/shelves/1/books", Some(book.clone())).await;
    assert_eq!((status, &answer), (200, &book));
    let other = json!({"weightKg": "NaN", "kind": 0, "copies": "7", "room": "r"});
    let (status, answer) = asked(&front, "POST", "/v1/shelves/1/books", Some(other)).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        (&answer["weight_kg"], &answer["kind"], &answer["copies"]),
        (&json!("NaN"), &json!("UNSORTED"), &json!(7))
    );
    for (bad, field) in [
        (json!({"room": "r", "floor": 1}), "room"),
        (json!({"copies": 1.5}), "copies"),
        (json!({"colour": 1}), "colour"),
        (json!({"author": {"name": 1}}), "author.name"),
    ] {
        let (status, answer) = asked(&front, "POST", "/v1/shelves/1/books", Some(bad)).await;
        assert_eq!(status, 400, "{answer}");
        assert_eq!(answer["errors"][0]["field"], field, "{answer}");
    }
}

#[tokio::test]
async fn files_pass_as_they_are() {
    let reply = |asked: &crate::library::Asked| match asked.rpc.as_str() {
        "Download" => {
            Ok(vec![json!({"content_type": "text/plain", "data": BASE64_STANDARD.encode("hello")})])
        }
        _ => Ok(vec![json!({})]),
    };
    let library = Library::start(reply).await;
    let front = library.behind(Some(PROTO)).await;
    let file = front.get("/v1/files/a/b%20c.txt").await;
    assert_eq!(file.headers()["content-type"], "text/plain");
    assert_eq!(file.text().await.unwrap(), "hello");
    assert_eq!(library.last().message["path"], "a/b c.txt");
    let sent =
        reqwest::Client::new().post(front.url("/v1/files/x")).header("content-type", "image/png").body("png");
    assert_eq!(sent.send().await.unwrap().status(), 200);
    let file = json!({"content_type": "image/png", "data": BASE64_STANDARD.encode("png")});
    assert_eq!(library.last().message, json!({"path": "x", "file": file}));
}

#[tokio::test]
async fn many_answers_come_as_lines_or_as_events() {
    let library = Library::start(|_| Ok((0..3).map(|n| json!({"copies": n})).collect())).await;
    let front = library.behind(Some(PROTO)).await;
    let lines = front.get("/v1/watch/dune").await;
    assert_eq!(lines.headers()["content-type"], "application/x-ndjson");
    let text = lines.text().await.unwrap();
    let copies: Vec<Value> =
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["copies"].clone()).collect();
    assert_eq!(copies, [json!(0), json!(1), json!(2)]);
    let events =
        reqwest::Client::new().get(front.url("/v1/watch/dune")).header("accept", "text/event-stream");
    let text = events.send().await.unwrap().text().await.unwrap();
    assert_eq!(text.matches("data: {").count(), 3, "{text}");
    assert!(text.ends_with("\n\n"));
}

#[tokio::test]
async fn a_refusal_has_its_status_in_http() {
    let library = Library::start(|asked| match asked.message["name"].as_str() {
        Some("shelves/1/books/404") => Err(Status::not_found("there is no such book")),
        Some("shelves/1/books/403") => Err(Status::permission_denied("not yours")),
        Some("shelves/1/books/412") => Err(Status::failed_precondition("it is lent")),
        _ => Err(Status::resource_exhausted("later")),
    })
    .await;
    let front = library.behind(Some(PROTO)).await;
    for (path, status, detail) in [
        ("/v1/shelves/1/books/404", 404, "there is no such book"),
        ("/v1/shelves/1/books/403", 403, "not yours"),
        ("/v1/isbn/1", 429, "later"),
    ] {
        let (seen, answer) = asked(&front, "GET", path, None).await;
        assert_eq!((seen, answer["detail"].as_str()), (status, Some(detail)), "{answer}");
    }
    assert_eq!(asked(&front, "GET", "/v1/nowhere", None).await.0, 404);
    assert_eq!(asked(&front, "DELETE", "/v1/isbn/1", None).await.0, 405);
}

#[tokio::test]
async fn an_upstream_that_tells_its_contract_needs_no_file() {
    let library = Library::of_one_book().await;
    let front = library.behind(None).await;
    let (status, answer) = asked(&front, "GET", "/v1/isbn/1", None).await;
    assert_eq!((status, &answer["title"]), (200, &json!("Dune")), "{answer}");
    assert_eq!(
        front.get("/v1/isbn/1").await.headers()["x-shelf"],
        "7",
        "metadata of the answer is passed on"
    );
}

#[tokio::test]
async fn a_file_that_is_no_contract_is_refused_and_told() {
    let front = Front::start().await;
    let schemas = gateway::plugins::Schemas(gateway::plugin::Resources {
        environment: kit::Environment::system(),
        figures: Arc::default(),
    });
    let shelf = PROTO.replace("library.proto", "shelf.proto");
    for (proto, why) in [
        ("/nowhere.proto", "there is no file"),
        (concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "must end in .proto"),
        (shelf.as_str(), "no rpc has a google.api.http option"),
    ] {
        let refused = kong::PluginSchemas::check(&schemas, "grpc-gateway", &json!({"proto": proto}));
        let (field, text) = refused.unwrap_err();
        assert!(field == "proto" && text.contains(why), "{text}");
    }
    drop(front);
}

/// A unary call over HTTP/2: headers, message, trailers.
async fn call(
    front: &Front,
    path: &str,
    headers: &[(&str, &str)],
    message: &[u8],
) -> (HeaderMap, Bytes, HeaderMap) {
    let stream = tokio::net::TcpStream::connect(front.address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let driving = tokio::spawn(connection);
    let mut framed = vec![0, 0, 0, 0, u8::try_from(message.len()).unwrap()];
    framed.extend_from_slice(message);
    let mut request = http::Request::post(format!("http://{}{path}", front.address));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = sender.send_request(request.body(Full::new(Bytes::from(framed))).unwrap()).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or_default();
    driving.abort();
    (head.headers, body.to_bytes(), trailers)
}

async fn plain_grpc(library: &Library) -> Front {
    let mut front = Front::start().await;
    let url = format!("grpc://{}", library.backend.address);
    let service = front.put(Kind::Services, json!({"url": url}));
    let route = json!({"service": {"id": service}, "paths": ["/library."], "protocols": ["grpc", "http"], "strip_path": false});
    front.put(Kind::Routes, route);
    front
}

#[tokio::test]
async fn grpc_passes_as_it_is_with_its_deadline_and_its_trailers() {
    let library = Library::of_one_book().await;
    let front = plain_grpc(&library).await;
    let grpc = [("content-type", "application/grpc"), ("te", "trailers"), ("grpc-timeout", "5S")];
    let (headers, body, trailers) = call(&front, "/library.Library/Unbound", &grpc, b"").await;
    assert_eq!(
        (&headers["content-type"], &trailers["grpc-status"]),
        (&"application/grpc".parse().unwrap(), &"0".parse().unwrap())
    );
    assert!(body.windows(4).any(|part| part == b"Dune"));
    let timeout = library.last().headers["grpc-timeout"]
        .to_str()
        .unwrap()
        .trim_end_matches('m')
        .parse::<u64>()
        .unwrap();
    assert!((4_000..=5_000).contains(&timeout), "{timeout}");
    let (headers, ..) = call(&front, "/library.Library/Nothing", &grpc, b"").await;
    assert_eq!(headers["grpc-status"], "12");
    let unread = [("content-type", "application/grpc"), ("grpc-timeout", "soon")];
    let (headers, ..) = call(&front, "/library.Library/Unbound", &unread, b"").await;
    assert_eq!(headers["grpc-status"], "3", "what is said in our own name is gRPC too");
}

#[tokio::test]
async fn browsers_speak_grpc_web() {
    let library = Library::of_one_book().await;
    let front = plain_grpc(&library).await;
    let client = reqwest::Client::new();
    let web = client
        .post(front.url("/library.Library/Unbound"))
        .header("content-type", "application/grpc-web+proto");
    let answer = web.body(vec![0, 0, 0, 0, 0]).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/grpc-web+proto");
    let body = answer.bytes().await.unwrap();
    assert!(body.windows(4).any(|part| part == b"Dune"));
    assert!(body.ends_with(b"grpc-status:0\r\n"), "{body:?}");
    let text = client
        .post(front.url("/library.Library/Unbound"))
        .header("content-type", "application/grpc-web-text");
    let answer = text.body(BASE64_STANDARD.encode([0, 0, 0, 0, 0])).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/grpc-web-text+proto");
    assert!(!answer.text().await.unwrap().is_empty());
}
