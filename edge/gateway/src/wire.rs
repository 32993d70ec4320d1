//! The protobuf wire format: what JSON is turned into and made from, without a message in between.

use prost::encoding::{decode_varint, encode_varint};

/// Bytes that are not a protobuf message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an answer is not a well-formed message")]
pub(crate) struct Malformed;

/// The wire types that proto3 uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WireType {
    /// Integers, booleans and enums.
    Varint = 0,
    /// Eight bytes.
    Fixed64 = 1,
    /// Strings, bytes, messages and packed lists.
    Bytes = 2,
    /// Four bytes.
    Fixed32 = 5,
}

/// The value of one occurrence of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Raw<'m> {
    /// An integer, a boolean or an enum.
    Varint(u64),
    /// Eight bytes.
    Fixed64([u8; 8]),
    /// A string, bytes, a message or a packed list.
    Bytes(&'m [u8]),
    /// Four bytes.
    Fixed32([u8; 4]),
}

/// Appends an integer.
pub(crate) fn put_varint(out: &mut Vec<u8>, value: u64) {
    encode_varint(value, out);
}

/// Appends the key in front of a value.
pub(crate) fn put_key(out: &mut Vec<u8>, number: u32, wire_type: WireType) {
    put_varint(out, u64::from(number << 3 | wire_type as u32));
}

/// Appends a string, bytes or a message.
pub(crate) fn put_bytes(out: &mut Vec<u8>, number: u32, value: &[u8]) {
    put_key(out, number, WireType::Bytes);
    put_varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// The fields of a message in the order in which they were written.
pub(crate) struct Fields<'m> {
    rest: &'m [u8],
}

impl<'m> Fields<'m> {
    /// Reads a message.
    pub fn of(message: &'m [u8]) -> Self {
        Self { rest: message }
    }

    fn take(&mut self, length: usize) -> Result<&'m [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.try_into().map_err(|_| Malformed)
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        decode_varint(&mut self.rest).map_err(|_| Malformed)
    }

    fn field(&mut self) -> Result<(u32, Raw<'m>), Malformed> {
        let key = u32::try_from(self.varint()?).map_err(|_| Malformed)?;
        let value = match key & 7 {
            0 => Raw::Varint(self.varint()?),
            1 => Raw::Fixed64(self.array()?),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
                Raw::Bytes(self.take(length)?)
            }
            5 => Raw::Fixed32(self.array()?),
            _ => return Err(Malformed),
        };
        Ok((key >> 3, value))
    }
}

impl<'m> Iterator for Fields<'m> {
    type Item = Result<(u32, Raw<'m>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

/// The values of a packed list.
pub(crate) fn unpack<'m>(packed: &'m [u8], wire_type: WireType) -> Result<Vec<Raw<'m>>, Malformed> {
    let mut fields = Fields::of(packed);
    let mut values = Vec::new();
    while !fields.rest.is_empty() {
        values.push(match wire_type {
            WireType::Varint => Raw::Varint(fields.varint()?),
            WireType::Fixed64 => Raw::Fixed64(fields.array()?),
            WireType::Fixed32 => Raw::Fixed32(fields.array()?),
            WireType::Bytes => return Err(Malformed),
        });
    }
    Ok(values)
}
