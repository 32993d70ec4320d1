//! The documents, as they are in the database.
//!
//! An entry of the log is one commit. Everything else is made from it: rows, answers, positions, parked facts, ids of
//! commits and the outbox, each in a collection of its own.

use std::{collections::BTreeMap, sync::Arc};

use bus::{Fact, FactId, Memo, Partition, Position, Record, Topic};
use mongodb::bson::{Bson, Document, doc};
use serde::{Deserialize, Serialize};
use store::{Answer, ColumnKind, Parked, Row, StoreError, Table, Value};
use uuid::Uuid;

/// A number as text that is ordered as the number is. Ids are text, since FerretDB looks up no others.
pub fn padded(number: u64) -> String {
    format!("{number:020}")
}

/// The number that a text stands for.
pub fn number(padded: &str) -> Result<u64, StoreError> {
    padded.parse().map_err(|_| StoreError::Corrupt(format!("{padded:?} is no number")))
}

/// What an entry of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A commit.
    Commit,
    /// That a commit will never be.
    Never,
    /// How far the log is applied, and by whom.
    Mark,
}

/// One entry of the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EntryDoc {
    /// Its number: one more than the last, [`padded`].
    #[serde(rename = "_id")]
    pub id: String,
    /// What it is.
    pub kind: EntryKind,
    /// The id of the commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The latest time of a commit up to here, in microseconds since 1970 UTC.
    pub at_us: i64,
    /// Every entry up to here has been applied.
    pub mark: i64,
    /// Who applies; empty: nobody.
    pub by: String,
    /// The newest position of each topic, after this entry.
    pub heads: BTreeMap<String, i64>,
    /// The rows that were written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<ChangeDoc>,
    /// The facts whose keys are forgotten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forgotten: Vec<ForgottenDoc>,
    /// What is published.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<FactDoc>,
    /// Answers to idempotency keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<AnswerDoc>,
    /// The new positions of consumers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub positions: Vec<PositionDoc>,
    /// Facts set aside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parked: Vec<ParkedDoc>,
    /// Facts taken back: their ids among the parked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unparked: Vec<String>,
}

/// About what a part of an entry takes beside its texts, in bytes.
const PART_BYTES: usize = 400;

impl EntryDoc {
    /// About how many bytes it has; hardly more in truth.
    pub fn bytes(&self) -> usize {
        let rows = self.rows.iter().map(|row| row.id.len() + row.state.as_ref().map_or(0, String::len));
        let facts = self.facts.iter().map(|fact| fact.aggregateid.len() + fact.payload.len());
        let answers = self.answers.iter().map(|answer| answer.key.len() + answer.body.len());
        let parked = self.parked.iter().map(|parked| parked.fact.payload.len() + parked.reason.len());
        rows.chain(facts).chain(answers).chain(parked).map(|texts| texts + PART_BYTES).sum()
    }
}

/// A row that was written, in an entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangeDoc {
    /// The table.
    pub table: String,
    /// The row's id.
    pub id: String,
    /// Its version after it.
    pub version: i64,
    /// Its state after it; none: it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// A key whose facts are forgotten.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ForgottenDoc {
    /// Of which topic.
    pub topic: String,
    /// The key.
    pub key: String,
    /// Facts up to this position.
    pub up_to: i64,
}

/// A fact: of the outbox under its position, of an entry with it. The fields are those that Debezium's outbox event
/// router reads.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FactDoc {
    /// Its position in its topic, [`padded`].
    #[serde(rename = "_id")]
    pub position: String,
    /// The id of the fact.
    pub id: String,
    /// The topic.
    pub aggregatetype: String,
    /// The key.
    pub aggregateid: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: String,
    /// Who says so.
    pub source: String,
    /// JSON.
    pub payload: String,
    /// When, in microseconds since 1970 UTC.
    pub time_us: i64,
    /// W3C trace context; there as null where there is none, because Debezium's router asks for each field.
    #[serde(default)]
    pub traceparent: Option<String>,
}

impl FactDoc {
    /// A fact at a position.
    pub fn new(Record { position, fact }: &Record) -> Self {
        Self {
            position: padded(position.0),
            id: fact.id.0.to_string(),
            aggregatetype: fact.topic.name().to_owned(),
            aggregateid: fact.key.clone(),
            kind: fact.kind.clone(),
            source: fact.source.to_owned(),
            payload: fact.payload.clone(),
            time_us: fact.time_us,
            traceparent: fact.traceparent.clone(),
        }
    }

    /// The fact where it stands.
    pub fn into_record(self) -> Result<Record, StoreError> {
        let corrupt = |what: &str| StoreError::Corrupt(format!("fact {}: {what}", self.position));
        let fact = Fact {
            id: FactId(Uuid::try_parse(&self.id).map_err(|_| corrupt("the id is no UUID"))?),
            source: bus::known_source(&self.source).ok_or_else(|| corrupt("too many different sources"))?,
            topic: Topic::from_name(&self.aggregatetype).ok_or_else(|| corrupt("the topic is unknown"))?,
            kind: self.kind,
            key: self.aggregateid,
            time_us: self.time_us,
            traceparent: self.traceparent,
            payload: self.payload,
            memo: Memo::default(),
        };
        Ok(Record { position: Position(number(&self.position)?), fact: Arc::new(fact) })
    }
}

