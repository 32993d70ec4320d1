//! The same in HTTP/2, frame by frame.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::fixture::{Backend, Front};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    frame.extend_from_slice(&[kind, flags]);
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// Literal fields without indexing (RFC 7541, 6.2.2).
fn fields(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).unwrap());
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

const REQUEST: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/a")];

fn request(stream: u32, more: &[(&str, &str)]) -> Vec<u8> {
    let block = fields(&[&REQUEST, more].concat());
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &block)
}

/// Sends frames until the other side ends the connection or has nothing to say; what it said.
async fn sent(front: &Front, parts: impl IntoIterator<Item = Vec<u8>>) -> Vec<(u8, u32, Vec<u8>)> {
    let mut stream = TcpStream::connect(front.address).await.unwrap();
    stream.write_all(PREFACE).await.unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let reading = tokio::spawn(async move {
        let mut frames = Vec::new();
        let mut head = [0; 9];
        while let Ok(Ok(_)) = tokio::time::timeout(Duration::from_secs(1), reader.read_exact(&mut head)).await
        {
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let mut payload = vec![0; length];
            if reader.read_exact(&mut payload).await.is_err() {
                break;
            }
            frames.push((head[3], u32::from_be_bytes([head[5], head[6], head[7], head[8]]), payload));
        }
        frames
    });
    for part in parts {
        if writer.write_all(&part).await.is_err() {
            break;
        }
    }
    reading.await.unwrap()
}

async fn front() -> (Backend, Front) {
    let (backend, mut front) = (Backend::saying("ok").await, Front::start().await);
    front.route(&backend.url(), "/");
    (backend, front)
}

fn is_ended(frames: &[(u8, u32, Vec<u8>)]) -> bool {
    frames.iter().any(|(kind, _, _)| *kind == GOAWAY)
}

#[tokio::test]
async fn streams_that_are_reset_at_once_end_the_connection_before_they_cost_much() {
    let (backend, front) = front().await;
    let flood = (0..20_000_u32).map(|number| {
        let stream = number * 2 + 1;
        [request(stream, &[]), frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())].concat()
    });
    let frames = sent(&front, flood).await;
    assert!(is_ended(&frames), "{} frames", frames.len());
    assert!(backend.hits() < 2_000, "{} came through", backend.hits());
    assert_eq!(front.get("/").await.status(), 200);
}

#[tokio::test]
async fn heads_that_never_end_are_cut_off() {
    let (backend, front) = front().await;
    let first = frame(HEADERS, END_STREAM, 1, &fields(&REQUEST));
    let more = frame(CONTINUATION, 0, 1, &fields(&[("x-a", "b"); 500]));
    let frames = sent(&front, [first].into_iter().chain((0..5_000).map(|_| more.clone()))).await;
    assert!(is_ended(&frames) || frames.len() < 5, "{frames:?}");
    assert_eq!(backend.hits(), 0);
    assert_eq!(front.get("/").await.status(), 200);
}

#[tokio::test]
async fn heads_that_are_no_requests_are_refused() {
    let (backend, front) = front().await;
    let long = "x".repeat(100);
    let many: Vec<(&str, &str)> = (0..300).map(|_| ("x-a", long.as_str())).collect();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("a transfer coding", request(1, &[("transfer-encoding", "chunked")])),
        ("a connection header", request(1, &[("connection", "close")])),
        ("an upgrade", request(1, &[("upgrade", "h2c")])),
        ("capital letters", request(1, &[("X-Upper", "a")])),
        ("a line end in a value", request(1, &[("x-a", "b\r\nc: d")])),
        ("a NUL in a value", request(1, &[("x-a", "b\0c")])),
        ("a blank in a name", request(1, &[("x a", "b")])),
        ("two methods", request(1, &[(":method", "POST")])),
        ("a pseudo header after others", frame(HEADERS, 5, 1, &fields(&[("x-a", "b"), (":method", "GET")]))),
        ("an unknown pseudo header", request(1, &[(":admin", "yes")])),
        (
            "no path",
            frame(HEADERS, 5, 1, &fields(&[(":method", "GET"), (":scheme", "http"), (":authority", "a")])),
        ),
        (
            "a body that is longer than it says",
            [
                frame(HEADERS, END_HEADERS, 1, &fields(&[&REQUEST[..], &[("content-length", "1")]].concat())),
                frame(0, END_STREAM, 1, b"abc"),
            ]
            .concat(),
        ),
        (
            "too much",
            frame(HEADERS, 5, 1, &fields(&[&REQUEST[..], &many[..60]].concat()))
                .into_iter()
                .chain(request(3, &many[..150]))
                .collect(),
        ),
        ("an even stream", request(2, &[])),
        ("a stream of zero", request(0, &[])),
        ("a window beyond its size", frame(WINDOW_UPDATE, 0, 0, &0x7fff_ffff_u32.to_be_bytes())),
        ("a window of nothing", frame(WINDOW_UPDATE, 0, 0, &[0; 4])),
        ("settings on a stream", frame(SETTINGS, 0, 1, &[])),
        ("settings of five bytes", frame(SETTINGS, 0, 0, &[0; 5])),
        ("a ping of seven bytes", frame(PING, 0, 0, &[0; 7])),
        ("a continuation of nothing", frame(CONTINUATION, END_HEADERS, 1, &[])),
    ];
    for (name, bytes) in cases {
        let before = backend.hits();
        let frames = sent(&front, [bytes]).await;
        let is_ok = frames.iter().any(|(kind, stream, payload)| {
            *kind == HEADERS && *stream == 1 && payload.first() == Some(&0x88)
        });
        assert!(!is_ok || name == "too much", "{name}: {frames:?}");
        assert!(backend.hits() - before <= 1, "{name}");
    }
    assert_eq!(front.get("/").await.status(), 200);
}

#[tokio::test]
async fn pings_and_settings_without_end_do_no_harm() {
    let (_backend, front) = front().await;
    for part in [frame(PING, 0, 0, &[7; 8]), frame(SETTINGS, 0, 0, &[]), frame(0, 0, 1, &[])] {
        sent(&front, (0..20_000).map(|_| part.clone())).await;
        assert_eq!(front.get("/").await.status(), 200);
    }
}
