//! A query as a filter of documents, and what the tail of the log adds to what it finds.
//!
//! The collection is asked for as many rows more as the tail has of the table: each of those may be out of date, and
//! is taken from the tail instead.

use std::collections::HashMap;

use mongodb::bson::{Bson, Document, doc};
use store::{
    Column, ColumnKind, Condition, Cursor, Direction, MAX_PAGE, Query, Row, RowId, StoreError, Table, Value,
    Versioned,
};

use crate::{
    database::table_collection, document::RowDoc, entry::table, error::REQUEST_TIMEOUT, journal::Journal,
    reads::row,
};

/// Why a set is not compared.
const SET_HAS_NO_ORDER: &str = "is a set, which has no order";

impl<R: Row> Journal<R> {
    /// See [`store::Store::query`].
    pub async fn query(&self, query: &Query) -> Result<Vec<Versioned<R>>, StoreError> {
        let table = table::<R>(query.table)?;
        let query = query.clone().limit(query.limit);
        let (filter, order) = (filter(table, &query)?, order(&query));
        if query.limit == 0 {
            // To the server that would be no limit.
            return Ok(Vec::new());
        }
        for more in [0, MAX_PAGE] {
            if let Some(page) = self.page(table, &query, &filter, &order, more).await? {
                return Ok(page);
            }
        }
        Err(StoreError::Unavailable("too many rows were written during the query".to_owned()))
    }

    /// One try; none when so much was appended meanwhile that what was asked for is too little.
    async fn page(
        &self,
        table: &Table,
        query: &Query,
        filter: &Document,
        order: &Document,
        more: usize,
    ) -> Result<Option<Vec<Versioned<R>>>, StoreError> {
        let read = || async {
            let most = query.limit + self.tail().rows_of(table.name).count() + more;
            let collection = table_collection(table.name);
            let found: Vec<RowDoc> =
                self.place.first(&collection, filter.clone(), order.clone(), most, REQUEST_TIMEOUT).await?;
            Ok((found, most))
        };
        let newest = |(rows, _): &(Vec<RowDoc>, usize)| {
            rows.iter().map(|row| row.entry.cast_unsigned()).max().unwrap_or_default()
        };
        let together = |(rows, most): (Vec<RowDoc>, usize), tail: &crate::tail::Tail<R>| {
            let said: HashMap<RowId, Option<Versioned<R>>> =
                tail.rows_of(table.name).map(|(key, row)| (key.id.clone(), row.clone())).collect();
            let is_enough = rows.len() < most || most >= query.limit + said.len();
            is_enough.then_some((rows, said))
        };
        let Some((rows, said)) = self.read(read, newest, together).await? else { return Ok(None) };
        let mut found = Vec::new();
        for document in
            rows.into_iter().filter(|row| !said.contains_key(&row.id.as_str().into())).take(query.limit)
        {
            found.extend(row(table.name, document)?.and_then(|row| query.find(table, &row)));
        }
        found.extend(said.values().flatten().filter_map(|row| query.find(table, row)));
        Ok(Some(query.page(found)))
    }
}

fn order(query: &Query) -> Document {
    let direction = if query.direction == Direction::Ascending { 1 } else { -1 };
    match query.order {
        Some(column) => doc! { field(column): direction, "_id": direction },
        None => doc! { "_id": direction },
    }
}

fn field(column: &str) -> String {
    format!("c.{column}")
}

/// All that must hold of a document.
fn filter(table: &Table, query: &Query) -> Result<Document, StoreError> {
    // Not those that are gone.
    let mut all = vec![doc! { "state": { "$exists": true } }];
    for condition in &query.conditions {
        all.extend(conditions(table, condition)?);
    }
    let order = query.order.map(|name| column_of(table, name)).transpose()?;
    if let Some(column) = order.filter(|column| column.kind == ColumnKind::Set) {
        return refuse(table, column, SET_HAS_NO_ORDER);
    }
    if let Some(cursor) = &query.after {
        all.push(after(table, order, query.direction, cursor)?);
    }
    Ok(doc! { "$and": all })
}

