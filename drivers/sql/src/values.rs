//! Values on their way to and from a server.

use std::borrow::Cow;

use store::StoreError;

use crate::statements::check_length;

/// What a column of a [`Batch`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Int,
    /// A text that is compared: at most [`MAX_TEXT`](crate::statements::MAX_TEXT) characters.
    Text,
    /// A text of any length that is only kept.
    Long,
}

/// A value in a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell<'a> {
    /// None.
    Null,
    /// A whole number.
    Int(i64),
    /// A text.
    Text(Cow<'a, str>),
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<i64> for Cell<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl<'a> From<Option<&'a str>> for Cell<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::from)
    }
}

/// Rows for one statement: each value is sent as it is, in one parameter for each column, in one for all, or in one of
/// its own.
#[derive(Debug, Clone)]
pub struct Batch<'a> {
    /// What the columns hold.
    pub kinds: Vec<Kind>,
    cells: Vec<Cell<'a>>,
}

/// The most rows of one statement.
const MAX_ROWS: usize = 2_000;
/// About the most bytes of one statement, far below what servers accept in one packet (16 MB in MariaDB).
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// About what a value takes beside its text, in bytes.
const CELL_BYTES: usize = 8;

impl<'a> Batch<'a> {
    /// No rows yet.
    pub fn new(kinds: impl Into<Vec<Kind>>) -> Self {
        Self { kinds: kinds.into(), cells: Vec::new() }
    }

    /// Adds a row, which has a value for each column.
    pub fn push(&mut self, row: impl IntoIterator<Item = Cell<'a>>) {
        self.cells.extend(row);
        debug_assert!(self.cells.len().is_multiple_of(self.kinds.len()), "a row has a value for each column");
    }

    /// How many rows.
    pub fn rows(&self) -> u64 {
        (self.cells.len() / self.kinds.len()) as u64
    }

    /// Refuses a text that is compared and too long to be told apart from others.
    pub fn check(&self) -> Result<(), String> {
        let kinds = self.kinds.iter().cycle();
        for (cell, _) in self.cells.iter().zip(kinds).filter(|(_, kind)| **kind == Kind::Text) {
            if let Cell::Text(text) = cell {
                check_length(text)?;
            }
        }
        Ok(())
    }

    /// The rows in slices that fit one statement each.
    pub fn slices(&self) -> Vec<Slice<'_, 'a>> {
        let width = self.kinds.len();
        let (mut slices, mut begin, mut bytes) = (Vec::new(), 0, 0);
        for (row, cells) in self.cells.chunks(width).enumerate() {
            let size: usize = cells.iter().map(Cell::size).sum();
            if row > begin && (row - begin == MAX_ROWS || bytes + size > MAX_BYTES) {
                slices.push(self.slice(begin, row));
                (begin, bytes) = (row, 0);
            }
            bytes += size;
        }
        let rows = self.cells.len() / width;
        if rows > begin {
            slices.push(self.slice(begin, rows));
        }
        slices
    }

    fn slice(&self, begin: usize, end: usize) -> Slice<'_, 'a> {
        let width = self.kinds.len();
        Slice { kinds: &self.kinds, cells: &self.cells[begin * width..end * width] }
    }
}

impl Cell<'_> {
    fn size(&self) -> usize {
        let text = if let Self::Text(text) = self { text.len() } else { 0 };
        text + CELL_BYTES
    }
}

/// Some rows of a [`Batch`].
#[derive(Debug, Clone, Copy)]
pub struct Slice<'s, 'a> {
    /// What the columns hold.
    pub kinds: &'s [Kind],
    cells: &'s [Cell<'a>],
}

impl<'s, 'a> Slice<'s, 'a> {
    /// How many rows.
    pub fn rows(&self) -> usize {
        self.cells.len() / self.kinds.len()
    }

    /// So many rows, and the others.
    pub fn split_at(self, rows: usize) -> (Self, Self) {
        let (first, others) = self.cells.split_at(rows * self.kinds.len());
        (Self { cells: first, ..self }, Self { cells: others, ..self })
    }

