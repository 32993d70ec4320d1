//! An entry of the log, as the program has it.

use std::{collections::BTreeMap, sync::Arc};

use bus::{Partition, Position, Record, Topic};
use store::{Answer, AnswerKey, CommitId, Key, ParkedChange, Row, StoreError, Version, Versioned};
use uuid::Uuid;

use crate::document::{
    AnswerDoc, ChangeDoc, EntryDoc, EntryKind, FactDoc, ForgottenDoc, ParkedDoc, PositionDoc, padded,
    parked_id, partition_id, partition_of, signed,
};

/// A row that an entry wrote.
#[derive(Debug, Clone)]
pub struct Changed<R> {
    /// Where.
    pub key: Key,
    /// The version before; 0: there was none.
    pub before: Version,
    /// The row after it; none: it is gone.
    pub after: Option<Versioned<R>>,
}

/// Facts that an entry removes.
#[derive(Debug, Clone)]
pub struct Forgotten {
    /// Of which topic.
    pub topic: Topic,
    /// Of which key.
    pub key: String,
    /// Up to this position.
    pub up_to: Position,
}

/// One entry.
#[derive(Debug, Clone)]
pub struct Entry<R> {
    /// Its number: one more than the last.
    pub number: u64,
    /// What it is.
    pub kind: EntryKind,
    /// The commit that it is, or that will never be.
    pub commit: Option<CommitId>,
    /// The latest time of a commit up to here.
    pub at_us: i64,
    /// Every entry up to here has been applied.
    pub mark: u64,
    /// Who applies; empty: nobody.
    pub by: Arc<str>,
    /// The newest position of each topic after it.
    pub heads: BTreeMap<Topic, u64>,
    /// The rows that it wrote.
    pub rows: Vec<Changed<R>>,
    /// The facts that it removes.
    pub forgotten: Vec<Forgotten>,
    /// The facts that it publishes.
    pub facts: Vec<Record>,
    /// The answers that it keeps.
    pub answers: Vec<(AnswerKey, Answer)>,
    /// Where it takes consumers to.
    pub positions: Vec<(Partition, Position)>,
    /// The facts that it sets aside or takes back.
    pub parked: Vec<ParkedChange>,
}

impl<R: Row> Entry<R> {
    /// Whether there is something to apply.
    pub fn has_effects(&self) -> bool {
        self.kind != EntryKind::Mark
    }

    /// As it is stored.
    pub fn to_doc(&self) -> Result<EntryDoc, serde_json::Error> {
        let rows = self.rows.iter().map(change_doc).collect::<Result<_, _>>()?;
        let (mut parked, mut unparked) = (Vec::new(), Vec::new());
        for change in &self.parked {
            match change {
                ParkedChange::Park(one) => parked.push(ParkedDoc::new(one)),
                ParkedChange::Unpark(partition, position) => unparked.push(parked_id(partition, *position)),
            }
        }
        Ok(EntryDoc {
            id: padded(self.number),
            kind: self.kind,
            commit: self.commit.map(|id| id.0.to_string()),
            at_us: self.at_us,
            mark: signed(self.mark),
            by: self.by.to_string(),
            heads: self.heads.iter().map(|(topic, head)| (topic.name().to_owned(), signed(*head))).collect(),
            rows,
            forgotten: self.forgotten.iter().map(forgotten_doc).collect(),
            facts: self.facts.iter().map(FactDoc::new).collect(),
            answers: self.answers.iter().map(|(key, answer)| AnswerDoc::new(key, answer, 0)).collect(),
            positions: self.positions.iter().map(|(at, to)| position_doc(at, *to, 0)).collect(),
            parked,
            unparked,
        })
    }

