//! A query as SQL.
//!
//! An index has the rows without a value first, and a comparison never finds them. So going on after a row is
//! one or two parts: within the rows that have a value, and within those that have none. Each is a range of
//! the index.

use rusqlite::{Connection, params_from_iter, types::Value as Kept};
use store::{
    Column, ColumnKind, Condition, Cursor, Direction, MAX_PAGE, Query, Row, StoreError, Table, Value,
    Versioned,
};

use crate::{
    error::read_error,
    reads,
    schema::side_table,
    statements::{self, TableStatements},
};

/// A condition that no row meets.
const NOTHING: &str = "0";

/// Why a set is not compared.
const SET_HAS_NO_ORDER: &str = "is a set, which has no order";

/// Conditions that must all hold, and the values that they name in their order.
#[derive(Default, Clone)]
struct Where {
    conditions: Vec<String>,
    values: Vec<Kept>,
}

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
    let statements = statements::find(tables, query.table)
        .ok_or_else(|| StoreError::Corrupt(format!("no table {}", query.table)))?;
    let table = statements.table;
    let mut all = Where::default();
    for condition in &query.conditions {
        add_condition(&mut all, table, condition)?;
    }
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
    let mut sql = statements::selected(table);
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
    let values = params_from_iter(part.values.into_iter().chain([limit]));
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

fn add_condition(all: &mut Where, table: &Table, condition: &Condition) -> Result<(), StoreError> {
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
            all.add(in_set(table, column, "s.value = ?"), [text_of_set(table, column, value)?]);
        }
        Condition::Is(_, value) => all.add(format!("t.\"{name}\" = ?"), [value_for(table, column, value)?]),
        Condition::OneOf(_, values) => {
            let list = json_list(table, column, values)?;
            let listed = "IN (SELECT value FROM json_each(?))";
            if column.kind == ColumnKind::Set {
                all.add(in_set(table, column, &format!("s.value {listed}")), [list]);
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
        Condition::Matches(_, words) => add_words(all, table, column, words)?,
    }
    Ok(())
}

fn in_set(table: &Table, column: &Column, which: &str) -> String {
    format!("EXISTS (SELECT 1 FROM \"{}\" AS s WHERE s.id = t.id AND {which})", side_table(table, column))
}

/// Each word is quoted, so that nothing in it is an operator of the search.
fn add_words(all: &mut Where, table: &Table, column: &Column, words: &[String]) -> Result<(), StoreError> {
    if column.kind != ColumnKind::Words {
        return refuse(table, column, "is not searched by words");
    }
    if words.iter().any(|word| word.contains(' ')) {
        all.add(NOTHING, []);
        return Ok(());
    }
    let quoted: Vec<String> = words
        .iter()
        .filter(|word| !word.is_empty())
        .map(|word| format!("\"{}\"*", word.replace('"', "\"\"")))
        .collect();
    if quoted.is_empty() {
        all.add(format!("t.\"{}\" IS NOT NULL", column.name), []);
    } else {
        all.add(statements::matching(&side_table(table, column)), [Kept::Text(quoted.join(" "))]);
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
