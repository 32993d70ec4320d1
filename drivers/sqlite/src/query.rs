//! A query as SQL.
//!
//! An index has the rows without a value first, and a comparison never finds them. So going on after a row is
//! one or two parts: within the rows that have a value, and within those that have none. Each is a range of
//! the index. What is found by words or in a set begins elsewhere: see [`crate::search`].

use rusqlite::{Connection, params_from_iter, types::Value as Kept};
use store::{
    Column, ColumnKind, Condition, Cursor, Direction, MAX_PAGE, Query, Row, StoreError, Table, Value,
    Versioned,
};

use crate::{
    error::read_error,
    reads,
    search::{self, Bounds, Plan, Search},
    statements::{self, TableStatements},
};

/// A condition that no row meets.
const NOTHING: &str = "0";

/// Why a set is not compared.
const SET_HAS_NO_ORDER: &str = "is a set, which has no order";

/// Where to look, conditions that must all hold there, and the values that they name in their order.
#[derive(Default, Clone)]
pub struct Where {
    /// A few rows that were found elsewhere; otherwise the table.
    few: Option<Clause>,
    conditions: Vec<String>,
    values: Vec<Kept>,
}

/// A piece of SQL with the values that it names.
pub type Clause = (String, Vec<Kept>);

impl Where {
    fn add(&mut self, condition: impl Into<String>, values: impl IntoIterator<Item = Kept>) {
        self.conditions.push(condition.into());
        self.values.extend(values);
    }
}

/// The rows that match.
pub fn run<R: Row>(
    connection: &Connection,
    tables: &[TableStatements],
    query: &Query,
) -> Result<Vec<Versioned<R>>, StoreError> {
    run_with(connection, tables, query, search::USUAL)
}

fn run_with<R: Row>(
    connection: &Connection,
    tables: &[TableStatements],
    query: &Query,
    bounds: Bounds,
) -> Result<Vec<Versioned<R>>, StoreError> {
    let statements = statements::find(tables, query.table)
        .ok_or_else(|| StoreError::Corrupt(format!("no table {}", query.table)))?;
    let table = statements.table;
    let (mut all, mut searches) = (Where::default(), Vec::new());
    for condition in &query.conditions {
        add_condition(&mut all, &mut searches, table, condition)?;
    }
    let Plan { few, tests } = search::plan(connection, table, &searches, bounds).map_err(read_error)?;
    all.few = few;
    tests.into_iter().for_each(|(test, values)| all.add(test, values));
    let limit = query.limit.min(MAX_PAGE);
    let mut found = Vec::new();
    for part in parts(all, table, query)? {
        if found.len() < limit {
            run_part(connection, table, query, part, limit - found.len(), &mut found)?;
        }
    }
    Ok(found)
}

fn run_part<R: Row>(
    connection: &Connection,
    table: &Table,
    query: &Query,
    part: Where,
    limit: usize,
    found: &mut Vec<Versioned<R>>,
) -> Result<(), StoreError> {
    let (source, first) = part.few.unwrap_or_else(|| (format!("\"{}\" AS t", table.name), Vec::new()));
    let mut sql = format!("SELECT t.id, t.version, t.state FROM {source}");
    if !part.conditions.is_empty() {
        sql.push_str(" WHERE ");
        sql.push_str(&part.conditions.join(" AND "));
    }
    let direction = if query.direction == Direction::Ascending { "ASC" } else { "DESC" };
    match query.order {
        Some(column) => sql.push_str(&format!(" ORDER BY t.\"{column}\" {direction}, t.id {direction}")),
        None => sql.push_str(&format!(" ORDER BY t.id {direction}")),
    }
    sql.push_str(" LIMIT ?");
    let limit = Kept::Integer(i64::try_from(limit).unwrap_or(i64::MAX));
    let mut select = connection.prepare_cached(&sql).map_err(read_error)?;
    let values = params_from_iter(first.into_iter().chain(part.values).chain([limit]));
    let mut rows = select.query(values).map_err(read_error)?;
    while let Some(row) = rows.next().map_err(read_error)? {
        let id: String = row.get(0).map_err(read_error)?;
        let (version, state) = reads::version_and_state(row, 1).map_err(read_error)?;
        found.push(reads::decode(table.name, &id, version, state)?);
    }
    Ok(())
}

