//! Lists in pages: the size asked for, and a token that says where the next page begins.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::Refusal;
use serde::{Deserialize, Serialize};
use store::{Cursor, Value};

/// The size of a page when the client names none.
pub const DEFAULT_PAGE: usize = 20;
/// The largest page.
pub const MAX_PAGE: usize = 100;
/// The longest token, in bytes.
const MAX_TOKEN_BYTES: usize = 512;

/// The size of the page asked for.
///
/// # Errors
/// When it is negative or too large.
pub fn page_size(asked: i32) -> Result<usize, Refusal> {
    match usize::try_from(asked) {
        Ok(0) => Ok(DEFAULT_PAGE),
        Ok(size) if size <= MAX_PAGE => Ok(size),
        _ => Err(Refusal::field("page_size", "must be from 1 to 100")),
    }
}

/// What a token holds. The list it belongs to is part of it, so that it cannot be used for another.
#[derive(Serialize, Deserialize)]
struct Token {
    list: String,
    number: Option<i64>,
    text: Option<String>,
    id: String,
}

/// A token for going on after a row. `list` names the list with its filters.
#[must_use]
pub fn token(list: &str, cursor: &Cursor) -> String {
    let (number, text) = match &cursor.value {
        Value::Int(number) => (Some(*number), None),
        Value::Text(text) => (None, Some(text.clone())),
        Value::Null | Value::Set(_) => (None, None),
    };
    let token = Token { list: digest(list), number, text, id: cursor.id.clone() };
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&token).unwrap_or_default())
}

/// Where a token says that the page begins; an empty one is the first page.
///
/// # Errors
/// When it is not one of this list's.
pub fn cursor(list: &str, token: &str) -> Result<Option<Cursor>, Refusal> {
    if token.is_empty() {
        return Ok(None);
    }
    let bad =
        || Refusal::field("page_token", "must be the next_page_token of the same list with the same filters");
    if token.len() > MAX_TOKEN_BYTES {
        return Err(bad());
    }
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).map_err(|_| bad())?;
    let token: Token = serde_json::from_slice(&bytes).map_err(|_| bad())?;
    if token.list != digest(list) {
        return Err(bad());
    }
    let value = match (token.number, token.text) {
        (Some(number), _) => Value::Int(number),
        (None, Some(text)) => Value::Text(text),
        (None, None) => Value::Null,
    };
    Ok(Some(Cursor { value, id: token.id }))
}

/// A short name of a list: enough to tell a mistake, and tokens stay short.
fn digest(list: &str) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, list.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(&hash.as_ref()[..6])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_back_to_its_row_and_to_no_other_list() {
        let row = Cursor { value: Value::Int(-5), id: "a".to_owned() };
        let made = token("events q=rust", &row);
        assert_eq!(cursor("events q=rust", &made), Ok(Some(row)));
        assert!(cursor("events q=go", &made).is_err());
        assert!(cursor("events q=rust", "garbage").is_err());
        assert_eq!(cursor("events q=rust", ""), Ok(None));
        assert_eq!((page_size(0), page_size(100)), (Ok(20), Ok(100)));
        assert!(page_size(-1).is_err() && page_size(101).is_err());
    }
}
