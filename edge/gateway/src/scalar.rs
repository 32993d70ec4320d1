//! One value onto the wire, from its JSON form or from text in a path or a query. Each function answers
//! with the reason why a value is refused: lower case, no full stop, says the mend.

use std::borrow::Cow;

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use prost::Message as _;

use crate::{
    schema::{Dialect, Kind, Packing, Schema, Shape},
    wire::{WireType, put_bytes, put_key, put_varint},
};

/// Why a value is refused.
pub(crate) type Reason = Cow<'static, str>;

const TIMESTAMP: &str = "must be a time as RFC 3339 has it, such as 2030-05-01T18:00:00Z";
const DURATION: &str = "must be seconds with an s behind, such as 1.5s";
/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, in seconds since 1970.
const TIMESTAMP_SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
/// The most that `google.protobuf.Duration` holds, in seconds.
const MAX_DURATION_SECONDS: u64 = 315_576_000_000;

/// What a value of this kind must be, for people.
pub(crate) fn expected(schema: &Schema, kind: &Kind) -> Reason {
    Cow::Borrowed(match kind {
        Kind::Double | Kind::Float => "must be a number",
        Kind::Int32(_) => "must be a whole number from -2147483648 to 2147483647",
        Kind::Uint32(_) => "must be a whole number from 0 to 4294967295",
        Kind::Int64(_) => "must be a whole number from -9223372036854775808 to 9223372036854775807",
        Kind::Uint64(_) => "must be a whole number from 0 to 18446744073709551615",
        Kind::Bool => "must be true or false",
        Kind::String => "must be a string",
        Kind::Bytes => "must be a string in base64",
        Kind::Enum(values) => return Cow::Owned(values.expected.clone()),
        Kind::Message(id) => match schema.message(*id).shape {
            Shape::Timestamp => TIMESTAMP,
            Shape::Duration => DURATION,
            Shape::FieldMask => "must be names of fields with commas between",
            Shape::Object | Shape::HttpBody => "must be an object",
            Shape::Wrapper => "must be the plain value",
            Shape::Other(_) => "must be JSON of the right form",
        },
    })
}

/// Writes a whole number; none when it does not fit.
pub(crate) fn put_integer(out: &mut Vec<u8>, number: u32, kind: &Kind, value: i128) -> Option<()> {
    match kind {
        Kind::Int32(packing) => {
            let value = i32::try_from(value).ok()?;
            match packing {
                Packing::Plain => put_number(out, number, i64::from(value).cast_unsigned()),
                Packing::Zigzag => put_number(out, number, zigzag(value.into())),
                Packing::Fixed => put_fixed32(out, number, value.to_le_bytes()),
            }
        }
        Kind::Int64(packing) => {
            let value = i64::try_from(value).ok()?;
            match packing {
                Packing::Plain => put_number(out, number, value.cast_unsigned()),
                Packing::Zigzag => put_number(out, number, zigzag(value)),
                Packing::Fixed => put_fixed64(out, number, value.to_le_bytes()),
            }
        }
        Kind::Uint32(packing) => {
            let value = u32::try_from(value).ok()?;
            match packing {
                Packing::Fixed => put_fixed32(out, number, value.to_le_bytes()),
                _ => put_number(out, number, value.into()),
            }
        }
        Kind::Uint64(packing) => {
            let value = u64::try_from(value).ok()?;
            match packing {
                Packing::Fixed => put_fixed64(out, number, value.to_le_bytes()),
                _ => put_number(out, number, value),
            }
        }
        Kind::Double | Kind::Float => put_float(out, number, kind, value as f64)?,
        Kind::Enum(values) if values.takes_numbers() => {
            let value = i32::try_from(value).ok()?;
            put_number(out, number, i64::from(value).cast_unsigned());
        }
        _ => return None,
    }
    Some(())
}