/// What comes after a row: a missing value is before all others.
fn after(
    table: &Table,
    order: Option<&Column>,
    direction: Direction,
    Cursor { value, id }: &Cursor,
) -> Result<Document, StoreError> {
    let ascending = direction == Direction::Ascending;
    let than = if ascending { "$gt" } else { "$lt" };
    let beyond_id = doc! { than: id };
    let Some(column) = order else { return Ok(doc! { "_id": beyond_id }) };
    let name = field(column.name);
    let missing = doc! { "$exists": false };
    if *value == Value::Null {
        let same = doc! { &name: missing, "_id": beyond_id };
        let with_value = doc! { &name: { "$exists": true } };
        return Ok(if ascending {
            doc! { "$or": [same, with_value] }
        } else {
            same
        });
    }
    let value = value_for(table, column, value)?;
    let mut parts = vec![doc! { &name: { than: value.clone() } }, doc! { &name: value, "_id": beyond_id }];
    if !ascending {
        parts.push(doc! { &name: missing });
    }
    Ok(doc! { "$or": parts })
}

/// A condition that no document meets.
fn nothing() -> Document {
    doc! { "_id": { "$in": [] } }
}

fn conditions(table: &Table, condition: &Condition) -> Result<Vec<Document>, StoreError> {
    let (Condition::Is(name, _)
    | Condition::OneOf(name, _)
    | Condition::AtLeast(name, _)
    | Condition::Below(name, _)
    | Condition::Matches(name, _)) = condition;
    let column = column_of(table, name)?;
    let field = field(name);
    Ok(vec![match condition {
        Condition::Is(_, Value::Null) | Condition::Below(_, Value::Null) => nothing(),
        Condition::AtLeast(_, Value::Null) => doc! { field: { "$exists": true } },
        Condition::Is(_, value) => doc! { field: { "$eq": one_of(table, column, value)? } },
        Condition::OneOf(_, values) => {
            let values = values.iter().filter(|value| **value != Value::Null);
            let values: Vec<Bson> =
                values.map(|value| one_of(table, column, value)).collect::<Result<_, _>>()?;
            doc! { field: { "$in": values } }
        }
        Condition::AtLeast(_, value) => doc! { field: { "$gte": value_for(table, column, value)? } },
        Condition::Below(_, value) => doc! { field: { "$lt": value_for(table, column, value)? } },
        Condition::Matches(_, words) => return by_words(table, column, words),
    }])
}

/// Each word is the beginning of an element: a range of the index.
fn by_words(table: &Table, column: &Column, words: &[String]) -> Result<Vec<Document>, StoreError> {
    if column.kind != ColumnKind::Words {
        return refuse(table, column, "is not searched by words");
    }
    let field = field(column.name);
    let mut all = vec![doc! { &field: { "$exists": true } }];
    for word in words.iter().filter(|word| !word.is_empty()) {
        let beyond = format!("{word}{}", char::MAX);
        all.push(doc! { &field: { "$elemMatch": { "$gte": word, "$lte": beyond } } });
    }
    Ok(all)
}

/// A value that is looked for: of a set, one of its texts.
fn one_of(table: &Table, column: &Column, value: &Value) -> Result<Bson, StoreError> {
    match (column.kind, value) {
        (ColumnKind::Set, Value::Text(text)) => Ok(text.as_str().into()),
        (ColumnKind::Set, _) => refuse(table, column, "is a set, which is asked for one text"),
        _ => value_for(table, column, value),
    }
}

/// A value that a column is compared with; it must be of the column's kind.
fn value_for(table: &Table, column: &Column, value: &Value) -> Result<Bson, StoreError> {
    match (column.kind, value) {
        (ColumnKind::Text, Value::Text(text)) => Ok(text.as_str().into()),
        (ColumnKind::Int, Value::Int(number)) => Ok(Bson::Int64(*number)),
        (ColumnKind::Set, _) => refuse(table, column, SET_HAS_NO_ORDER),
        (ColumnKind::Words, _) => refuse(table, column, "has words, which are not compared"),
        _ => refuse(table, column, "is of another kind than what it is compared with"),
    }
}

fn column_of<'a>(table: &'a Table, name: &str) -> Result<&'a Column, StoreError> {
    let found = table.columns.iter().find(|column| column.name == name);
    found.ok_or_else(|| StoreError::Corrupt(format!("no column {name} in {}", table.name)))
}

fn refuse<T>(table: &Table, column: &Column, why: &str) -> Result<T, StoreError> {
    Err(StoreError::Corrupt(format!("{}.{} {why}", table.name, column.name)))
}
