//! What no well-meaning client sends, byte by byte: nothing of it reaches an upstream as something else than it was
//! taken for, and nothing of it costs more than a little.

mod bodies;
mod flood;
mod http2;

use crate::fixture::{Backend, Front};

/// What must become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is refused, and nobody behind the gateway hears of it.
    Refused,
    /// It is refused, or cut off where it is found to be wrong, which may be after its head was passed on.
    CutOff,
    /// It may be answered, once, and is for the upstream what it was for the gateway.
    Once,
}
use Fate::{CutOff, Once, Refused};

/// What a second request would be that somebody hides in the body of another.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";

const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";

fn post(headers: &str, body: &str) -> String {
    format!("POST /a HTTP/1.1\r\nHost: a\r\n{headers}\r\n{body}")
}

fn get(line: &str, headers: &str) -> String {
    format!("{line}\r\n{headers}\r\n")
}

fn framing() -> Vec<(&'static str, String, Fate)> {
    let chunks = format!("0\r\n\r\n{HIDDEN}");
    vec![
        ("length and chunks", post(&format!("Content-Length: 4\r\n{CHUNKED}"), &chunks), Refused),
        ("chunks and length", post(&format!("{CHUNKED}Content-Length: 99\r\n"), &chunks), Refused),
        ("no length and chunks", post(&format!("Content-Length: 0\r\n{CHUNKED}"), &chunks), Refused),
        (
            "chunks, others, and length",
            post(&format!("{CHUNKED}X: y\r\ncontent-length: 5\r\n"), &chunks),
            Refused,
        ),
        (
            "both, of whatever case",
            post("CONTENT-LENGTH: 5\r\ntRANSFER-eNCODING: chunked\r\n", &chunks),
            Refused,
        ),
        (
            "both in a pipeline",
            format!(
                "{}{}",
                get("HEAD /a HTTP/1.1", "Host: a\r\n"),
                post(&format!("Content-Length: 4\r\n{CHUNKED}"), &chunks)
            ),
            Once,
        ),
        (
            "what looks like both in a body",
            post("Content-Length: 51\r\n", "\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"),
            Once,
        ),
        ("two lengths", post("Content-Length: 0\r\nContent-Length: 36\r\n", HIDDEN), Refused),
        ("two lengths, the same", post("Content-Length: 0\r\nContent-Length: 0\r\n", ""), Once),
        ("a list of lengths", post("Content-Length: 0, 36\r\n", HIDDEN), Refused),
        ("a length with a sign", post("Content-Length: +36\r\n", HIDDEN), Refused),
        ("a negative length", post("Content-Length: -1\r\n", HIDDEN), Refused),
        ("a length in hexadecimal", post("Content-Length: 0x24\r\n", HIDDEN), Refused),
        ("a length with letters", post("Content-Length: 36a\r\n", HIDDEN), Refused),
        ("a length with a point", post("Content-Length: 3.0\r\n", HIDDEN), Refused),
        ("a length beyond all numbers", post("Content-Length: 99999999999999999999\r\n", HIDDEN), Refused),
        ("an empty length", post("Content-Length: \r\n", HIDDEN), Refused),
        ("chunked is not last", post("Transfer-Encoding: chunked, identity\r\n", &chunks), Refused),
        ("another coding", post("Transfer-Encoding: identity\r\n", &chunks), Refused),
        ("a coding like chunked", post("Transfer-Encoding: xchunked\r\n", &chunks), Refused),
        ("chunked in quotes", post("Transfer-Encoding: \"chunked\"\r\n", &chunks), Refused),
        ("chunked with a vertical tab", post("Transfer-Encoding: \u{b}chunked\r\n", &chunks), Refused),
        ("a blank before the colon", post("Transfer-Encoding : chunked\r\n", &chunks), Refused),
        ("a folded line", post("Transfer-Encoding:\r\n chunked\r\n", &chunks), Refused),
        ("a folded header", post("X-A: b\r\n c\r\nContent-Length: 0\r\n", ""), Refused),
        ("an underscore", post("Transfer_Encoding: chunked\r\nContent-Length: 0\r\n", ""), Once),
        (
            "chunks in HTTP/1.0",
            "POST /a HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
            Refused,
        ),
        ("a body longer than it says", post("Content-Length: 1\r\n", "xyz\r\n\r\n"), Once),
    ]
}

fn chunks() -> Vec<(&'static str, String, Fate)> {
    let chunked = |body: &str| post("Transfer-Encoding: chunked\r\n", body);
    vec![
        ("a size with 0x", chunked("0x3\r\nabc\r\n0\r\n\r\n"), CutOff),
        ("a size with a sign", chunked("+3\r\nabc\r\n0\r\n\r\n"), CutOff),
        ("a negative size", chunked("-3\r\nabc\r\n0\r\n\r\n"), CutOff),
        ("a size beyond all numbers", chunked("FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n"), CutOff),
        ("no size", chunked("\r\nabc\r\n0\r\n\r\n"), CutOff),
        ("a size of other letters", chunked("zz\r\nabc\r\n0\r\n\r\n"), CutOff),
        ("no line end after a chunk", chunked("3\r\nabcd\r\n0\r\n\r\n"), CutOff),
        ("a bare line feed after a size", chunked("3\nabc\r\n0\r\n\r\n"), CutOff),
        ("a bare carriage return after a size", chunked("3\rabc\r\n0\r\n\r\n"), CutOff),
        ("a line feed in an extension", chunked("3;a\nb\r\nabc\r\n0\r\n\r\n"), CutOff),
        ("an endless extension", chunked(&format!("3;{}\r\nabc\r\n0\r\n\r\n", "a".repeat(40_000))), CutOff),
        (
            "a trailer that is a header of its own",
            chunked("0\r\nContent-Length: 36\r\nHost: b\r\n\r\n"),
            Once,
        ),
        ("endless trailers", chunked(&format!("0\r\n{}\r\n", "X-A: b\r\n".repeat(5_000))), CutOff),
    ]
}

