//! Whether a request says its length twice, by `Content-Length` and by `Transfer-Encoding`. RFC 9112, 6.1 lets a server
//! refuse it, and whoever stands between may have taken the other one: what is a body here is a request there. The
//! parser drops the length before anybody sees it, so the bytes are looked at on their way to the parser.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// So much of a line is kept: names, numbers and codings are shorter.
const LINE_BYTES: usize = 64;
/// The line end after the bytes of a chunk.
const CHUNK_END_BYTES: u64 = 2;

/// Says of a connection whether a request on it said its length twice.
#[derive(Debug, Clone, Default)]
pub(super) struct Ambiguous(Arc<AtomicBool>);

impl Ambiguous {
    /// Whether there was one.
    pub fn is_found(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Where in a request the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// In a line of the head; the first one is that of the request.
    Head,
    /// So many bytes before the end of the body.
    Body(u64),
    /// In the line of a chunk's size.
    ChunkSize,
    /// So many bytes before the line of the next size.
    Chunk(u64),
    /// In a line after the last chunk.
    Trailers,
}

/// Follows the requests of a connection that speaks HTTP/1.1. Whatever is not well-formed is left to the parser, which
/// ends the connection.
#[derive(Debug)]
pub(super) struct Framing {
    at: At,
    /// The beginning of the current line.
    line: Vec<u8>,
    length: Option<u64>,
    is_chunked: bool,
    /// Something of a head has come, and not all of it.
    has_begun: bool,
    /// What comes after a head that asked for it may be of another protocol.
    may_be_upgraded: bool,
    ambiguous: Ambiguous,
}

impl Framing {
    /// At the beginning of a connection.
    pub fn new(ambiguous: Ambiguous) -> Self {
        Self {
            at: At::Head,
            line: Vec::with_capacity(LINE_BYTES),
            length: None,
            is_chunked: false,
            has_begun: false,
            may_be_upgraded: false,
            ambiguous,
        }
    }

    /// Whether a head has surely begun and not ended.
    pub fn is_within_head(&self) -> bool {
        self.has_begun
    }

    /// Looks at the next bytes.
    pub fn follow(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match self.at {
                At::Body(left) => self.skip(bytes, left, At::Body, At::Head),
                At::Chunk(left) => self.skip(bytes, left, At::Chunk, At::ChunkSize),
                At::Head | At::ChunkSize | At::Trailers => self.read_line(bytes),
            };
        }
    }

    fn skip<'b>(&mut self, bytes: &'b [u8], left: u64, within: fn(u64) -> At, then: At) -> &'b [u8] {
        let skipped = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let left = left - skipped as u64;
        self.at = if left == 0 { then } else { within(left) };
        &bytes[skipped..]
    }

    fn read_line<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        self.has_begun |= self.at == At::Head && !self.may_be_upgraded;
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (part, rest) = end.map_or((bytes, &[][..]), |end| (&bytes[..end], &bytes[end + 1..]));
        let room = LINE_BYTES - self.line.len();
        self.line.extend_from_slice(&part[..part.len().min(room)]);
        if end.is_some() {
            self.at = self.end_line();
            self.line.clear();
        }
        rest
    }

    /// What a line says, and where its end leads.
    fn end_line(&mut self) -> At {
        let line = self.line.trim_ascii_end();
        match self.at {
            At::Head if line.is_empty() => self.end_head(),
            At::Head => {
                if let Some(value) = value_of(line, b"content-length") {
                    self.length = Some(number(value, 10));
                } else if value_of(line, b"transfer-encoding").is_some() {
                    self.is_chunked = true;
                } else if value_of(line, b"upgrade").is_some() {
                    self.may_be_upgraded = true;
                }
                At::Head
            }
            At::ChunkSize => match number(line, 16) {
                0 => At::Trailers,
                bytes => At::Chunk(bytes.saturating_add(CHUNK_END_BYTES)),
            },
            At::Trailers if line.is_empty() => At::Head,
            at => at,
        }
    }

    fn end_head(&mut self) -> At {
        self.has_begun = false;
        let length = self.length.take();
        if !std::mem::take(&mut self.is_chunked) {
            return length.filter(|length| *length > 0).map_or(At::Head, At::Body);
        }
        if length.is_some() {
            self.ambiguous.0.store(true, Ordering::Release);
        }
        At::ChunkSize
    }
}

/// The value of a header with this name in lower case.
fn value_of<'l>(line: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    let (found, rest) = line.split_at_checked(name.len())?;
    let value = rest.strip_prefix(b":")?;
    found.eq_ignore_ascii_case(name).then(|| value.trim_ascii_start())
}

/// The digits that a line begins with. One that is too large is as good as the largest: nothing comes after it.
fn number(line: &[u8], radix: u32) -> u64 {
    let digits = line.iter().map_while(|byte| char::from(*byte).to_digit(radix));
    digits.fold(0, |number, digit| number.saturating_mul(radix.into()).saturating_add(digit.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "POST / HTTP/1.1\r\nHost: a\r\n";
    const BOTH: &str = "Content-Length: 3\r\nX: y\r\ntransfer-encoding: chunked\r\n\r\n";

    /// However the bytes are cut.
    fn is_found(text: &str) -> bool {
        let found = [1, 7, 64, 4_096].map(|size| {
            let ambiguous = Ambiguous::default();
            let mut framing = Framing::new(ambiguous.clone());
            text.as_bytes().chunks(size).for_each(|part| framing.follow(part));
            ambiguous.is_found()
        });
        assert!(found.iter().all(|one| *one == found[0]), "{text}: {found:?}");
        found[0]
    }

    #[test]
    fn both_are_found_in_any_request_of_a_connection() {
        let before = [
            String::new(),
            "\r\n".to_owned(),
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            format!("{HEAD}Content-Length: 5\r\n\r\n\r\n\r\na"),
            format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n4;x=y\r\n\r\n\r\n\r\n00\r\n\r\n"),
            format!("{HEAD}Transfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n"),
            format!("{HEAD}Content-Length: 0\r\n\r\n"),
        ];
        for before in before {
            assert!(is_found(&format!("{before}{HEAD}{BOTH}")), "{before:?}");
            assert!(!is_found(&before), "{before:?}");
        }
        assert!(is_found(&format!("{HEAD}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n")));
    }

    #[test]
    fn what_a_body_says_is_no_head() {
        let length = BOTH.len() + 2;
        assert!(!is_found(&format!("{HEAD}Content-Length: {length}\r\n\r\n\r\n{BOTH}")));
        assert!(!is_found(&format!(
            "{HEAD}Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n\r\n{BOTH}\r\n0\r\n\r\n"
        )));
        assert!(!is_found(&format!(
            "{HEAD}X-Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        )));
    }
}
