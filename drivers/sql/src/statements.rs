//! The statements of each table, composed once when the store is opened.

use std::{borrow::Cow, collections::BTreeSet};

use store::{Column, ColumnKind, Row, Table, Value};

use crate::{
    dialect::Dialect,
    insert::{Insert, NewColumn},
    values::{Cell, Kind},
};

/// The most characters of an id, a key or a unique value; a longer one is refused. Of other columns' texts, of the texts
/// of a set and of words so many are kept and compared; the whole text is in the row's state.
///
/// MySQL's indexes take 3,072 bytes in all, PostgreSQL's about 2,700.
pub const MAX_TEXT: usize = 255;

/// The statements of one table.
pub struct TableStatements {
    /// The table.
    pub table: &'static Table,
    /// What the rows of the next two have: id, version, plain columns, state.
    pub kinds: Vec<Kind>,
    /// New rows, unless they are there.
    pub insert: Insert,
    /// Other states of rows that have the version.
    pub update: String,
    /// No rows any more: id, expected version.
    pub delete: String,
    /// How many of these rows are there: id, expected version.
    pub count: String,
    /// Rows without their unique values: id, expected version. None when no column is unique.
    pub vacate: Option<String>,
    /// The side tables of its sets and words.
    pub sides: Vec<SideStatements>,
}

/// The statements of a side table, which has the texts of a set, or the words of a text.
pub struct SideStatements {
    /// Which column it is.
    pub column: usize,
    /// More texts: value, id.
    pub insert: Insert,
    /// No texts any more: id.
    pub clear: String,
}

/// What a row is found by.
pub const KEY: [(&str, Kind); 2] = [("id", Kind::Text), ("expected", Kind::Int)];
/// What a side table has.
pub const SIDE: [(&str, Kind); 2] = [("value", Kind::Text), ("id", Kind::Text)];
/// Where a row of a table is one of `n`, at its version.
const AT_VERSION: &str = "t.\"id\" = n.\"id\" AND t.\"version\" = n.\"expected\"";

/// The table beside a table, for a column of kind `Set` or `Words`.
pub fn side_table(table: &Table, column: &Column) -> String {
    format!("{}_{}", table.name, column.name)
}

/// The index of a side table by the row that it belongs to.
pub fn side_index(table: &Table, column: &Column) -> String {
    format!("{}_by_id", side_table(table, column))
}

/// The columns that are in the table itself, with their places among all.
pub fn plain_columns(table: &Table) -> impl Iterator<Item = (usize, &'static Column)> {
    let columns: &'static [Column] = table.columns;
    columns.iter().enumerate().filter(|(_, column)| matches!(column.kind, ColumnKind::Text | ColumnKind::Int))
}

/// What a column of the table itself holds.
pub fn kind_of(column: &Column) -> Kind {
    if column.kind == ColumnKind::Int { Kind::Int } else { Kind::Text }
}

/// The statements of every table of a service.
pub fn of_all<R: Row>(dialect: Dialect) -> Vec<TableStatements> {
    R::TABLES.iter().map(|table| of(dialect, table)).collect()
}

/// The statements of a table, by its name.
pub fn find<'a>(all: &'a [TableStatements], name: &str) -> Option<&'a TableStatements> {
    all.iter().find(|statements| statements.table.name == name)
}

