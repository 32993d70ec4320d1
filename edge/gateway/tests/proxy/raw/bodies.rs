//! Bodies that become large or deep where they are read: a REST call that is made into gRPC.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use super::flood::{MOST_GROWTH, resident_bytes};
use crate::library::{Library, PROTO};

const JSON: &str = "Content-Type: application/json\r\n";

fn post(headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST /v1/shelves/1/books HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// A few kilobytes that are many megabytes.
fn bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let blanks = vec![b' '; 1024 * 1024];
    for _ in 0..50 {
        encoder.write_all(&blanks).unwrap();
    }
    encoder.finish().unwrap()
}

/// Each with the status that it is answered with.
fn cases() -> Vec<(&'static str, Vec<u8>, u16)> {
    let json = |body: &str| post(JSON, body.as_bytes());
    let coded = |coding: &str| post(&format!("{JSON}Content-Encoding: {coding}\r\n"), &bomb());
    let nested =
        |depth: usize| format!("{{\"extra\":{}{}}}", "{\"a\":".repeat(depth) + "1", "}".repeat(depth));
    let chunked = {
        let head = "POST /v1/shelves/1/books HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
        let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
        format!("{head}{JSON}Transfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", chunk.repeat(20)).into_bytes()
    };
    vec![
        ("lists in lists", json(&"[".repeat(60_000)), 400),
        ("lists in lists of a field", json(&format!("{{\"tags\":{}", "[".repeat(60_000))), 400),
        ("objects in objects", json(&"{\"extra\":".repeat(7_000)), 400),
        ("objects in objects, all of them closed", json(&nested(5_000)), 400),
        ("a little too deep", json(&nested(33)), 400),
        ("many names", json(&format!("{{{}\"z\":1}}", "\"a\":1,".repeat(9_000))), 400),
        ("a name twice", json(r#"{"title":"a","title":"b"}"#), 400),
        ("a name twice in a map", json(r#"{"ratings":{"a":1,"a":2}}"#), 400),
        ("a number without an end", json(&format!("{{\"copies\":{}}}", "9".repeat(60_000))), 400),
        ("a number beyond all numbers", json(r#"{"weight_kg":1e999}"#), 400),
        ("no number", json(r#"{"copies":NaN}"#), 400),
        ("half of a surrogate pair", json(r#"{"title":"\ud800"}"#), 400),
        ("a byte order mark", json("\u{feff}{}"), 400),
        ("more behind it", json("{} {}"), 400),
        ("no UTF-8", post(JSON, b"{\"title\":\"\xff\"}"), 400),
        ("one byte too many", json(&" ".repeat(64 * 1024 + 1)), 413),
        ("many chunks", chunked, 413),
        ("a gzip bomb", coded("gzip"), 415),
        ("a gzip bomb by its older name", coded("x-gzip"), 415),
        ("a gzip bomb of two codings", coded("identity, gzip"), 415),
        ("a bomb of another coding", coded("br"), 415),
        ("a gzip bomb that does not say so", post(JSON, &bomb()), 400),
        ("another type", post("Content-Type: text/plain\r\n", b"{}"), 415),
        ("no type", post("", b"{}"), 415),
    ]
}

#[tokio::test]
async fn bodies_that_grow_are_refused_before_they_do() {
    let library = Library::of_one_book().await;
    let front = library.behind(Some(PROTO)).await;
    let before = resident_bytes();
    let mut wrong = Vec::new();
    for (name, request, status) in cases() {
        let answer = front.raw(&request).await;
        let text = String::from_utf8_lossy(&answer);
        if !text.starts_with(&format!("HTTP/1.1 {status} ")) {
            wrong.push(format!("{name}: {}", &text[..text.floor_char_boundary(90)]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(library.asked.lock().unwrap().is_empty(), "the service heard of none");
    assert!(resident_bytes().saturating_sub(before) < MOST_GROWTH);
    let good = front.raw(&post(JSON, b"{\"title\":\"Dune\"}")).await;
    assert!(good.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&good));
}