    /// As it was stored.
    pub fn from_doc(doc: EntryDoc) -> Result<Self, StoreError> {
        let number = crate::document::number(&doc.id)?;
        let mut parked = Vec::with_capacity(doc.parked.len() + doc.unparked.len());
        for one in doc.parked {
            parked.push(ParkedChange::Park(one.into_parked()?));
        }
        for id in &doc.unparked {
            let (partition, position) =
                id.rsplit_once('/').ok_or_else(|| corrupt(number, "a parked fact"))?;
            let position = Position(crate::document::number(position)?);
            parked.push(ParkedChange::Unpark(partition_of(partition)?, position));
        }
        let positions = doc
            .positions
            .into_iter()
            .map(|one| Ok((partition_of(&one.partition)?, Position(one.position.cast_unsigned()))));
        Ok(Self {
            number,
            kind: doc.kind,
            commit: doc.commit.as_deref().map(|id| commit_id(number, id)).transpose()?,
            at_us: doc.at_us,
            mark: doc.mark.cast_unsigned(),
            by: doc.by.into(),
            heads: doc
                .heads
                .iter()
                .map(|(name, head)| Ok((topic(number, name)?, head.cast_unsigned())))
                .collect::<Result<_, StoreError>>()?,
            rows: doc.rows.into_iter().map(|change| changed(number, change)).collect::<Result<_, _>>()?,
            forgotten: doc
                .forgotten
                .into_iter()
                .map(|one| forgotten(number, one))
                .collect::<Result<_, _>>()?,
            facts: doc.facts.into_iter().map(FactDoc::into_record).collect::<Result<_, _>>()?,
            answers: doc.answers.into_iter().map(AnswerDoc::into_answer).collect(),
            positions: positions.collect::<Result<_, StoreError>>()?,
            parked,
        })
    }
}

/// How far a consumer is, as an entry says.
pub fn position_doc(partition: &Partition, to: Position, entry: u64) -> PositionDoc {
    PositionDoc { partition: partition_id(partition), position: signed(to.0), entry: signed(entry) }
}

/// The table of this name.
pub fn table<R: Row>(name: &str) -> Result<&'static store::Table, StoreError> {
    let found = R::TABLES.iter().find(|table| table.name == name);
    found.ok_or_else(|| StoreError::Corrupt(format!("no table {name}")))
}

/// Reads a row's state.
pub fn decode<R: Row>(table: &str, id: &str, version: u64, state: &str) -> Result<Versioned<R>, StoreError> {
    let row = R::decode(table, state).map_err(|why| StoreError::Corrupt(format!("{table} {id}: {why}")))?;
    Ok(Versioned { row: Arc::new(row), version })
}

fn corrupt(entry: u64, what: &str) -> StoreError {
    StoreError::Corrupt(format!("entry {entry} of the log: {what} cannot be read"))
}

fn topic(entry: u64, name: &str) -> Result<Topic, StoreError> {
    Topic::from_name(name).ok_or_else(|| corrupt(entry, "a topic"))
}

fn commit_id(entry: u64, id: &str) -> Result<CommitId, StoreError> {
    Uuid::try_parse(id).map(CommitId).map_err(|_| corrupt(entry, "the id of the commit"))
}

fn change_doc<R: Row>(change: &Changed<R>) -> Result<ChangeDoc, serde_json::Error> {
    let state = change.after.as_ref().map(|after| after.row.encode()).transpose()?;
    let (table, id) = (change.key.table.to_owned(), change.key.id.to_string());
    Ok(ChangeDoc { table, id, version: signed(change.before + 1), state })
}

fn changed<R: Row>(entry: u64, change: ChangeDoc) -> Result<Changed<R>, StoreError> {
    let table = table::<R>(&change.table)?.name;
    let version = change.version.cast_unsigned();
    let before = version.checked_sub(1).ok_or_else(|| corrupt(entry, "a version"))?;
    let state = change.state.as_deref();
    let after = state.map(|state| decode(table, &change.id, version, state)).transpose()?;
    Ok(Changed { key: Key::new(table, change.id), before, after })
}

fn forgotten_doc(one: &Forgotten) -> ForgottenDoc {
    ForgottenDoc { topic: one.topic.name().to_owned(), key: one.key.clone(), up_to: signed(one.up_to.0) }
}

fn forgotten(entry: u64, one: ForgottenDoc) -> Result<Forgotten, StoreError> {
    let up_to = Position(one.up_to.cast_unsigned());
    Ok(Forgotten { topic: topic(entry, &one.topic)?, key: one.key, up_to })
}
