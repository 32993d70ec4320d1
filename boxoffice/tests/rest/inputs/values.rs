//! What may be sent where something else is meant: JSON as it goes over the wire, well-formed or not.

use std::collections::BTreeSet;

use serde_json::Value;

use super::texts::TEXTS;

/// Lengths around the limits of the contract, and far beyond them. What is longer than a body may be is told in
/// `hostile.rs`.
const LENGTHS: &[usize] = &[
    2, 7, 8, 39, 40, 41, 64, 65, 119, 120, 121, 199, 200, 201, 254, 255, 256, 257, 499, 500, 501, 512, 513,
    1_999, 2_000, 2_001, 4_096, 10_000, 19_999, 20_000, 20_001, 50_000,
];

/// What is not a string, and what is not even JSON.
const RAW: &[&[u8]] = &[
    b"null",
    b"true",
    b"false",
    b"0",
    b"-0",
    b"1",
    b"-1",
    b"2",
    b"5",
    b"6",
    b"50",
    b"51",
    b"99",
    b"100",
    b"101",
    b"1000000",
    b"1000001",
    b"1899",
    b"1900",
    b"2147483646",
    b"2147483647",
    b"2147483648",
    b"-2147483648",
    b"-2147483649",
    b"4294967295",
    b"4294967296",
    b"9007199254740991",
    b"9007199254740992",
    b"9007199254740993",
    b"1000000000000",
    b"1000000000001",
    b"9223372036854775807",
    b"9223372036854775808",
    b"-9223372036854775808",
    b"-9223372036854775809",
    b"18446744073709551615",
    b"18446744073709551616",
    b"100000000000000000000000000000000",
    b"0.0",
    b"1.0",
    b"1.5",
    b"0.1",
    b"-0.5",
    b"1e0",
    b"1e2",
    b"1E+2",
    b"1e-2",
    b"1e18",
    b"1e19",
    b"1e308",
    b"1e309",
    b"1e400",
    b"-1e400",
    b"1e-400",
    b"5e-324",
    b"2.5e3",
    b"00",
    b"01",
    b"+1",
    b".5",
    b"1.",
    b"1e",
    b"0x10",
    b"1_000",
    b"1,5",
    b"--1",
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"[]",
    b"[[]]",
    b"[null]",
    b"[1]",
    b"[\"\"]",
    b"[\"a\"]",
    b"[\"a\",\"a\"]",
    b"[1,\"a\",null]",
    b"[{}]",
    b"[true]",
    b"{}",
    b"{\"\":1}",
    b"{\"a\":1}",
    b"{\"id\":\"x\"}",
    b"{\"$gt\":\"\"}",
    b"{\"$ne\":null}",
    b"{\"value\":1}",
    b"{\"currency\":\"EUR\"}",
    b"{\"minor\":5}",
    b"{\"currency\":\"EUR\",\"minor\":-5}",
    b"{\"currency\":\"EUR\",\"minor\":5,\"major\":1}",
    b"{\"currency\":5,\"minor\":\"a\"}",
    b"{\"name\":\"a\",\"name\":\"b\"}",
    b"{\"name\":{\"name\":{}}}",
    b"{\"__proto__\":{}}",
    b"{\"seconds\":1,\"nanos\":1}",
    b"{\"@type\":\"type.googleapis.com/google.protobuf.Any\"}",
    b"",
    b"undefined",
    b"None",
    b"nul",
    b"nulll",
    b"True",
    b"TRUE",
    b"'a'",
    b"a",
    b"\"",
    b"\"a",
    b"a\"",
    b"[",
    b"]",
    b"{",
    b"}",
    b"[1",
    b"[1,]",
    b"[,1]",
    b"[1 2]",
    b"{\"a\"}",
    b"{\"a\":}",
    b"{a:1}",
    b"{\"a\":1,}",
    b"{1:2}",
    b"\"a\" \"b\"",
    b"1 1",
    b"/*c*/1",
    b"1//c",
    b"1;",
    b"\"\\x41\"",
    b"\"\\u\"",
    b"\"\\u12\"",
    b"\"\\u{1}\"",
    b"\"\\ud800\"",
    b"\"\\udc00\"",
    b"\"\\ud800\\u0041\"",
    b"\"\\udc00\\ud800\"",
    b"\"a\\\"",
    b"\"\x01\"",
    b"\"\n\"",
    b"\"\t\"",
    b"\"\xff\"",
    b"\"\xfe\xff\"",
    b"\"\xc0\x80\"",
    b"\"\xc0\xaf\"",
    b"\"\xe0\x80\x80\"",
    b"\"\xed\xa0\x80\"",
    b"\"\xf4\x90\x80\x80\"",
    b"\"\xf8\x88\x80\x80\x80\"",
    b"\"\xc3\"",
    b"\"\xe2\x82\"",
    b"\"\xf0\x9f\x92\"",
    b"\"\xe9\"",
    b"\"\x80\"",
    b"\x00",
    b"\xef\xbb\xbf1",
    b"\xff",
    b"\"\\u0000\"",
    b"\"a\\u0000b\"",
    b"\"\\ud83d\\ude00\"",
    b"\"\\u00e9\"",
    b"\"\\/\"",
];

/// One thing to send.
pub struct Sent {
    /// As it stands in a body.
    pub json: Vec<u8>,
    /// What it says; none where it is not JSON.
    pub value: Option<Value>,
}

impl Sent {
    fn new(json: Vec<u8>) -> Self {
        let value = std::str::from_utf8(&json).ok().and_then(|text| serde_json::from_str(text).ok());
        Self { json, value }
    }

    /// As it stands in a path or a query: the text of a string, else the JSON.
    pub fn text(&self) -> Vec<u8> {
        match &self.value {
            Some(Value::String(text)) => text.as_bytes().to_vec(),
            _ => self.json.clone(),
        }
    }

    /// For people, cut short.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.json).chars().take(60).collect()
    }
}

/// All of them, each once.
pub fn all() -> Vec<Sent> {
    let quoted = |text: &str| Value::from(text).to_string().into_bytes();
    let mut sent: Vec<Vec<u8>> = TEXTS.iter().map(|text| quoted(text)).collect();
    sent.extend(RAW.iter().map(|raw| raw.to_vec()));
    sent.extend(LENGTHS.iter().map(|length| quoted(&"x".repeat(*length))));
    sent.extend([120, 121, 2_000].map(|length| quoted(&"ä\u{308}".repeat(length))));
    for depth in [2, 20, 33, 200, 8_000] {
        sent.push([b"[".repeat(depth), b"]".repeat(depth)].concat());
        sent.push([b"{\"a\":".repeat(depth), b"1".to_vec(), b"}".repeat(depth)].concat());
    }
    for count in [21, 51, 1_001, 4_000] {
        sent.push(format!("[{}]", vec!["\"a\""; count].join(",")).into_bytes());
        sent.push(format!("[{}]", vec!["{}"; count].join(",")).into_bytes());
        let keys: Vec<String> = (0..count).map(|key| format!("\"k{key}\":1")).collect();
        sent.push(format!("{{{}}}", keys.join(",")).into_bytes());
    }
    let once: BTreeSet<Vec<u8>> = sent.into_iter().collect();
    once.into_iter().map(Sent::new).collect()
}
