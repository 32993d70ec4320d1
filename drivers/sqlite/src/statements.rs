//! The statements of each table, composed once when the store is opened.

use store::{ColumnKind, Row, Table, Value};

use crate::schema::side_table;

/// The statements of one table.
pub struct TableStatements {
    /// The table.
    pub table: &'static Table,
    /// Version and state of an id.
    pub load: String,
    /// Whether there is a row: an id.
    pub exists: String,
    /// A new row, unless there is one: id, state, columns.
    pub insert: String,
    /// No row any more: id, version.
    pub delete: String,
    /// The side tables of its sets.
    pub sets: Vec<SetStatements>,
    /// A version of a row without its unique values: id, version. None when no column is unique.
    pub vacate: Option<String>,
}

/// The statements of the side table of a set.
pub struct SetStatements {
    /// Which column it is.
    pub column: usize,
    /// One more text: value, id.
    pub insert: String,
    /// No text any more: id.
    pub clear: String,
}

impl TableStatements {
    /// Another state of a version of a row, with some of the columns: id, version, state, those columns.
    pub fn update(&self, changed: &[bool]) -> String {
        let columns = self.table.columns.iter().zip(changed).filter(|(_, changed)| **changed);
        let set: String = columns
            .enumerate()
            .map(|(index, (column, _))| format!(", \"{}\" = ?{}", column.name, index + 4))
            .collect();
        let name = self.table.name;
        format!("UPDATE \"{name}\" SET version = version + 1, state = ?3{set} WHERE id = ?1 AND version = ?2")
    }
}

/// The statements of every table of a service.
pub fn of_all<R: Row>() -> Vec<TableStatements> {
    R::TABLES.iter().map(of).collect()
}

/// The statements of a table, by its name.
pub fn find<'a>(all: &'a [TableStatements], name: &str) -> Option<&'a TableStatements> {
    all.iter().find(|statements| statements.table.name == name)
}

fn of(table: &'static Table) -> TableStatements {
    let name = table.name;
    let columns: Vec<String> = table.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
    let listed: String = columns.iter().map(|column| format!("{column}, ")).collect();
    let inserted: String = (0..columns.len()).map(|index| format!(", ?{}", index + 3)).collect();
    let vacated: Vec<String> = table
        .columns
        .iter()
        .filter(|column| column.unique)
        .map(|column| format!("\"{}\" = NULL", column.name))
        .collect();
    let set = |(index, column)| {
        let side = side_table(table, column);
        SetStatements {
            column: index,
            insert: format!("INSERT OR IGNORE INTO \"{side}\" (value, id) VALUES (?1, ?2)"),
            clear: format!("DELETE FROM \"{side}\" WHERE id = ?1"),
        }
    };
    let sets = table.columns.iter().enumerate().filter(|(_, column)| column.kind == ColumnKind::Set);
    TableStatements {
        table,
        sets: sets.map(set).collect(),
        load: format!("SELECT version, state FROM \"{name}\" WHERE id = ?1"),
        exists: format!("SELECT 1 FROM \"{name}\" WHERE id = ?1"),
        insert: format!(
            "INSERT INTO \"{name}\" (id, {listed}state, version) VALUES (?1{inserted}, ?2, 1) \
             ON CONFLICT (id) DO NOTHING"
        ),
        delete: format!("DELETE FROM \"{name}\" WHERE id = ?1 AND version = ?2"),
        vacate: (!vacated.is_empty())
            .then(|| format!("UPDATE \"{name}\" SET {} WHERE id = ?1 AND version = ?2", vacated.join(", "))),
    }
}

/// A column's value as SQLite keeps it; the error says why it cannot.
pub fn kept(kind: ColumnKind, value: Value) -> Result<rusqlite::types::Value, String> {
    use rusqlite::types::Value as Kept;
    match (kind, value) {
        (_, Value::Null) => Ok(Kept::Null),
        (ColumnKind::Text | ColumnKind::Words, Value::Text(text)) => Ok(Kept::Text(text)),
        (ColumnKind::Int, Value::Int(number)) => Ok(Kept::Integer(number)),
        (ColumnKind::Set, Value::Set(texts)) => {
            serde_json::to_string(&texts).map(Kept::Text).map_err(|error| error.to_string())
        }
        (kind, value) => Err(format!("{value:?} is not a value of the kind {kind:?}")),
    }
}
