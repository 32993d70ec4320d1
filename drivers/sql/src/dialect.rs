//! What the servers say differently. Everything else in this driver is one text for all of them.
//!
//! A statement is written with `?` for its parameters. The rows of a statement come from one table expression
//! ([`Dialect::rows`]), so its text is the same for any number of rows, and it is prepared once:
//!
//! ```text
//!   PostgreSQL, CockroachDB   UNNEST(?::TEXT[], ?::BIGINT[]) AS n ("id", "version")      an array for each column
//!   MySQL, MariaDB            JSON_TABLE(?, '$[*]' COLUMNS ("id" ..., "version" ...)) AS n      one JSON text
//! ```
//!
//! New rows are listed in MySQL: [`Insert`](crate::insert::Insert).

use crate::{statements::MAX_TEXT, values::Kind};

/// A server's kind of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL 12 and later.
    Postgres,
    /// CockroachDB: PostgreSQL's protocol, and what of its SQL both have.
    Cockroach,
    /// MySQL 8.0.22 and later.
    MySql,
    /// MariaDB 10.6 and later.
    MariaDb,
}

impl Dialect {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Cockroach => "CockroachDB",
            Self::MySql => "MySQL",
            Self::MariaDb => "MariaDB",
        }
    }

    /// Whether it is MySQL or descends from it.
    pub fn is_mysql(self) -> bool {
        matches!(self, Self::MySql | Self::MariaDb)
    }

    /// A statement with its parameters as the server wants them.
    pub fn numbered(self, sql: &str) -> String {
        if self.is_mysql() {
            return sql.to_owned();
        }
        let mut pieces = sql.split('?');
        let first = pieces.next().unwrap_or_default().to_owned();
        pieces.enumerate().fold(first, |text, (index, piece)| format!("{text}${}{piece}", index + 1))
    }

    /// The rows of a batch as the table `n`.
    pub fn rows(self, columns: &[(&str, Kind)]) -> String {
        if self.is_mysql() {
            let column = |(index, (name, kind)): (usize, &(&str, Kind))| {
                format!("\"{name}\" {} PATH '$[{index}]'", self.column(*kind))
            };
            let columns: Vec<String> = columns.iter().enumerate().map(column).collect();
            return format!("JSON_TABLE(?, '$[*]' COLUMNS ({})) AS n", columns.join(", "));
        }
        let array = |kind| if kind == Kind::Int { "?::BIGINT[]" } else { "?::TEXT[]" };
        let arrays: Vec<&str> = columns.iter().map(|(_, kind)| array(*kind)).collect();
        let names: Vec<String> = columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        format!("UNNEST({}) AS n ({})", arrays.join(", "), names.join(", "))
    }

    /// How a column is declared. Texts are compared byte by byte, and blanks at their end count.
    pub fn column(self, kind: Kind) -> String {
        match (self, kind) {
            (_, Kind::Int) => "BIGINT".to_owned(),
            (Self::Postgres, Kind::Text) => "TEXT COLLATE \"C\"".to_owned(),
            (Self::Postgres | Self::Cockroach, _) => "TEXT".to_owned(),
            (_, Kind::Text) => {
                format!("VARCHAR({MAX_TEXT}) CHARACTER SET utf8mb4 COLLATE {}", self.collation())
            }
            (_, Kind::Long) => format!("LONGTEXT CHARACTER SET utf8mb4 COLLATE {}", self.collation()),
        }
    }

    /// `utf8mb4_bin` would take texts that differ in blanks at their end for one.
    fn collation(self) -> &'static str {
        if self == Self::MariaDb { "utf8mb4_nopad_bin" } else { "utf8mb4_0900_bin" }
    }

    /// The end of the declaration of a table.
    pub fn engine(self) -> &'static str {
        if self.is_mysql() { " ENGINE = InnoDB" } else { "" }
    }

    /// How the id of a fact is declared, and how a text becomes one. Debezium reads it as text either way.
    pub fn uuid(self) -> &'static str {
        if self.is_mysql() { "CHAR(36) CHARACTER SET ascii COLLATE ascii_bin" } else { "UUID" }
    }

    /// A text of a row of `n` as a value of [`Dialect::uuid`].
    pub fn to_uuid(self, text: &str) -> String {
        if self.is_mysql() { text.to_owned() } else { format!("CAST({text} AS UUID)") }
    }

    /// A value of [`Dialect::uuid`] as text.
    pub fn uuid_text(self, column: &str) -> String {
        if self.is_mysql() { column.to_owned() } else { format!("CAST({column} AS TEXT)") }
    }

    /// The type of a moment without a time zone.
    pub fn timestamp(self) -> &'static str {
        if self.is_mysql() { "DATETIME(6)" } else { "TIMESTAMP" }
    }

    /// Microseconds since 1970 as a moment.
    pub fn to_timestamp(self, micros: &str) -> String {
        if self.is_mysql() {
            format!("TIMESTAMPADD(MICROSECOND, {micros}, '1970-01-01 00:00:00')")
        } else {
            format!("TIMESTAMP '1970-01-01 00:00:00' + {micros} * INTERVAL '1 microsecond'")
        }
    }

    /// Sets columns of the rows of a table that meet `on`, which speaks of `t` and `n`.
    pub fn update_joined(self, table: &str, rows: &str, on: &str, set: &[(&str, String)]) -> String {
        // In MySQL a column needs its table's name, as `n` may have the same; in PostgreSQL it must not have it.
        let owner = if self.is_mysql() { "t." } else { "" };
        let set: Vec<String> =
            set.iter().map(|(column, value)| format!("{owner}\"{column}\" = {value}")).collect();
        let set = set.join(", ");
        if self.is_mysql() {
            return format!("UPDATE {rows} STRAIGHT_JOIN {} ON {on} SET {set}", looked_up(table, "PRIMARY"));
        }
        format!("UPDATE \"{table}\" AS t SET {set} FROM {rows} WHERE {on}")
    }

    /// Removes the rows of a table that meet `on`, which speaks of `t` and `n`.
    pub fn delete_joined(self, table: &str, index: &str, rows: &str, on: &str) -> String {
        if self.is_mysql() {
            return format!("DELETE t FROM {rows} STRAIGHT_JOIN {} ON {on}", looked_up(table, index));
        }
        format!("DELETE FROM \"{table}\" AS t USING {rows} WHERE {on}")
    }

    /// Selects from the rows of a table that meet `on`, which speaks of `t` and `n`.
    pub fn select_joined(self, what: &str, table: &str, rows: &str, on: &str) -> String {
        if self.is_mysql() {
            return format!(
                "SELECT {what} FROM {rows} STRAIGHT_JOIN {} ON {on}",
                looked_up(table, "PRIMARY")
            );
        }
        format!("SELECT {what} FROM {rows} JOIN \"{table}\" AS t ON {on}")
    }

    /// The end of an insert after which rows that are there already are passed over, and counted by their absence. In
    /// MySQL they are an error instead, since passing over would hide other errors too.
    pub fn unless_there(self, key: &str) -> String {
        if self.is_mysql() { String::new() } else { format!(" ON CONFLICT ({key}) DO NOTHING") }
    }

    /// The beginning of an insert that passes over rows that are there already, for values that cannot be wrong
    /// otherwise; see [`Dialect::unless_there`] for its end.
    pub fn insert_missing(self) -> &'static str {
        if self.is_mysql() { "INSERT IGNORE INTO" } else { "INSERT INTO" }
    }

    /// Whether an expression is one of a few values, and the parameters for them.
    pub fn one_of(self, expression: &str, kind: Kind, values: usize) -> String {
        if self.is_mysql() {
            return format!("{expression} IN ({})", vec!["?"; values].join(", "));
        }
        let array = if kind == Kind::Int { "BIGINT[]" } else { "TEXT[]" };
        format!("{expression} = ANY(?::{array})")
    }

    /// Removes a bounded number of rows of a table by a condition.
    pub fn delete_some(self, table: &str, key: &str, condition: &str, most: usize) -> String {
        if self.is_mysql() {
            return format!("DELETE FROM \"{table}\" WHERE {condition} LIMIT {most}");
        }
        format!(
            "DELETE FROM \"{table}\" WHERE \"{key}\" IN \
             (SELECT \"{key}\" FROM \"{table}\" WHERE {condition} LIMIT {most})"
        )
    }

    /// Begins a transaction that writes a commit.
    pub fn begin(self) -> &'static str {
        if self.is_mysql() { "START TRANSACTION" } else { "BEGIN ISOLATION LEVEL SERIALIZABLE" }
    }

    /// `ORDER BY` a column; rows without a value come first.
    pub fn ascending(self, column: &str) -> String {
        if self.is_mysql() { format!("{column} ASC") } else { format!("{column} ASC NULLS FIRST") }
    }

    /// The reverse of [`Dialect::ascending`].
    pub fn descending(self, column: &str) -> String {
        if self.is_mysql() { format!("{column} DESC") } else { format!("{column} DESC NULLS LAST") }
    }

    /// Whether a value and an id come after others, in one condition that an index is read by: the value, the value
    /// again and the id are its parameters in MySQL, the value and the id elsewhere.
    pub fn after(self, column: &str, than: &str) -> String {
        if self.is_mysql() {
            return format!("{column} {than}= ? AND ({column} {than} ? OR t.\"id\" {than} ?)");
        }
        format!("({column}, t.\"id\") {than} (?, ?)")
    }
}

