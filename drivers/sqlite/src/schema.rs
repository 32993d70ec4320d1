//! The tables: those of the rows, which a service describes, and those of the port itself.
//!
//! Each `Row` table has its columns, its version and its state. What a column of kind `Words` needs beside it is
//! kept up to date by triggers, only when the column really changes, so the search index is left alone while
//! only the state changes. The side table of a column of kind `Set` is written by the writer.

use std::{collections::BTreeSet, fmt::Write as _};

use bus::{Retention, Topic};
use rusqlite::{Connection, OptionalExtension as _};
use store::{Column, ColumnKind, Indexed, Table};

use crate::error::OpenError;

/// The schema version that this driver writes, in `PRAGMA user_version`.
pub const SCHEMA_VERSION: i64 = 2;

/// Columns that every table has, which a service's column must not be named.
const OWN_COLUMNS: [&str; 4] = ["id", "version", "state", ROW_NUMBER];

/// The integer key of a row, by which the search index names it. It is a declared column because SQLite may
/// renumber an undeclared one.
pub const ROW_NUMBER: &str = "_number";

/// The tables of the port itself, beside the outbox.
const OWN_TABLES: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE positions (
        topic TEXT NOT NULL,
        partition TEXT NOT NULL,
        position INTEGER NOT NULL,
        PRIMARY KEY (topic, partition)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE answers (
        key TEXT PRIMARY KEY,
        fingerprint TEXT NOT NULL,
        body TEXT NOT NULL,
        at_us INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX answers_by_time ON answers (at_us);
    CREATE TABLE parked (
        topic TEXT NOT NULL,
        partition TEXT NOT NULL,
        position INTEGER NOT NULL,
        id TEXT NOT NULL,
        source TEXT NOT NULL,
        type TEXT NOT NULL,
        key TEXT NOT NULL,
        time_us INTEGER NOT NULL,
        traceparent TEXT,
        payload TEXT NOT NULL,
        reason TEXT NOT NULL,
        at_us INTEGER NOT NULL,
        PRIMARY KEY (topic, partition, position)
    ) STRICT;
    CREATE TABLE commits (id TEXT PRIMARY KEY, outcome TEXT NOT NULL, at_us INTEGER) STRICT, WITHOUT ROWID;
    CREATE INDEX commits_by_time ON commits (at_us);
";

/// How far each topic was trimmed, and a way to the earlier facts of a key where its newest is kept.
fn trimming() -> String {
    let by_key = Topic::ALL.into_iter().filter(|topic| topic.retention() == Retention::NewestOfKey);
    let by_key = by_key.map(outbox).map(|table| format!("CREATE INDEX {table}_by_key ON {table} (key);"));
    let mut ddl = "CREATE TABLE trimmed (topic TEXT PRIMARY KEY, position INTEGER NOT NULL, \
                   latest_us INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
        .to_owned();
    ddl.extend(by_key);
    ddl
}

/// The table of a topic's facts.
pub fn outbox(topic: Topic) -> String {
    format!("outbox_{}", topic.name().replace('-', "_"))
}

/// A table for each topic, so that reading one needs no index and passes over nothing.
fn outbox_tables() -> String {
    let table = |topic| {
        format!(
            "CREATE TABLE {} (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, key TEXT NOT NULL, \
             type TEXT NOT NULL, source TEXT NOT NULL, payload TEXT NOT NULL, time_us INTEGER NOT NULL, \
             traceparent TEXT) STRICT;",
            outbox(topic)
        )
    };
    Topic::ALL.map(table).concat()
}

/// What a schema is made for: the service and its tables.
pub struct Wanted {
    /// The service's name.
    pub service: &'static str,
    /// Its tables.
    pub tables: &'static [Table],
}

/// Brings a database from a schema version to [`SCHEMA_VERSION`], inside the caller's transaction.
pub fn migrate(connection: &Connection, from: i64, wanted: &Wanted) -> rusqlite::Result<()> {
    if from < 1 {
        let ddl = row_tables(wanted.tables);
        connection.execute_batch(OWN_TABLES)?;
        connection.execute_batch(&outbox_tables())?;
        connection.execute_batch(&ddl)?;
        let mut insert = connection.prepare("INSERT INTO meta (name, value) VALUES (?1, ?2)")?;
        insert.execute(("service", wanted.service))?;
        insert.execute(("row_tables", &ddl))?;
    }
    if from < 2 {
        connection.execute_batch(&trimming())?;
    }
    connection.pragma_update(None, "user_version", SCHEMA_VERSION)
}

/// Checks that the database was made for this service, with these tables and columns.
pub fn check_made_for(connection: &Connection, wanted: &Wanted) -> Result<(), Mismatch> {
    let mut select = connection.prepare("SELECT value FROM meta WHERE name = ?1")?;
    let mut meta = |name: &str| -> rusqlite::Result<Option<String>> {
        select.query_row([name], |row| row.get(0)).optional()
    };
    let service = meta("service")?.unwrap_or_default();
    if service != wanted.service {
        return Err(Mismatch::Service(service));
    }
    if meta("row_tables")?.unwrap_or_default() != row_tables(wanted.tables) {
        return Err(Mismatch::Columns);
    }
    Ok(())
}

/// Why a database is not the wanted one.
pub enum Mismatch {
    /// It belongs to this service.
    Service(String),
    /// Its tables are described otherwise.
    Columns,
    /// It could not be read.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Mismatch {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Refuses names that could not be quoted into SQL, or that would collide.
pub fn check_names(tables: &[Table]) -> Result<(), OpenError> {
    let refuse = |name: &str, why: &'static str| Err(OpenError::Name { name: name.to_owned(), why });
    let mut seen: BTreeSet<String> =
        ["meta", "positions", "answers", "parked", "commits", "trimmed"].map(str::to_owned).into();
    seen.extend(Topic::ALL.map(outbox));
    for table in tables {
        if !is_plain(table.name) || table.name.starts_with("sqlite_") {
            return refuse(table.name, "a table's name has lower case letters and underscores");
        }
        if !seen.insert(table.name.to_owned()) {
            return refuse(table.name, "two tables have this name");
        }
        for column in table.columns {
            if !is_plain(column.name) || OWN_COLUMNS.contains(&column.name) {
                return refuse(
                    column.name,
                    "a column's name has lower case letters, and is not a reserved one",
                );
            }
            if !seen.insert(side_table(table, column)) {
                return refuse(column.name, "two columns have this name");
            }
        }
        for name in table.indexes.iter().flat_map(|index| index.columns.iter().chain(index.beside)) {
            if !table.columns.iter().any(|column| column.name == *name) {
                return refuse(name, "an index is over columns of its table");
            }
        }
    }
    Ok(())
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
}

/// The table beside a table, for a column of kind `Set` or `Words`.
pub fn side_table(table: &Table, column: &Column) -> String {
    format!("{}_{}", table.name, column.name)
}

/// The statements that create the tables of the rows. They are stored too, to notice a change.
fn row_tables(tables: &[Table]) -> String {
    let mut ddl = String::new();
    for table in tables {
        main_table(&mut ddl, table);
        for column in table.columns {
            match column.kind {
                ColumnKind::Text | ColumnKind::Int if column.indexed == Indexed::No => {}
                ColumnKind::Text | ColumnKind::Int => plain_index(&mut ddl, table, column),
                ColumnKind::Set => set_table(&mut ddl, table, column),
                ColumnKind::Words => words_table(&mut ddl, table, column),
            }
        }
        for (number, index) in table.indexes.iter().enumerate() {
            let columns: String = index.columns.iter().map(|name| format!("\"{name}\", ")).collect();
            let beside: String = index.beside.iter().map(|name| format!(", \"{name}\"")).collect();
            let name = table.name;
            let on = format!("ON \"{name}\" ({columns}id{beside})");
            add(&mut ddl, &format!("CREATE INDEX \"{name}_index_{number}\" {on}"));
        }
    }
    ddl
}

fn add(ddl: &mut String, statement: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(ddl, "{statement};");
}

/// A state is often several kilobytes, which a table without row numbers would keep in its inner pages; so
/// tables have them.
fn main_table(ddl: &mut String, table: &Table) {
    let columns: String = table
        .columns
        .iter()
        .map(|column| {
            let kind = if column.kind == ColumnKind::Int { "INTEGER" } else { "TEXT" };
            format!("\"{}\" {kind}, ", column.name)
        })
        .collect();
    let name = table.name;
    add(
        ddl,
        &format!(
            "CREATE TABLE \"{name}\" ({ROW_NUMBER} INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, \
             version INTEGER NOT NULL, {columns}state TEXT NOT NULL) STRICT"
        ),
    );
}

/// The id ends each index, because pages go on after a value and an id.
fn plain_index(ddl: &mut String, table: &Table, column: &Column) {
    let (name, on, column_name) = (side_table(table, column), table.name, column.name);
    if column.unique {
        add(ddl, &format!("CREATE UNIQUE INDEX \"{name}_index\" ON \"{on}\" (\"{column_name}\")"));
        return;
    }
    let which = match column.indexed {
        Indexed::WithValue => format!(" WHERE \"{column_name}\" IS NOT NULL"),
        Indexed::Every | Indexed::No => String::new(),
    };
    add(ddl, &format!("CREATE INDEX \"{name}_index\" ON \"{on}\" (\"{column_name}\", id){which}"));
}

/// The main table keeps a set as a JSON list; the side table has a row for each of its texts, which the writer
/// keeps up to date: a trigger would cost every row, also those whose set is empty.
fn set_table(ddl: &mut String, table: &Table, column: &Column) {
    let side = side_table(table, column);
    add(
        ddl,
        &format!(
            "CREATE TABLE \"{side}\" (value TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (value, id)) \
             STRICT, WITHOUT ROWID"
        ),
    );
    add(ddl, &format!("CREATE INDEX \"{side}_index\" ON \"{side}\" (id)"));
}

/// The text is folded already: every sign of it belongs to a word, and only blanks separate words.
fn words_table(ddl: &mut String, table: &Table, column: &Column) {
    let (side, on, column) = (side_table(table, column), table.name, column.name);
    add(
        ddl,
        &format!(
            "CREATE VIRTUAL TABLE \"{side}\" USING fts5(\"{column}\", content = '{on}', \
             content_rowid = '{ROW_NUMBER}', prefix = '2 3', \
             tokenize = \"unicode61 remove_diacritics 0 categories 'L* M* N* P* S* C*'\")"
        ),
    );
    let fill =
        format!("INSERT INTO \"{side}\" (rowid, \"{column}\") VALUES (new.{ROW_NUMBER}, new.\"{column}\");");
    let clear = format!(
        "INSERT INTO \"{side}\" (\"{side}\", rowid, \"{column}\") \
         VALUES ('delete', old.{ROW_NUMBER}, old.\"{column}\");"
    );
    triggers(ddl, &side, on, column, &fill, &clear);
}

fn triggers(ddl: &mut String, side: &str, on: &str, column: &str, fill: &str, clear: &str) {
    add(ddl, &format!("CREATE TRIGGER \"{side}_insert\" AFTER INSERT ON \"{on}\" BEGIN {fill} END"));
    add(ddl, &format!("CREATE TRIGGER \"{side}_delete\" AFTER DELETE ON \"{on}\" BEGIN {clear} END"));
    add(
        ddl,
        &format!(
            "CREATE TRIGGER \"{side}_update\" AFTER UPDATE OF \"{column}\" ON \"{on}\" \
             WHEN old.\"{column}\" IS NOT new.\"{column}\" BEGIN {clear} {fill} END"
        ),
    );
}
