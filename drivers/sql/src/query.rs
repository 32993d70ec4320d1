//! A query as SQL.
//!
//! An index has the rows without a value first, and a comparison never finds them. So going on after a row is one or two
//! parts: within the rows that have a value, and within those that have none. Each is a range of the index. What is found
//! by words or in a set is looked up in the side table; which way round is for the server to decide.

use store::{
    Column, ColumnKind, Condition, Cursor, Direction, MAX_PAGE, Query, Row, StoreError, Table, Value,
    Versioned,
};

use crate::{
    database::Database,
    dialect::Dialect,
    reads,
    statements::{self, TableStatements, kept, side_table},
    values::{Bind, Kind},
};

/// A condition that no row meets.
const NOTHING: &str = "1 = 0";

/// Why a set is not compared.
const HAS_NO_ORDER: &str = "has several texts, which have no order";

/// Conditions that must all hold, and the values that they name in their order.
#[derive(Default, Clone)]
struct Where {
    conditions: Vec<String>,
    binds: Vec<Bind<'static>>,
}

impl Where {
    fn add(&mut self, condition: impl Into<String>, binds: impl IntoIterator<Item = Bind<'static>>) {
        self.conditions.push(condition.into());
        self.binds.extend(binds);
    }
}

/// The rows that match.
pub async fn run<R: Row>(
    database: &Database,
    tables: &[TableStatements],
    query: &Query,
) -> Result<Vec<Versioned<R>>, StoreError> {
    let statements = statements::find(tables, query.table);
    let table = statements.ok_or_else(|| StoreError::Corrupt(format!("no table {}", query.table)))?.table;
    let mut all = Where::default();
    for condition in &query.conditions {
        add_condition(&mut all, database.dialect, table, condition)?;
    }
    let limit = query.limit.min(MAX_PAGE);
    let mut rows = Vec::new();
    for part in parts(all, database.dialect, table, query)? {
        if rows.len() == limit {
            break;
        }
        let (sql, binds) = select(database.dialect, table, query, part, limit - rows.len());
        for row in database.read(&sql, &binds).await? {
            rows.push(reads::decode(table.name, row.text(0)?, row.int(1)?, row.text(2)?)?);
        }
    }
    Ok(rows)
}

fn select(
    dialect: Dialect,
    table: &Table,
    query: &Query,
    part: Where,
    limit: usize,
) -> (String, Vec<Bind<'static>>) {
    let mut sql = format!("SELECT t.\"id\", t.\"version\", t.\"state\" FROM \"{}\" AS t", table.name);
    if !part.conditions.is_empty() {
        sql.push_str(" WHERE ");
        sql.push_str(&part.conditions.join(" AND "));
    }
    let ordered = |column: &str| match query.direction {
        Direction::Ascending => dialect.ascending(column),
        Direction::Descending => dialect.descending(column),
    };
    let order =
        query.order.map(|column| format!("{}, ", ordered(&format!("t.\"{column}\"")))).unwrap_or_default();
    // The id is never null, so it needs no word of it.
    let direction = if query.direction == Direction::Ascending { "ASC" } else { "DESC" };
    sql.push_str(&format!(" ORDER BY {order}t.\"id\" {direction} LIMIT ?"));
    let mut binds = part.binds;
    binds.push(Bind::Int(i64::try_from(limit).unwrap_or(i64::MAX)));
    (sql, binds)
}

/// The conditions with the place to go on from, in the order in which the parts are read.
fn parts(all: Where, dialect: Dialect, table: &Table, query: &Query) -> Result<Vec<Where>, StoreError> {
    let order = query.order.map(|name| column_of(table, name)).transpose()?;
    if let Some(column) = order.filter(|column| matches!(column.kind, ColumnKind::Set | ColumnKind::Words)) {
        return refuse(table, column, HAS_NO_ORDER);
    }
    let ascending = query.direction == Direction::Ascending;
    let than = if ascending { ">" } else { "<" };
    let Some(Cursor { value, id }) = &query.after else { return Ok(vec![all]) };
    let id = Bind::from(id.clone());
    let Some(column) = order else {
        let mut after = all;
        after.add(format!("t.\"id\" {than} ?"), [id]);
        return Ok(vec![after]);
    };
    let name = format!("t.\"{}\"", column.name);
    let (mut with, mut without) = (all.clone(), all);
    if *value == Value::Null {
        without.add(format!("{name} IS NULL AND t.\"id\" {than} ?"), [id]);
        with.add(format!("{name} IS NOT NULL"), []);
        return Ok(if ascending { vec![without, with] } else { vec![without] });
    }
    let value = value_for(table, column, value)?;
    let again = dialect.is_mysql().then(|| value.clone());
    with.add(dialect.after(&name, than), [value].into_iter().chain(again).chain([id]));
    without.add(format!("{name} IS NULL"), []);
    Ok(if ascending { vec![with] } else { vec![with, without] })
}