fn heads() -> Vec<(&'static str, String, Fate)> {
    let host = "Host: a\r\n";
    vec![
        ("two hosts", get("GET /a HTTP/1.1", "Host: a\r\nHost: b\r\n"), Refused),
        ("no host", get("GET /a HTTP/1.1", ""), Refused),
        ("a host with a user", get("GET /a HTTP/1.1", "Host: a@b\r\n"), Refused),
        ("a host with a path", get("GET /a HTTP/1.1", "Host: a/b\r\n"), Refused),
        ("a host with a blank", get("GET /a HTTP/1.1", "Host: a b\r\n"), Refused),
        ("another host in the target", get("GET http://b/a HTTP/1.1", host), Refused),
        ("the same host in the target", get("GET http://a/a HTTP/1.1", host), Once),
        ("a connection to somebody else", get("CONNECT b:443 HTTP/1.1", "Host: b:443\r\n"), Refused),
        ("no version", get("GET /a", host), Refused),
        ("version 0.9", get("GET /a HTTP/0.9", host), Refused),
        ("version 1.2", get("GET /a HTTP/1.2", host), Refused),
        ("version 2.0 in text", get("GET /a HTTP/2.0", host), Refused),
        ("another protocol", get("GET /a HTTQ/1.1", host), Refused),
        ("two blanks before the target", get("GET  /a HTTP/1.1", host), Refused),
        ("a tab before the target", get("GET\t/a HTTP/1.1", host), Refused),
        ("a blank in the target", get("GET /a b HTTP/1.1", host), Refused),
        ("a NUL in the target", get("GET /a\0b HTTP/1.1", host), Refused),
        ("a method of brackets", get("GE(T /a HTTP/1.1", host), Refused),
        ("a header without a colon", get("GET /a HTTP/1.1", "Host: a\r\nnothing\r\n"), Refused),
        ("a header without a name", get("GET /a HTTP/1.1", "Host: a\r\n: x\r\n"), Refused),
        ("a blank in a header's name", get("GET /a HTTP/1.1", "Host: a\r\nX A: b\r\n"), Refused),
        ("a NUL in a header", get("GET /a HTTP/1.1", "Host: a\r\nX: a\0b\r\n"), Refused),
        ("a carriage return in a header", get("GET /a HTTP/1.1", "Host: a\r\nX: a\rY: b\r\n"), Refused),
        ("a header before the request", get(" GET /a HTTP/1.1", host), Refused),
        ("too many headers", get("GET /a HTTP/1.1", &format!("{host}{}", "X: y\r\n".repeat(80))), Refused),
        ("a long header", get("GET /a HTTP/1.1", &format!("{host}X: {}\r\n", "y".repeat(40_000))), Refused),
        ("a long target", get(&format!("GET /a{} HTTP/1.1", "b".repeat(6_000)), host), Refused),
        ("a longer target", get(&format!("GET /a{} HTTP/1.1", "b".repeat(60_000)), host), Refused),
        (
            "HTTP/2 behind an upgrade",
            get(
                "GET /a HTTP/1.1",
                "Host: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
            ),
            Once,
        ),
        ("bytes of something else", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0".repeat(20), Refused),
    ]
}

/// How many answers there are, and whether the first one is a refusal.
fn answers(answer: &[u8]) -> (usize, bool) {
    let text = String::from_utf8_lossy(answer);
    let count = text.matches("HTTP/1.1 ").count() + text.matches("HTTP/1.0 ").count();
    let status = text.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok()).unwrap_or(0);
    (count, count == 0 || status >= 400)
}

async fn hold(cases: Vec<(&'static str, String, Fate)>) {
    let (backend, mut front) = (Backend::saying("ok").await, Front::start().await);
    front.route(&backend.url(), "/");
    let mut wrong = Vec::new();
    for (name, request, fate) in cases {
        let before = backend.hits();
        backend.heads.lock().unwrap().clear();
        let answer = front.raw(request.as_bytes()).await;
        let ((count, is_refusal), hits) = (answers(&answer), backend.hits() - before);
        let heads = backend.heads.lock().unwrap().clone();
        let is_hidden =
            heads.iter().any(|head| head.uri.path() == "/hidden" || head.headers.contains_key("upgrade"));
        let is_right = match fate {
            Refused => is_refusal && count <= 1 && hits == 0,
            CutOff => is_refusal && count <= 1 && hits <= 1,
            Once => hits <= 1,
        };
        if !is_right || is_hidden {
            wrong.push(format!(
                "{name}: {hits} came through; {}",
                String::from_utf8_lossy(&answer[..answer.len().min(90)])
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(front.get("/after").await.status(), 200, "it serves on");
}

#[tokio::test]
async fn one_request_is_one_request_for_everybody() {
    hold(framing()).await;
}

#[tokio::test]
async fn chunks_that_are_not_well_formed_end_the_connection() {
    hold(chunks()).await;
}

#[tokio::test]
async fn heads_that_are_not_well_formed_are_refused() {
    hold(heads()).await;
}

#[test]
fn there_are_enough_of_them() {
    assert!(framing().len() + chunks().len() + heads().len() >= 60);
}