    /// The values, row by row.
    pub fn cells(&self) -> &'s [Cell<'a>] {
        self.cells
    }

    /// The numbers of a column.
    pub fn ints(&self, column: usize) -> Vec<Option<i64>> {
        self.column(column)
            .map(|cell| if let Cell::Int(number) = cell { Some(*number) } else { None })
            .collect()
    }

    /// The texts of a column.
    pub fn texts(&self, column: usize) -> Vec<Option<&'s str>> {
        self.column(column)
            .map(|cell| if let Cell::Text(text) = cell { Some(text.as_ref()) } else { None })
            .collect()
    }

    fn column(&self, column: usize) -> impl Iterator<Item = &'s Cell<'a>> + use<'s, 'a> {
        self.cells.iter().skip(column).step_by(self.kinds.len())
    }

    /// All of it as JSON: a list for each row.
    pub fn to_json(self) -> Result<String, serde_json::Error> {
        let mut json = Vec::with_capacity(self.cells.iter().map(Cell::size).sum());
        json.push(b'[');
        for (row, cells) in self.cells.chunks(self.kinds.len()).enumerate() {
            json.extend(if row == 0 { b"[".as_slice() } else { b",[" });
            for (column, cell) in cells.iter().enumerate() {
                if column > 0 {
                    json.push(b',');
                }
                match cell {
                    Cell::Null => json.extend(b"null"),
                    Cell::Int(number) => serde_json::to_writer(&mut json, number)?,
                    Cell::Text(text) => serde_json::to_writer(&mut json, text)?,
                }
            }
            json.push(b']');
        }
        json.push(b']');
        // JSON is always UTF-8.
        Ok(String::from_utf8(json).unwrap_or_default())
    }
}

/// A parameter of a statement.
#[derive(Debug, Clone)]
pub enum Bind<'b> {
    /// A whole number.
    Int(i64),
    /// A text.
    Text(Cow<'b, str>),
    /// Whole numbers for `Dialect::one_of`.
    Ints(Vec<i64>),
    /// Texts for `Dialect::one_of`.
    Texts(Vec<String>),
    /// Rows for `Dialect::rows`.
    Rows(Slice<'b, 'b>),
    /// Rows with a parameter for each value, in MySQL.
    Listed(Slice<'b, 'b>),
}

impl<'b> From<&'b str> for Bind<'b> {
    fn from(text: &'b str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Bind<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<i64> for Bind<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

/// What a server keeps as a signed number.
pub fn signed(number: u64) -> Result<i64, String> {
    i64::try_from(number).map_err(|_| format!("{number} is too great for the database"))
}

/// A number that was written by [`signed`].
pub fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Corrupt(format!("{number} is below zero")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_sent_in_slices_that_fit() {
        let mut batch = Batch::new([Kind::Int, Kind::Long]);
        for number in 0..4_500 {
            batch.push([Cell::Int(number), Cell::Null]);
        }
        let rows: Vec<usize> = batch.slices().iter().map(|slice| slice.ints(0).len()).collect();
        assert_eq!(rows, [2_000, 2_000, 500]);
        let mut large = Batch::new([Kind::Long]);
        for _ in 0..3 {
            large.push([Cell::from("x".repeat(MAX_BYTES * 2 / 3))]);
        }
        assert_eq!(large.slices().len(), 3, "one too large for two");
        assert!(Batch::new([Kind::Int]).slices().is_empty());
    }

    #[test]
    fn columns_and_json_have_the_same_values() {
        let mut batch = Batch::new([Kind::Text, Kind::Int]);
        batch.push([Cell::from("it's \"odd\"\n"), Cell::Int(-5)]);
        batch.push([Cell::Null, Cell::Null]);
        let slice = batch.slices()[0];
        assert_eq!(slice.texts(0), [Some("it's \"odd\"\n"), None]);
        assert_eq!(slice.ints(1), [Some(-5), None]);
        assert_eq!(slice.to_json().expect("it is JSON"), r#"[["it's \"odd\"\n",-5],[null,null]]"#);
    }
}
