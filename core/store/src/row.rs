//! Rows: what a service keeps. A driver sees a key, a version, some columns to find it by, and its state.

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::row_id::{RowId, row_id_buffer};

/// A row's version: it grows by one with each write. 0 means that there is no row.
pub type Version = u64;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Text, compared byte by byte.
    Text,
    /// A whole number.
    Int,
    /// Several texts; a row matches when one of them does.
    Set,
    /// Words of a text, folded and separated by blanks, for search by their beginnings.
    Words,
}

/// Which rows the index of a column has. Each is a write more for each row that it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Indexed {
    /// All.
    Every,
    /// Those that have a value, where most have none.
    WithValue,
    /// None: the column is for conditions beside an indexed one, or part of an index over several.
    No,
}

/// A column that rows can be found or ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name, unique in the table: lower case letters and underscores.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnKind,
    /// No two rows have the same value; a null equals nothing.
    pub unique: bool,
    /// Its own index.
    pub indexed: Indexed,
}

impl Column {
    /// A column that is not unique.
    #[must_use]
    pub const fn new(name: &'static str, kind: ColumnKind) -> Self {
        Self { name, kind, unique: false, indexed: Indexed::Every }
    }

    /// A column that most rows have no value in.
    #[must_use]
    pub const fn sparse(name: &'static str, kind: ColumnKind) -> Self {
        Self { name, kind, unique: false, indexed: Indexed::WithValue }
    }

    /// A column without an index of its own.
    #[must_use]
    pub const fn plain(name: &'static str, kind: ColumnKind) -> Self {
        Self { name, kind, unique: false, indexed: Indexed::No }
    }

    /// A text column that no two rows share.
    #[must_use]
    pub const fn unique(name: &'static str) -> Self {
        Self { name, kind: ColumnKind::Text, unique: true, indexed: Indexed::Every }
    }
}

/// One kind of row.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name, unique in the service: lower case letters and underscores.
    pub name: &'static str,
    /// What its rows can be found by.
    pub columns: &'static [Column],
    /// Indexes over several columns.
    pub indexes: &'static [Index],
}

/// An index over several columns.
#[derive(Debug, PartialEq, Eq)]
pub struct Index {
    /// What it is ordered by; the id follows.
    pub columns: &'static [&'static str],
    /// Further columns that it has, so that conditions on them are decided without a look at the rows.
    pub beside: &'static [&'static str],
}

/// The value of a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// None.
    Null,
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
    /// Several texts.
    Set(Vec<String>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Uuid> for Value {
    fn from(uuid: Uuid) -> Self {
        uuid.hyphenated().encode_lower(&mut row_id_buffer())[..].into()
    }
}

/// Where a row is: its table and its id there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The table's name.
    pub table: &'static str,
    /// Unique in the table.
    pub id: RowId,
}

impl Key {
    /// The key of an id in a table.
    #[must_use]
    pub fn new(table: &'static str, id: impl Into<RowId>) -> Self {
        Self { table, id: id.into() }
    }
}

/// The rows of a service: an enum with a variant for each table.
pub trait Row: Clone + PartialEq + std::fmt::Debug + Send + Sync + 'static {
    /// The service's name; also of its outbox.
    const SERVICE: &'static str;
    /// Every table.
    const TABLES: &'static [Table];

    /// Where it is.
    fn key(&self) -> Key;

    /// Its columns, in the order of its table's.
    fn columns(&self) -> Vec<Value>;

    /// Its state as text.
    fn encode(&self) -> Result<String, serde_json::Error>;

    /// Reads what [`Row::encode`] wrote.
    fn decode(table: &str, state: &str) -> Result<Self, String>;
}

/// A row with its version. Copies share the row.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<R> {
    /// The row.
    pub row: Arc<R>,
    /// How often it was written, at least 1.
    pub version: Version,
}

impl<R: Clone> Versioned<R> {
    /// A row at a version.
    #[must_use]
    pub fn new(row: impl Into<R>, version: Version) -> Self {
        Self { row: Arc::new(row.into()), version }
    }

    /// The row as one's own; copied only when somebody else has it too.
    #[must_use]
    pub fn into_row(self) -> R {
        Arc::unwrap_or_clone(self.row)
    }
}

/// Encodes a row's state; for implementing [`Row`].
///
/// # Errors
/// When it has a map whose keys are not text.
pub fn to_state<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    // Room for a booking, so that it does not grow step by step.
    let mut state = Vec::with_capacity(1_024);
    serde_json::to_writer(&mut state, value)?;
    // JSON is always UTF-8.
    Ok(String::from_utf8(state).unwrap_or_default())
}

/// Decodes a row's state; for implementing [`Row`].
///
/// # Errors
/// When it is not of this type.
pub fn from_state<T: DeserializeOwned>(state: &str) -> Result<T, String> {
    serde_json::from_str(state).map_err(|error| error.to_string())
}

/// Implements [`Row`] for an enum with a variant for each table.
///
/// ```text
/// store::rows! {
///     /// What the feedback service keeps.
///     pub enum FeedbackRow in "feedback" {
///         /// A rating.
///         Rating(Rating) in "rating" by |rating| rating.id() {
///             event_id: Text = rating.event_id.to_string().into(),
///         } indexes [["event_id", "sequence"; "user_id"]],
///     }
/// }
/// ```
#[macro_export]
macro_rules! rows {
    (
        $(#[$meta:meta])*
        pub enum $name:ident in $service:literal {
            $(
                $(#[$variant_meta:meta])*
                $variant:ident($type:ty) in $table:literal by |$row:ident| $id:expr => {
                    $($column:ident: $kind:ident = $value:expr),* $(,)?
                } indexes [$([$($index:literal),+ $(; $($beside:literal),+)?]),*]
            ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {
            $($(#[$variant_meta])* $variant($type),)*
        }

        impl $crate::Row for $name {
            const SERVICE: &'static str = $service;
            const TABLES: &'static [$crate::Table] = &[$(
                $crate::Table {
                    name: $table,
                    columns: &[$($crate::rows!(@column $column $kind)),*],
                    indexes: &[$($crate::Index { columns: &[$($index),+], beside: &[$($($beside),+)?] }),*],
                }
            ),*];

            fn key(&self) -> $crate::Key {
                match self { $(Self::$variant($row) => $crate::Key::new($table, $id),)* }
            }

            fn columns(&self) -> Vec<$crate::Value> {
                match self {
                    $(
                        #[allow(unused_variables, reason = "a table may have no columns")]
                        Self::$variant($row) => vec![$($value),*],
                    )*
                }
            }

            fn encode(&self) -> Result<String, serde_json::Error> {
                match self { $(Self::$variant(row) => $crate::to_state(row),)* }
            }

            fn decode(table: &str, state: &str) -> Result<Self, String> {
                match table {
                    $($table => $crate::from_state(state).map(Self::$variant),)*
                    other => Err(format!("unknown table {other}")),
                }
            }
        }

        $(impl From<$type> for $name {
            fn from(row: $type) -> Self {
                Self::$variant(row)
            }
        })*
    };
    (@column $column:ident PlainText) => { $crate::Column::plain(stringify!($column), $crate::ColumnKind::Text) };
    (@column $column:ident PlainInt) => { $crate::Column::plain(stringify!($column), $crate::ColumnKind::Int) };
    (@column $column:ident SparseInt) => { $crate::Column::sparse(stringify!($column), $crate::ColumnKind::Int) };
    (@column $column:ident Unique) => { $crate::Column::unique(stringify!($column)) };
    (@column $column:ident $kind:ident) => {
        $crate::Column::new(stringify!($column), $crate::ColumnKind::$kind)
    };
}
