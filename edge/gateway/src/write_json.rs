//! An answer from the wire to JSON: proto names, 64-bit integers as numbers, enums by name, defaults
//! written out, and what is not set left out.

use base64::{Engine, prelude::BASE64_STANDARD};
use prost::Message as _;
use prost_reflect::{DynamicMessage, SerializeOptions};

use crate::{
    schema::{Field, Kind, Label, MessageId, Packing, Schema, Shape},
    wire::{Fields, Malformed, Raw, WireType, unpack},
};

/// How deep an answer may nest. No message of ours holds itself; this is a bound on the stack.
const MAX_DEPTH: usize = 64;

/// The occurrences of one field in a message.
enum Slot<'m> {
    Nothing,
    One(Raw<'m>),
    Many(Vec<Raw<'m>>),
}

impl<'m> Slot<'m> {
    fn push(&mut self, value: Raw<'m>) {
        match self {
            Self::Nothing => *self = Self::One(value),
            Self::One(first) => *self = Self::Many(vec![*first, value]),
            Self::Many(values) => values.push(value),
        }
    }

    fn values(&self) -> &[Raw<'m>] {
        match self {
            Self::Nothing => &[],
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

/// Appends the JSON of a message.
pub(crate) fn write(
    schema: &Schema,
    id: MessageId,
    message: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    Writer { schema, depth: 0 }.message(id, message, out)
}

/// Appends the JSON of one field of a message; null when it is not set.
pub(crate) fn write_field(
    schema: &Schema,
    id: MessageId,
    index: usize,
    message: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Malformed> {
    let slots = sort(schema, id, message)?;
    let field = &schema.message(id).fields[index];
    if field.label == Label::Optional && slots[index].values().is_empty() {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    Writer { schema, depth: 0 }.field(field, &slots[index], out)
}

fn sort<'m>(schema: &Schema, id: MessageId, message: &'m [u8]) -> Result<Vec<Slot<'m>>, Malformed> {
    let known = schema.message(id);
    let mut slots: Vec<Slot<'m>> = known.fields.iter().map(|_| Slot::Nothing).collect();
    for field in Fields::of(message) {
        let (number, value) = field?;
        // A newer service may send more than this gateway knows.
        if let Some(index) = known.index_of_number(number) {
            slots[index].push(value);
        }
    }
    Ok(slots)
}

struct Writer<'s> {
    schema: &'s Schema,
    depth: usize,
}

impl Writer<'_> {
    fn message(&mut self, id: MessageId, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        if self.depth == MAX_DEPTH {
            return Err(Malformed);
        }
        self.depth += 1;
        match &self.schema.message(id).shape {
            Shape::Object | Shape::HttpBody => self.object(id, bytes, out)?,
            Shape::Timestamp => {
                let time = prost_types::Timestamp::decode(bytes).map_err(|_| Malformed)?;
                quoted(out, &time);
            }
            Shape::Duration => {
                let duration = prost_types::Duration::decode(bytes).map_err(|_| Malformed)?;
                quoted(out, &duration);
            }
            Shape::FieldMask => {
                let mask = prost_types::FieldMask::decode(bytes).map_err(|_| Malformed)?;
                string(out, &mask.paths.join(","))?;
            }
            Shape::Wrapper => {
                let slots = sort(self.schema, id, bytes)?;
                self.field(&self.schema.message(id).fields[0], &slots[0], out)?;
            }
            Shape::Other(descriptor) => {
                let message = DynamicMessage::decode(descriptor.clone(), bytes).map_err(|_| Malformed)?;
                let options =
                    SerializeOptions::new().stringify_64_bit_integers(false).use_proto_field_name(true);
                let mut json = serde_json::Serializer::new(&mut *out);
                message.serialize_with_options(&mut json, &options).map_err(|_| Malformed)?;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn object(&mut self, id: MessageId, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        let slots = sort(self.schema, id, bytes)?;
        let mut separator = b'{';
        for (field, slot) in self.schema.message(id).fields.iter().zip(&slots) {
            if field.label == Label::Optional && slot.values().is_empty() {
                continue;
            }
            out.push(separator);
            separator = b',';
            out.extend_from_slice(field.key.as_bytes());
            self.field(field, slot, out)?;
        }
        if separator == b'{' {
            out.push(b'{');
        }
        out.push(b'}');
        Ok(())
    }

    fn field(&mut self, field: &Field, slot: &Slot<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
        match field.label {
            Label::Plain | Label::Optional => self.single(&field.kind, slot, out),
            Label::Repeated => self.list(&field.kind, slot, out),
            Label::Map => self.map(&field.kind, slot, out),
        }
    }

    /// The last occurrence counts; the occurrences of a message are parts of one.
    fn single(&mut self, kind: &Kind, slot: &Slot<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
        match (kind, slot.values()) {
            (Kind::Message(id), values) if values.len() != 1 => {
                let mut whole = Vec::new();
                for value in values {
                    whole.extend_from_slice(bytes_of(*value)?);
                }
                self.message(*id, &whole, out)
            }
            (_, [.., last]) => self.value(kind, *last, out),
            (_, []) => default(kind, out),
        }
    }

    fn list(&mut self, kind: &Kind, slot: &Slot<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
        let wire_type = kind.wire_type();
        let mut separator = b'[';
        for value in slot.values() {
            let packed = match value {
                Raw::Bytes(packed) if wire_type != WireType::Bytes => unpack(packed, wire_type)?,
                _ => Vec::new(),
            };
            let is_packed = wire_type != WireType::Bytes && matches!(value, Raw::Bytes(_));
            let values = if is_packed { &packed[..] } else { std::slice::from_ref(value) };
            for value in values {
                out.push(separator);
                separator = b',';
                self.value(kind, *value, out)?;
            }
        }
        if separator == b'[' {
            out.push(b'[');
        }
        out.push(b']');
        Ok(())
    }

    fn map(&mut self, entry: &Kind, slot: &Slot<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
        let Kind::Message(id) = entry else {
            return Err(Malformed);
        };
        let [key_field, value_field] = self.schema.message(*id).fields.as_slice() else {
            return Err(Malformed);
        };
        let mut separator = b'{';
        for entry in slot.values() {
            let slots = sort(self.schema, *id, bytes_of(*entry)?)?;
            out.push(separator);
            separator = b',';
            let is_text = matches!(key_field.kind, Kind::String);
            // JSON has no keys but strings.
            if !is_text {
                out.push(b'"');
            }
            self.single(&key_field.kind, &slots[0], out)?;
            if !is_text {
                out.push(b'"');
            }
            out.push(b':');
            self.single(&value_field.kind, &slots[1], out)?;
        }
        if separator == b'{' {
            out.push(b'{');
        }
        out.push(b'}');
        Ok(())
    }

    fn value(&mut self, kind: &Kind, value: Raw<'_>, out: &mut Vec<u8>) -> Result<(), Malformed> {
        match (kind, value) {
            (Kind::String, Raw::Bytes(bytes)) => {
                string(out, std::str::from_utf8(bytes).map_err(|_| Malformed)?)?;
            }
            (Kind::Message(id), Raw::Bytes(bytes)) => self.message(*id, bytes, out)?,
            (Kind::Bytes, Raw::Bytes(bytes)) => quoted_text(out, &BASE64_STANDARD.encode(bytes)),
            (Kind::Bool, Raw::Varint(value)) => plain(out, &(value != 0)),
            (Kind::Enum(values), Raw::Varint(value)) => {
                let number = value as i32;
                match values.name(number) {
                    Some(name) => quoted_text(out, name),
                    None => plain(out, &number),
                }
            }
            (Kind::Int32(packing), Raw::Varint(value)) => plain(out, &(signed(*packing, value) as i32)),
            (Kind::Int64(packing), Raw::Varint(value)) => plain(out, &signed(*packing, value)),
            (Kind::Uint32(_), Raw::Varint(value)) => plain(out, &(value as u32)),
            (Kind::Uint64(_), Raw::Varint(value)) => plain(out, &value),
            (Kind::Int32(_), Raw::Fixed32(bytes)) => plain(out, &i32::from_le_bytes(bytes)),
            (Kind::Uint32(_), Raw::Fixed32(bytes)) => plain(out, &u32::from_le_bytes(bytes)),
            (Kind::Int64(_), Raw::Fixed64(bytes)) => plain(out, &i64::from_le_bytes(bytes)),
            (Kind::Uint64(_), Raw::Fixed64(bytes)) => plain(out, &u64::from_le_bytes(bytes)),
            (Kind::Float, Raw::Fixed32(bytes)) => {
                let value = f32::from_le_bytes(bytes);
                float(out, value.into(), &value)?;
            }
            (Kind::Double, Raw::Fixed64(bytes)) => {
                let value = f64::from_le_bytes(bytes);
                float(out, value, &value)?;
            }
            _ => return Err(Malformed),
        }
        Ok(())
    }
}

/// What proto3 says of a field that was not sent.
fn default(kind: &Kind, out: &mut Vec<u8>) -> Result<(), Malformed> {
    match kind {
        Kind::String | Kind::Bytes => quoted_text(out, ""),
        Kind::Bool => out.extend_from_slice(b"false"),
        Kind::Double | Kind::Float => out.extend_from_slice(b"0.0"),
        Kind::Enum(values) => quoted_text(out, values.name(0).ok_or(Malformed)?),
        Kind::Message(_) => return Err(Malformed),
        Kind::Int32(_) | Kind::Int64(_) | Kind::Uint32(_) | Kind::Uint64(_) => out.push(b'0'),
    }
    Ok(())
}

fn bytes_of(value: Raw<'_>) -> Result<&[u8], Malformed> {
    match value {
        Raw::Bytes(bytes) => Ok(bytes),
        _ => Err(Malformed),
    }
}

fn signed(packing: Packing, value: u64) -> i64 {
    match packing {
        Packing::Zigzag => (value >> 1).cast_signed() ^ -(value & 1).cast_signed(),
        Packing::Plain | Packing::Fixed => value.cast_signed(),
    }
}

/// Writing to memory cannot fail.
fn plain(out: &mut Vec<u8>, value: &dyn std::fmt::Display) {
    let _ = std::io::Write::write_fmt(out, format_args!("{value}"));
}

/// For text that needs no escaping.
fn quoted(out: &mut Vec<u8>, value: &dyn std::fmt::Display) {
    let _ = std::io::Write::write_fmt(out, format_args!("\"{value}\""));
}

/// The same, as it is.
fn quoted_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// Most text has nothing to escape, and is copied whole.
fn string(out: &mut Vec<u8>, text: &str) -> Result<(), Malformed> {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        quoted_text(out, text);
        return Ok(());
    }
    serde_json::to_writer(out, text).map_err(|_| Malformed)
}

fn float<T: serde::Serialize>(out: &mut Vec<u8>, wide: f64, value: &T) -> Result<(), Malformed> {
    if wide.is_nan() {
        quoted(out, &"NaN");
    } else if wide.is_infinite() {
        quoted(out, &if wide > 0.0 { "Infinity" } else { "-Infinity" });
    } else {
        serde_json::to_writer(out, value).map_err(|_| Malformed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
