//! New rows: one text for any number of them where the server has arrays, a few texts elsewhere.
//!
//! ```text
//!   PostgreSQL, CockroachDB   INSERT INTO t (...) SELECT ... FROM UNNEST(...) AS n      all rows
//!   MySQL, MariaDB            INSERT INTO t (...) VALUES (?, ?), (?, ?) ...             64, 32, 16, 8, 4, 2 or 1 of them
//! ```
//!
//! MySQL could take new rows out of a JSON text as it takes others. But it reads through such a text for each column of each
//! row, which costs it twice as much as the insert itself.

use std::borrow::Cow;

use crate::{
    dialect::Dialect,
    values::{Batch, Bind, Kind, Slice},
};

/// The most rows of a statement that lists the values of each. The numbers of rows are powers of two, so a table has few
/// such statements, each prepared once for each connection.
const MAX_LISTED: usize = 64;

/// A column of new rows.
#[derive(Debug, Clone, Copy)]
pub struct NewColumn<'c> {
    /// Its name.
    pub name: &'c str,
    /// What is sent for it.
    pub kind: Kind,
    /// Its value, with one `?` for what is sent.
    pub value: &'c str,
}

impl<'c> NewColumn<'c> {
    /// One whose value is what is sent.
    pub fn plain((name, kind): (&'c str, Kind)) -> Self {
        Self { name, kind, value: "?" }
    }
}

/// A statement that inserts rows.
#[derive(Debug)]
pub enum Insert {
    /// For any number of rows.
    One(String),
    /// Up to its values, and the values of one row.
    Listed(String, String),
}

impl Insert {
    /// New rows of a table. With a key, rows that are there already are passed over or an error, as
    /// [`Dialect::unless_there`] says.
    pub fn new(dialect: Dialect, table: &str, columns: &[NewColumn<'_>], key: Option<&str>) -> Self {
        let names: Vec<String> = columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        let head = format!("INSERT INTO \"{table}\" ({})", names.join(", "));
        if dialect.is_mysql() {
            let values: Vec<&str> = columns.iter().map(|column| column.value).collect();
            return Self::Listed(format!("{head} VALUES "), format!("({})", values.join(", ")));
        }
        let values = columns.iter().zip(&names);
        let values: Vec<String> =
            values.map(|(column, name)| column.value.replace('?', &format!("n.{name}"))).collect();
        let rows: Vec<(&str, Kind)> = columns.iter().map(|column| (column.name, column.kind)).collect();
        let unless = key.map(|key| dialect.unless_there(key)).unwrap_or_default();
        Self::One(format!("{head} SELECT {} FROM {}{unless}", values.join(", "), dialect.rows(&rows)))
    }

    /// The statements that insert the rows of a batch.
    pub fn of<'b>(&self, batch: &'b Batch<'b>) -> Vec<(Cow<'_, str>, Bind<'b>)> {
        let slices = batch.slices().into_iter();
        match self {
            Self::One(sql) => slices.map(|slice| (Cow::Borrowed(sql.as_str()), Bind::Rows(slice))).collect(),
            Self::Listed(head, values) => {
                let listed = slices.flat_map(in_powers_of_two);
                listed
                    .map(|slice| (listed_text(head, values, slice.rows()).into(), Bind::Listed(slice)))
                    .collect()
            }
        }
    }
}

fn listed_text(head: &str, values: &str, rows: usize) -> String {
    format!("{head}{}", vec![values; rows].join(", "))
}

/// The rows of a slice, as many at a time as one of the statements lists.
fn in_powers_of_two<'s, 'a>(slice: Slice<'s, 'a>) -> Vec<Slice<'s, 'a>> {
    let (mut slices, mut rest) = (Vec::new(), slice);
    while rest.rows() > 0 {
        let rows = (1 << rest.rows().ilog2()).min(MAX_LISTED);
        let (first, others) = rest.split_at(rows);
        slices.push(first);
        rest = others;
    }
    slices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Cell;

    const COLUMNS: [NewColumn<'_>; 2] = [
        NewColumn { name: "id", kind: Kind::Text, value: "?" },
        NewColumn { name: "at", kind: Kind::Int, value: "? + 1" },
    ];

    fn statements(dialect: Dialect, rows: i64) -> Vec<String> {
        let mut batch = Batch::new([Kind::Text, Kind::Int]);
        for row in 0..rows {
            batch.push([Cell::from(row.to_string()), Cell::Int(row)]);
        }
        let insert = Insert::new(dialect, "x", &COLUMNS, Some("\"id\""));
        insert.of(&batch).into_iter().map(|(sql, _)| sql.into_owned()).collect()
    }

    #[test]
    fn where_there_are_arrays_one_statement_takes_all_rows() {
        let sql = "INSERT INTO \"x\" (\"id\", \"at\") SELECT n.\"id\", n.\"at\" + 1 \
                   FROM UNNEST(?::TEXT[], ?::BIGINT[]) AS n (\"id\", \"at\") ON CONFLICT (\"id\") DO NOTHING";
        assert_eq!(statements(Dialect::Postgres, 100), [sql]);
    }

    #[test]
    fn elsewhere_a_few_statements_list_them() {
        let two = "INSERT INTO \"x\" (\"id\", \"at\") VALUES (?, ? + 1), (?, ? + 1)";
        assert_eq!(statements(Dialect::MariaDb, 2), [two]);
        let rows = |count| -> Vec<usize> {
            let statements = statements(Dialect::MySql, count);
            statements.iter().map(|sql| sql.matches("(?, ? + 1)").count()).collect()
        };
        assert_eq!(rows(203), [64, 64, 64, 8, 2, 1]);
        assert!(rows(0).is_empty());
    }
}