/// MySQL's planner does not know how many rows `n` has; this keeps it from reading the whole table.
fn looked_up(table: &str, index: &str) -> String {
    format!("\"{table}\" AS t FORCE INDEX (\"{index}\")")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_where_the_server_wants_it() {
        let sql = "SELECT ? WHERE x = ? AND y = '1'";
        assert_eq!(Dialect::Postgres.numbered(sql), "SELECT $1 WHERE x = $2 AND y = '1'");
        assert_eq!(Dialect::MariaDb.numbered(sql), sql);
    }

    #[test]
    fn what_is_set_names_its_table_in_mysql() {
        let set = [("a", "n.\"a\"".to_owned()), ("b", "1".to_owned())];
        let update = |dialect: Dialect| dialect.update_joined("x", "ROWS", "ON", &set);
        assert_eq!(
            update(Dialect::MySql),
            "UPDATE ROWS STRAIGHT_JOIN \"x\" AS t FORCE INDEX (\"PRIMARY\") ON ON SET t.\"a\" = n.\"a\", t.\"b\" = 1"
        );
        assert_eq!(
            update(Dialect::Cockroach),
            "UPDATE \"x\" AS t SET \"a\" = n.\"a\", \"b\" = 1 FROM ROWS WHERE ON"
        );
    }
}
