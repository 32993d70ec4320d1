//! Every field that the REST surface reads, from the contracts: in the path, in the query or in the body.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};
use serde_json::{Value, json};

use super::values::Sent;

/// Stands in a body where something is to be sent.
const MARK: &str = "@value@";

/// Where a field is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Path,
    Query,
    Body,
}

/// What is read there.
#[derive(Debug, Clone)]
pub enum Form {
    One(Kind),
    List,
}

/// A field of an rpc.
#[derive(Debug, Clone)]
pub struct Field {
    pub place: Place,
    /// As problems name it, such as `lines[0].quantity`.
    pub path: String,
    pub form: Form,
}

/// A request with something in the place of one of its fields.
pub struct Request {
    pub path: String,
    pub body: Option<Vec<u8>>,
}

/// The fields of an rpc, those inside of others included.
pub fn of(rpc: &MethodDescriptor) -> Vec<Field> {
    let pool = proto::descriptors();
    let http = pool.get_extension_by_name("google.api.http").unwrap();
    let rule = rpc.options().get_extension(&http).into_owned();
    let rule = rule.as_message().unwrap();
    let text = |name: &str| rule.get_field_by_name(name).unwrap().as_str().unwrap().to_owned();
    let template = ["get", "post", "patch", "delete"].map(text).concat();
    let has_body = text("body") == "*";
    let mut found = Vec::new();
    for field in rpc.input().fields() {
        let place = match (template.contains(&format!("{{{}}}", field.name())), has_body) {
            (true, _) => Place::Path,
            (false, true) => Place::Body,
            (false, false) => Place::Query,
        };
        walk(place, &field, field.name().to_owned(), &mut found);
    }
    found
}

fn walk(place: Place, field: &FieldDescriptor, path: String, found: &mut Vec<Field>) {
    let element = if field.is_list() {
        found.push(Field { place, path: path.clone(), form: Form::List });
        format!("{path}[0]")
    } else {
        path
    };
    found.push(Field { place, path: element.clone(), form: Form::One(field.kind()) });
    if let Kind::Message(message) = field.kind()
        && !message.full_name().starts_with("google.")
    {
        for inner in message.fields() {
            walk(place, &inner, format!("{element}.{}", inner.name()), found);
        }
    }
}

impl Field {
    /// The name of the field itself, without what it is in.
    pub fn name(&self) -> &str {
        let last = self.path.rsplit('.').next().unwrap();
        last.split('[').next().unwrap()
    }

    /// A good request, but for this field.
    pub fn request(&self, rpc: &MethodDescriptor, path: &str, body: &str, sent: &Sent) -> Option<Request> {
        match self.place {
            Place::Path => Some(Request { path: self.in_path(rpc, path, sent)?, body: owned(body) }),
            Place::Query => {
                let text = encoded(&sent.text())?;
                Some(Request { path: format!("{path}?{}={text}", self.path), body: None })
            }
            Place::Body => {
                let whole = if body.is_empty() { "{}" } else { body };
                let mut whole: Value = serde_json::from_str(whole).unwrap();
                put(&mut whole, &rpc.input(), &self.path, MARK.into());
                let text = whole.to_string();
                let (before, after) = text.split_once(&format!("\"{MARK}\"")).unwrap();
                let body = [before.as_bytes(), &sent.json, after.as_bytes()].concat();
                Some(Request { path: path.to_owned(), body: Some(body) })
            }
        }
    }

    /// Puts it in the place of the last id of the path, or of the one before for an event's ticket type.
    fn in_path(&self, rpc: &MethodDescriptor, path: &str, sent: &Sent) -> Option<String> {
        let text = encoded(&sent.text())?;
        let is_last = rpc.input().fields().filter(|field| field.name().ends_with("_id")).last();
        let wants_last = is_last.is_some_and(|last| last.name() == self.path);
        let is_id = |part: &&str| {
            part.get(..36).is_some_and(|id| uuid::Uuid::parse_str(id).is_ok()) || *part == "none"
        };
        let mut parts: Vec<&str> = path.split('/').collect();
        let ids: Vec<usize> = (0..parts.len()).filter(|at| is_id(&parts[*at])).collect();
        let at = if wants_last { *ids.last()? } else { *ids.first()? };
        let verb = parts[at].split_once(':').map(|(_, verb)| format!(":{verb}")).unwrap_or_default();
        let replaced = format!("{text}{verb}");
        parts[at] = &replaced;
        Some(parts.join("/"))
    }
}

fn owned(body: &str) -> Option<Vec<u8>> {
    (!body.is_empty()).then(|| body.as_bytes().to_vec())
}

/// Percent-encoded; none where it would be longer than a head may be, which is refused before it is a request.
fn encoded(text: &[u8]) -> Option<String> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let encode =
        |byte: &u8| if is_plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") };
    let encoded: String = text.iter().map(encode).collect();
    (encoded.len() < 12_000).then_some(encoded)
}

/// Puts a value at a path, and what is needed around it where it is not there.
fn put(whole: &mut Value, message: &MessageDescriptor, path: &str, value: Value) {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let name = first.trim_end_matches("[0]");
    let field = message.get_field_by_name(name).unwrap();
    let here = &mut whole[name];
    let here = if first.ends_with("[0]") {
        if here.as_array().is_none_or(Vec::is_empty) {
            *here = json!([sample(&field)]);
        }
        &mut here[0]
    } else {
        here
    };
    match (rest, field.kind()) {
        (Some(rest), Kind::Message(inner)) => {
            if here.is_null() {
                *here = sample(&field);
            }
            put(here, &inner, rest, value);
        }
        _ => *here = value,
    }
}

/// A good value of a message.
fn sample(field: &FieldDescriptor) -> Value {
    let Kind::Message(message) = field.kind() else { return Value::Null };
    match message.name() {
        "Money" => json!({"currency": "EUR", "minor": 100}),
        "Venue" => json!({"name": "Hall", "city": "Berlin", "country": "Germany"}),
        "TicketTypeInput" => json!({"name": "Extra", "quantity": 3}),
        "AttendeeInput" => json!({"name": "Ada", "email": "ada@example.org"}),
        other => panic!("{other} needs a sample here"),
    }
}
