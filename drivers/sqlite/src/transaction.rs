//! One commit as one transaction.
//!
//! Nothing is read before it is written: each statement names what it expects, and the number of rows that
//! it changed tells whether that was so.

use std::sync::Arc;

use bus::{Fact, Position, Record};
use rusqlite::{
    Connection, OptionalExtension as _, params, params_from_iter,
    types::{ToSqlOutput, Value as Kept},
};
use store::{
    Advance, Answer, AnswerKey, Change, Commit, CommitError, CommitId, Key, Parked, ParkedChange, Row,
    Settled, Value, row_id_buffer,
};

use crate::{
    error::{failed, is_unique_violation},
    log::{self, Appended, Feeds},
    schema::outbox,
    statements::{self, TableStatements},
};

/// The outcomes that the table `commits` knows.
const COMMITTED: &str = "committed";
const NEVER: &str = "never";

/// How the rows of a commit are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowOrder {
    /// In the order of the commit.
    AsGiven,
    /// Deletions first, then the unique values of all rows are given up, then the rest; so that a unique
    /// value can move between rows.
    VacateFirst,
}

/// Why a commit cannot be applied.
pub enum Refused {
    /// A unique value is taken, perhaps by a row of this very commit that is about to give it up.
    Taken(String),
    /// Anything else.
    For(CommitError),
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        if is_unique_violation(&error) { Self::Taken(error.to_string()) } else { Self::For(failed(error)) }
    }
}

fn stale<T>(what: String) -> Result<T, Refused> {
    Err(Refused::For(CommitError::Stale(what)))
}

fn broken<T>(what: String) -> Result<T, Refused> {
    Err(Refused::For(CommitError::Failed(what)))
}

/// Writes everything of a commit into the open transaction. Gives its facts with their positions.
pub fn apply<R: Row>(
    connection: &Connection,
    tables: &[TableStatements],
    feeds: &Feeds,
    commit: &Commit<R>,
    order: RowOrder,
) -> Result<Appended, Refused> {
    note_commit(connection, commit)?;
    if order == RowOrder::VacateFirst {
        vacate(connection, tables, &commit.changes)?;
    }
    for change in &commit.changes {
        if order == RowOrder::AsGiven || change.row.is_some() {
            write_row(connection, tables, change)?;
        }
    }
    for (topic, key) in &commit.forgotten {
        let sql = format!("DELETE FROM {} WHERE key = ?1", outbox(*topic));
        connection.prepare_cached(&sql)?.execute([key])?;
    }
    let appended = write_facts(connection, feeds, &commit.facts)?;
    write_answers(connection, &commit.answers)?;
    for one in &commit.advances {
        advance(connection, one)?;
    }
    for change in &commit.parked {
        match change {
            ParkedChange::Park(parked) => park(connection, parked)?,
            ParkedChange::Unpark(partition, position) => {
                let sql = "DELETE FROM parked WHERE topic = ?1 AND partition = ?2 AND position = ?3";
                let key = (partition.topic.name(), &partition.name, integer(*position)?);
                connection.prepare_cached(sql)?.execute(key)?;
            }
        }
    }
    Ok(appended)
}

fn note_commit<R: Row>(connection: &Connection, commit: &Commit<R>) -> Result<(), Refused> {
    let sql = "INSERT INTO commits (id, outcome, at_us) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING";
    let written =
        connection.prepare_cached(sql)?.execute((commit.id.0.to_string(), COMMITTED, commit.at_us))?;
    if written == 0 { stale("the commit was settled before".to_owned()) } else { Ok(()) }
}

/// Notes that a commit will never be, unless it is: inside an open transaction.
pub fn settle(connection: &Connection, id: CommitId) -> rusqlite::Result<Settled> {
    // Without a time it is never pruned, and so it holds for as long as the file.
    let sql = "INSERT INTO commits (id, outcome, at_us) VALUES (?1, ?2, NULL) ON CONFLICT (id) DO NOTHING";
    let id = id.0.to_string();
    connection.prepare_cached(sql)?.execute((&id, NEVER))?;
    let mut select = connection.prepare_cached("SELECT outcome FROM commits WHERE id = ?1")?;
    let outcome: String = select.query_row([&id], |row| row.get(0))?;
    Ok(if outcome == COMMITTED { Settled::Committed } else { Settled::Never })
}

