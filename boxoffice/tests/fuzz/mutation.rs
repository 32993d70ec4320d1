//! Valid samples, changed here and there: what is nearly right gets further than what is random.

use proptest::{prelude::*, sample::Index};

/// What parsers have stumbled over.
const TOKENS: &[&[u8]] = &[
    b"",
    b"\0",
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b"[[[[[[[[[[[[[[[[",
    b":",
    b",",
    b"null",
    b"true",
    b"-1",
    b"0",
    b"1e400",
    b"-0.0",
    b"9223372036854775808",
    b"18446744073709551616",
    b"2147483648",
    b"0.1",
    b"NaN",
    b"\r\n",
    b"\n",
    b"\t",
    b" ",
    b"=",
    b"&",
    b"?",
    b"#",
    b"%",
    b"%00",
    b"%2f",
    b"%ff",
    b"..",
    b"/",
    b"//",
    b":",
    b";",
    b".",
    b"*",
    b"~",
    b"~(",
    b"(?",
    b"0000-00-00T00:00:00Z",
    b"9999-12-31T23:59:59Z",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xae",
    b"$",
    b"<",
    b"'",
    b"- ",
    b"!!binary x",
    b"&a ",
    b"*a",
    b"? ",
    b"| ",
    b"...",
    b"---",
    b"[table]",
    b"[[x]]",
    b"x = 1",
    b"inf",
];

/// One change.
#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Remove(Index, usize),
    Repeat(Index, usize),
    Insert(Index, Index),
    /// From another sample.
    Graft(Index, Index, Index, usize),
    Cut(Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        2 => (at(), any::<u8>()).prop_map(|(at, bits)| Change::Flip(at, bits)),
        2 => (at(), 1..20_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        1 => (at(), 1..60_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
        4 => (at(), at()).prop_map(|(at, token)| Change::Insert(at, token)),
        2 => (at(), at(), at(), 1..60_usize).prop_map(|(at, other, from, length)| Change::Graft(at, other, from, length)),
        1 => at().prop_map(Change::Cut),
    ]
}

/// Samples with up to six changes; now and then just bytes.
pub fn mutated(samples: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changed =
        (any::<Index>(), prop::collection::vec(change(), 0..6)).prop_map(move |(which, changes)| {
            let mut bytes = which.get(&samples).clone();
            changes.iter().for_each(|change| apply(change, &mut bytes, &samples));
            bytes
        });
    prop_oneof![9 => changed, 1 => prop::collection::vec(any::<u8>(), 0..80)]
}

/// As [`mutated`], as text; bytes that are none are replaced.
pub fn mutated_text(samples: &[String]) -> impl Strategy<Value = String> + use<> {
    let samples = samples.iter().map(|sample| sample.clone().into_bytes()).collect();
    mutated(samples).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn apply(change: &Change, bytes: &mut Vec<u8>, samples: &[Vec<u8>]) {
    let place = |at: &Index, bytes: &[u8]| at.index(bytes.len() + 1);
    match change {
        Change::Flip(at, bits) => {
            let place = place(at, bytes);
            if let Some(byte) = bytes.get_mut(place) {
                *byte ^= bits;
            }
        }
        Change::Remove(at, length) => {
            let from = place(at, bytes);
            bytes.drain(from..bytes.len().min(from + length));
        }
        Change::Repeat(at, length) => {
            let from = place(at, bytes);
            let piece = bytes[from..bytes.len().min(from + length)].to_vec();
            bytes.splice(from..from, piece);
        }
        Change::Insert(at, token) => {
            let from = place(at, bytes);
            bytes.splice(from..from, token.get(TOKENS).iter().copied());
        }
        Change::Graft(at, other, from, length) => {
            let other = other.get(samples);
            let begin = place(from, other);
            let piece = other[begin..other.len().min(begin + length)].to_vec();
            let to = place(at, bytes);
            bytes.splice(to..to, piece);
        }
        Change::Cut(at) => bytes.truncate(place(at, bytes)),
    }
}
