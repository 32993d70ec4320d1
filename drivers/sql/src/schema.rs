//! The tables: those of the rows, which a service describes, and those of the port itself.
//!
//! Each `Row` table has its plain columns, its version and its state. A column of kind `Set` or `Words` is a side table of
//! texts or words with the ids of their rows. Each topic has its own outbox, whose columns are those that Debezium's outbox
//! event router reads. To have it publish the facts instead of the relay, a connector is configured like this:
//!
//! ```text
//!   table.include.list                          public\.outbox_.*_(event|data)       (MySQL: NAME\. ...)
//!   tombstones.on.delete                        false                     (trimming deletes rows)
//!   transforms                                  outbox
//!   transforms.outbox.type                      io.debezium.transforms.outbox.EventRouter
//!   transforms.outbox.table.field.event.id      id
//!   transforms.outbox.table.field.event.key     aggregateid
//!   transforms.outbox.table.field.event.payload payload
//!   transforms.outbox.route.by.field            aggregatetype             (the topic)
//!   transforms.outbox.route.topic.replacement   ${routedByValue}
//!   transforms.outbox.table.fields.additional.placement
//!       id:header:ce_id,type:header:ce_type,source:header:ce_source,
//!       time_us:header:ce_time,traceparent:header:traceparent
//!   key.converter, value.converter              org.apache.kafka.connect.storage.StringConverter
//! ```
//!
//! The whole of it is in `deploy/debezium`. PostgreSQL needs `wal_level=logical` and
//! `plugin.name=pgoutput`, MySQL and MariaDB `binlog_format=ROW`.

use std::collections::BTreeSet;

use bus::{Retention, Topic};
use store::{Column, ColumnKind, Index, Indexed, Table};

use crate::{
    dialect::Dialect,
    error::OpenError,
    statements::{kind_of, plain_columns, side_index, side_table},
    values::Kind,
};

/// The schema version that this driver writes.
pub const SCHEMA_VERSION: i64 = 1;

/// Columns that every table has, which a service's column must not be named.
const OWN_COLUMNS: [&str; 4] = ["id", "version", "state", "expected"];
/// The tables of the port itself, beside the outbox.
const OWN_TABLES: [&str; 7] =
    ["meta", "positions", "answers", "parked", "commits", "outbox_heads", "outbox_trimmed"];

/// The names in the table `meta`.
pub const META_VERSION: &str = "schema_version";
/// The service that a database belongs to.
pub const META_SERVICE: &str = "service";

/// The name in the table `meta` of what a row table was made with.
pub fn meta_table(table: &Table) -> String {
    format!("table {}", table.name)
}

/// The table of a topic's facts.
pub fn outbox(topic: Topic) -> String {
    format!("outbox_{}", topic.name().replace('-', "_"))
}

/// The index of a topic's facts by key.
pub fn outbox_index(topic: Topic) -> String {
    format!("{}_by_key", outbox(topic))
}

