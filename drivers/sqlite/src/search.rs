//! Finding rows by words, or by the texts of a set: the tables beside them know which rows match, but not in which
//! order a page wants them.
//!
//! ```text
//!   few match    take those, and sort them                  a name, a rare category
//!   many match   go through the rows in the page's order,   a common word, a large city
//!                and test each: the page is soon full
//! ```
//!
//! Either way a page costs little, however many rows there are. How many match is counted first, as far as it
//! matters.

use rusqlite::{Connection, params_from_iter, types::Value as Kept};
use store::{Column, Table};

use crate::{
    query::Clause,
    schema::{ROW_NUMBER, side_table},
};

/// What is few, and what is many.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// So many rows are read and sorted.
    pub few: usize,
    /// So many rows are listed, to look up each row of the page's order in; beyond that, a row's own words are
    /// looked at.
    pub listed: usize,
}

/// Sorting takes about 2 ms, listing about as long.
pub const USUAL: Bounds = Bounds { few: 1_000, listed: 20_000 };

/// A condition that a table beside the rows answers.
pub enum Search {
    /// One of the texts of a set.
    Set {
        /// Its side table.
        side: String,
        /// Which of its rows.
        which: String,
        /// The value that this names.
        value: Kept,
    },
    /// The beginnings of words.
    Words {
        /// The search index.
        side: String,
        /// The column with the words.
        column: &'static str,
        /// Each is there.
        words: Vec<String>,
    },
}

/// How a query that searches is run.
#[derive(Default)]
pub struct Plan {
    /// Where the rows come from, when few match one of the searches.
    pub few: Option<Clause>,
    /// What each row is tested for.
    pub tests: Vec<Clause>,
}

/// The plan for searches that must all match.
pub fn plan(
    connection: &Connection,
    table: &Table,
    searches: &[Search],
    bounds: Bounds,
) -> rusqlite::Result<Plan> {
    let mut counted = Vec::with_capacity(searches.len());
    for search in searches {
        counted.push((search.count(connection, bounds)?, search));
    }
    counted.sort_by_key(|(count, _)| *count);
    let mut plan = Plan::default();
    for (count, search) in counted {
        if plan.few.is_none() && count <= bounds.few {
            plan.few = Some(search.few(table));
        } else {
            plan.tests.push(search.test(count, bounds));
        }
    }
    Ok(plan)
}

impl Search {
    /// `which` is a condition on `value`, with one parameter.
    pub fn in_set(table: &Table, column: &Column, which: &str, value: Kept) -> Self {
        Self::Set { side: side_table(table, column), which: which.to_owned(), value }
    }

    /// Words without blanks, at least one.
    pub fn by_words(table: &Table, column: &Column, words: Vec<String>) -> Self {
        Self::Words { side: side_table(table, column), column: column.name, words }
    }

    /// The keys of the rows that match: ids or row numbers.
    fn keys(&self) -> Clause {
        match self {
            Self::Set { side, which, value } => {
                (format!("SELECT DISTINCT id AS key FROM \"{side}\" WHERE {which}"), vec![value.clone()])
            }
            Self::Words { side, words, .. } => {
                // Each word is quoted, so that nothing in it is an operator of the search.
                let quoted = words.iter().map(|word| format!("\"{}\"*", word.replace('"', "\"\"")));
                let all = quoted.collect::<Vec<_>>().join(" ");
                (
                    format!("SELECT rowid AS key FROM \"{side}\" WHERE \"{side}\" MATCH ?"),
                    vec![Kept::Text(all)],
                )
            }
        }
    }

    /// How many rows match, as far as it matters.
    fn count(&self, connection: &Connection, bounds: Bounds) -> rusqlite::Result<usize> {
        let matters = match self {
            Self::Set { .. } => bounds.few,
            Self::Words { .. } => bounds.listed.max(bounds.few),
        };
        let (keys, values) = self.keys();
        let sql = format!("SELECT count(*) FROM ({keys} LIMIT {})", matters + 1);
        let count: i64 =
            connection.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    /// The rows that match, as what is selected from. The order of a cross join is kept.
    fn few(&self, table: &Table) -> Clause {
        let (keys, values) = self.keys();
        let key = match self {
            Self::Set { .. } => "id",
            Self::Words { .. } => ROW_NUMBER,
        };
        (format!("({keys}) AS few CROSS JOIN \"{}\" AS t ON t.{key} = few.key", table.name), values)
    }

    /// Whether a row matches.
    fn test(&self, count: usize, bounds: Bounds) -> Clause {
        match self {
            Self::Set { side, which, value } => (
                format!("EXISTS (SELECT 1 FROM \"{side}\" AS s WHERE s.id = t.id AND s.{which})"),
                vec![value.clone()],
            ),
            Self::Words { .. } if count <= bounds.listed => {
                let (keys, values) = self.keys();
                // The plus keeps the order: otherwise the rows would be looked up one by one, and sorted.
                (format!("+t.{ROW_NUMBER} IN ({keys})"), values)
            }
            // Words are separated by one blank each, so what follows a blank is the beginning of a word.
            Self::Words { column, words, .. } => {
                let one = format!("instr(' ' || t.\"{column}\", ' ' || ?) > 0");
                let all = vec![one; words.len()].join(" AND ");
                (all, words.iter().cloned().map(Kept::Text).collect())
            }
        }
    }
}
