//! Applying the log: what its entries say is written into the collections, by one store at a time.
//!
//! Many entries are applied at once, each row once however often it was written. It may be done again from the
//! beginning, by whoever comes next: documents are written whole, and never over those of a later entry.
//!
//! ```text
//!   entries   5 6 7 8 9       the collections                 then the mark: "applied up to 9, by me"
//!             +-------+  ---> rows, outbox, answers, ... --->  in the next entry, or in one of its own
//! ```

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use bus::{Partition, Position, Topic};
use futures_util::future::{join_all, try_join_all};
use mongodb::bson::{Document, doc, serialize_to_document};
use store::{AnswerKey, Parked, ParkedChange, Row, RowId, StoreError, Versioned};

use crate::{
    commit::{OutcomeDoc, empty_entry},
    database::{ANSWERS, COMMITS, LOG, PARKED, POSITIONS, outbox, table_collection},
    document::{AnswerDoc, EntryKind, FactDoc, ParkedDoc, gone, padded, parked_id, row, signed},
    entry::{Entry, Forgotten, position_doc, table},
    journal::{Appended, Journal},
    keeper::TAKE_OVER_AFTER,
};

/// How often the mark is tried because another process appended first.
const MAX_TRIES: usize = 100;

/// How long a store that applies may go on without a look whether it still does. Others take over only after
/// [`TAKE_OVER_AFTER`].
const LEASE: Duration = Duration::from_secs(1);

const _: () = assert!(LEASE.as_millis() * 4 < TAKE_OVER_AFTER.as_millis(), "one applies at a time");

/// What a row is after all of the entries.
struct Last<R> {
    entry: u64,
    at_us: i64,
    /// The first of the entries made it.
    is_new: bool,
    row: Option<Versioned<R>>,
}

/// What the entries say, each thing once.
pub struct Work<R> {
    rows: BTreeMap<&'static str, HashMap<RowId, Last<R>>>,
    forgotten: Vec<Forgotten>,
    facts: BTreeMap<Topic, Vec<FactDoc>>,
    answers: HashMap<AnswerKey, AnswerDoc>,
    positions: HashMap<Partition, (u64, Position)>,
    parked: HashMap<String, (u64, i64, Option<Parked>)>,
    outcomes: Vec<OutcomeDoc>,
}

impl<R: Row> Work<R> {
    /// What some entries say.
    pub fn of(entries: &[Arc<Entry<R>>]) -> Self {
        let mut work = Self {
            rows: BTreeMap::new(),
            forgotten: Vec::new(),
            facts: BTreeMap::new(),
            answers: HashMap::new(),
            positions: HashMap::new(),
            parked: HashMap::new(),
            outcomes: Vec::new(),
        };
        entries.iter().for_each(|entry| work.add(entry));
        work
    }

    fn add(&mut self, entry: &Entry<R>) {
        let (number, at_us) = (entry.number, entry.at_us);
        for change in &entry.rows {
            let rows = self.rows.entry(change.key.table).or_default();
            let is_new = rows.get(&change.key.id).map_or(change.before == 0, |last| last.is_new);
            rows.insert(
                change.key.id.clone(),
                Last { entry: number, at_us, is_new, row: change.after.clone() },
            );
        }
        for forgotten in &entry.forgotten {
            let up_to = padded(forgotten.up_to.0);
            if let Some(facts) = self.facts.get_mut(&forgotten.topic) {
                facts.retain(|fact| fact.aggregateid != forgotten.key || fact.position > up_to);
            }
            self.forgotten.push(forgotten.clone());
        }
        for record in &entry.facts {
            self.facts.entry(record.fact.topic).or_default().push(FactDoc::new(record));
        }
        for (key, answer) in &entry.answers {
            self.answers.insert(key.clone(), AnswerDoc::new(key, answer, number));
        }
        for (partition, position) in &entry.positions {
            self.positions.insert(partition.clone(), (number, *position));
        }
        for change in &entry.parked {
            let (id, parked) = match change {
                ParkedChange::Park(parked) => {
                    (parked_id(&parked.partition, parked.record.position), Some(parked.clone()))
                }
                ParkedChange::Unpark(partition, position) => (parked_id(partition, *position), None),
            };
            self.parked.insert(id, (number, at_us, parked));
        }
        if let Some(id) = entry.commit {
            let committed = entry.kind == EntryKind::Commit;
            // What will never be is kept for good.
            let at_us = committed.then_some(at_us);
            self.outcomes.push(OutcomeDoc { id: id.0.to_string(), committed, at_us });
        }
    }
}

impl<R: Row> Journal<R> {
    /// Applies everything that is seen, if that is for this store to do; whether it was.
    pub async fn apply(&self) -> Result<bool, StoreError> {
        let _alone = self.applying.lock().await;
        self.catch_up().await?;
        let entries = {
            let tail = self.tail();
            if tail.by != self.me {
                return Ok(false);
            }
            tail.pending()
        };
        if let Some(last) = entries.last() {
            self.write(Work::of(&entries)).await?;
            self.set_applied(last);
        }
        Ok(true)
    }