/// The conditions with the place to go on from, in the order in which the parts are read.
fn parts(all: Where, table: &Table, query: &Query) -> Result<Vec<Where>, StoreError> {
    let order = query.order.map(|name| column_of(table, name)).transpose()?;
    if let Some(column) = order.filter(|column| column.kind == ColumnKind::Set) {
        return refuse(table, column, SET_HAS_NO_ORDER);
    }
    let ascending = query.direction == Direction::Ascending;
    let (than, id_than) = if ascending { (">", "t.id > ?") } else { ("<", "t.id < ?") };
    let Some(Cursor { value, id }) = &query.after else { return Ok(vec![all]) };
    let id = Kept::Text(id.clone());
    let Some(column) = order else {
        let mut after = all;
        after.add(id_than, [id]);
        return Ok(vec![after]);
    };
    let name = format!("t.\"{}\"", column.name);
    let (mut with, mut without) = (all.clone(), all);
    if *value == Value::Null {
        without.add(format!("{name} IS NULL AND {id_than}"), [id]);
        with.add(format!("{name} IS NOT NULL"), []);
        return Ok(if ascending { vec![without, with] } else { vec![without] });
    }
    with.add(format!("({name}, t.id) {than} (?, ?)"), [value_for(table, column, value)?, id]);
    without.add(format!("{name} IS NULL"), []);
    Ok(if ascending { vec![with] } else { vec![with, without] })
}

fn add_condition(
    all: &mut Where,
    searches: &mut Vec<Search>,
    table: &Table,
    condition: &Condition,
) -> Result<(), StoreError> {
    let (Condition::Is(name, _)
    | Condition::OneOf(name, _)
    | Condition::AtLeast(name, _)
    | Condition::Below(name, _)
    | Condition::Matches(name, _)) = condition;
    let column = column_of(table, name)?;
    match condition {
        Condition::Is(_, Value::Null) | Condition::Below(_, Value::Null) => all.add(NOTHING, []),
        Condition::AtLeast(_, Value::Null) => all.add(format!("t.\"{name}\" IS NOT NULL"), []),
        Condition::Is(_, value) if column.kind == ColumnKind::Set => {
            searches.push(Search::in_set(table, column, "value = ?", text_of_set(table, column, value)?));
        }
        Condition::Is(_, value) => all.add(format!("t.\"{name}\" = ?"), [value_for(table, column, value)?]),
        Condition::OneOf(_, values) => {
            let list = json_list(table, column, values)?;
            let listed = "IN (SELECT value FROM json_each(?))";
            if column.kind == ColumnKind::Set {
                searches.push(Search::in_set(table, column, &format!("value {listed}"), list));
            } else {
                all.add(format!("t.\"{name}\" {listed}"), [list]);
            }
        }
        Condition::AtLeast(_, value) => {
            all.add(format!("t.\"{name}\" >= ?"), [value_for(table, column, value)?]);
        }
        Condition::Below(_, value) => {
            all.add(format!("t.\"{name}\" < ?"), [value_for(table, column, value)?]);
        }
        Condition::Matches(_, words) => add_words(all, searches, table, column, words)?,
    }
    Ok(())
}

fn add_words(
    all: &mut Where,
    searches: &mut Vec<Search>,
    table: &Table,
    column: &Column,
    words: &[String],
) -> Result<(), StoreError> {
    if column.kind != ColumnKind::Words {
        return refuse(table, column, "is not searched by words");
    }
    let words: Vec<String> = words.iter().filter(|word| !word.is_empty()).cloned().collect();
    if words.iter().any(|word| word.contains(' ')) {
        all.add(NOTHING, []);
    } else if words.is_empty() {
        all.add(format!("t.\"{}\" IS NOT NULL", column.name), []);
    } else {
        searches.push(Search::by_words(table, column, words));
    }
    Ok(())
}

/// The values as a JSON list, so that a statement is the same for any number of them.
fn json_list(table: &Table, column: &Column, values: &[Value]) -> Result<Kept, StoreError> {
    let mut list = Vec::with_capacity(values.len());
    for value in values.iter().filter(|value| **value != Value::Null) {
        let kept = match column.kind {
            ColumnKind::Set => text_of_set(table, column, value)?,
            _ => value_for(table, column, value)?,
        };
        list.push(match kept {
            Kept::Integer(number) => serde_json::Value::from(number),
            Kept::Text(text) => serde_json::Value::from(text),
            _ => return refuse(table, column, "is not compared with such values"),
        });
    }
    Ok(Kept::Text(serde_json::Value::Array(list).to_string()))
}

/// A value that a column is compared with; it must be of the column's kind.
fn value_for(table: &Table, column: &Column, value: &Value) -> Result<Kept, StoreError> {
    if column.kind == ColumnKind::Set {
        return refuse(table, column, SET_HAS_NO_ORDER);
    }
    statements::kept(column.kind, value.clone()).or_else(|why| refuse(table, column, &why))
}

fn text_of_set(table: &Table, column: &Column, value: &Value) -> Result<Kept, StoreError> {
    match value {
        Value::Text(text) => Ok(Kept::Text(text.clone())),
        _ => refuse(table, column, "is a set, which is asked for one text"),
    }
}

