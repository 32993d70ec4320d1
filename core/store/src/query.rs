//! Finding rows: a few conditions on columns, an order, and where the last page ended.

use crate::{
    row::{Row, Table, Value, Versioned},
    row_id::row_id_buffer,
};

/// The most rows of one page.
pub const MAX_PAGE: usize = 1_000;

/// The order of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Greatest first.
    Descending,
}

/// A condition on one column. All conditions of a query must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `column = value`; on a set: one of its texts is the value.
    Is(&'static str, Value),
    /// `column` is one of these.
    OneOf(&'static str, Vec<Value>),
    /// `column >= value`.
    AtLeast(&'static str, Value),
    /// `column < value`.
    Below(&'static str, Value),
    /// Each of these folded words is the beginning of one of the column's words.
    Matches(&'static str, Vec<String>),
}

/// Where the last page ended: the order column's value of its last row, and that row's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The value of the order column.
    pub value: Value,
    /// The id.
    pub id: String,
}

/// A query of one table, ordered by one column and then by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The table.
    pub table: &'static str,
    /// All must hold.
    pub conditions: Vec<Condition>,
    /// The order column; `None` orders by id alone.
    pub order: Option<&'static str>,
    /// Its direction, also of the id.
    pub direction: Direction,
    /// Where to go on.
    pub after: Option<Cursor>,
    /// At most so many rows.
    pub limit: usize,
}

impl Query {
    /// All rows of a table by id, up to [`MAX_PAGE`].
    #[must_use]
    pub fn all(table: &'static str) -> Self {
        Self {
            table,
            conditions: Vec::new(),
            order: None,
            direction: Direction::Ascending,
            after: None,
            limit: MAX_PAGE,
        }
    }

    /// With a further condition.
    #[must_use]
    pub fn filter(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    /// Ordered by a column.
    #[must_use]
    pub fn order(mut self, column: &'static str, direction: Direction) -> Self {
        self.order = Some(column);
        self.direction = direction;
        self
    }

    /// At most so many rows.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit.min(MAX_PAGE);
        self
    }

    /// Going on after a row.
    #[must_use]
    pub fn after(mut self, cursor: Option<Cursor>) -> Self {
        self.after = cursor;
        self
    }
}

/// A row that a query finds, with what the page is ordered by.
pub type Found<R> = (Value, Versioned<R>);

/// Deciding a query in memory: for what is not, or not yet, where a database could look for it.
impl Query {
    /// The row with its place in the order, if all conditions hold for it and it is after where the last page
    /// ended.
    #[must_use]
    pub fn find<R: Row>(&self, table: &Table, versioned: &Versioned<R>) -> Option<Found<R>> {
        self.find_by(table, &versioned.row.columns(), versioned)
    }

    /// As [`Query::find`], for who has the columns of the row already.
    pub(crate) fn find_by<R: Row>(
        &self,
        table: &Table,
        columns: &[Value],
        versioned: &Versioned<R>,
    ) -> Option<Found<R>> {
        if !self.conditions.iter().all(|condition| holds(table, columns, condition)) {
            return None;
        }
        let order = self.order.map_or(Value::Null, |name| value(table, columns, name).clone());
        let (id, mut buffer) = (versioned.row.key().id, row_id_buffer());
        let is_after = self.after.as_ref().is_none_or(|cursor| {
            let (here, there) = ((&order, id.text(&mut buffer)), (&cursor.value, cursor.id.as_str()));
            if self.direction == Direction::Ascending { here > there } else { here < there }
        });
        is_after.then(|| (order, versioned.clone()))
    }

    /// The page of what was found, in the order asked for.
    #[must_use]
    pub fn page<R: Row>(&self, mut found: Vec<Found<R>>) -> Vec<Versioned<R>> {
        found.sort_by_cached_key(|(value, versioned)| (value.clone(), versioned.row.key().id));
        if self.direction == Direction::Descending {
            found.reverse();
        }
        found.into_iter().take(self.limit).map(|(_, versioned)| versioned).collect()
    }
}

fn value<'a>(table: &Table, columns: &'a [Value], name: &str) -> &'a Value {
    let index = table.columns.iter().position(|column| column.name == name);
    index.and_then(|index| columns.get(index)).unwrap_or(&Value::Null)
}

fn holds(table: &Table, columns: &[Value], condition: &Condition) -> bool {
    match condition {
        Condition::Is(name, wanted) => matches_one(value(table, columns, name), wanted),
        Condition::OneOf(name, wanted) => {
            wanted.iter().any(|one| matches_one(value(table, columns, name), one))
        }
        Condition::AtLeast(name, bound) => {
            let value = value(table, columns, name);
            *value != Value::Null && value >= bound
        }
        Condition::Below(name, bound) => {
            let value = value(table, columns, name);
            *value != Value::Null && value < bound
        }
        Condition::Matches(name, words) => match value(table, columns, name) {
            Value::Text(text) => words.iter().all(|word| text.split(' ').any(|one| one.starts_with(word))),
            _ => false,
        },
    }
}

fn matches_one(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Null, _) => false,
        (Value::Set(texts), Value::Text(wanted)) => texts.contains(wanted),
        (value, wanted) => value == wanted,
    }
}