    /// Writes it into the collections.
    pub async fn write(&self, work: Work<R>) -> Result<(), StoreError> {
        let rows = try_join_all(work.rows.into_iter().map(|(table, rows)| self.write_rows(table, rows)));
        let facts = self.write_facts(work.forgotten, work.facts);
        let answers: Vec<AnswerDoc> = work.answers.into_values().collect();
        let answers =
            async { Ok::<_, StoreError>(self.place.insert_all(ANSWERS, &answers).await.map(drop)?) };
        let positions = work
            .positions
            .into_iter()
            .map(|(partition, (entry, position))| to_document(&position_doc(&partition, position, entry)));
        let positions: Vec<Document> = positions.collect::<Result<_, _>>()?;
        let positions = self.replace(POSITIONS, positions);
        let parked = work.parked.into_iter().map(|(id, (entry, at_us, parked))| match parked {
            Some(parked) => to_document(&ParkedDoc { entry: signed(entry), ..ParkedDoc::new(&parked) }),
            None => Ok(gone(&id, entry, at_us)),
        });
        let parked: Vec<Document> = parked.collect::<Result<_, _>>()?;
        let parked = self.replace(PARKED, parked);
        let outcomes = async { Ok(self.place.insert_all(COMMITS, &work.outcomes).await.map(drop)?) };
        // Each is waited for, also when another fails: nothing of it goes on beside the next try.
        let rest: [futures_util::future::BoxFuture<'_, Result<(), StoreError>>; 6] = [
            Box::pin(async { rows.await.map(drop) }),
            Box::pin(facts),
            Box::pin(answers),
            Box::pin(positions),
            Box::pin(parked),
            Box::pin(outcomes),
        ];
        join_all(rest).await.into_iter().collect()
    }

    /// Before each part: whoever slept in between may have been taken to have died, and then somebody else applies.
    async fn still_applies(&self) -> Result<(), StoreError> {
        if self.tail().confirmed.ago() > LEASE {
            self.catch_up().await?;
        }
        if self.tail().by != self.me {
            return Err(StoreError::Unavailable("another process applies the log now".to_owned()));
        }
        Ok(())
    }

    async fn replace(&self, collection: &str, documents: Vec<Document>) -> Result<(), StoreError> {
        for part in self.place.parts(documents) {
            self.still_applies().await?;
            self.place.replace(collection, part).await?;
        }
        Ok(())
    }

    /// New rows are inserted together, which is much the cheapest; the others are written over what is there.
    async fn write_rows(&self, name: &'static str, rows: HashMap<RowId, Last<R>>) -> Result<(), StoreError> {
        let (mut new, mut others) = (Vec::new(), Vec::new());
        for (id, last) in rows {
            let document = match &last.row {
                Some(after) => {
                    row(table::<R>(name)?, &id.to_string(), last.entry, after.version, after.row.as_ref())?
                }
                None => gone(&id.to_string(), last.entry, last.at_us),
            };
            if last.is_new { new.push(document) } else { others.push(document) }
        }
        let collection = table_collection(name);
        // A document is there already when this is done again, or when there was a row of that id once.
        for place in self.place.insert_all(&collection, &new).await? {
            others.extend(new.get(place).cloned());
        }
        self.replace(&collection, others).await
    }

    async fn write_facts(
        &self,
        forgotten: Vec<Forgotten>,
        facts: BTreeMap<Topic, Vec<FactDoc>>,
    ) -> Result<(), StoreError> {
        for one in forgotten {
            let filter = doc! { "aggregateid": &one.key, "_id": { "$lte": padded(one.up_to.0) } };
            self.place.delete(&outbox(one.topic), filter).await?;
        }
        for (topic, facts) in facts {
            self.place.insert_in_order(&outbox(topic), &facts).await?;
        }
        Ok(())
    }

    /// Appends an entry that says how far the log is applied and who applies it from now on, unless somebody else
    /// came to apply it meanwhile; whether it did.
    pub async fn mark(&self, by: &Arc<str>, while_it_is: &Arc<str>) -> Result<bool, StoreError> {
        let _alone = self.appending.lock().await;
        for _ in 0..MAX_TRIES {
            let entry = {
                let tail = self.tail();
                if tail.by != *while_it_is {
                    return Ok(false);
                }
                Entry { by: Arc::clone(by), ..empty_entry(&tail, &self.me) }
            };
            match self.append(entry).await {
                Appended::Yes => return Ok(true),
                Appended::Taken => self.catch_up().await?,
                Appended::No(why) | Appended::Perhaps(why) => return Err(StoreError::Unavailable(why)),
            }
        }
        Err(StoreError::Unavailable(format!("other processes were first {MAX_TRIES} times")))
    }

    /// Deletes the entries before one: they are applied, and everybody has seen them.
    pub async fn delete_before(&self, entry: u64) -> Result<u64, StoreError> {
        self.place.delete(LOG, doc! { "_id": { "$lt": padded(entry) } }).await
    }
}

fn to_document<T: serde::Serialize>(value: &T) -> Result<Document, StoreError> {
    serialize_to_document(value).map_err(|error| StoreError::Corrupt(error.to_string()))
}
