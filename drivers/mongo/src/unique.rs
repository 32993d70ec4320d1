//! Unique values: which rows have those that a commit wants. No index holds them, since what is taken is known when a
//! commit is checked, and rows are applied in any order.

use std::collections::{BTreeSet, HashSet};

use mongodb::bson::{Bson, Document, doc};
use serde::Deserialize;
use store::{Change, Commit, CommitError, Key, Row, StoreError, Table, Value};

use crate::{database::table_collection, journal::Journal, tail::Tail};

/// A row that has one of the unique values of a commit.
pub struct Owner {
    key: Key,
    value: Unique,
    /// The entry that wrote it.
    pub entry: u64,
}

/// Table, column and value.
type Unique = (&'static str, &'static str, Value);

#[derive(Deserialize)]
struct OwnerDoc {
    #[serde(rename = "_id")]
    id: String,
    entry: i64,
    #[serde(rename = "c")]
    columns: Document,
}

impl<R: Row> Journal<R> {
    /// The rows in the collections that have a unique value of the commit's new rows.
    pub async fn owners(&self, commit: &Commit<R>) -> Result<Vec<Owner>, StoreError> {
        let mut owners = Vec::new();
        for (table, name) in unique_columns::<R>() {
            let wanted = commit.changes.iter().filter(|change| change.key.table == table.name);
            // A row that keeps its value takes nobody else's.
            let wanted = wanted.flat_map(newly_unique).filter(|(_, column, _)| *column == name);
            let values: Vec<Bson> = wanted.filter_map(|(_, _, value)| text(value)).collect();
            if values.is_empty() {
                continue;
            }
            let field = format!("c.{name}");
            let filter = doc! { field.clone(): { "$in": values } };
            let fields = doc! { "entry": 1, field: 1 };
            let found: Vec<OwnerDoc> =
                self.place.find(&table_collection(table.name), filter, Some(fields)).await?;
            owners.extend(found.into_iter().filter_map(|owner| {
                let value = owner.columns.get_str(name).ok()?;
                let value = (table.name, name, Value::Text(value.to_owned()));
                Some(Owner { key: Key::new(table.name, owner.id), value, entry: owner.entry.cast_unsigned() })
            }));
        }
        Ok(owners)
    }
}

/// A row may take over a unique value that another row of the same commit gives up.
pub fn check<R: Row>(commit: &Commit<R>, owners: &[Owner], tail: &Tail<R>) -> Result<(), CommitError> {
    let rewritten: HashSet<&Key> = commit.changes.iter().map(|change| &change.key).collect();
    let mut taken = BTreeSet::new();
    for value in commit.changes.iter().filter_map(|change| change.row.as_deref()).flat_map(unique_values) {
        let is_other = |key: &Key| !rewritten.contains(key);
        let in_collection = owners
            .iter()
            .any(|owner| owner.value == value && is_other(&owner.key) && tail.row(&owner.key).is_none());
        let in_tail = || {
            tail.rows_of(value.0).any(|(key, row)| {
                is_other(key)
                    && row.as_ref().is_some_and(|row| unique_values(row.row.as_ref()).contains(&value))
            })
        };
        if in_collection || in_tail() || taken.contains(&value) {
            return Err(CommitError::Stale(format!("{}.{} is taken", value.0, value.1)));
        }
        taken.insert(value);
    }
    Ok(())
}

fn unique_columns<R: Row>() -> impl Iterator<Item = (&'static Table, &'static str)> {
    let columns = |table: &'static Table| {
        table.columns.iter().filter(|column| column.unique).map(move |column| (table, column.name))
    };
    R::TABLES.iter().flat_map(columns)
}

/// Table, column and value of each unique column of a row.
fn unique_values<R: Row>(row: &R) -> Vec<Unique> {
    let key = row.key();
    let Some(table) = R::TABLES.iter().find(|table| table.name == key.table) else { return Vec::new() };
    if !table.columns.iter().any(|column| column.unique) {
        return Vec::new();
    }
    let values = table.columns.iter().zip(row.columns());
    let unique = values.filter(|(column, value)| column.unique && *value != Value::Null);
    unique.map(|(column, value)| (table.name, column.name, value)).collect()
}

fn newly_unique<R: Row>(change: &Change<R>) -> Vec<Unique> {
    let mut values = change.row.as_deref().map(unique_values).unwrap_or_default();
    if let Some(before) = change.before.as_deref() {
        let before = unique_values(before);
        values.retain(|value| !before.contains(value));
    }
    values
}

fn text(value: Value) -> Option<Bson> {
    if let Value::Text(text) = value { Some(Bson::String(text)) } else { None }
}
