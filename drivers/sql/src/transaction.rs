//! What a commit writes, inside an open transaction.
//!
//! Nothing is read before it is written: each statement names what it expects of all its rows, and the number of rows
//! that it changed tells whether that was so. There is one statement for each table and kind of change, however many rows;
//! for new rows in MySQL a few.

use store::{Change, Commit, Row};

use crate::{
    database::Connection,
    error::{self, Trouble},
    insert::{Insert, NewColumn},
    outbox::{self, Heads},
    progress, schema, sides,
    statements::{self, KEY, TableStatements},
    values::{Batch, Bind, Cell, Kind, signed},
};

/// The outcomes that the table `commits` knows.
pub const COMMITTED: &str = "committed";
pub const NEVER: &str = "never";
/// The version of a new row.
const FIRST_VERSION: i64 = 1;

/// How the rows of a commit are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowOrder {
    /// Deletions, then changes, then new rows.
    Usual,
    /// After the deletions the unique values of all changed rows are given up, so that a unique value can move between
    /// rows.
    VacateFirst,
}

/// Why a commit cannot be applied.
#[derive(Debug)]
pub enum Refused {
    /// A unique value is taken, perhaps by a row of this very commit that is about to give it up.
    Taken(String),
    /// Somebody else was first.
    Stale(String),
    /// Somebody else was in the way, or the connection was lost, and nothing was done.
    Again(String),
    /// Somebody else had the positions of a topic, and is done by now; nothing was done.
    Busy(String),
    /// The outcome is not known.
    Unknown(String),
    /// Anything else; nothing was done.
    Failed(String),
}

/// What an error before the end of a transaction means: it is rolled back, now or when the server notices that its client
/// is gone.
impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        let what = error.to_string();
        match error::trouble(&error) {
            Trouble::Taken => Self::Taken(what),
            Trouble::Conflict | Trouble::Lost => Self::Again(what),
            Trouble::Ambiguous => Self::Unknown(what),
            Trouble::Silent | Trouble::NoTable | Trouble::Other => Self::Failed(what),
        }
    }
}

/// Somebody else was first.
pub fn stale<T>(what: impl Into<String>) -> Result<T, Refused> {
    Err(Refused::Stale(what.into()))
}

/// Writes everything of a commit.
///
/// The positions of facts come from a row for each topic, which is locked until the end of the transaction. So positions
/// rise in the order of commits, whoever commits. In MySQL they come last, so that others wait as short as can be. At
/// SERIALIZABLE whoever waits for a row that was changed must begin again, whatever it did before; there they come first.
pub async fn apply<R: Row>(
    connection: &mut Connection,
    tables: &[TableStatements],
    commit: &Commit<R>,
    order: RowOrder,
) -> Result<Heads, Refused> {
    let comes_first = !connection.dialect.is_mysql();
    let mut heads = Heads::new();
    if comes_first {
        heads = outbox::take_positions(connection, &commit.facts).await.map_err(busy)?;
    }
    note_commit(connection, commit).await?;
    for statements in tables {
        let mut changes: Vec<&Change<R>> =
            commit.changes.iter().filter(|change| change.key.table == statements.table.name).collect();
        if !changes.is_empty() {
            // In the same order as everybody, so that nobody waits for each other.
            changes.sort_by(|one, other| one.key.cmp(&other.key));
            write_rows(connection, statements, &changes, order).await?;
            sides::write_all(connection, statements, &changes).await?;
        }
    }
    for (topic, key) in &commit.forgotten {
        let sql = format!("DELETE FROM \"{}\" WHERE \"aggregateid\" = ?", schema::outbox(*topic));
        connection.execute(&sql, &[key.as_str().into()]).await?;
    }
    write_answers(connection, commit).await?;
    progress::advance(connection, &commit.advances).await?;
    progress::park(connection, &commit.parked).await?;
    if !comes_first {
        heads = outbox::take_positions(connection, &commit.facts).await?;
    }
    outbox::write_facts(connection, &commit.facts, &heads).await?;
    Ok(heads)
}

fn busy(refused: Refused) -> Refused {
    if let Refused::Again(what) = refused { Refused::Busy(what) } else { refused }
}

/// Runs a statement over all rows of a batch; how many rows it changed.
pub async fn write(connection: &mut Connection, sql: &str, batch: &Batch<'_>) -> Result<u64, Refused> {
    batch.check().map_err(Refused::Failed)?;
    let mut rows = 0;
    for slice in batch.slices() {
        rows += connection.execute(sql, &[Bind::Rows(slice)]).await?;
    }
    Ok(rows)
}

/// Inserts the rows of a batch; how many were not there.
pub async fn insert(connection: &mut Connection, insert: &Insert, batch: &Batch<'_>) -> Result<u64, Refused> {
    batch.check().map_err(Refused::Failed)?;
    let mut rows = 0;
    for (sql, bind) in insert.of(batch) {
        rows += connection.execute(&sql, &[bind]).await?;
    }
    Ok(rows)
}

