//! What a service is to the pipeline: commands, the rows they need, and a decision.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use bus::{Fact, FactId, Memo, Topic};
use domain::{Refusal, Time, facts::Published};
use hashlink::DefaultHashBuilder;
use serde::{Serialize, de::DeserializeOwned};
use store::{Change, Key, Row, Store, StoreError, Version, Versioned};

use crate::clock::Environment;

/// A service's behaviour. It does no IO: it sees rows and gives back rows and facts.
#[async_trait]
pub trait Machine: Send + Sync + 'static {
    /// What it keeps.
    type Row: Row;
    /// What can be asked of it, by requests and by facts alike.
    type Command: Clone + Send + Sync + 'static;
    /// What it answers. It is stored as the answer to an idempotency key.
    type Reply: Clone + Serialize + DeserializeOwned + Send + Sync + 'static;

    /// Tables whose new rows are asked for again a moment after they were made: those are kept at hand.
    const SOON_AGAIN: &'static [&'static str] = &[];

    /// The rows that a command looks at or changes. A row that is not named cannot be seen.
    fn keys(&self, command: &Self::Command) -> Vec<Key>;

    /// The row of [`Machine::keys`] that a command makes under an id that was never used before, as far as can
    /// be known. It is taken to be absent without a look; should it be there all the same, as when a fact is
    /// heard again, nothing is committed and the command is decided again with a look.
    fn makes(&self, _command: &Self::Command) -> Option<Key> {
        None
    }

    /// Whether a command needs further rows that only a query finds: then [`Machine::search`] finds them.
    fn searches(&self, _command: &Self::Command) -> bool {
        false
    }

    /// Further rows that a command needs and that only a query finds. Few commands need any.
    async fn search(
        &self,
        _store: &dyn Store<Self::Row>,
        _command: &Self::Command,
    ) -> Result<Vec<Key>, StoreError> {
        Ok(Vec::new())
    }

    /// Carries a command out on the view. On a refusal, what it put there is taken back.
    fn decide(
        &self,
        view: &mut View<Self::Row>,
        command: &Self::Command,
        now: Time,
    ) -> Result<Self::Reply, Refusal>;

    /// The command that a fact of another service gives; `None` when it does not matter here.
    fn hear(&self, fact: &Published) -> Option<Self::Command>;

    /// As [`Machine::hear`], for a machine that keeps from which request a fact comes.
    fn hear_fact(&self, published: &Published, _fact: &Fact) -> Option<Self::Command> {
        self.hear(published)
    }

    /// Told what was committed, for waking those who wait for it.
    fn committed(&self, _changes: &[Change<Self::Row>]) {}
}

/// A row as the view has it.
struct Slot<R> {
    /// As it was loaded.
    before: Option<Arc<R>>,
    loaded_version: Version,
    row: Option<Arc<R>>,
    dirty: bool,
    /// Nobody looked whether it is there.
    assumed_absent: bool,
}

impl<R> Slot<R> {
    fn loaded(found: Option<Versioned<R>>) -> Self {
        let (row, loaded_version) =
            found.map_or((None, 0), |Versioned { row, version }| (Some(row), version));
        Self { before: row.clone(), loaded_version, row, dirty: false, assumed_absent: false }
    }

    fn absent() -> Self {
        Self { before: None, loaded_version: 0, row: None, dirty: false, assumed_absent: true }
    }
}

/// What the decisions of a batch come to.
pub(crate) struct Written<R> {
    pub(crate) changes: Vec<Change<R>>,
    pub(crate) facts: Vec<Arc<Fact>>,
    pub(crate) forgotten: Vec<(Topic, String)>,
}

/// The rows of a batch of commands: each decision sees what those before it decided.
pub struct View<R: Row> {
    slots: HashMap<Key, Slot<R>, DefaultHashBuilder>,
    facts: Vec<Arc<Fact>>,
    forgotten: Vec<(Topic, String)>,
    /// What the decision now running put, until it succeeds.
    staged_rows: Vec<(Key, Option<Arc<R>>)>,
    staged_facts: Vec<Published>,
}