fn add_condition(
    all: &mut Where,
    dialect: Dialect,
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
            all.add(
                in_side(table, column, "s.\"value\" = ?"),
                [Bind::from(text_of_set(table, column, value)?)],
            );
        }
        Condition::Is(_, value) => all.add(format!("t.\"{name}\" = ?"), [value_for(table, column, value)?]),
        Condition::OneOf(_, values) => add_one_of(all, dialect, table, column, values)?,
        Condition::AtLeast(_, value) => {
            all.add(format!("t.\"{name}\" >= ?"), [value_for(table, column, value)?])
        }
        Condition::Below(_, value) => {
            all.add(format!("t.\"{name}\" < ?"), [value_for(table, column, value)?])
        }
        Condition::Matches(_, words) => add_words(all, table, column, words)?,
    }
    Ok(())
}

fn add_one_of(
    all: &mut Where,
    dialect: Dialect,
    table: &Table,
    column: &Column,
    values: &[Value],
) -> Result<(), StoreError> {
    let values: Vec<&Value> = values.iter().filter(|value| **value != Value::Null).collect();
    if values.is_empty() {
        all.add(NOTHING, []);
        return Ok(());
    }
    let count = values.len();
    let name = format!("t.\"{}\"", column.name);
    if column.kind == ColumnKind::Int {
        let numbers = values.iter().map(|value| match value {
            Value::Int(number) => Ok(*number),
            _ => refuse(table, column, "is compared with whole numbers"),
        });
        let numbers = Bind::Ints(numbers.collect::<Result<_, _>>()?);
        all.add(dialect.one_of(&name, Kind::Int, count), [numbers]);
    } else {
        let texts = values.iter().map(|value| text_of_set(table, column, value));
        let texts = Bind::Texts(texts.collect::<Result<_, _>>()?);
        if column.kind == ColumnKind::Set {
            let one_of = dialect.one_of("s.\"value\"", Kind::Text, count);
            all.add(in_side(table, column, &one_of), [texts]);
        } else {
            all.add(dialect.one_of(&name, Kind::Text, count), [texts]);
        }
    }
    Ok(())
}

/// A word begins with another where it is between that and the next text that does not.
fn add_words(all: &mut Where, table: &Table, column: &Column, words: &[String]) -> Result<(), StoreError> {
    if column.kind != ColumnKind::Words {
        return refuse(table, column, "is not searched by words");
    }
    // Every text has words, if only an empty one.
    if words.iter().all(String::is_empty) {
        all.add(in_side(table, column, "s.\"value\" >= ?"), [Bind::from("")]);
    }
    for word in words.iter().filter(|word| !word.is_empty()) {
        if word.contains(' ') {
            all.add(NOTHING, []);
            continue;
        }
        let from = kept(word).to_owned();
        match end_of_prefix(&from) {
            Some(to) => all.add(
                in_side(table, column, "s.\"value\" >= ? AND s.\"value\" < ?"),
                [Bind::from(from), Bind::from(to)],
            ),
            None => all.add(in_side(table, column, "s.\"value\" >= ?"), [Bind::from(from)]),
        }
    }
    Ok(())
}

/// The first text after all that begin with a prefix; none when there is none.
fn end_of_prefix(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        // The numbers of surrogates are no characters.
        let next = if last == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(u32::from(last) + 1) };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

fn in_side(table: &Table, column: &Column, which: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM \"{}\" AS s WHERE s.\"id\" = t.\"id\" AND {which})",
        side_table(table, column)
    )
}

/// A value that a column is compared with; it must be of the column's kind.
fn value_for(table: &Table, column: &Column, value: &Value) -> Result<Bind<'static>, StoreError> {
    match (column.kind, value) {
        (ColumnKind::Set | ColumnKind::Words, _) => refuse(table, column, HAS_NO_ORDER),
        (ColumnKind::Int, Value::Int(number)) => Ok(Bind::Int(*number)),
        (ColumnKind::Text, Value::Text(text)) => Ok(Bind::from(kept(text).to_owned())),
        (kind, value) => {
            refuse(table, column, &format!("is of the kind {kind:?}, not compared with {value:?}"))
        }
    }
}

fn text_of_set(table: &Table, column: &Column, value: &Value) -> Result<String, StoreError> {
    match value {
        Value::Text(text) => Ok(kept(text).to_owned()),
        _ => refuse(table, column, "is compared with texts"),
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
    use super::*;

    #[test]
    fn a_prefix_ends_before_the_next_text() {
        for (prefix, end) in [
            ("park", Some("parl")),
            ("z", Some("{")),
            ("日", Some("旦")),
            ("a\u{10ffff}", Some("b")),
            ("\u{d7ff}", Some("\u{e000}")),
            ("\u{10ffff}", None),
        ] {
            let found = end_of_prefix(prefix);
            assert_eq!(found.as_deref(), end, "{prefix:?}");
            assert!(found.is_none_or(|end| *prefix < *end));
        }
    }
}
