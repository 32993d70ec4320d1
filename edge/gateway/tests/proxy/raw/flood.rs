//! Much of something, or very slowly: memory stays bounded, and others are served meanwhile.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::fixture::{Backend, Front, until};

/// What the whole process of all tests may grow by while one of these runs, in bytes.
pub const MOST_GROWTH: usize = 200 * 1024 * 1024;

pub fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}

async fn front() -> (Backend, Front) {
    let (backend, mut front) = (Backend::saying("ok").await, Front::start().await);
    front.route(&backend.url(), "/");
    (backend, front)
}

#[tokio::test]
async fn heads_that_never_end_are_cut_off_and_cost_little() {
    let before = resident_bytes();
    let (_backend, front) = front().await;
    for line in ["X-A: b\r\n", "X", "\r\n", " folded\r\n"] {
        let mut stream = TcpStream::connect(front.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX: ").await.unwrap();
        let part = line.repeat(16 * 1024);
        let mut sent = 0;
        while sent < 64 * 1024 * 1024 && stream.write_all(part.as_bytes()).await.is_ok() {
            sent += part.len();
        }
        assert!(sent < 32 * 1024 * 1024, "{sent} bytes of {line:?} were taken");
    }
    assert!(resident_bytes().saturating_sub(before) < MOST_GROWTH);
    assert_eq!(front.get("/").await.status(), 200);
}

#[tokio::test]
async fn who_sends_nothing_or_little_is_let_go() {
    let (_backend, front) = front().await;
    let mut slow = Vec::new();
    for beginning in ["", "GET", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX-A"] {
        for _ in 0..50 {
            let mut stream = TcpStream::connect(front.address).await.unwrap();
            stream.write_all(beginning.as_bytes()).await.unwrap();
            slow.push((beginning, stream));
        }
    }
    assert_eq!(front.get("/").await.status(), 200, "others are served meanwhile");
    for (beginning, mut stream) in slow {
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "who began with {beginning:?} is still there");
    }
}

#[tokio::test]
async fn who_pauses_between_two_requests_is_kept_for_longer_than_a_head_may_take() {
    let (_backend, front) = front().await;
    let mut stream = TcpStream::connect(front.address).await.unwrap();
    for _ in 0..2 {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"ok") {
            assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "the connection was closed");
        }
        tokio::time::sleep(Duration::from_secs(12)).await;
    }
}

#[tokio::test]
async fn a_large_body_flows_through_and_is_not_gathered() {
    let backend = Backend::start(|request| {
        Box::pin(async move {
            use http_body_util::BodyExt;
            let mut body = request.into_body();
            let mut length = 0;
            while let Some(Ok(frame)) = body.frame().await {
                length += frame.data_ref().map_or(0, bytes::Bytes::len);
            }
            http::Response::new(axum::body::Body::from(length.to_string()))
        })
    })
    .await;
    let mut front = Front::start().await;
    front.route(&backend.url(), "/");
    let before = resident_bytes();
    let mut stream = TcpStream::connect(front.address).await.unwrap();
    let length = 512 * 1024 * 1024;
    stream
        .write_all(
            format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
                .as_bytes(),
        )
        .await
        .unwrap();
    let part = vec![b'x'; 1024 * 1024];
    let mut most = 0;
    for _ in 0..length / part.len() {
        stream.write_all(&part).await.unwrap();
        most = most.max(resident_bytes().saturating_sub(before));
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with(&length.to_string()), "{answer}");
    assert!(most < MOST_GROWTH, "{most}");
}

#[tokio::test]
async fn many_connections_do_no_harm() {
    let (_backend, front) = front().await;
    let mut all = Vec::new();
    for _ in 0..500 {
        all.push(TcpStream::connect(front.address).await.unwrap());
    }
    until("requests are answered", async || front.get("/").await.status() == 200).await;
}
