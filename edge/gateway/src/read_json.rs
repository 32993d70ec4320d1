//! A JSON body onto the wire in one pass, with what JSON parsers leave open decided: a key may occur
//! once, unknown fields are refused, and each refusal names its field.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    fmt,
};

use prost::Message as _;
use prost_reflect::DynamicMessage;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::{
    limits::MAX_JSON_DEPTH,
    scalar::{self, Reason, expected},
    schema::{Field, Kind, Label, MessageId, Schema, Shape},
    wire::put_bytes,
};

/// Why a body is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadJson {
    /// It is not JSON; what is wrong, and where.
    Malformed(String),
    /// It is JSON, but not of the right form: which field, and why.
    Field(String, Reason),
}

/// What a body says.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// The message on the wire.
    pub bytes: Vec<u8>,
    /// Which fields of the message were sent, also as null.
    pub present: Vec<usize>,
}

/// Reads the JSON of a message. The fields in `bound` come from elsewhere and may not be sent.
pub(crate) fn read(schema: &Schema, id: MessageId, bound: &[usize], body: &[u8]) -> Result<Body, BadJson> {
    let text = std::str::from_utf8(body).map_err(|_| BadJson::Malformed("it is not UTF-8".to_owned()))?;
    if is_deeper_than(body, MAX_JSON_DEPTH) {
        return Err(BadJson::Malformed(format!("it nests deeper than {MAX_JSON_DEPTH}")));
    }
    let reading = Reading {
        schema,
        path: RefCell::default(),
        expected: Cell::new(Expected::Text("must be an object")),
        refusal: RefCell::default(),
    };
    let mut json = serde_json::Deserializer::from_str(text);
    let mut result = Body::default();
    let seed = ObjectSeed { reading: &reading, id, bound, out: &mut result.bytes, present: Some(&mut result.present) };
    seed.deserialize(&mut json).map_err(|error| reading.blame(&error))?;
    json.end().map_err(|error| reading.blame(&error))?;
    Ok(result)
}

/// Counts brackets outside strings. It runs before the parser, which would otherwise recurse.
fn is_deeper_than(json: &[u8], most: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                if depth > most {
                    return true;
                }
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// One step to the value that is being read.
enum Step<'s> {
    Field(&'s str),
    Unknown(String),
    Index(usize),
}

/// What the value that is being read must be. It is made into text only when it is not.
#[derive(Clone, Copy)]
enum Expected<'s> {
    Text(&'static str),
    Kind(&'s Kind),
}

/// Where the reading is. When it fails, this stays as it is and tells where.
struct Reading<'s> {
    schema: &'s Schema,
    path: RefCell<Vec<Step<'s>>>,
    expected: Cell<Expected<'s>>,
    refusal: RefCell<Option<Reason>>,
}

impl<'s> Reading<'s> {
    /// Refuses the value that is being read.
    fn refuse<E: Error>(&self, reason: impl Into<Reason>) -> E {
        *self.refusal.borrow_mut() = Some(reason.into());
        E::custom("refused")
    }

    fn expectation(&self) -> Reason {
        match self.expected.get() {
            Expected::Text(text) => Cow::Borrowed(text),
            Expected::Kind(kind) => expected(self.schema, kind),
        }
    }

    fn enter(&self, step: Step<'s>, expected: Expected<'s>) {
        self.path.borrow_mut().push(step);
        self.expected.set(expected);
    }

    fn leave(&self) {
        self.path.borrow_mut().pop();
    }

    fn blame(&self, error: &serde_json::Error) -> BadJson {
        if !error.is_data() {
            return BadJson::Malformed(error.to_string());
        }
        let reason = self.refusal.take().unwrap_or_else(|| self.expectation());
        BadJson::Field(self.location(), reason)
    }

    fn location(&self) -> String {
        let mut text = String::new();
        for step in self.path.borrow().iter() {
            let name = match step {
                Step::Index(index) => {
                    text.push_str(&format!("[{index}]"));
                    continue;
                }
                Step::Field(name) => *name,
                Step::Unknown(name) => name.as_str(),
            };
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(name);
        }
        text
    }
}

/// Reads an object into the fields of a message.
struct ObjectSeed<'a, 's> {
    reading: &'a Reading<'s>,
    id: MessageId,
    bound: &'a [usize],
    out: &'a mut Vec<u8>,
    present: Option<&'a mut Vec<usize>>,
}

impl<'de> DeserializeSeed<'de> for ObjectSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ObjectSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let reading = self.reading;
        let message = reading.schema.message(self.id);
        let mut seen = Vec::with_capacity(message.fields.len());
        while let Some(index) = map.next_key_seed(KeySeed { reading, id: self.id })? {
            let field = &message.fields[index];
            let expected = match field.label {
                Label::Repeated => Expected::Text("must be a list"),
                Label::Map => Expected::Text("must be an object"),
                Label::Plain | Label::Optional => Expected::Kind(&field.kind),
            };
            reading.enter(Step::Field(&field.name), expected);
            if self.bound.contains(&index) {
                return Err(reading.refuse("is given by the path"));
            }
            if seen.contains(&index) {
                return Err(reading.refuse("is given more than once"));
            }
            let written = self.out.len();
            map.next_value_seed(FieldSeed { reading, field, out: self.out })?;
            let has_value = self.out.len() > written;
            let same_choice = |other: &usize| message.fields[*other].oneof == field.oneof;
            if has_value && field.oneof.is_some() && seen.iter().any(same_choice) {
                return Err(reading.refuse("is one of several fields of which only one may be given"));
            }
            seen.push(index);
            reading.leave();
        }
        if let Some(present) = self.present {
            *present = seen;
        }
        Ok(())
    }
}

