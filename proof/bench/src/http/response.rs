//! Where the head of an answer ends, and where its body does (RFC 9112, section 6).

use std::fmt;

/// The longest head, in bytes.
pub const MAX_HEAD_BYTES: usize = 64 * 1_024;
/// The longest body, in bytes.
pub const MAX_BODY_BYTES: usize = 16 * 1_024 * 1_024;
/// The most header fields.
const MAX_HEADERS: usize = 64;

/// How the end of a body is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// It has so many bytes.
    Length(usize),
    /// Its last chunk is empty.
    Chunked,
    /// The connection ends with it.
    UntilClose,
}

/// What is needed of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The status.
    pub status: u16,
    /// The bytes of the head itself.
    pub bytes: usize,
    /// Where the body ends.
    pub framing: Framing,
    /// Another request may follow on the connection.
    pub keeps_alive: bool,
    /// There is a `Retry-After`.
    pub has_retry_after: bool,
}

/// An answer that is not HTTP.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the answer is not HTTP/1.1: {}", self.0)
    }
}

impl std::error::Error for Malformed {}

impl Head {
    /// Reads a head; none when more bytes are needed.
    ///
    /// # Errors
    /// When the bytes can never become one.
    pub fn read(bytes: &[u8], method: &str) -> Result<Option<Self>, Malformed> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let parsed = response.parse(bytes).map_err(|_| Malformed("the head cannot be read"))?;
        let httparse::Status::Complete(length) = parsed else {
            return if bytes.len() < MAX_HEAD_BYTES {
                Ok(None)
            } else {
                Err(Malformed("a head without end"))
            };
        };
        let status = response.code.unwrap_or_default();
        let fields = Fields::read(response.headers)?;
        let keeps_alive = fields.says_keep_alive || (response.version == Some(1) && !fields.says_close);
        let framing = fields.framing(status, method)?;
        Ok(Some(Self {
            status,
            bytes: length,
            framing,
            keeps_alive: keeps_alive && framing != Framing::UntilClose,
            has_retry_after: fields.has_retry_after,
        }))
    }

    /// Another head follows, the one of the answer (100, 103).
    pub fn is_interim(&self) -> bool {
        (100..200).contains(&self.status)
    }
}

/// The header fields that matter.
#[derive(Default)]
struct Fields {
    length: Option<usize>,
    is_chunked: bool,
    says_close: bool,
    says_keep_alive: bool,
    has_retry_after: bool,
}

impl Fields {
    fn read(headers: &[httparse::Header<'_>]) -> Result<Self, Malformed> {
        let mut fields = Self::default();
        for header in headers {
            let value = header.value.trim_ascii();
            if header.name.eq_ignore_ascii_case("content-length") {
                let length = number(value)?;
                if fields.length.is_some_and(|before| before != length) {
                    return Err(Malformed("two lengths"));
                }
                fields.length = Some(length);
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                if !value.eq_ignore_ascii_case(b"chunked") || fields.is_chunked {
                    return Err(Malformed("an encoding that is not `chunked`"));
                }
                fields.is_chunked = true;
            } else if header.name.eq_ignore_ascii_case("connection") {
                fields.says_close |= value.eq_ignore_ascii_case(b"close");
                fields.says_keep_alive |= value.eq_ignore_ascii_case(b"keep-alive");
            } else if header.name.eq_ignore_ascii_case("retry-after") {
                fields.has_retry_after = !value.is_empty();
            }
        }
        Ok(fields)
    }

    fn framing(&self, status: u16, method: &str) -> Result<Framing, Malformed> {
        if method == "HEAD" || matches!(status, 100..=199 | 204 | 304) {
            return Ok(Framing::Length(0));
        }
        match (self.length, self.is_chunked) {
            (Some(_), true) => Err(Malformed("both a length and chunks")),
            (None, true) => Ok(Framing::Chunked),
            (Some(length), false) if length > MAX_BODY_BYTES => Err(Malformed("a body that is too long")),
            (Some(length), false) => Ok(Framing::Length(length)),
            (None, false) => Ok(Framing::UntilClose),
        }
    }
}

/// Digits only: `parse` would also take a sign.
fn number(value: &[u8]) -> Result<usize, Malformed> {
    let text = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    text.and_then(|text| text.parse().ok()).ok_or(Malformed("a length that is no number"))
}

/// Takes chunks out of what has arrived so far.
#[derive(Debug, Default)]
pub struct Chunks {
    /// How far the bytes were taken.
    taken: usize,
}

impl Chunks {
    /// Appends the chunks that are complete to the body. Returns where the answer ends, once it is there.
    ///
    /// # Errors
    /// When the bytes are no chunks.
    pub fn take(&mut self, bytes: &[u8], body: &mut Vec<u8>) -> Result<Option<usize>, Malformed> {
        loop {
            let rest = bytes.get(self.taken..).unwrap_or_default();
            let size = httparse::parse_chunk_size(rest).map_err(|_| Malformed("a chunk without a size"))?;
            let httparse::Status::Complete((start, size)) = size else { return Ok(None) };
            if size == 0 {
                return Ok(end_of_trailers(&rest[start..]).map(|end| self.taken + start + end));
            }
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            if size > MAX_BODY_BYTES - body.len().min(MAX_BODY_BYTES) {
                return Err(Malformed("a body that is too long"));
            }
            let (Some(data), Some(end)) =
                (rest.get(start..start + size), rest.get(start + size..start + size + 2))
            else {
                return Ok(None);
            };
            if end != b"\r\n" {
                return Err(Malformed("a chunk that is longer than its size"));
            }
            body.extend_from_slice(data);
            self.taken += start + size + 2;
        }
    }
}

/// Trailers end with an empty line, which is all that there is of most.
fn end_of_trailers(bytes: &[u8]) -> Option<usize> {
    if bytes.starts_with(b"\r\n") {
        return Some(2);
    }
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|position| position + 4)
}

#[cfg(test)]
mod tests;
