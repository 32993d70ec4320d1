//! What a commit writes, inside an open transaction.
//!
//! Nothing is read before it is written: each statement names what it expects of all its rows, and the number of rows
//! that it changed tells whether that was so. There is one statement for each table and kind of change, however many rows.

use std::sync::Arc;

use bus::{Fact, Position, Topic};
use store::{Advance, Change, Commit, ParkedChange, Row};

use crate::{
    database::Connection,
    error::{self, Trouble},
    schema::outbox,
    sides,
    statements::{self, KEY, TableStatements},
    values::{Batch, Bind, Cell, Kind, signed},
};

/// The outcomes that the table `commits` knows.
pub const COMMITTED: &str = "committed";
pub const NEVER: &str = "never";

/// The latest moment that every server can keep, in microseconds since 1970: the year 9999.
const LATEST_TIMESTAMP_US: i64 = 253_402_300_799_999_999;

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

fn stale<T>(what: impl Into<String>) -> Result<T, Refused> {
    Err(Refused::Stale(what.into()))
}

/// The newest positions of the topics that a commit has facts of.
pub type Heads = Vec<(Topic, Position)>;

/// Writes everything of a commit. What others wait for, the positions of its facts, comes last.
pub async fn apply<R: Row>(
    connection: &mut Connection,
    tables: &[TableStatements],
    commit: &Commit<R>,
    order: RowOrder,
) -> Result<Heads, Refused> {
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
        let sql = format!("DELETE FROM \"{}\" WHERE \"aggregateid\" = ?", outbox(*topic));
        connection.execute(&sql, &[key.as_str().into()]).await?;
    }
    write_answers(connection, commit).await?;
    advance(connection, &commit.advances).await?;
    park(connection, &commit.parked).await?;
    write_facts(connection, &commit.facts).await
}

