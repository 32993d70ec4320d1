//! The id of a row: small where it is a UUID, which most are.

use std::{cmp::Ordering, fmt};

use uuid::{Uuid, fmt::Hyphenated};

/// Unique in its table. Equal texts are equal ids, and ids are ordered as their texts are.
///
/// A UUID in its usual spelling (hyphens, lower case) takes 16 bytes, and no memory of its own: in a sale, keys are
/// made, hashed and compared all the time.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RowId(Kind);

/// A text that spells a UUID is never a `Text`, so that equal ids are equal.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Kind {
    Uuid(Uuid),
    Text(Box<str>),
}

/// Room for the text of an id that is a UUID.
pub type RowIdBuffer = [u8; Hyphenated::LENGTH];

/// A [`RowIdBuffer`].
#[must_use]
pub const fn row_id_buffer() -> RowIdBuffer {
    [0; Hyphenated::LENGTH]
}

impl RowId {
    /// As text, which may be written into the buffer.
    #[must_use]
    pub fn text<'a>(&'a self, buffer: &'a mut RowIdBuffer) -> &'a str {
        match &self.0 {
            Kind::Uuid(uuid) => uuid.hyphenated().encode_lower(buffer),
            Kind::Text(text) => text,
        }
    }
}

impl From<Uuid> for RowId {
    fn from(uuid: Uuid) -> Self {
        Self(Kind::Uuid(uuid))
    }
}

impl From<&str> for RowId {
    fn from(text: &str) -> Self {
        let is_usual =
            text.len() == Hyphenated::LENGTH && !text.bytes().any(|byte| byte.is_ascii_uppercase());
        match is_usual.then(|| Uuid::try_parse(text)) {
            Some(Ok(uuid)) => uuid.into(),
            _ => Self(Kind::Text(text.into())),
        }
    }
}

impl From<&String> for RowId {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<String> for RowId {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl Ord for RowId {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            // Its digits are ordered as its bytes are.
            (Kind::Uuid(one), Kind::Uuid(other)) => one.cmp(other),
            _ => self.text(&mut row_id_buffer()).cmp(other.text(&mut row_id_buffer())),
        }
    }
}

impl PartialOrd for RowId {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text(&mut row_id_buffer()))
    }
}

impl fmt::Debug for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text(&mut row_id_buffer()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const UUID: &str = "01920000-0000-7000-8000-00000000000a";

    #[test]
    fn an_id_is_what_its_text_is() {
        let uuid = Uuid::try_parse(UUID).unwrap();
        assert_eq!(RowId::from(uuid), RowId::from(UUID));
        let upper = UUID.to_uppercase();
        for text in ["", "x", UUID, &upper, "01920000000070008000000000000000000a", &format!("{UUID}/booked")]
        {
            assert_eq!(RowId::from(text).to_string(), text);
        }
        let ids: HashSet<RowId> = [UUID.into(), uuid.into(), UUID.to_owned().into(), upper.into()].into();
        assert_eq!(ids.len(), 2, "{ids:?}");
    }

    #[test]
    fn ids_are_ordered_as_their_texts() {
        let mut texts: Vec<String> = ["", "0", "~", "01920000", "g", "F"].map(str::to_owned).to_vec();
        texts.extend(
            [UUID, "f1920000-0000-7000-8000-000000000000", "00000000-0000-0000-0000-000000000000"]
                .map(str::to_owned),
        );
        texts.push(format!("{UUID}/booked"));
        texts.push(UUID.to_uppercase());
        let mut ids: Vec<RowId> = texts.iter().map(|text| text.as_str().into()).collect();
        texts.sort();
        ids.sort();
        assert_eq!(ids.iter().map(RowId::to_string).collect::<Vec<_>>(), texts);
    }
}