impl<R: Row> View<R> {
    /// A view of loaded rows, each key with its row, and of rows that are taken to be absent.
    #[must_use]
    pub fn new(keys: Vec<Key>, rows: Vec<Option<Versioned<R>>>, absent: Vec<Key>) -> Self {
        let loaded = keys.into_iter().zip(rows.into_iter().map(Slot::loaded));
        let absent = absent.into_iter().map(|key| (key, Slot::absent()));
        Self {
            slots: loaded.chain(absent).collect(),
            facts: Vec::new(),
            forgotten: Vec::new(),
            staged_rows: Vec::new(),
            staged_facts: Vec::new(),
        }
    }

    /// A row as it is now, with everything decided so far.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&R> {
        if let Some((_, row)) = self.staged_rows.iter().rev().find(|(staged, _)| staged == key) {
            return row.as_deref();
        }
        debug_assert!(self.slots.contains_key(key), "{key:?} is not named by Machine::keys");
        self.slots.get(key)?.row.as_deref()
    }

    /// Whether a row was loaded, or found absent.
    #[must_use]
    pub fn knows(&self, key: &Key) -> bool {
        self.slots.contains_key(key)
    }

    /// The loaded rows of a table, in no particular order.
    pub fn table(&self, table: &'static str) -> impl Iterator<Item = &R> {
        self.slots
            .iter()
            .filter(move |(key, _)| key.table == table)
            .filter_map(|(_, slot)| slot.row.as_deref())
    }

    /// Writes a row.
    pub fn put(&mut self, row: impl Into<R>) {
        let row = row.into();
        self.staged_rows.push((row.key(), Some(Arc::new(row))));
    }

    /// Removes a row.
    pub fn remove(&mut self, key: Key) {
        self.staged_rows.push((key, None));
    }

    /// Publishes a fact.
    pub fn publish(&mut self, fact: impl Into<Published>) {
        self.staged_facts.push(fact.into());
    }

    /// Keeps what the decision put.
    pub(crate) fn keep(
        &mut self,
        environment: &Environment,
        now: Time,
        traceparent: Option<&str>,
    ) -> Result<(), serde_json::Error> {
        for published in self.staged_facts.drain(..) {
            let ends_its_key = published.ends_its_key();
            let fact = fact::<R>(published, environment, now, traceparent)?;
            if ends_its_key {
                self.facts.retain(|earlier| (earlier.topic, &earlier.key) != (fact.topic, &fact.key));
                self.forgotten.push((fact.topic, fact.key.clone()));
            }
            self.facts.push(Arc::new(fact));
        }
        for (key, row) in self.staged_rows.drain(..) {
            let slot = self.slots.entry(key).or_insert_with(|| Slot::loaded(None));
            slot.row = row;
            slot.dirty = true;
        }
        Ok(())
    }

    /// Takes back what the decision put.
    pub(crate) fn discard(&mut self) {
        self.staged_rows.clear();
        self.staged_facts.clear();
    }

    /// Whether a decision saw a row as absent that nobody looked for, and did not make it: the commit would
    /// not notice if it was there.
    pub(crate) fn rests_on_assumption(&self) -> bool {
        self.slots.values().any(|slot| slot.assumed_absent && slot.row.is_none())
    }

    /// What is to be written.
    pub(crate) fn into_written(self) -> Written<R> {
        let written = |(key, slot): (Key, Slot<R>)| {
            // A row that was made and removed within one batch was never there.
            let is_change = slot.dirty && (slot.row.is_some() || slot.loaded_version > 0);
            is_change.then_some(Change {
                key,
                expected: slot.loaded_version,
                row: slot.row,
                before: slot.before,
            })
        };
        let mut changes: Vec<_> = self.slots.into_iter().filter_map(written).collect();
        // Neighbours are written together, and a commit is the same whatever the order of the map.
        changes.sort_unstable_by(|one: &Change<R>, other| one.key.cmp(&other.key));
        Written { changes, facts: self.facts, forgotten: self.forgotten }
    }
}

fn fact<R: Row>(
    published: Published,
    environment: &Environment,
    now: Time,
    traceparent: Option<&str>,
) -> Result<Fact, serde_json::Error> {
    Ok(Fact {
        id: FactId(environment.id()),
        source: R::SERVICE,
        kind: published.kind().to_owned(),
        // Every topic that the domain names is one of ours; a test holds the two together.
        topic: Topic::from_name(published.topic()).unwrap_or(Topic::UpsertData),
        key: published.key(),
        time_us: now.micros(),
        traceparent: traceparent.map(str::to_owned),
        payload: published.payload()?,
        memo: Memo::of(Ok::<Published, String>(published)),
    })
}
