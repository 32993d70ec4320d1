//! HTTP upstreams: what goes on, what comes back, and what stays.

use std::{io::Read as _, sync::Arc};

use axum::body::Body;
use futures_util::{StreamExt, stream};
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use kong::Kind;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
};

use crate::fixture::{Backend, Front, until};

#[tokio::test]
async fn a_request_goes_to_the_service_of_its_route_and_others_to_boxoffice() {
    let (backend, mut front) = (Backend::saying("here").await, Front::start().await);
    front.route(&backend.url(), "/shop");
    assert_eq!(front.get("/shop/1").await.text().await.unwrap(), "here");
    assert_eq!(front.get("/healthz").await.status(), 200);
    let elsewhere = front.get("/elsewhere").await;
    assert_eq!(elsewhere.status(), 404);
    assert_eq!(elsewhere.headers()["content-type"], "application/problem+json");
    assert_eq!(backend.hits(), 1);
}

#[tokio::test]
async fn paths_are_joined_as_kong_does() {
    let (backend, mut front) = (Backend::saying("").await, Front::start().await);
    let cases = [
        ("/strip", true, "", "/strip/a?b=c", "/a?b=c"),
        ("/keep", false, "", "/keep/a", "/keep/a"),
        ("/base", true, "/api", "/base/a", "/api/a"),
        ("/bare", true, "/api", "/bare", "/api"),
        ("/join", true, "/api/", "/joinx", "/api/x"),
        ("~/re/(?<id>[0-9]+)", true, "", "/re/12/a", "/a"),
        ("/dots", true, "", "/dots/a/../b/%7Ec", "/b/~c"),
    ];
    for (path, strip, base, asked, expected) in cases {
        let service = front.put(Kind::Services, json!({"url": format!("{}{base}", backend.url())}));
        front.put(Kind::Routes, json!({"service": {"id": service}, "paths": [path], "strip_path": strip}));
        // A client library would tidy the path by itself.
        let answer = front
            .raw(format!("GET {asked} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes())
            .await;
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        assert_eq!(backend.last_head().uri, expected, "{path} {asked}");
    }
}

#[tokio::test]
async fn paths_are_joined_as_texts_where_the_route_says_so() {
    let (backend, mut front) = (Backend::saying("").await, Front::start().await);
    let service = front.put(Kind::Services, json!({"url": format!("{}/api", backend.url())}));
    let route = json!({"service": {"id": service}, "paths": ["/cut/"], "path_handling": "v1"});
    let route = front.put(Kind::Routes, route);
    assert_eq!(front.get("/cut/ting").await.status(), 200);
    assert_eq!(backend.last_head().uri, "/apiting");
    front.patch(Kind::Routes, route, json!({"path_handling": "v0"}));
    assert_eq!(front.get("/cut/ting").await.status(), 200);
    assert_eq!(backend.last_head().uri, "/api/ting");
}

/// The head of a request and half of its body.
const HALF: &[u8] = b"POST /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nab";

#[tokio::test]
async fn a_short_request_is_gathered_before_its_service_is_called() {
    let (backend, mut front) = (Backend::saying("ok").await, Front::start().await);
    front.route(&backend.url(), "/a");
    let mut client = TcpStream::connect(front.address).await.unwrap();
    client.write_all(HALF).await.unwrap();
    // The gateway has read what came before, and others are served meanwhile.
    assert_eq!(front.get("/a").await.status(), 200);
    assert_eq!(backend.hits(), 1, "it waits for the other half");
    client.write_all(b"cd").await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(backend.hits(), 2);
}

#[tokio::test]
async fn a_request_goes_on_as_it_comes_where_the_route_says_so() {
    let (backend, mut front) = (Backend::saying("ok").await, Front::start().await);
    let (_, route) = front.route(&backend.url(), "/a");
    front.patch(Kind::Routes, route, json!({"request_buffering": false}));
    let mut client = TcpStream::connect(front.address).await.unwrap();
    client.write_all(HALF).await.unwrap();
    until("the service is called before all is there", async || backend.hits() == 1).await;
}

/// A service whose answer stops after half of it until it is told to go on, or to break off.
async fn halting() -> (Backend, mpsc::UnboundedSender<Result<&'static str, std::io::Error>>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let receiver = Arc::new(tokio::sync::Mutex::new(receiver));
    let backend = Backend::start(move |_| {
        let receiver = Arc::clone(&receiver);
        Box::pin(async move {
            let rest = stream::once(async move { receiver.lock().await.recv().await.unwrap() });
            let mut response = Response::new(Body::from_stream(stream::iter([Ok("ab")]).chain(rest)));
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("4"));
            response
        })
    })
    .await;
    (backend, sender)
}

#[tokio::test]
async fn a_short_answer_is_gathered_so_that_half_of_one_is_an_error() {
    let ((backend, go_on), mut front) = (halting().await, Front::start().await);
    front.route(&backend.url(), "/a");
    go_on.send(Ok("cd")).unwrap();
    assert_eq!(front.get("/a").await.text().await.unwrap(), "abcd");
    go_on.send(Err(std::io::ErrorKind::BrokenPipe.into())).unwrap();
    assert_eq!(front.get("/a").await.status(), 502);
}

#[tokio::test]
async fn an_answer_begins_at_once_where_the_route_says_so() {
    let ((backend, go_on), mut front) = (halting().await, Front::start().await);
    let (_, route) = front.route(&backend.url(), "/a");
    front.patch(Kind::Routes, route, json!({"response_buffering": false}));
    let mut answer = front.get("/a").await;
    assert_eq!(answer.status(), 200, "before the service has said all");
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "ab");
    go_on.send(Err(std::io::ErrorKind::BrokenPipe.into())).unwrap();
    assert!(answer.chunk().await.is_err());
}

