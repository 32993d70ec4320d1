//! The request message: what the path, the query and the body say, put together on the wire. Parts are
//! appended one after the other, because protobuf reads what is appended as if it had been written at once.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::{
    limits::{BODY_DEADLINE, MAX_BODY_BYTES, MAX_QUERY_PARAMETERS},
    problem::Problem,
    read_json::{self, BadJson},
    routes::{BodyRule, FieldPath, Route, resolve},
    scalar::put_text,
    schema::{Field, Kind, Label, Schema, Shape},
    tree::{Segments, percent_decode},
    wire::{Fields, put_bytes},
};

/// The parts of an HTTP request that make the message.
pub(crate) struct Parts<'r> {
    /// The method as it was sent.
    pub method: &'r Method,
    /// The headers.
    pub headers: &'r HeaderMap,
    /// The query as it was sent.
    pub query: &'r str,
    /// The decoded segments of the path.
    pub segments: &'r Segments<'r>,
}

/// The request message of a route.
pub(crate) async fn read(
    schema: &Schema,
    route: &Route,
    parts: &Parts<'_>,
    body: Body,
) -> Result<Vec<u8>, Problem> {
    let mut message = read_body(schema, route, parts, body).await?;
    for (path, range) in &route.variables {
        let end = range.end.min(parts.segments.len());
        let start = range.start.min(end);
        let text = parts.segments[start..end].join("/");
        put_at(schema, &mut message, path, &text)?;
    }
    read_query(schema, route, parts, &mut message)?;
    Ok(message)
}

async fn read_body(
    schema: &Schema,
    route: &Route,
    parts: &Parts<'_>,
    body: Body,
) -> Result<Vec<u8>, Problem> {
    let announced = announced_length(parts.headers);
    if announced.is_some_and(|length| length > MAX_BODY_BYTES as u64) {
        return Err(Problem::body_too_large());
    }
    if route.body == BodyRule::Nothing {
        // A body of GET has no meaning (RFC 9110), so it is left unread.
        let has_body = announced.is_some_and(|length| length > 0);
        if has_body && !matches!(*parts.method, Method::GET | Method::HEAD) {
            return Err(Problem::bad_input("this call takes no body"));
        }
        return Ok(Vec::new());
    }
    // What becomes large here may have come as little.
    if parts.headers.get_all(header::CONTENT_ENCODING).iter().any(|coding| coding != "identity") {
        return Err(Problem::content_encoding());
    }
    let media_type = parts.headers.get(header::CONTENT_TYPE);
    if let Some(field) = file_field(schema, route) {
        let media_type = media_type.map(header::HeaderValue::as_bytes).unwrap_or_default();
        return Ok(file(field, media_type, &collect(body).await?));
    }
    if media_type.is_some_and(|value| !is_json(value.as_bytes())) {
        return Err(Problem::unsupported_media_type());
    }
    let body = collect(body).await?;
    if body.is_empty() {
        return match route.body_is_optional {
            true => Ok(Vec::new()),
            false => Err(Problem::malformed_json("it is empty; send an object")),
        };
    }
    if media_type.is_none() {
        return Err(Problem::unsupported_media_type());
    }
    transcode(schema, route, &body)
}

/// Where the body is a `google.api.HttpBody`, its field; none in it for a whole message.
fn file_field(schema: &Schema, route: &Route) -> Option<Option<u32>> {
    let is_file = |id| matches!(schema.message(id).shape, Shape::HttpBody);
    match route.body {
        BodyRule::Whole => is_file(route.input).then_some(None),
        BodyRule::Field(index) => {
            let field = &schema.message(route.input).fields[index];
            matches!(field.kind, Kind::Message(id) if is_file(id)).then_some(Some(field.number))
        }
        BodyRule::Nothing => None,
    }
}

/// A body that is passed on as it is.
fn file(field: Option<u32>, media_type: &[u8], body: &[u8]) -> Vec<u8> {
    let mut file = Vec::with_capacity(body.len() + media_type.len() + 16);
    put_bytes(&mut file, 1, media_type);
    put_bytes(&mut file, 2, body);
    match field {
        None => file,
        Some(number) => {
            let mut message = Vec::with_capacity(file.len() + 8);
            put_bytes(&mut message, number, &file);
            message
        }
    }
}

