//! The parts of a body: objects, fields, lists, maps and values.

use std::{collections::HashSet, fmt};

use prost::Message as _;
use prost_reflect::DynamicMessage;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Expected, Reading, Step};
use crate::{
    scalar::{self, expected},
    schema::{Field, Kind, Label, MessageId, Shape},
    wire::put_bytes,
};

/// Reads an object into the fields of a message.
pub(super) struct ObjectSeed<'a, 's> {
    /// Where the reading is.
    pub reading: &'a Reading<'s>,
    /// The message.
    pub id: MessageId,
    /// The fields that may not be sent.
    pub bound: &'a [usize],
    /// The message on the wire.
    pub out: &'a mut Vec<u8>,
    /// Takes the fields that were sent.
    pub present: Option<&'a mut Vec<usize>>,
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
pub(super) struct FieldSeed<'a, 's> {
    /// Where the reading is.
    pub reading: &'a Reading<'s>,
    /// The field.
    pub field: &'s Field,
    /// The message on the wire.
    pub out: &'a mut Vec<u8>,
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
        let mut seen = HashSet::new();
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
            seen.insert(key);
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
            Shape::Timestamp | Shape::Duration | Shape::FieldMask => {
                return deserializer.deserialize_str(self);
            }
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