fn column_of<'a>(table: &'a Table, name: &str) -> Result<&'a Column, StoreError> {
    let found = table.columns.iter().find(|column| column.name == name);
    found.ok_or_else(|| StoreError::Corrupt(format!("no column {name} in {}", table.name)))
}

fn refuse<T>(table: &Table, column: &Column, why: &str) -> Result<T, StoreError> {
    Err(StoreError::Corrupt(format!("{}.{} {why}", table.name, column.name)))
}

#[cfg(test)]
mod tests {
    use store::conformance::{Show, SuiteRow};
    use uuid::Uuid;

    use super::*;
    use crate::{
        log::Feeds,
        open,
        schema::Wanted,
        transaction::{self, RowOrder},
    };

    const SHOWS: u32 = 60;
    /// Everything is few, listed, or too much to be listed.
    const BOUNDS: [Bounds; 3] = [
        Bounds { few: 1_000, listed: 1_000 },
        Bounds { few: 0, listed: 1_000 },
        Bounds { few: 0, listed: 0 },
    ];

    fn show(number: u32) -> SuiteRow {
        let text = |every: u32, text: &str| number.is_multiple_of(every).then(|| text.to_owned());
        Show {
            id: format!("{number:03}"),
            city: text(3, "Delft"),
            seats: (!number.is_multiple_of(7)).then(|| i64::from(number * 37 % 50)),
            tags: [text(2, "even"), text(5, "fifth")].into_iter().flatten().collect(),
            words: Some(format!(
                "jazz{} number in {}",
                number % 4,
                if number.is_multiple_of(2) { "blues" } else { "red" }
            )),
            code: None,
        }
        .into()
    }

    fn shows(path: &std::path::Path) -> Connection {
        let wanted = Wanted { service: SuiteRow::SERVICE, tables: SuiteRow::TABLES };
        let connection = open::writer(path, &wanted).expect("it opens");
        let feeds = Feeds::load(&connection, &[]).expect("it reads");
        let mut commit = store::Commit::new(store::CommitId(Uuid::nil()), 1);
        commit.changes =
            (0..SHOWS).map(show).map(|row| store::Change::new(row.key(), 0, Some(row))).collect();
        let tables = statements::of_all::<SuiteRow>();
        let applied = transaction::apply(&connection, &tables, &feeds, &commit, RowOrder::AsGiven);
        assert!(applied.is_ok(), "it is written");
        connection
    }

    fn queries() -> Vec<Query> {
        let words =
            |words: &[&str]| Condition::Matches("words", words.iter().map(|w| (*w).to_owned()).collect());
        let conditions = vec![
            vec![words(&["jazz"])],
            vec![words(&["jazz1"])],
            vec![words(&["jaz", "bl"])],
            vec![words(&["azz"])],
            vec![words(&["jazz\" OR \"red"])],
            vec![Condition::Is("tags", "fifth".into())],
            vec![Condition::OneOf("tags", vec!["even".into(), "fifth".into()])],
            vec![Condition::Is("tags", "none".into())],
            vec![
                Condition::Is("tags", "even".into()),
                words(&["number"]),
                Condition::Is("city", "Delft".into()),
            ],
        ];
        let orders = [None, Some("seats")];
        let mut queries = Vec::new();
        for (conditions, order) in conditions.iter().flat_map(|all| orders.map(|order| (all, order))) {
            for direction in [Direction::Ascending, Direction::Descending] {
                let query = Query { order, direction, ..Query::all("show").limit(7) };
                queries.push(conditions.iter().cloned().fold(query, Query::filter));
            }
        }
        queries
    }

    #[test]
    fn however_many_rows_match_the_pages_are_the_same() {
        let directory = tempfile::tempdir().expect("a directory");
        let connection = shows(&directory.path().join("suite.db"));
        let tables = statements::of_all::<SuiteRow>();
        for query in queries() {
            let visit = |bounds| {
                let (mut pages, mut after) = (Vec::new(), None);
                loop {
                    let query = query.clone().after(after.take());
                    let page: Vec<Versioned<SuiteRow>> =
                        run_with(&connection, &tables, &query, bounds).expect("it runs");
                    let Some(SuiteRow::Show(last)) = page.last().map(|last| last.row.as_ref()) else {
                        return pages;
                    };
                    let value =
                        query.order.map_or(Value::Null, |_| last.seats.map_or(Value::Null, Value::Int));
                    after = Some(Cursor { value, id: last.id.clone() });
                    pages.push(page.iter().map(|found| found.row.key().id).collect::<Vec<_>>());
                }
            };
            let [few, listed, most] = BOUNDS.map(visit);
            assert_eq!(few, listed, "{query:?}");
            assert_eq!(few, most, "{query:?}");
        }
    }
}