/// Writes a number that may have a fraction; none when it does not fit.
pub(crate) fn put_float(out: &mut Vec<u8>, number: u32, kind: &Kind, value: f64) -> Option<()> {
    /// Above this, a float names no whole number for certain.
    const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;
    match kind {
        Kind::Double => put_fixed64(out, number, value.to_le_bytes()),
        Kind::Float => {
            let narrow = value as f32;
            if !narrow.is_finite() {
                return None;
            }
            put_fixed32(out, number, narrow.to_le_bytes());
        }
        _ if value.fract() == 0.0 && value.abs() <= MAX_WHOLE => {
            put_integer(out, number, kind, value as i128)?;
        }
        _ => return None,
    }
    Some(())
}

/// Writes a truth value; none when the field holds none.
pub(crate) fn put_bool(out: &mut Vec<u8>, number: u32, kind: &Kind, value: bool) -> Option<()> {
    if !matches!(kind, Kind::Bool) {
        return None;
    }
    put_number(out, number, value.into());
    Some(())
}

/// Writes what JSON writes as a string: text, bytes, an enum, a time.
pub(crate) fn put_str(
    schema: &Schema,
    out: &mut Vec<u8>,
    number: u32,
    kind: &Kind,
    text: &str,
) -> Result<(), Reason> {
    let refusal = || expected(schema, kind);
    match kind {
        // A NUL is no text anywhere, and some databases cannot store it.
        Kind::String if text.contains('\0') => return Err("must not contain the character U+0000".into()),
        Kind::String => put_bytes(out, number, text.as_bytes()),
        Kind::Bytes => put_bytes(out, number, &base64(text).ok_or_else(refusal)?),
        Kind::Enum(values) => {
            let value = values.number(text).ok_or_else(refusal)?;
            put_number(out, number, i64::from(value).cast_unsigned());
        }
        Kind::Message(id) => {
            let message = schema.message(*id);
            let bytes = match message.shape {
                Shape::Timestamp => timestamp(text).ok_or_else(refusal)?.encode_to_vec(),
                Shape::Duration => duration(text).ok_or_else(refusal)?.encode_to_vec(),
                Shape::FieldMask => field_mask(text),
                _ => return Err(refusal()),
            };
            put_bytes(out, number, &bytes);
        }
        // The JSON form of protobuf allows numbers as strings; our own contracts have one form.
        Kind::Double | Kind::Float if schema.dialect() == Dialect::Any => {
            put_special(out, number, kind, text)
                .or_else(|| put_float(out, number, kind, text.parse().ok()?))
                .ok_or_else(refusal)?;
        }
        Kind::Int32(_) | Kind::Int64(_) | Kind::Uint32(_) | Kind::Uint64(_)
            if schema.dialect() == Dialect::Any =>
        {
            let value: i128 = text.parse().map_err(|_| refusal())?;
            put_integer(out, number, kind, value).ok_or_else(refusal)?;
        }
        _ => return Err(refusal()),
    }
    Ok(())
}

/// What JSON has no number for.
fn put_special(out: &mut Vec<u8>, number: u32, kind: &Kind, text: &str) -> Option<()> {
    let value = match text {
        "NaN" => f64::NAN,
        "Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        _ => return None,
    };
    match kind {
        Kind::Double => put_fixed64(out, number, value.to_le_bytes()),
        _ => put_fixed32(out, number, (value as f32).to_le_bytes()),
    }
    Some(())
}

/// Writes a value that is given as text in a path or a query.
pub(crate) fn put_text(
    schema: &Schema,
    out: &mut Vec<u8>,
    number: u32,
    kind: &Kind,
    text: &str,
) -> Result<(), Reason> {
    let refusal = || expected(schema, kind);
    match kind {
        Kind::Bool => {
            let value = text.parse().map_err(|_| refusal())?;
            put_bool(out, number, kind, value).ok_or_else(refusal)
        }
        Kind::Int32(_) | Kind::Int64(_) | Kind::Uint32(_) | Kind::Uint64(_) => {
            let value: i128 = text.parse().map_err(|_| refusal())?;
            put_integer(out, number, kind, value).ok_or_else(refusal)
        }
        Kind::Double | Kind::Float => {
            let value: f64 = text.parse().ok().filter(|value: &f64| value.is_finite()).ok_or_else(refusal)?;
            put_float(out, number, kind, value).ok_or_else(refusal)
        }
        Kind::Message(id) if matches!(schema.message(*id).shape, Shape::Wrapper) => {
            let inner = &schema.message(*id).fields[0];
            let mut wrapped = Vec::new();
            put_text(schema, &mut wrapped, inner.number, &inner.kind, text)?;
            put_bytes(out, number, &wrapped);
            Ok(())
        }
        _ => put_str(schema, out, number, kind, text),
    }
}