async fn note_commit<R: Row>(connection: &mut Connection, commit: &Commit<R>) -> Result<(), Refused> {
    let unless = connection.dialect.unless_there("\"id\"");
    let sql = format!(
        "INSERT INTO \"commits\" (\"id\", \"outcome\", \"at_us\") VALUES (?, '{COMMITTED}', ?){unless}"
    );
    let id = commit.id.0.to_string();
    match connection.execute(&sql, &[id.as_str().into(), commit.at_us.into()]).await.map_err(Refused::from) {
        Ok(1) => Ok(()),
        Ok(_) | Err(Refused::Taken(_)) => stale("the commit was settled before"),
        Err(refused) => Err(refused),
    }
}

async fn write_rows<R: Row>(
    connection: &mut Connection,
    statements: &TableStatements,
    changes: &[&Change<R>],
    order: RowOrder,
) -> Result<(), Refused> {
    let name = statements.table.name;
    let (mut deleted, mut absent) = (Batch::new(kinds(&KEY)), Batch::new(kinds(&KEY)));
    let mut vacated = Batch::new(kinds(&KEY));
    let (mut updated, mut inserted) = (Batch::new(&*statements.kinds), Batch::new(&*statements.kinds));
    for change in changes {
        let key = [
            Cell::from(change.key.id.to_string()),
            Cell::Int(signed(change.expected).map_err(Refused::Failed)?),
        ];
        match (&change.row, change.expected) {
            (None, 0) => absent.push(key),
            (None, _) => deleted.push(key),
            (Some(row), expected) => {
                let row = row_of(statements, change, row.as_ref())?;
                if expected == 0 {
                    let [id, _] = key;
                    inserted.push([id, Cell::Int(FIRST_VERSION)].into_iter().chain(row));
                } else {
                    vacated.push(key.clone());
                    updated.push(key.into_iter().chain(row));
                }
            }
        }
    }
    let at_other = || stale(format!("a row of {name} is at another version"));
    if write(connection, &statements.delete, &deleted).await? != deleted.rows() {
        return at_other();
    }
    for slice in absent.slices() {
        let found = connection.fetch(&statements.count, &[Bind::Rows(slice)]).await?;
        if found.first().is_none_or(|row| !matches!(row.int(0), Ok(0))) {
            return at_other();
        }
    }
    if let (RowOrder::VacateFirst, Some(vacate)) = (order, &statements.vacate) {
        // A row that is not at its version is noticed when it is written.
        write(connection, vacate, &vacated).await?;
    }
    if write(connection, &statements.update, &updated).await? != updated.rows()
        || insert(connection, &statements.insert, &inserted).await? != inserted.rows()
    {
        return at_other();
    }
    Ok(())
}

/// The kinds of some columns.
pub fn kinds(columns: &[(&str, Kind)]) -> Vec<Kind> {
    columns.iter().map(|(_, kind)| *kind).collect()
}

/// Plain columns and state of a row.
fn row_of<R: Row>(
    statements: &TableStatements,
    change: &Change<R>,
    row: &R,
) -> Result<Vec<Cell<'static>>, Refused> {
    let broken = |what: String| Refused::Failed(format!("{} {}: {what}", change.key.table, change.key.id));
    let mut columns = row.columns();
    if row.key().table != statements.table.name || columns.len() != statements.table.columns.len() {
        return Err(broken("it is a row of another table".to_owned()));
    }
    let state = row.encode().map_err(|error| broken(error.to_string()))?;
    let mut cells = Vec::with_capacity(columns.len() + 1);
    for (index, column) in statements::plain_columns(statements.table) {
        let value = std::mem::replace(&mut columns[index], store::Value::Null);
        let cell = statements::cell(column, value);
        cells.push(cell.map_err(|why| broken(format!("{}: {why}", column.name)))?);
    }
    cells.push(Cell::from(state));
    Ok(cells)
}

async fn write_answers<R: Row>(connection: &mut Connection, commit: &Commit<R>) -> Result<(), Refused> {
    let columns =
        [("key", Kind::Text), ("fingerprint", Kind::Long), ("body", Kind::Long), ("at_us", Kind::Int)];
    let mut batch = Batch::new(kinds(&columns));
    for (key, answer) in &commit.answers {
        let (fingerprint, body) = (answer.fingerprint.as_str(), answer.body.as_str());
        batch.push([key.0.as_str().into(), fingerprint.into(), body.into(), answer.at_us.into()]);
    }
    let statement =
        Insert::new(connection.dialect, "answers", &columns.map(NewColumn::plain), Some("\"key\""));
    match insert(connection, &statement, &batch).await {
        Ok(written) if written == batch.rows() => Ok(()),
        Ok(_) | Err(Refused::Taken(_)) => stale("an idempotency key has an answer"),
        Err(refused) => Err(refused),
    }
}