/// The statements that make the tables of the port itself. Each may be run again.
pub fn own_tables(dialect: Dialect) -> Vec<String> {
    let (int, text, long) =
        (dialect.column(Kind::Int), dialect.column(Kind::Text), dialect.column(Kind::Long));
    let table = |name: &str, columns: &str, key: &str| table_with_indexes(dialect, name, columns, key, &[]);
    let meta = format!("\"name\" {text} NOT NULL, \"value\" {long} NOT NULL");
    let mut ddl = table("meta", &meta, "\"name\"");
    let positions =
        format!("\"topic\" {text} NOT NULL, \"partition\" {text} NOT NULL, \"position\" {int} NOT NULL");
    ddl.extend(table("positions", &positions, "\"topic\", \"partition\""));
    let parked = format!(
        "{positions}, \"id\" {text} NOT NULL, \"source\" {text} NOT NULL, \"type\" {text} NOT NULL, \
         \"key\" {text} NOT NULL, \"time_us\" {int} NOT NULL, \"traceparent\" {text}, \"payload\" {long} NOT NULL, \
         \"reason\" {long} NOT NULL, \"at_us\" {int} NOT NULL"
    );
    ddl.extend(table("parked", &parked, "\"topic\", \"partition\", \"position\""));
    let heads = format!("\"topic\" {text} NOT NULL, \"position\" {int} NOT NULL");
    ddl.extend(table("outbox_heads", &heads, "\"topic\""));
    ddl.extend(table("outbox_trimmed", &format!("{heads}, \"latest_us\" {int} NOT NULL"), "\"topic\""));
    let by_time = [by("answers_by_time", &["at_us"])];
    let answers = format!(
        "\"key\" {text} NOT NULL, \"fingerprint\" {long} NOT NULL, \"body\" {long} NOT NULL, \"at_us\" {int} NOT NULL"
    );
    ddl.extend(table_with_indexes(dialect, "answers", &answers, "\"key\"", &by_time));
    let by_time = [by("commits_by_time", &["at_us"])];
    let commits = format!("\"id\" {text} NOT NULL, \"outcome\" {text} NOT NULL, \"at_us\" {int}");
    ddl.extend(table_with_indexes(dialect, "commits", &commits, "\"id\"", &by_time));
    ddl.extend(Topic::ALL.into_iter().flat_map(|topic| outbox_table(dialect, topic)));
    ddl
}

/// A table for each topic, so that reading one needs no further index and passes over nothing. A topic that keeps the
/// newest fact of each key needs a way to the earlier ones.
fn outbox_table(dialect: Dialect, topic: Topic) -> Vec<String> {
    let (int, text, long) =
        (dialect.column(Kind::Int), dialect.column(Kind::Text), dialect.column(Kind::Long));
    let columns = format!(
        "\"position\" {int} NOT NULL, \"id\" {} NOT NULL, \"aggregatetype\" {text} NOT NULL, \
         \"aggregateid\" {text} NOT NULL, \"type\" {text} NOT NULL, \"payload\" {long} NOT NULL, \
         \"source\" {text} NOT NULL, \"time_us\" {int} NOT NULL, \"timestamp\" {}, \"traceparent\" {text}",
        dialect.uuid(),
        dialect.timestamp()
    );
    let by_key = outbox_index(topic);
    let indexes = match topic.retention() {
        Retention::NewestOfKey => vec![by(&by_key, &["aggregateid", "position"])],
        Retention::None => Vec::new(),
    };
    table_with_indexes(dialect, &outbox(topic), &columns, "\"position\"", &indexes)
}

/// An index that is to be made.
struct Wanted {
    name: String,
    unique: bool,
    /// Ordered by these, with missing values first.
    columns: Vec<String>,
    /// Further columns that it has, where the server can.
    beside: Vec<String>,
    /// Only rows with a value in the first column, where the server can.
    sparse: bool,
}

fn by(name: &str, columns: &[&str]) -> Wanted {
    let columns = columns.iter().map(|column| (*column).to_owned()).collect();
    Wanted { name: name.to_owned(), unique: false, columns, beside: Vec::new(), sparse: false }
}

/// A table and its indexes. MySQL makes them together, since it cannot make an index unless it is there.
fn table_with_indexes(
    dialect: Dialect,
    name: &str,
    columns: &str,
    key: &str,
    indexes: &[Wanted],
) -> Vec<String> {
    let mut inside = format!("{columns}, PRIMARY KEY ({key})");
    let mut after = Vec::new();
    for Wanted { name: index, unique, columns, beside, sparse } in indexes {
        let kind = if *unique { "UNIQUE " } else { "" };
        if dialect.is_mysql() {
            // The table's key is at the end of every index by itself.
            let columns: Vec<String> = columns
                .iter()
                .filter(|column| *column != "id")
                .map(|column| format!("\"{column}\""))
                .collect();
            inside.push_str(&format!(", {kind}INDEX \"{index}\" ({})", columns.join(", ")));
            continue;
        }
        let ordered: Vec<String> =
            columns.iter().map(|column| dialect.ascending(&format!("\"{column}\""))).collect();
        let mut statement =
            format!("CREATE {kind}INDEX IF NOT EXISTS \"{index}\" ON \"{name}\" ({})", ordered.join(", "));
        if !beside.is_empty() {
            let beside: Vec<String> = beside.iter().map(|column| format!("\"{column}\"")).collect();
            statement.push_str(&format!(" INCLUDE ({})", beside.join(", ")));
        }
        if *sparse {
            statement.push_str(&format!(" WHERE \"{}\" IS NOT NULL", columns[0]));
        }
        after.push(statement);
    }
    let mut ddl = vec![format!("CREATE TABLE IF NOT EXISTS \"{name}\" ({inside}){}", dialect.engine())];
    ddl.append(&mut after);
    ddl
}

