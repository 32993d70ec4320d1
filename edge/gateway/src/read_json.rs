//! A JSON body onto the wire in one pass, with what JSON parsers leave open decided: a key may occur
//! once, unknown fields are refused, and each refusal names its field.

mod seeds;

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
};

use serde::de::{DeserializeSeed, Error};

use crate::{
    limits::MAX_JSON_DEPTH,
    scalar::{Reason, expected},
    schema::{Field, Kind, Label, MessageId, Schema},
};
use seeds::{FieldSeed, ObjectSeed};

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
    let seed = ObjectSeed {
        reading: &reading,
        id,
        bound,
        out: &mut result.bytes,
        present: Some(&mut result.present),
    };
    seed.deserialize(&mut json).map_err(|error| reading.blame(&error))?;
    json.end().map_err(|error| reading.blame(&error))?;
    Ok(result)
}

/// Reads the JSON of one field: a message, a list, a map or a single value.
pub(crate) fn read_field(schema: &Schema, field: &Field, body: &[u8]) -> Result<Vec<u8>, BadJson> {
    let text = std::str::from_utf8(body).map_err(|_| BadJson::Malformed("it is not UTF-8".to_owned()))?;
    if is_deeper_than(body, MAX_JSON_DEPTH) {
        return Err(BadJson::Malformed(format!("it nests deeper than {MAX_JSON_DEPTH}")));
    }
    let expected = match field.label {
        Label::Repeated => Expected::Text("must be a list"),
        Label::Map => Expected::Text("must be an object"),
        Label::Plain | Label::Optional => Expected::Kind(&field.kind),
    };
    let reading = Reading {
        schema,
        path: RefCell::default(),
        expected: Cell::new(expected),
        refusal: RefCell::default(),
    };
    let mut json = serde_json::Deserializer::from_str(text);
    let mut out = Vec::new();
    FieldSeed { reading: &reading, field, out: &mut out }
        .deserialize(&mut json)
        .map_err(|error| reading.blame(&error))?;
    json.end().map_err(|error| reading.blame(&error))?;
    Ok(out)
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

#[cfg(test)]
mod tests;