fn of(dialect: Dialect, table: &'static Table) -> TableStatements {
    let name = table.name;
    let plain: Vec<&Column> = plain_columns(table).map(|(_, column)| column).collect();
    // The state is the longest by far: MySQL passes over what comes before a column.
    let written = plain.iter().map(|column| (column.name, kind_of(column))).chain([("state", Kind::Long)]);
    let updated: Vec<(&str, Kind)> = KEY.into_iter().chain(written.clone()).collect();
    let inserted = [KEY[0], ("version", Kind::Int)].into_iter().chain(written).map(NewColumn::plain);
    let mut set = vec![("version", "t.\"version\" + 1".to_owned()), ("state", "n.\"state\"".to_owned())];
    set.extend(plain.iter().map(|column| (column.name, format!("n.\"{}\"", column.name))));
    let vacated: Vec<(&str, String)> =
        plain.iter().filter(|column| column.unique).map(|column| (column.name, "NULL".to_owned())).collect();
    let keys = dialect.rows(&KEY);
    let sides = table.columns.iter().enumerate();
    let sides = sides.filter(|(_, column)| matches!(column.kind, ColumnKind::Set | ColumnKind::Words));
    TableStatements {
        table,
        kinds: updated.iter().map(|(_, kind)| *kind).collect(),
        insert: Insert::new(dialect, name, &inserted.collect::<Vec<_>>(), Some("\"id\"")),
        update: dialect.update_joined(name, &dialect.rows(&updated), AT_VERSION, &set),
        delete: dialect.delete_joined(name, "PRIMARY", &keys, AT_VERSION),
        count: dialect.select_joined("COUNT(*)", name, &keys, "t.\"id\" = n.\"id\""),
        vacate: (!vacated.is_empty()).then(|| dialect.update_joined(name, &keys, AT_VERSION, &vacated)),
        sides: sides.map(|(index, column)| side_of(dialect, table, index, column)).collect(),
    }
}

fn side_of(dialect: Dialect, table: &Table, index: usize, column: &Column) -> SideStatements {
    let side = side_table(table, column);
    let ids = dialect.rows(&SIDE[1..]);
    SideStatements {
        column: index,
        insert: Insert::new(dialect, &side, &SIDE.map(NewColumn::plain), None),
        clear: dialect.delete_joined(&side, &side_index(table, column), &ids, "t.\"id\" = n.\"id\""),
    }
}

/// As much of a text as is kept in a column.
pub fn kept(text: &str) -> &str {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// A plain column's value as it is kept; the error says why it cannot be.
pub fn cell(column: &Column, value: Value) -> Result<Cell<'static>, String> {
    match (column.kind, value) {
        (_, Value::Null) => Ok(Cell::Null),
        (ColumnKind::Text, Value::Text(text)) if column.unique => {
            check_length(&text)?;
            Ok(Cell::from(text))
        }
        (ColumnKind::Text, Value::Text(text)) => Ok(Cell::from(kept(&text).to_owned())),
        (ColumnKind::Int, Value::Int(number)) => Ok(Cell::Int(number)),
        (kind, value) => Err(format!("{value:?} is not a value of the kind {kind:?}")),
    }
}

/// Refuses what is too long to be told apart from others.
pub fn check_length(text: &str) -> Result<(), String> {
    if kept(text).len() == text.len() {
        return Ok(());
    }
    Err(format!("a key or a unique value has at most {MAX_TEXT} characters"))
}

/// The texts of a set, or the words of a text, as they are kept: each once.
pub fn side_texts(kind: ColumnKind, value: &Value) -> Result<BTreeSet<Cow<'_, str>>, String> {
    match (kind, value) {
        (_, Value::Null) => Ok(BTreeSet::new()),
        (ColumnKind::Set, Value::Set(texts)) => {
            Ok(texts.iter().map(|text| Cow::Borrowed(kept(text))).collect())
        }
        (ColumnKind::Words, Value::Text(text)) => {
            Ok(text.split(' ').map(|word| Cow::Borrowed(kept(word))).collect())
        }
        (kind, value) => Err(format!("{value:?} is not a value of the kind {kind:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_kept_up_to_a_bound_and_long_keys_refused() {
        let long = "é".repeat(MAX_TEXT + 1);
        assert_eq!(kept(&long).chars().count(), MAX_TEXT);
        assert_eq!(kept("short"), "short");
        assert!(check_length(&long).is_err());
        let unique = Column::unique("code");
        assert!(cell(&unique, Value::Text(long.clone())).is_err());
        let plain = Column::new("city", ColumnKind::Text);
        assert_eq!(cell(&plain, Value::Text(long.clone())), Ok(Cell::from("é".repeat(MAX_TEXT))));
        assert!(cell(&plain, Value::Int(1)).is_err());
        let words = Value::Text(format!("a {long}  a"));
        assert_eq!(
            side_texts(ColumnKind::Words, &words).map(|words| words.len()),
            Ok(3),
            "a, the long one and none"
        );
    }
}