/// An answer to an idempotency key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AnswerDoc {
    /// The key.
    #[serde(rename = "_id")]
    pub key: String,
    /// The hash of the request's body.
    pub fingerprint: String,
    /// The answer.
    pub body: String,
    /// When it was given.
    pub at_us: i64,
    /// The entry that said so.
    #[serde(default)]
    pub entry: i64,
}

impl AnswerDoc {
    /// An answer with its key.
    pub fn new(key: &store::AnswerKey, answer: &Answer, entry: u64) -> Self {
        let Answer { fingerprint, body, at_us } = answer.clone();
        Self { key: key.0.clone(), fingerprint, body, at_us, entry: signed(entry) }
    }

    /// The answer, with its key.
    pub fn into_answer(self) -> (store::AnswerKey, Answer) {
        let answer = Answer { fingerprint: self.fingerprint, body: self.body, at_us: self.at_us };
        (store::AnswerKey(self.key), answer)
    }
}

/// How far a consumer is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PositionDoc {
    /// The partition, as [`partition_id`] writes it.
    #[serde(rename = "_id")]
    pub partition: String,
    /// Up to here all is done.
    pub position: i64,
    /// The entry that said so.
    #[serde(default)]
    pub entry: i64,
}

/// A fact that could not be processed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ParkedDoc {
    /// See [`parked_id`].
    #[serde(rename = "_id")]
    pub id: String,
    /// The partition, as [`partition_id`] writes it.
    pub partition: String,
    /// The fact, where it was read.
    pub fact: FactDoc,
    /// Why.
    pub reason: String,
    /// When.
    pub at_us: i64,
    /// The entry that said so.
    #[serde(default)]
    pub entry: i64,
}

impl ParkedDoc {
    /// A parked fact.
    pub fn new(parked: &Parked) -> Self {
        Self {
            id: parked_id(&parked.partition, parked.record.position),
            partition: partition_id(&parked.partition),
            fact: FactDoc::new(&parked.record),
            reason: parked.reason.clone(),
            at_us: parked.at_us,
            entry: 0,
        }
    }

    /// What it stands for.
    pub fn into_parked(self) -> Result<Parked, StoreError> {
        let partition = partition_of(&self.partition)?;
        Ok(Parked { partition, record: self.fact.into_record()?, reason: self.reason, at_us: self.at_us })
    }
}

/// The id of what a consumer of a partition keeps.
pub fn partition_id(partition: &Partition) -> String {
    partition.to_string()
}

/// The partition with this id. The name of a topic has no slash.
pub fn partition_of(id: &str) -> Result<Partition, StoreError> {
    let parts = id.split_once('/').and_then(|(topic, name)| Some((Topic::from_name(topic)?, name)));
    let (topic, name) = parts.ok_or_else(|| StoreError::Corrupt(format!("{id:?} is no partition")))?;
    Ok(Partition { topic, name: name.to_owned() })
}

/// The id of a parked fact.
pub fn parked_id(partition: &Partition, position: Position) -> String {
    format!("{partition}/{}", padded(position.0))
}

/// A row in its collection.
#[derive(Debug, Clone, Deserialize)]
pub struct RowDoc {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: String,
    /// The entry that wrote it last.
    pub entry: i64,
    /// Its version.
    #[serde(default)]
    pub version: i64,
    /// Its state; none: it is gone, and only the entry that said so is kept.
    #[serde(default)]
    pub state: Option<String>,
}

/// What is written of a row, with its columns.
pub fn row<R: Row>(
    table: &Table,
    id: &str,
    entry: u64,
    version: u64,
    row: &R,
) -> Result<Document, StoreError> {
    let state = row.encode().map_err(|error| StoreError::Corrupt(format!("{} {id}: {error}", table.name)))?;
    let mut columns = Document::new();
    for (column, value) in table.columns.iter().zip(row.columns()) {
        // A value that is missing sorts first and equals nothing, as it should.
        if let Some(kept) = kept(column.kind, value) {
            columns.insert(column.name, kept);
        }
    }
    Ok(doc! { "_id": id, "entry": signed(entry), "version": signed(version), "state": state, "c": columns })
}

/// What is written of a row that is gone, so that an older state cannot come back.
pub fn gone(id: &str, entry: u64, at_us: i64) -> Document {
    doc! { "_id": id, "entry": signed(entry), "gone": at_us }
}

fn kept(kind: ColumnKind, value: Value) -> Option<Bson> {
    match (kind, value) {
        (_, Value::Null) => None,
        (ColumnKind::Words, Value::Text(text)) => {
            Some(text.split(' ').map(Bson::from).collect::<Vec<_>>().into())
        }
        (_, Value::Text(text)) => Some(text.into()),
        (_, Value::Int(number)) => Some(Bson::Int64(number)),
        (_, Value::Set(texts)) => Some(texts.into_iter().map(Bson::from).collect::<Vec<_>>().into()),
    }
}

/// A number as BSON has it; beyond its range it is the greatest.
pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
