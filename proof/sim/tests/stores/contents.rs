//! All that a store has, in one form whatever the driver, and its digest.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use bus::{Log, Partition, Position, Record, Topic};
use sim::tape::Asked;
use store::{AnswerKey, Cursor, Query, Row, Store, Value};

use crate::replay::ordered;

/// Facts of one read.
const MOST_FACTS: usize = 500;

/// What a store has, a line for each thing.
#[derive(Debug)]
pub struct Contents(Vec<String>);

impl Contents {
    /// One number for all of it.
    pub fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        hasher.finish()
    }

    /// How many things there are.
    pub fn lines(&self) -> usize {
        self.0.len()
    }

    /// Panics with the first line that another has otherwise.
    pub fn assert_same(&self, other: &Self, which: &str) {
        for (mine, theirs) in self.0.iter().zip(&other.0) {
            assert_eq!(mine, theirs, "{which}");
        }
        assert_eq!(self.lines(), other.lines(), "{which}");
        assert_eq!(self.digest(), other.digest(), "{which}");
    }
}

/// Reads all of a store. Answers and positions are found by the names that are on the tape. Last, the older half of the
/// outbox is removed, and what is left of it read again.
pub async fn of<R: Row>(
    store: &dyn Store<R>,
    log: &dyn Log,
    topics: &[Topic],
    tape: &[Asked<R>],
) -> Contents {
    let mut lines = Vec::new();
    for table in R::TABLES {
        rows(store, table.name, &mut lines).await;
    }
    let (answers, partitions) = names(tape);
    for (key, answer) in answers.iter().zip(store.load(&[], &answers).await.unwrap().answers) {
        lines.push(format!("answer {key:?} {answer:?}"));
    }
    for partition in &partitions {
        lines.push(format!("position {partition} {:?}", store.position(partition).await.unwrap()));
    }
    for parked in ordered(store.parked().await.unwrap()) {
        lines.push(format!("parked {parked:?}"));
    }
    for topic in topics {
        let [partition]: [Partition; 1] = log.partitions(*topic).try_into().unwrap();
        let facts = facts(log, &partition, Position::default()).await;
        lines.extend(facts.iter().map(fact));
        let Some(middle) = facts.get(facts.len() / 2) else { continue };
        let trimmed = store.trim(*topic, middle.position, middle.fact.time_us + 1).await.unwrap();
        lines.push(format!("trimmed {trimmed} of {partition}"));
        let left = self::facts(log, &partition, middle.position).await;
        lines.extend(left.iter().map(fact));
    }
    Contents(lines)
}

/// A fact without its position: in which order facts are is for all to keep, by which numbers is each driver's own.
fn fact(record: &Record) -> String {
    format!("fact {:?}", record.fact)
}

async fn rows<R: Row>(store: &dyn Store<R>, table: &'static str, lines: &mut Vec<String>) {
    let mut after = None;
    loop {
        let page = store.query(&Query::all(table).after(after)).await.unwrap();
        let Some(last) = page.last() else { return };
        after = Some(Cursor { value: Value::Null, id: last.row.key().id.to_string() });
        for found in &page {
            let state = found.row.encode().unwrap();
            lines.push(format!(
                "row {:?} {} {:?} {state}",
                found.row.key(),
                found.version,
                found.row.columns()
            ));
        }
    }
}

/// The idempotency keys and the partitions of all commits.
fn names<R: Row>(tape: &[Asked<R>]) -> (Vec<AnswerKey>, BTreeSet<Partition>) {
    let commits = || {
        tape.iter().filter_map(|asked| match asked {
            Asked::Commit(commit, _) => Some(commit),
            _ => None,
        })
    };
    let answers: BTreeSet<&AnswerKey> =
        commits().flat_map(|commit| commit.answers.iter().map(|(key, _)| key)).collect();
    let advances =
        commits().flat_map(|commit| commit.advances.iter().map(|advance| advance.partition.clone()));
    (answers.into_iter().cloned().collect(), advances.collect())
}

async fn facts(log: &dyn Log, partition: &Partition, mut after: Position) -> Vec<Record> {
    let mut facts = Vec::new();
    loop {
        let batch = log.read(partition, after, MOST_FACTS).await.unwrap();
        if batch.records.is_empty() {
            return facts;
        }
        after = batch.next;
        facts.extend(batch.records);
    }
}