#[tokio::test]
async fn answers_are_compressed_for_who_reads_that_and_events_never() {
    let text = "Village Brass, ".repeat(500);
    let said = text.clone();
    let backend = Backend::start(move |request| {
        let said = said.clone();
        Box::pin(async move {
            let mut response = Response::new(Body::from(said));
            let is_stream = request.uri().path() == "/stream";
            let media_type = if is_stream { "text/event-stream" } else { "text/plain" };
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
            response
        })
    })
    .await;
    let mut front = Front::start().await;
    front.route(&backend.url(), "/");
    let client = reqwest::Client::new();
    let asked =
        |path: &str, coding: &str| client.get(front.url(path)).header(header::ACCEPT_ENCODING, coding).send();
    let plain = asked("/text", "identity").await.unwrap();
    assert_eq!(plain.headers()[header::VARY], "accept-encoding");
    assert_eq!(plain.text().await.unwrap(), text);
    let short = asked("/text", "gzip").await.unwrap();
    assert_eq!(short.headers()[header::CONTENT_ENCODING], "gzip");
    let mut read = String::new();
    flate2::read::GzDecoder::new(&*short.bytes().await.unwrap()).read_to_string(&mut read).unwrap();
    assert_eq!(read, text);
    let events = asked("/stream", "gzip, br").await.unwrap();
    assert!(!events.headers().contains_key(header::CONTENT_ENCODING));
    assert_eq!(events.text().await.unwrap(), text);
}