fn transcode(schema: &Schema, route: &Route, body: &[u8]) -> Result<Vec<u8>, Problem> {
    let refuse = |bad: BadJson| match bad {
        BadJson::Malformed(why) => Problem::malformed_json(&why),
        BadJson::Field(field, reason) if field.is_empty() => Problem::field("body", reason),
        BadJson::Field(field, reason) => Problem::field(field, reason),
    };
    if let BodyRule::Field(index) = route.body {
        let field = &schema.message(route.input).fields[index];
        return read_json::read_field(schema, field, body).map_err(refuse);
    }
    let mut body = read_json::read(schema, route.input, &route.bound, body).map_err(refuse)?;
    if let Some(mask) = route.update_mask {
        fill_update_mask(&schema.message(route.input).fields, mask, &mut body);
    }
    Ok(body.bytes)
}

/// A PATCH changes the fields that it sends; who sends a mask says so themselves.
fn fill_update_mask(fields: &[Field], mask: usize, body: &mut read_json::Body) {
    let number = fields[mask].number;
    // A mask that is null is none.
    if Fields::of(&body.bytes).any(|field| field.is_ok_and(|(sent, _)| sent == number)) {
        return;
    }
    let mut paths = Vec::new();
    for index in body.present.iter().filter(|index| **index != mask) {
        put_bytes(&mut paths, 1, fields[*index].name.as_bytes());
    }
    put_bytes(&mut body.bytes, number, &paths);
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn is_json(media_type: &[u8]) -> bool {
    let essence = media_type.split(|b| *b == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

async fn collect(body: Body) -> Result<Bytes, Problem> {
    let limited = Limited::new(body, MAX_BODY_BYTES);
    let collected = tokio::time::timeout(BODY_DEADLINE, limited.collect()).await;
    match collected {
        Err(_) => Err(Problem::request_timeout()),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::body_too_large()),
        Ok(Err(_)) => Err(Problem::bad_input("the body did not arrive whole")),
    }
}

fn read_query(
    schema: &Schema,
    route: &Route,
    parts: &Parts<'_>,
    message: &mut Vec<u8>,
) -> Result<(), Problem> {
    let is_get = matches!(*parts.method, Method::GET | Method::HEAD);
    let mut seen: Vec<FieldPath> = Vec::new();
    for (count, pair) in parts.query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        if count == MAX_QUERY_PARAMETERS {
            return Err(Problem::bad_input(format!(
                "a query may have {MAX_QUERY_PARAMETERS} parameters at most"
            )));
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decode = |text| percent_decode(text, true);
        let (Ok(name), Ok(value)) = (decode(name), decode(value)) else {
            return Err(Problem::bad_input(
                "the query is not well-formed: after % come two hexadecimal digits, and all is UTF-8",
            ));
        };
        let Some(path) = resolve(schema, route.input, &name) else {
            if is_get {
                continue;
            }
            return Err(Problem::field(name, "is not a known query parameter"));
        };
        if route.variables.iter().any(|(bound, _)| *bound == path) {
            return Err(Problem::field(name, "is given by the path"));
        }
        match route.body {
            BodyRule::Nothing => {}
            BodyRule::Field(index) if path[0].1 != index => {}
            _ => return Err(Problem::field(name, "belongs into the body")),
        }
        let is_list = path
            .last()
            .is_some_and(|(id, index)| schema.message(*id).fields[*index].label == Label::Repeated);
        if !is_list && seen.contains(&path) {
            return Err(Problem::field(name, "is given more than once"));
        }
        put_at(schema, message, &path, &value)?;
        seen.push(path);
    }
    Ok(())
}

/// Writes a value at a path of fields; the messages on the way are wrapped around it.
fn put_at(schema: &Schema, message: &mut Vec<u8>, path: &FieldPath, text: &str) -> Result<(), Problem> {
    let fields = || path.iter().map(|(id, index)| &schema.message(*id).fields[*index]);
    let Some(last) = fields().next_back() else {
        return Ok(());
    };
    let refuse = |reason| {
        let names: Vec<&str> = fields().map(|field| field.name.as_str()).collect();
        Problem::field(names.join("."), reason)
    };
    if path.len() == 1 {
        return put_text(schema, message, last.number, &last.kind, text).map_err(refuse);
    }
    let mut value = Vec::new();
    put_text(schema, &mut value, last.number, &last.kind, text).map_err(refuse)?;
    for field in fields().rev().skip(1) {
        let mut outer = Vec::with_capacity(value.len() + 8);
        put_bytes(&mut outer, field.number, &value);
        value = outer;
    }
    message.extend_from_slice(&value);
    Ok(())
}