/// Runs a statement over all rows of a batch; how many rows it changed.
pub async fn write(connection: &mut Connection, sql: &str, batch: &Batch<'_>) -> Result<u64, Refused> {
    batch.check().map_err(Refused::Failed)?;
    let mut rows = 0;
    for slice in batch.slices() {
        rows += connection.execute(sql, &[Bind::Rows(slice)]).await?.rows;
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
        Ok(done) if done.rows == 1 => Ok(()),
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
            Cell::from(change.key.id.as_str()),
            Cell::Int(signed(change.expected).map_err(Refused::Failed)?),
        ];
        match (&change.row, change.expected) {
            (None, 0) => absent.push(key),
            (None, _) => deleted.push(key),
            (Some(row), expected) => {
                let row = row_of(statements, change, row.as_ref())?;
                if expected == 0 {
                    inserted.push(key.into_iter().chain(row));
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
        || write(connection, &statements.insert, &inserted).await? != inserted.rows()
    {
        return at_other();
    }
    Ok(())
}

/// The kinds of some columns.
pub fn kinds(columns: &[(&str, Kind)]) -> Vec<Kind> {
    columns.iter().map(|(_, kind)| *kind).collect()
}

/// State and plain columns of a row.
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
    let mut cells = vec![Cell::from(state)];
    for (index, column) in statements::plain_columns(statements.table) {
        let value = std::mem::replace(&mut columns[index], store::Value::Null);
        let cell = statements::cell(column, value);
        cells.push(cell.map_err(|why| broken(format!("{}: {why}", column.name)))?);
    }
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
    let sql = format!(
        "INSERT INTO \"answers\" (\"key\", \"fingerprint\", \"body\", \"at_us\") \
         SELECT n.\"key\", n.\"fingerprint\", n.\"body\", n.\"at_us\" FROM {}{}",
        connection.dialect.rows(&columns),
        connection.dialect.unless_there("\"key\"")
    );
    match write(connection, &sql, &batch).await {
        Ok(written) if written == batch.rows() => Ok(()),
        Ok(_) | Err(Refused::Taken(_)) => stale("an idempotency key has an answer"),
        Err(refused) => Err(refused),
    }
}

/// A consumer that was never there is at the start.
async fn advance(connection: &mut Connection, advances: &[Advance]) -> Result<(), Refused> {
    let columns =
        [("topic", Kind::Text), ("partition", Kind::Text), ("before", Kind::Int), ("after", Kind::Int)];
    let (mut all, mut first) = (Batch::new(kinds(&columns)), Batch::new(kinds(&columns[..2])));
    for Advance { partition, from, to } in advances {
        let (topic, name) = (Cell::from(partition.topic.name()), Cell::from(partition.name.as_str()));
        if *from == Position::default() {
            first.push([topic.clone(), name.clone()]);
        }
        let (from, to) = (signed(from.0), signed(to.0));
        all.push([topic, name, from.map_err(Refused::Failed)?.into(), to.map_err(Refused::Failed)?.into()]);
    }
    let dialect = connection.dialect;
    let begin = format!(
        "{} \"positions\" (\"topic\", \"partition\", \"position\") SELECT n.\"topic\", n.\"partition\", 0 FROM {}{}",
        dialect.insert_missing(),
        dialect.rows(&columns[..2]),
        dialect.unless_there("\"topic\", \"partition\"")
    );
    write(connection, &begin, &first).await?;
    let move_on = dialect.update_joined(
        "positions",
        &dialect.rows(&columns),
        "t.\"topic\" = n.\"topic\" AND t.\"partition\" = n.\"partition\" AND t.\"position\" = n.\"before\"",
        &[("position", "n.\"after\"".to_owned())],
    );
    if write(connection, &move_on, &all).await? == all.rows() {
        return Ok(());
    }
    stale("a consumer is at another position")
}

/// What a parked fact has, after its key: topic, partition and position.
const PARKED: [(&str, Kind); 12] = [
    ("topic", Kind::Text),
    ("partition", Kind::Text),
    ("position", Kind::Int),
    ("id", Kind::Text),
    ("source", Kind::Text),
    ("type", Kind::Text),
    ("key", Kind::Text),
    ("time_us", Kind::Int),
    ("traceparent", Kind::Text),
    ("payload", Kind::Long),
    ("reason", Kind::Long),
    ("at_us", Kind::Int),
];

/// A fact is parked once, so the last change of each counts.
async fn park(connection: &mut Connection, changes: &[ParkedChange]) -> Result<(), Refused> {
    let mut last = std::collections::BTreeMap::new();
    for change in changes {
        let (partition, position) = match change {
            ParkedChange::Park(parked) => (&parked.partition, parked.record.position),
            ParkedChange::Unpark(partition, position) => (partition, *position),
        };
        last.insert((partition, position), change);
    }
    let (mut gone, mut parks) = (Batch::new(kinds(&PARKED[..3])), Batch::new(kinds(&PARKED)));
    for ((partition, position), change) in last {
        let position = Cell::Int(signed(position.0).map_err(Refused::Failed)?);
        let key = [partition.topic.name().into(), partition.name.as_str().into(), position];
        gone.push(key.clone());
        if let ParkedChange::Park(parked) = change {
            let fact = parked.record.fact.as_ref();
            parks.push(key.into_iter().chain([
                fact.id.0.to_string().into(),
                fact.source.into(),
                fact.kind.as_str().into(),
                fact.key.as_str().into(),
                fact.time_us.into(),
                fact.traceparent.as_deref().into(),
                fact.payload.as_str().into(),
                parked.reason.as_str().into(),
                parked.at_us.into(),
            ]));
        }
    }
    let dialect = connection.dialect;
    let on =
        "t.\"topic\" = n.\"topic\" AND t.\"partition\" = n.\"partition\" AND t.\"position\" = n.\"position\"";
    let remove = dialect.delete_joined("parked", "PRIMARY", &dialect.rows(&PARKED[..3]), on);
    write(connection, &remove, &gone).await?;
    let names: Vec<String> = PARKED.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let insert = format!(
        "INSERT INTO \"parked\" ({}) SELECT n.{} FROM {}",
        names.join(", "),
        names.join(", n."),
        dialect.rows(&PARKED)
    );
    write(connection, &insert, &parks).await.map(|_| ())
}

/// The positions come from a row for each topic, which is locked from here to the end of the transaction. So positions
/// rise in the order of commits, whoever commits.
async fn write_facts(connection: &mut Connection, facts: &[Arc<Fact>]) -> Result<Heads, Refused> {
    let mut heads = Heads::new();
    // In the same order as everybody.
    for topic in Topic::ALL {
        let facts: Vec<&Arc<Fact>> = facts.iter().filter(|fact| fact.topic == topic).collect();
        if facts.is_empty() {
            continue;
        }
        let count = facts.len() as i64;
        let newest = take_positions(connection, topic, count).await?;
        let mut batch = Batch::new(kinds(&FACT));
        for (position, fact) in (newest - count + 1..).zip(facts) {
            batch.push([
                position.into(),
                fact.id.0.to_string().into(),
                fact.key.as_str().into(),
                fact.kind.as_str().into(),
                fact.payload.as_str().into(),
                fact.source.into(),
                fact.time_us.into(),
                fact.traceparent.as_deref().into(),
            ]);
        }
        let sql = insert_facts(connection, topic);
        write(connection, &sql, &batch).await?;
        heads.push((topic, Position(newest.cast_unsigned())));
    }
    Ok(heads)
}

/// The newest of some new positions.
async fn take_positions(connection: &mut Connection, topic: Topic, count: i64) -> Result<i64, Refused> {
    let binds = [count.into(), topic.name().into()];
    let missing = || Refused::Failed(format!("there is no head of {}", topic.name()));
    if connection.dialect.is_mysql() {
        let sql =
            "UPDATE \"outbox_heads\" SET \"position\" = LAST_INSERT_ID(\"position\" + ?) WHERE \"topic\" = ?";
        let done = connection.execute(sql, &binds).await?;
        return if done.rows == 1 { Ok(done.last_id.cast_signed()) } else { Err(missing()) };
    }
    let sql = "UPDATE \"outbox_heads\" SET \"position\" = \"position\" + ? WHERE \"topic\" = ? RETURNING \"position\"";
    let found = connection.fetch(sql, &binds).await?;
    let newest = found.first().ok_or_else(missing)?.int(0);
    newest.map_err(|error| Refused::Failed(error.to_string()))
}

/// What a fact has.
const FACT: [(&str, Kind); 8] = [
    ("position", Kind::Int),
    ("id", Kind::Text),
    ("aggregateid", Kind::Text),
    ("type", Kind::Text),
    ("payload", Kind::Long),
    ("source", Kind::Text),
    ("time_us", Kind::Int),
    ("traceparent", Kind::Text),
];

fn insert_facts(connection: &Connection, topic: Topic) -> String {
    let dialect = connection.dialect;
    let micros = "n.\"time_us\"";
    format!(
        "INSERT INTO \"{}\" (\"position\", \"id\", \"aggregatetype\", \"aggregateid\", \"type\", \"payload\", \"source\", \
         \"time_us\", \"timestamp\", \"traceparent\") SELECT n.\"position\", {}, '{}', n.\"aggregateid\", n.\"type\", \
         n.\"payload\", n.\"source\", {micros}, CASE WHEN {micros} BETWEEN 0 AND {LATEST_TIMESTAMP_US} THEN {} END, \
         n.\"traceparent\" FROM {}",
        outbox(topic),
        dialect.to_uuid("n.\"id\""),
        topic.name(),
        dialect.to_timestamp(micros),
        dialect.rows(&FACT)
    )
}