#[tokio::test]
async fn nobody_reaches_a_route_by_a_detour_around_its_plugins() {
    let (backend, mut front) = (Backend::saying("").await, Front::start().await);
    front.route(&backend.url(), "/open");
    let (_, closed) = front.route(&backend.url(), "/closed");
    front.put(Kind::Plugins, json!({"name": "request-termination", "route": {"id": closed}}));
    for detour in
        ["/closed", "/open/../closed", "/open/%2e%2e/closed", "//closed", "/./closed/x", "/%63losed"]
    {
        let answer = front.raw(format!("GET {detour} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with(b"HTTP/1.1 503"), "{detour}: {}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(backend.hits(), 0);
}

#[tokio::test]
async fn what_clients_claim_and_what_is_of_a_connection_stays_here() {
    let (backend, mut front) = (Backend::saying("").await, Front::start().await);
    front.route(&backend.url(), "/a");
    let client = reqwest::Client::new();
    let sent = client
        .get(front.url("/a"))
        .header("x-forwarded-for", "9.9.9.9")
        .header("x-consumer-username", "root")
        .header("X_Consumer_Id", "root")
        .header("connection", "x-hop")
        .header("x-hop", "1")
        .header("x-mine", "kept");
    assert_eq!(sent.send().await.unwrap().status(), 200);
    let head = backend.last_head();
    assert_eq!(head.headers["x-forwarded-for"], "127.0.0.1");
    assert_eq!(head.headers["x-forwarded-proto"], "http");
    assert_eq!(head.headers["x-mine"], "kept");
    assert_eq!(head.headers[header::HOST], backend.address.to_string().as_str());
    for gone in ["x-consumer-username", "x_consumer_id", "x-hop"] {
        assert!(!head.headers.contains_key(gone), "{gone}");
    }
    assert!(head.headers.contains_key("traceparent") && head.headers.contains_key("x-request-id"));
}

#[tokio::test]
async fn the_clients_host_goes_on_where_the_route_says_so() {
    let (backend, mut front) = (Backend::saying("").await, Front::start().await);
    let service = front.put(Kind::Services, json!({"url": backend.url()}));
    front.put(
        Kind::Routes,
        json!({"service": {"id": service}, "hosts": ["*.example.org"], "preserve_host": true}),
    );
    let client = reqwest::Client::new();
    let sent = client.get(front.url("/")).header("host", "api.example.org");
    assert_eq!(sent.send().await.unwrap().status(), 200);
    assert_eq!(backend.last_head().headers[header::HOST], "api.example.org");
}

#[tokio::test]
async fn bodies_pass_in_both_directions_as_they_come() {
    let backend = Backend::start(|request| {
        Box::pin(async move {
            let body = request.into_body();
            let mut response = Response::new(Body::new(body));
            *response.status_mut() = StatusCode::CREATED;
            response.headers_mut().insert("x-echo", HeaderValue::from_static("yes"));
            response
        })
    })
    .await;
    let mut front = Front::start().await;
    front.route(&backend.url(), "/echo");
    let body = vec![7_u8; 3 * 1024 * 1024];
    let sent = reqwest::Client::new().post(front.url("/echo")).body(body.clone()).send().await.unwrap();
    assert_eq!((sent.status().as_u16(), &sent.headers()["x-echo"]), (201, &HeaderValue::from_static("yes")));
    assert_eq!(sent.bytes().await.unwrap(), body);
    // In parts: what was sent comes back before the rest is sent.
    let mut stream = tokio::net::TcpStream::connect(front.address).await.unwrap();
    stream
        .write_all(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        .await
        .unwrap();
    let mut seen = Vec::new();
    while !seen.windows(3).any(|part| part == b"abc") {
        let mut part = [0; 1_024];
        let length = stream.read(&mut part).await.unwrap();
        assert!(length > 0);
        seen.extend_from_slice(&part[..length]);
    }
    stream.write_all(b"3\r\ndef\r\n0\r\n\r\n").await.unwrap();
    while !seen.windows(3).any(|part| part == b"def") {
        let mut part = [0; 1_024];
        let length = stream.read(&mut part).await.unwrap();
        assert!(length > 0);
        seen.extend_from_slice(&part[..length]);
    }
}

#[tokio::test]
async fn an_upgraded_connection_carries_bytes_both_ways() {
    let backend = Backend::start(|mut request| {
        Box::pin(async move {
            assert_eq!(request.headers()[header::UPGRADE], "websocket");
            let upgrade = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let mut io = TokioIo::new(upgrade.await.unwrap());
                let mut word = [0; 4];
                io.read_exact(&mut word).await.unwrap();
                io.write_all(&word.map(|letter| letter.to_ascii_uppercase())).await.unwrap();
            });
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            response
        })
    })
    .await;
    let mut front = Front::start().await;
    front.route(&backend.url(), "/ws");
    let mut stream = tokio::net::TcpStream::connect(front.address).await.unwrap();
    let asked = b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    stream.write_all(asked).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    stream.write_all(b"ping").await.unwrap();
    let mut word = [0; 4];
    stream.read_exact(&mut word).await.unwrap();
    assert_eq!(&word, b"PING");
}

#[tokio::test]
async fn a_route_without_tls_asks_for_it_where_it_must() {
    let (backend, mut front) = (Backend::saying("").await, Front::start().await);
    let service = front.put(Kind::Services, json!({"url": backend.url()}));
    front.put(Kind::Routes, json!({"service": {"id": service}, "paths": ["/s"], "protocols": ["https"]}));
    front.put(
        Kind::Routes,
        json!({"service": {"id": service}, "paths": ["/r"], "protocols": ["https"], "https_redirect_status_code": 308}),
    );
    assert_eq!(front.get("/s").await.status(), 426);
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let moved = client.get(front.url("/r?x=1")).send().await.unwrap();
    assert_eq!(
        (moved.status().as_u16(), &moved.headers()["location"]),
        (308, &HeaderValue::from_static("https://127.0.0.1/r?x=1"))
    );
    assert_eq!(backend.hits(), 0);
}

#[tokio::test]
async fn a_head_has_no_body_and_an_empty_answer_stays_empty() {
    let backend = Backend::start(|_| {
        Box::pin(async {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        })
    })
    .await;
    let mut front = Front::start().await;
    front.route(&backend.url(), "/");
    let answer = reqwest::Client::new().head(front.url("/x")).send().await.unwrap();
    assert_eq!(answer.status(), 204);
    let bytes = Body::from(answer.bytes().await.unwrap()).collect().await.unwrap().to_bytes();
    assert!(bytes.is_empty());
}