fn statements_of<'a>(tables: &'a [TableStatements], key: &Key) -> Result<&'a TableStatements, Refused> {
    match statements::find(tables, key.table) {
        Some(statements) => Ok(statements),
        None => broken(format!("no table {}", key.table)),
    }
}

fn vacate<R: Row>(
    connection: &Connection,
    tables: &[TableStatements],
    changes: &[Change<R>],
) -> Result<(), Refused> {
    for change in changes {
        if change.row.is_none() {
            write_row(connection, tables, change)?;
        } else if let Some(vacate) = &statements_of(tables, &change.key)?.vacate {
            // A row that is not at its version is noticed when it is written.
            let version = change.expected.cast_signed();
            connection
                .prepare_cached(vacate)?
                .execute((change.key.id.text(&mut row_id_buffer()), version))?;
        }
    }
    Ok(())
}

fn write_row<R: Row>(
    connection: &Connection,
    tables: &[TableStatements],
    change: &Change<R>,
) -> Result<(), Refused> {
    let statements = statements_of(tables, &change.key)?;
    let mut buffer = row_id_buffer();
    let id = change.key.id.text(&mut buffer);
    let version = change.expected.cast_signed();
    let columns = Columns::of(statements, change)?;
    let written = match (&change.row, version) {
        (None, 0) => {
            let mut select = connection.prepare_cached(&statements.exists)?;
            let found = select.query_row([id], |_| Ok(())).optional()?;
            usize::from(found.is_none())
        }
        (None, version) => connection.prepare_cached(&statements.delete)?.execute((id, version))?,
        (Some(row), 0) => {
            let values = [id.into(), state(row.as_ref(), &change.key)?].into_iter();
            let values = params_from_iter(values.chain(columns.kept(statements, &change.key)?));
            connection.prepare_cached(&statements.insert)?.execute(values)?
        }
        (Some(row), version) => {
            let state = state(row.as_ref(), &change.key)?;
            let values = [id.into(), version.into(), state].into_iter();
            let values = params_from_iter(values.chain(columns.kept(statements, &change.key)?));
            connection.prepare_cached(&statements.update(&columns.changed))?.execute(values)?
        }
    };
    if written == 0 {
        return stale(format!("{} {id} is not at version {version}", change.key.table));
    }
    columns.write_sets(connection, statements, id)
}

fn state<R: Row>(row: &R, key: &Key) -> Result<ToSqlOutput<'static>, Refused> {
    row.encode()
        .map(|state| ToSqlOutput::Owned(Kept::Text(state)))
        .or_else(|error| broken(format!("{} {}: {error}", key.table, key.id)))
}

/// The columns of a row before and after a change.
struct Columns {
    before: Option<Vec<Value>>,
    /// Empty when the row is removed.
    after: Vec<Value>,
    /// Which differ; all of them where the row before is not known. What is not written leaves its index alone.
    changed: Vec<bool>,
}

impl Columns {
    fn of<R: Row>(statements: &TableStatements, change: &Change<R>) -> Result<Self, Refused> {
        let wanted = statements.table.columns.len();
        let is_new = change.expected == 0;
        let before = change.before.as_ref().map(|row| row.columns());
        let before = if is_new { Some(vec![Value::Null; wanted]) } else { before };
        let after = change.row.as_ref().map(|row| row.columns()).unwrap_or_default();
        if change.row.is_some() && after.len() != wanted {
            return broken(format!("{} {}: it is a row of another table", change.key.table, change.key.id));
        }
        let changed = match &before {
            Some(before) if !is_new && before.len() == after.len() => {
                before.iter().zip(&after).map(|(before, after)| before != after).collect()
            }
            _ => vec![true; wanted],
        };
        Ok(Self { before, after, changed })
    }

