//! Reads by key: rows, answers, positions and parked facts.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use bus::{Fact, FactId, Memo, Partition, Position, Record, Topic};
use store::{Answer, AnswerKey, Key, Loaded, Parked, Row, RowId, StoreError, Versioned};
use uuid::Uuid;

use crate::{
    database::{Database, Found},
    statements::{self, TableStatements},
    values::{Batch, Bind, Cell, Kind, unsigned},
};

/// Rows by key and answers by idempotency key, in the order asked for: one statement, so all of it is of one moment.
pub async fn load<R: Row>(
    database: &Database,
    tables: &[TableStatements],
    keys: &[Key],
    answers: &[AnswerKey],
) -> Result<Loaded<R>, StoreError> {
    let ids: Vec<String> = keys.iter().map(|key| key.id.to_string()).collect();
    let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (key, id) in keys.iter().zip(&ids) {
        let statements = statements::find(tables, key.table);
        let name =
            statements.ok_or_else(|| StoreError::Corrupt(format!("no table {}", key.table)))?.table.name;
        wanted.entry(name).or_default().insert(id);
    }
    let answer_keys: BTreeSet<&str> = answers.iter().map(|key| key.0.as_str()).collect();
    let mut selects: Vec<String> = wanted.keys().map(|table| select_rows(database, table)).collect();
    let mut batches: Vec<Batch<'_>> = wanted.values().map(of_texts).collect();
    if !answer_keys.is_empty() {
        selects.push(select_answers(database));
        batches.push(of_texts(&answer_keys));
    }
    let mut rows: HashMap<(String, RowId), Versioned<R>> = HashMap::new();
    let mut kept: BTreeMap<String, Answer> = BTreeMap::new();
    for row in select(database, &selects, &batches).await? {
        let (table, id, number, text) = (row.text(0)?, row.text(1)?, row.int(2)?, row.text(3)?);
        if table.is_empty() {
            let answer =
                Answer { fingerprint: row.text(4)?.to_owned(), body: text.to_owned(), at_us: number };
            kept.insert(id.to_owned(), answer);
        } else {
            rows.insert((table.to_owned(), id.into()), decode(table, id, number, text)?);
        }
    }
    Ok(Loaded {
        rows: keys.iter().map(|key| rows.get(&(key.table.to_owned(), key.id.clone())).cloned()).collect(),
        answers: answers.iter().map(|key| kept.get(&key.0).cloned()).collect(),
    })
}

fn of_texts<'a>(texts: &BTreeSet<&'a str>) -> Batch<'a> {
    let mut batch = Batch::new([Kind::Text]);
    // A longer one was never written, and cannot be asked for.
    for text in texts.iter().filter(|text| statements::check_length(text).is_ok()) {
        batch.push([Cell::from(*text)]);
    }
    batch
}

/// One statement where each batch fits one; otherwise one for each slice.
async fn select(
    database: &Database,
    selects: &[String],
    batches: &[Batch<'_>],
) -> Result<Vec<Found>, StoreError> {
    let slices: Vec<_> = batches.iter().map(Batch::slices).collect();
    if slices.iter().all(|slices| slices.len() == 1) && !slices.is_empty() {
        let binds: Vec<Bind<'_>> = slices.iter().map(|slices| Bind::Rows(slices[0])).collect();
        return database.read(&selects.join(" UNION ALL "), &binds).await;
    }
    let mut found = Vec::new();
    for (select, slices) in selects.iter().zip(slices) {
        for slice in slices {
            found.extend(database.read(select, &[Bind::Rows(slice)]).await?);
        }
    }
    Ok(found)
}

fn select_rows(database: &Database, table: &str) -> String {
    let what = format!("'{table}', t.\"id\", t.\"version\", t.\"state\", ''");
    let rows = database.dialect.rows(&[("id", Kind::Text)]);
    database.dialect.select_joined(&what, table, &rows, "t.\"id\" = n.\"id\"")
}

fn select_answers(database: &Database) -> String {
    let what = "'', t.\"key\", t.\"at_us\", t.\"body\", t.\"fingerprint\"";
    let rows = database.dialect.rows(&[("key", Kind::Text)]);
    database.dialect.select_joined(what, "answers", &rows, "t.\"key\" = n.\"key\"")
}

/// Reads a row's state.
pub fn decode<R: Row>(table: &str, id: &str, version: i64, state: &str) -> Result<Versioned<R>, StoreError> {
    let row = R::decode(table, state).map_err(|why| StoreError::Corrupt(format!("{table} {id}: {why}")))?;
    Ok(Versioned { row: Arc::new(row), version: unsigned(version)? })
}

/// How far the consumer of a partition is.
pub async fn position(database: &Database, partition: &Partition) -> Result<Position, StoreError> {
    let sql = "SELECT \"position\" FROM \"positions\" WHERE \"topic\" = ? AND \"partition\" = ?";
    let found = database.read(sql, &[partition.topic.name().into(), partition.name.as_str().into()]).await?;
    let position = found.first().map_or(Ok(0), |row| unsigned(row.int(0)?))?;
    Ok(Position(position))
}

/// The parked facts, oldest first.
pub async fn parked(database: &Database) -> Result<Vec<Parked>, StoreError> {
    let sql = "SELECT \"position\", \"id\", \"topic\", \"key\", \"type\", \"source\", \"payload\", \"time_us\", \
               \"traceparent\", \"partition\", \"reason\", \"at_us\" FROM \"parked\" \
               ORDER BY \"at_us\", \"topic\", \"partition\", \"position\"";
    let found = database.read(sql, &[]).await?;
    let mut parked = Vec::with_capacity(found.len());
    for row in &found {
        let record = record(row, "parked")?;
        parked.push(Parked {
            partition: Partition { topic: record.fact.topic, name: row.text(9)?.to_owned() },
            record,
            reason: row.text(10)?.to_owned(),
            at_us: row.int(11)?,
        });
    }
    Ok(parked)
}

/// A fact with its position: position, id, topic, key, kind, source, payload, time and trace context.
pub fn record(row: &Found, table: &str) -> Result<Record, StoreError> {
    let position = unsigned(row.int(0)?)?;
    let corrupt = |what: &str| StoreError::Corrupt(format!("{table} {position}: {what}"));
    let fact = Fact {
        id: FactId(Uuid::try_parse(row.text(1)?).map_err(|_| corrupt("the id is no UUID"))?),
        topic: Topic::from_name(row.text(2)?).ok_or_else(|| corrupt("the topic is unknown"))?,
        key: row.text(3)?.to_owned(),
        kind: row.text(4)?.to_owned(),
        source: bus::known_source(row.text(5)?).ok_or_else(|| corrupt("too many different sources"))?,
        payload: row.text(6)?.to_owned(),
        time_us: row.int(7)?,
        traceparent: row.maybe_text(8)?.map(str::to_owned),
        memo: Memo::default(),
    };
    Ok(Record { position: Position(position), fact: Arc::new(fact) })
}
