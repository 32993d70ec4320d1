//! One commit as one transaction.
//!
//! Nothing is read before it is written: each statement names what it expects, and the number of rows that
//! it changed tells whether that was so.

use bus::{Fact, Position, Topic};
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter, types::Value as Kept};
use store::{
    Advance, Answer, AnswerKey, Change, Commit, CommitError, CommitId, Key, Parked, ParkedChange, Row,
    Settled,
};

use crate::{
    error::{failed, is_unique_violation},
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

/// Writes everything of a commit into the open transaction. Gives the last position of each topic it has
/// facts of.
pub fn apply<R: Row>(
    connection: &Connection,
    tables: &[TableStatements],
    commit: &Commit<R>,
    order: RowOrder,
) -> Result<Vec<(Topic, u64)>, Refused> {
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
        let sql = "DELETE FROM outbox WHERE aggregatetype = ?1 AND aggregateid = ?2";
        connection.prepare_cached(sql)?.execute((topic.name(), key))?;
    }
    let newest = write_facts(connection, &commit.facts)?;
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
    Ok(newest)
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
            connection.prepare_cached(vacate)?.execute((&change.key.id, version))?;
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
    let id = &change.key.id;
    let version = change.expected.cast_signed();
    let written = match (&change.row, version) {
        (None, 0) => {
            let mut select = connection.prepare_cached(&statements.exists)?;
            let found = select.query_row([id], |_| Ok(())).optional()?;
            usize::from(found.is_none())
        }
        (None, version) => connection.prepare_cached(&statements.delete)?.execute((id, version))?,
        (Some(row), 0) => {
            let values = [Kept::Text(id.clone())].into_iter().chain(values(statements, row, id)?);
            connection.prepare_cached(&statements.insert)?.execute(params_from_iter(values))?
        }
        (Some(row), version) => {
            let values = [Kept::Text(id.clone()), Kept::Integer(version)]
                .into_iter()
                .chain(values(statements, row, id)?);
            connection.prepare_cached(&statements.update)?.execute(params_from_iter(values))?
        }
    };
    if written == 0 {
        return stale(format!("{} {id} is not at version {version}", change.key.table));
    }
    Ok(())
}

/// A row's state, and then its columns.
fn values<R: Row>(statements: &TableStatements, row: &R, id: &str) -> Result<Vec<Kept>, Refused> {
    let table = statements.table;
    let here = |what: String| Refused::For(CommitError::Failed(format!("{} {id}: {what}", table.name)));
    let columns = row.columns();
    if columns.len() != table.columns.len() {
        return Err(here("it is a row of another table".to_owned()));
    }
    let mut values = Vec::with_capacity(columns.len() + 1);
    values.push(Kept::Text(row.encode().map_err(|error| here(error.to_string()))?));
    for (column, value) in table.columns.iter().zip(columns) {
        let value =
            statements::kept(column.kind, value).map_err(|why| here(format!("{}: {why}", column.name)))?;
        values.push(value);
    }
    Ok(values)
}

fn write_facts(connection: &Connection, facts: &[Fact]) -> Result<Vec<(Topic, u64)>, Refused> {
    let mut newest: Vec<(Topic, u64)> = Vec::new();
    let mut insert = connection.prepare_cached(
        "INSERT INTO outbox (id, aggregatetype, aggregateid, type, source, payload, timestamp, traceparent) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for fact in facts {
        insert.execute(params![
            fact.id.0.to_string(),
            fact.topic.name(),
            fact.key,
            fact.kind,
            fact.source,
            fact.payload,
            fact.time_us,
            fact.traceparent,
        ])?;
        let seq = connection.last_insert_rowid().cast_unsigned();
        match newest.iter_mut().find(|(topic, _)| *topic == fact.topic) {
            Some((_, last)) => *last = seq,
            None => newest.push((fact.topic, seq)),
        }
    }
    Ok(newest)
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