    /// The values of the changed columns as SQLite keeps them.
    fn kept(&self, statements: &TableStatements, key: &Key) -> Result<Vec<ToSqlOutput<'static>>, Refused> {
        let columns = statements.table.columns.iter().zip(&self.after).zip(&self.changed);
        columns
            .filter(|(_, changed)| **changed)
            .map(|((column, value), _)| {
                statements::kept(column.kind, value.clone())
                    .map(ToSqlOutput::Owned)
                    .or_else(|why| broken(format!("{} {}: {}: {why}", key.table, key.id, column.name)))
            })
            .collect()
    }

    /// Brings the side tables of the sets up to date.
    fn write_sets(
        &self,
        connection: &Connection,
        statements: &TableStatements,
        id: &str,
    ) -> Result<(), Refused> {
        for set in statements.sets.iter().filter(|set| self.changed[set.column]) {
            let was_empty = self.before.as_ref().is_some_and(|before| is_empty(&before[set.column]));
            if !was_empty {
                connection.prepare_cached(&set.clear)?.execute([id])?;
            }
            if let Some(Value::Set(texts)) = self.after.get(set.column) {
                let mut insert = connection.prepare_cached(&set.insert)?;
                for text in texts {
                    insert.execute([text.as_str(), id])?;
                }
            }
        }
        Ok(())
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Set(texts) => texts.is_empty(),
        _ => true,
    }
}

fn write_facts(connection: &Connection, feeds: &Feeds, facts: &[Arc<Fact>]) -> Result<Appended, Refused> {
    let appended = match log::numbered(feeds, facts) {
        Ok(appended) => appended,
        Err(topic) => return broken(format!("{} is no topic of this store", topic.name())),
    };
    for (topic, records) in &appended {
        let sql = format!(
            "INSERT INTO {} (seq, id, key, type, source, payload, time_us, traceparent) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            outbox(*topic)
        );
        let mut insert = connection.prepare_cached(&sql)?;
        for Record { position, fact } in records {
            insert.execute(params![
                integer(*position)?,
                fact.id.0.to_string(),
                fact.key,
                fact.kind,
                fact.source,
                fact.payload,
                fact.time_us,
                fact.traceparent,
            ])?;
        }
    }
    Ok(appended)
}

fn write_answers(connection: &Connection, answers: &[(AnswerKey, Answer)]) -> Result<(), Refused> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO answers (key, fingerprint, body, at_us) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (key) DO NOTHING",
    )?;
    for (key, answer) in answers {
        let written = insert.execute((&key.0, &answer.fingerprint, &answer.body, answer.at_us))?;
        if written == 0 {
            return stale(format!("{} has an answer", key.0));
        }
    }
    Ok(())
}

/// A consumer that was never there is at the start.
fn advance(connection: &Connection, advance: &Advance) -> Result<(), Refused> {
    let sql = if advance.from == Position::default() {
        "INSERT INTO positions (topic, partition, position) VALUES (?1, ?2, ?4) \
         ON CONFLICT (topic, partition) DO UPDATE SET position = ?4 WHERE position = ?3"
    } else {
        "UPDATE positions SET position = ?4 WHERE topic = ?1 AND partition = ?2 AND position = ?3"
    };
    let (from, to) = (integer(advance.from)?, integer(advance.to)?);
    let partition = &advance.partition;
    let written =
        connection.prepare_cached(sql)?.execute((partition.topic.name(), &partition.name, from, to))?;
    if written == 0 { stale(format!("{partition} is not at position {from}")) } else { Ok(()) }
}

fn park(connection: &Connection, parked: &Parked) -> Result<(), Refused> {
    let mut insert = connection.prepare_cached(
        "INSERT OR REPLACE INTO parked (topic, partition, position, id, source, type, key, time_us, traceparent, \
         payload, reason, at_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    let fact = &parked.record.fact;
    insert.execute(params![
        parked.partition.topic.name(),
        parked.partition.name,
        integer(parked.record.position)?,
        fact.id.0.to_string(),
        fact.source,
        fact.kind,
        fact.key,
        fact.time_us,
        fact.traceparent,
        fact.payload,
        parked.reason,
        parked.at_us,
    ])?;
    Ok(())
}

fn integer(position: Position) -> Result<i64, Refused> {
    i64::try_from(position.0).or_else(|_| broken(format!("{position:?} is too great for SQLite")))
}