/// The statements that make a table of rows. They are stored too, to notice a change.
pub fn row_table(dialect: Dialect, table: &Table) -> Vec<String> {
    let (int, text, long) =
        (dialect.column(Kind::Int), dialect.column(Kind::Text), dialect.column(Kind::Long));
    let mut columns =
        format!("\"id\" {text} NOT NULL, \"version\" {int} NOT NULL, \"state\" {long} NOT NULL");
    for (_, column) in plain_columns(table) {
        columns.push_str(&format!(", \"{}\" {}", column.name, dialect.column(kind_of(column))));
    }
    let mut indexes: Vec<Wanted> = plain_columns(table)
        .filter(|(_, column)| column.indexed != Indexed::No)
        .map(|(_, column)| plain_index(table, column))
        .collect();
    indexes.extend(table.indexes.iter().enumerate().map(|(number, index)| wide_index(table, number, index)));
    let mut ddl = table_with_indexes(dialect, table.name, &columns, "\"id\"", &indexes);
    for column in table.columns {
        if matches!(column.kind, ColumnKind::Set | ColumnKind::Words) {
            ddl.extend(side_table_ddl(dialect, &side_table(table, column), &side_index(table, column)));
        }
    }
    ddl
}

/// The index by id is one of its own in MySQL too, where every other index ends in the table's key by itself.
fn side_table_ddl(dialect: Dialect, name: &str, index: &str) -> Vec<String> {
    let text = dialect.column(Kind::Text);
    let columns =
        format!("\"value\" {text} NOT NULL, \"id\" {text} NOT NULL, PRIMARY KEY (\"value\", \"id\")");
    if dialect.is_mysql() {
        return vec![format!(
            "CREATE TABLE IF NOT EXISTS \"{name}\" ({columns}, INDEX \"{index}\" (\"id\")){}",
            dialect.engine()
        )];
    }
    vec![
        format!("CREATE TABLE IF NOT EXISTS \"{name}\" ({columns})"),
        format!("CREATE INDEX IF NOT EXISTS \"{index}\" ON \"{name}\" (\"id\")"),
    ]
}

/// The id ends each index, because pages go on after a value and an id.
fn plain_index(table: &Table, column: &Column) -> Wanted {
    let columns = if column.unique { vec![column.name] } else { vec![column.name, "id"] };
    Wanted {
        unique: column.unique,
        sparse: column.indexed == Indexed::WithValue,
        ..by(&format!("{}_{}_index", table.name, column.name), &columns)
    }
}

fn wide_index(table: &Table, number: usize, index: &Index) -> Wanted {
    let columns: Vec<&str> = index.columns.iter().copied().chain(["id"]).collect();
    let beside = index.beside.iter().map(|column| (*column).to_owned()).collect();
    Wanted { beside, ..by(&format!("{}_index_{number}", table.name), &columns) }
}

/// Refuses names that could not be quoted into SQL, or that would collide.
pub fn check_names(tables: &[Table]) -> Result<(), OpenError> {
    let refuse = |name: &str, why: &'static str| Err(OpenError::Name { name: name.to_owned(), why });
    let mut seen: BTreeSet<String> = OWN_TABLES.map(str::to_owned).into();
    seen.extend(Topic::ALL.map(outbox));
    for table in tables {
        if !is_plain(table.name) {
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
            if !plain_columns(table).any(|(_, column)| column.name == *name) {
                return refuse(name, "an index is over plain columns of its table");
            }
        }
    }
    Ok(())
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
}