/// Finds a field by the key, without making a string of it.
struct KeySeed<'a, 's> {
    reading: &'a Reading<'s>,
    id: MessageId,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_, '_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_, '_> {
    type Value = usize;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<usize, E> {
        self.reading.schema.message(self.id).index_of(key).ok_or_else(|| {
            self.reading.path.borrow_mut().push(Step::Unknown(key.to_owned()));
            self.reading.refuse("is not a known field")
        })
    }
}

/// Reads a field: one value, a list, a map or null.
struct FieldSeed<'a, 's> {
    reading: &'a Reading<'s>,
    field: &'s Field,
    out: &'a mut Vec<u8>,
}

impl<'de> DeserializeSeed<'de> for FieldSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for FieldSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    /// Null is the same as nothing, except that an update mask names the field.
    fn visit_none<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { reading, field, out } = self;
        match field.label {
            Label::Plain | Label::Optional => {
                ValueSeed { reading, number: field.number, kind: &field.kind, out }.deserialize(deserializer)
            }
            Label::Repeated => deserializer.deserialize_seq(ListVisitor { reading, field, out }),
            Label::Map => deserializer.deserialize_map(MapVisitor { reading, field, out }),
        }
    }
}

struct ListVisitor<'a, 's> {
    reading: &'a Reading<'s>,
    field: &'s Field,
    out: &'a mut Vec<u8>,
}

impl<'de> Visitor<'de> for ListVisitor<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { reading, field, out } = self;
        for index in 0.. {
            reading.enter(Step::Index(index), Expected::Kind(&field.kind));
            let seed = ValueSeed { reading, number: field.number, kind: &field.kind, out: &mut *out };
            let more = list.next_element_seed(seed)?;
            reading.leave();
            if more.is_none() {
                break;
            }
        }
        Ok(())
    }
}

struct MapVisitor<'a, 's> {
    reading: &'a Reading<'s>,
    field: &'s Field,
    out: &'a mut Vec<u8>,
}

impl<'de> Visitor<'de> for MapVisitor<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { reading, field, out } = self;
        let Kind::Message(entry) = &field.kind else {
            return Ok(());
        };
        let [key_field, value_field] = reading.schema.message(*entry).fields.as_slice() else {
            return Ok(());
        };
        let mut seen = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            reading.enter(Step::Unknown(key.clone()), Expected::Kind(&value_field.kind));
            if seen.contains(&key) {
                return Err(reading.refuse("is given more than once"));
            }
            let mut bytes = Vec::new();
            scalar::put_text(reading.schema, &mut bytes, key_field.number, &key_field.kind, &key)
                .map_err(|reason| reading.refuse(reason))?;
            let (number, kind) = (value_field.number, &value_field.kind);
            map.next_value_seed(ValueSeed { reading, number, kind, out: &mut bytes })?;
            put_bytes(out, field.number, &bytes);
            seen.push(key);
            reading.leave();
        }
        Ok(())
    }
}

/// Reads one value.
struct ValueSeed<'a, 's> {
    reading: &'a Reading<'s>,
    number: u32,
    kind: &'s Kind,
    out: &'a mut Vec<u8>,
}

impl ValueSeed<'_, '_> {
    fn fits<E: Error>(&self, written: Option<()>) -> Result<(), E> {
        written.ok_or_else(|| self.reading.refuse(expected(self.reading.schema, self.kind)))
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Kind::Message(id) = self.kind else {
            return deserializer.deserialize_any(self);
        };
        let (reading, id) = (self.reading, *id);
        let mut bytes = Vec::new();
        let message = reading.schema.message(id);
        match &message.shape {
            Shape::Timestamp | Shape::Duration | Shape::FieldMask => return deserializer.deserialize_str(self),
            Shape::Object | Shape::HttpBody => {
                let seed = ObjectSeed { reading, id, bound: &[], out: &mut bytes, present: None };
                seed.deserialize(deserializer)?;
            }
            Shape::Wrapper => {
                let inner = &message.fields[0];
                reading.expected.set(Expected::Kind(&inner.kind));
                let seed = ValueSeed { reading, number: inner.number, kind: &inner.kind, out: &mut bytes };
                seed.deserialize(deserializer)?;
            }
            Shape::Other(descriptor) => {
                bytes = DynamicMessage::deserialize(descriptor.clone(), deserializer)?.encode_to_vec();
            }
        }
        put_bytes(self.out, self.number, &bytes);
        Ok(())
    }
}

impl Visitor<'_> for ValueSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        let written = scalar::put_bool(self.out, self.number, self.kind, value);
        self.fits(written)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        let written = scalar::put_integer(self.out, self.number, self.kind, value.into());
        self.fits(written)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        let written = scalar::put_integer(self.out, self.number, self.kind, value.into());
        self.fits(written)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        let written = scalar::put_float(self.out, self.number, self.kind, value);
        self.fits(written)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        scalar::put_str(self.reading.schema, self.out, self.number, self.kind, value)
            .map_err(|reason| self.reading.refuse(reason))
    }
}

#[cfg(test)]
#[path = "read_json_tests.rs"]
mod tests;
