//! A request, and how it is written.

use std::io::Write;

/// A request. It borrows everything: it lives until it is written.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The method.
    pub method: &'a str,
    /// The path with its query.
    pub path: &'a str,
    /// `Bearer` and the access token.
    pub authorization: Option<&'a str>,
    /// Further headers.
    pub headers: &'a [(&'a str, &'a str)],
    /// JSON, unless a header says otherwise; empty is none.
    pub body: &'a [u8],
}

impl<'a> Call<'a> {
    /// A call without a body.
    pub fn get(path: &'a str) -> Self {
        Self { method: "GET", path, authorization: None, headers: &[], body: b"" }
    }

    /// A call with JSON.
    pub fn post(path: &'a str, body: &'a [u8]) -> Self {
        Self { method: "POST", body, ..Self::get(path) }
    }

    /// The same, as somebody.
    #[must_use]
    pub fn by(self, authorization: &'a str) -> Self {
        Self { authorization: Some(authorization), ..self }
    }

    /// The same, with these headers.
    #[must_use]
    pub fn with(self, headers: &'a [(&'a str, &'a str)]) -> Self {
        Self { headers, ..self }
    }

    /// Writes it over what was in the buffer.
    pub fn write(&self, host: &str, buffer: &mut Vec<u8>) {
        buffer.clear();
        for part in [self.method, " ", self.path, " HTTP/1.1\r\n"] {
            buffer.extend_from_slice(part.as_bytes());
        }
        if !self.says("host") {
            header(buffer, "host", host);
        }
        if let Some(authorization) = self.authorization {
            header(buffer, "authorization", authorization);
        }
        for (name, value) in self.headers {
            header(buffer, name, value);
        }
        if !self.body.is_empty() && !self.says("content-type") {
            header(buffer, "content-type", "application/json");
        }
        if !self.body.is_empty() || matches!(self.method, "POST" | "PUT" | "PATCH") {
            // Writing into memory cannot fail.
            let _ = write!(buffer, "content-length: {}\r\n", self.body.len());
        }
        buffer.extend_from_slice(b"\r\n");
        buffer.extend_from_slice(self.body);
    }

    fn says(&self, wanted: &str) -> bool {
        self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted))
    }
}

fn header(buffer: &mut Vec<u8>, name: &str, value: &str) {
    for part in [name, ": ", value, "\r\n"] {
        buffer.extend_from_slice(part.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(call: &Call<'_>) -> String {
        let mut buffer = b"what was there before".to_vec();
        call.write("example.org:80", &mut buffer);
        String::from_utf8(buffer).unwrap()
    }

    #[test]
    fn a_call_is_written_whole() {
        assert_eq!(written(&Call::get("/a?b=c")), "GET /a?b=c HTTP/1.1\r\nhost: example.org:80\r\n\r\n");
        let call = Call::post("/a", b"{}").by("Bearer x").with(&[("prefer", "wait=1")]);
        let expected = "POST /a HTTP/1.1\r\nhost: example.org:80\r\nauthorization: Bearer x\r\n\
                        prefer: wait=1\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(written(&call), expected);
    }

    #[test]
    fn a_post_without_a_body_says_so_and_headers_are_not_doubled() {
        assert!(written(&Call::post("/a", b"")).ends_with("content-length: 0\r\n\r\n"));
        let call = Call::post("/a", b"x").with(&[("Content-Type", "text/plain")]);
        assert_eq!(written(&call).to_lowercase().matches("content-type").count(), 1);
        let call = Call::get("/a").with(&[("Host", "other")]);
        assert_eq!(written(&call), "GET /a HTTP/1.1\r\nHost: other\r\n\r\n");
    }
}
