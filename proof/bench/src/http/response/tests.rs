use super::*;

fn head(text: &str) -> Result<Option<Head>, Malformed> {
    Head::read(text.as_bytes(), "GET")
}

fn framing(fields: &str) -> Option<Framing> {
    head(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n")).ok().flatten().map(|head| head.framing)
}

#[test]
fn a_head_is_read_once_it_is_whole() {
    let text = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 4\r\n\r\n";
    for length in 0..text.len() {
        assert_eq!(head(&text[..length]), Ok(None), "{length}");
    }
    let expected = Head {
        status: 503,
        bytes: text.len(),
        framing: Framing::Length(4),
        keeps_alive: true,
        has_retry_after: true,
    };
    assert_eq!(head(&format!("{text}body")), Ok(Some(expected)));
}

#[test]
fn the_end_of_a_body_is_found_in_one_way_only() {
    assert_eq!(framing("content-length: 7\r\n"), Some(Framing::Length(7)));
    assert_eq!(framing("content-length: 7\r\nContent-Length: 7\r\n"), Some(Framing::Length(7)));
    assert_eq!(framing("transfer-encoding: Chunked\r\n"), Some(Framing::Chunked));
    assert_eq!(framing(""), Some(Framing::UntilClose));
    for wrong in [
        "content-length: 7\r\ncontent-length: 8\r\n",
        "content-length: 7\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: gzip, chunked\r\n",
        "content-length: -1\r\n",
        "content-length: +1\r\n",
        "content-length: 0x10\r\n",
        "content-length:\r\n",
        "content-length: 99999999999999999999999\r\n",
        "content-length: 999999999\r\n",
    ] {
        assert_eq!(framing(wrong), None, "{wrong}");
    }
}

#[test]
fn some_answers_have_no_body_whatever_they_say() {
    for (status, method) in [(204, "GET"), (304, "GET"), (100, "GET"), (200, "HEAD")] {
        let text = format!("HTTP/1.1 {status} x\r\ncontent-length: 9\r\n\r\n");
        let head = Head::read(text.as_bytes(), method).unwrap().unwrap();
        assert_eq!(head.framing, Framing::Length(0), "{status} {method}");
    }
}

#[test]
fn a_connection_is_kept_as_the_versions_say() {
    for (text, keeps_alive) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nConnection: Close\r\n\r\n", false),
        ("HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", false),
        ("HTTP/1.0 200 OK\r\ncontent-length: 0\r\nconnection: keep-alive\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\n\r\n", false),
    ] {
        assert_eq!(head(text).unwrap().unwrap().keeps_alive, keeps_alive, "{text}");
    }
}

#[test]
fn what_is_not_http_is_refused() {
    for wrong in ["SSH-2.0-x\r\n", "HTTP/1.1 abc\r\n\r\n", "\0\0\0", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n"] {
        assert!(head(wrong).is_err(), "{wrong}");
    }
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "a".repeat(MAX_HEAD_BYTES));
    assert_eq!(head(&endless), Err(Malformed("a head without end")));
    let crowded = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(MAX_HEADERS + 1));
    assert!(head(&crowded).is_err());
}

#[test]
fn chunks_arrive_in_any_pieces() {
    let text = b"4\r\nWiki\r\n6;extension=1\r\npedia \r\n3\r\n\r\n1\r\n0\r\ntrailer: x\r\n\r\n";
    for pieces in 1..=text.len() {
        let (mut chunks, mut body, mut end) = (Chunks::default(), Vec::new(), None);
        let mut arrived = 0;
        while end.is_none() && arrived < text.len() {
            arrived = (arrived + pieces).min(text.len());
            end = chunks.take(&text[..arrived], &mut body).unwrap();
        }
        assert_eq!((end, body.as_slice()), (Some(text.len()), &b"Wikipedia \r\n1"[..]), "{pieces}");
    }
}

#[test]
fn chunks_that_lie_are_refused() {
    for wrong in ["x\r\n", "4\r\nWikipedia\r\n0\r\n\r\n", "fffffffffffffffff\r\n", "fffffff\r\n", "-1\r\n"] {
        assert!(Chunks::default().take(wrong.as_bytes(), &mut Vec::new()).is_err(), "{wrong}");
    }
}