fn put_number(out: &mut Vec<u8>, number: u32, value: u64) {
    put_key(out, number, WireType::Varint);
    put_varint(out, value);
}

fn put_fixed32(out: &mut Vec<u8>, number: u32, bytes: [u8; 4]) {
    put_key(out, number, WireType::Fixed32);
    out.extend_from_slice(&bytes);
}

fn put_fixed64(out: &mut Vec<u8>, number: u32, bytes: [u8; 8]) {
    put_key(out, number, WireType::Fixed64);
    out.extend_from_slice(&bytes);
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// Standard or URL-safe, with or without padding.
fn base64(text: &str) -> Option<Vec<u8>> {
    const LAX: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    GeneralPurpose::new(alphabet, LAX).decode(text).ok()
}

/// Exactly RFC 3339: date, time and offset, all three.
fn timestamp(text: &str) -> Option<prost_types::Timestamp> {
    let bytes = text.as_bytes();
    let has_date_and_time = bytes.len() >= 20 && bytes[4] == b'-' && matches!(bytes[10], b'T' | b't');
    let has_offset = match bytes.last() {
        Some(b'Z' | b'z') => true,
        _ => {
            bytes.len() >= 25
                && matches!(bytes[bytes.len() - 6], b'+' | b'-')
                && bytes[bytes.len() - 3] == b':'
        }
    };
    if !text.is_ascii() || !has_date_and_time || !has_offset {
        return None;
    }
    let time: prost_types::Timestamp = text.parse().ok()?;
    TIMESTAMP_SECONDS.contains(&time.seconds).then_some(time)
}

fn duration(text: &str) -> Option<prost_types::Duration> {
    let duration: prost_types::Duration = text.parse().ok()?;
    (duration.seconds.unsigned_abs() <= MAX_DURATION_SECONDS).then_some(duration)
}

/// Names in lowerCamelCase or snake_case; on the wire they are as in the proto.
fn field_mask(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let mut snake = String::with_capacity(name.len() + 4);
        for letter in name.chars() {
            if letter.is_ascii_uppercase() {
                snake.push('_');
            }
            snake.push(letter.to_ascii_lowercase());
        }
        put_bytes(&mut bytes, 1, snake.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_time_is_exactly_rfc_3339() {
        for good in [
            "2030-05-01T18:00:00Z",
            "2030-05-01t18:00:00.123456789z",
            "2030-05-01T18:00:00+02:00",
            "0001-01-01T00:00:00Z",
        ] {
            assert!(timestamp(good).is_some(), "{good}");
        }
        let bad = [
            "",
            "2030-05-01",
            "2030-05-01T18:00:00",
            "2030-05-01 18:00:00Z",
            "2030-02-30T18:00:00Z",
            "2030-05-01T25:00:00Z",
            "2030-13-01T18:00:00Z",
            "+12030-05-01T18:00:00Z",
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59-01:00",
            "2030-05-01T18:00:00+99:99x",
            "tomorrow",
            "2030-05-01T18:00:00Z ",
            "2030-05-01T18:00:00Zz",
        ];
        for text in bad {
            assert!(timestamp(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_reader_panic(text in "\\PC{0,40}", digits in "[-+0-9TtZz:. s]{0,45}") {
            for text in [&text, &digits] {
                let _ = (timestamp(text), duration(text), base64(text), field_mask(text));
            }
        }
    }
}
