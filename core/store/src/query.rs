//! Finding rows: a few conditions on columns, an order, and where the last page ended.

use crate::row::Value;

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
