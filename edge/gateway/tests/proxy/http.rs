//! HTTP upstreams: what goes on, what comes back, and what stays.

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use kong::Kind;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::fixture::{Backend, Front};

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
