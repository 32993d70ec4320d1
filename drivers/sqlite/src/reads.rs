//! Reads by key: rows, answers, positions and parked facts.

use std::sync::Arc;

use bus::{Fact, FactId, Memo, Partition, Position, Record, Topic};
use rusqlite::{Connection, OptionalExtension as _};
use store::{Answer, AnswerKey, Key, Loaded, Parked, Row, StoreError, Versioned, row_id_buffer};
use uuid::Uuid;

use crate::{
    error::read_error,
    statements::{self, TableStatements},
};

/// Rows by key and answers by idempotency key, in the order asked for.
pub fn load<R: Row>(
    connection: &Connection,
    tables: &[TableStatements],
    keys: &[Key],
    answers: &[AnswerKey],
) -> Result<Loaded<R>, StoreError> {
    let rows = keys.iter().map(|key| load_row(connection, tables, key)).collect::<Result<_, _>>()?;
    let answers = answers.iter().map(|key| load_answer(connection, key)).collect::<Result<_, _>>();
    Ok(Loaded { rows, answers: answers.map_err(read_error)? })
}

fn load_row<R: Row>(
    connection: &Connection,
    tables: &[TableStatements],
    key: &Key,
) -> Result<Option<Versioned<R>>, StoreError> {
    let statements = statements::find(tables, key.table)
        .ok_or_else(|| StoreError::Corrupt(format!("no table {}", key.table)))?;
    let mut select = connection.prepare_cached(&statements.load).map_err(read_error)?;
    let mut buffer = row_id_buffer();
    let id = key.id.text(&mut buffer);
    let mut rows = select.query([id]).map_err(read_error)?;
    match rows.next().map_err(read_error)? {
        None => Ok(None),
        Some(row) => {
            let (version, state) = version_and_state(row, 0).map_err(read_error)?;
            decode(key.table, id, version, state).map(Some)
        }
    }
}

/// The version and the state of a row, which stand side by side.
pub fn version_and_state<'a>(row: &'a rusqlite::Row<'_>, at: usize) -> rusqlite::Result<(i64, &'a str)> {
    Ok((row.get(at)?, row.get_ref(at + 1)?.as_str()?))
}

/// Reads a row's state.
pub fn decode<R: Row>(table: &str, id: &str, version: i64, state: &str) -> Result<Versioned<R>, StoreError> {
    let row = R::decode(table, state).map_err(|why| StoreError::Corrupt(format!("{table} {id}: {why}")))?;
    Ok(Versioned { row: Arc::new(row), version: version.cast_unsigned() })
}

fn load_answer(connection: &Connection, key: &AnswerKey) -> rusqlite::Result<Option<Answer>> {
    let mut select =
        connection.prepare_cached("SELECT fingerprint, body, at_us FROM answers WHERE key = ?1")?;
    select
        .query_row([&key.0], |row| {
            Ok(Answer { fingerprint: row.get(0)?, body: row.get(1)?, at_us: row.get(2)? })
        })
        .optional()
}

/// How far the consumer of a partition is.
pub fn position(connection: &Connection, partition: &Partition) -> Result<Position, StoreError> {
    let sql = "SELECT position FROM positions WHERE topic = ?1 AND partition = ?2";
    let mut select = connection.prepare_cached(sql).map_err(read_error)?;
    let found = select.query_row((partition.topic.name(), &partition.name), |row| row.get(0)).optional();
    let position: i64 = found.map_err(read_error)?.unwrap_or_default();
    Ok(Position(position.cast_unsigned()))
}

/// The parked facts, oldest first.
pub fn parked(connection: &Connection) -> Result<Vec<Parked>, StoreError> {
    let sql = "SELECT position, id, topic, key, type, source, payload, time_us, traceparent, partition, reason, \
               at_us FROM parked ORDER BY at_us, topic, partition, position";
    let mut select = connection.prepare_cached(sql).map_err(read_error)?;
    let mut rows = select.query([]).map_err(read_error)?;
    let mut parked = Vec::new();
    while let Some(row) = rows.next().map_err(read_error)? {
        let record = record(row, "parked")?;
        parked.push(Parked {
            partition: Partition { topic: record.fact.topic, name: row.get(9).map_err(read_error)? },
            record,
            reason: row.get(10).map_err(read_error)?,
            at_us: row.get(11).map_err(read_error)?,
        });
    }
    Ok(parked)
}

/// A fact with its position: position, id, topic, key, kind, source, payload, time and trace context.
pub fn record(row: &rusqlite::Row<'_>, table: &str) -> Result<Record, StoreError> {
    let position: i64 = row.get(0).map_err(read_error)?;
    let corrupt = |what: &str| StoreError::Corrupt(format!("{table} {position}: {what}"));
    let text = |at: usize| row.get_ref(at).and_then(|value| Ok(value.as_str()?)).map_err(read_error);
    let fact = Fact {
        id: FactId(Uuid::try_parse(text(1)?).map_err(|_| corrupt("the id is no UUID"))?),
        topic: Topic::from_name(text(2)?).ok_or_else(|| corrupt("the topic is unknown"))?,
        key: row.get(3).map_err(read_error)?,
        kind: row.get(4).map_err(read_error)?,
        source: bus::known_source(text(5)?).ok_or_else(|| corrupt("too many different sources"))?,
        payload: row.get(6).map_err(read_error)?,
        time_us: row.get(7).map_err(read_error)?,
        traceparent: row.get(8).map_err(read_error)?,
        memo: Memo::default(),
    };
    Ok(Record { position: Position(position.cast_unsigned()), fact: Arc::new(fact) })
}
