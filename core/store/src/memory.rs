//! The store in memory: for tests and the simulator. It keeps rows as they are, without encoding them.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bus::{MemoryLog, Partition, Position, Topic};
use foldhash::fast::FixedState;

use crate::{
    Loaded, Store,
    commit::{Answer, AnswerKey, Commit, CommitError, CommitId, Parked, ParkedChange, Settled, StoreError},
    query::Query,
    row::{Key, Row, Table, Value, Versioned},
};

/// A store in memory, with its outbox as a log.
pub struct MemoryStore<R: Row> {
    state: Mutex<State<R>>,
    log: Arc<MemoryLog>,
}

/// Hashed alike in every run: what a seed of the simulator does must not depend on the process that runs it.
type Map<K, V> = HashMap<K, V, FixedState>;

struct State<R> {
    rows: Map<Key, Stored<R>>,
    /// Table, column and value of each unique column, with the row that has it.
    unique: BTreeMap<(&'static str, &'static str, Value), Key>,
    answers: Map<AnswerKey, Answer>,
    positions: BTreeMap<Partition, Position>,
    parked: BTreeMap<(Partition, Position), Parked>,
    committed: HashSet<CommitId, FixedState>,
    never: HashSet<CommitId, FixedState>,
}

/// A row, with what queries look for in it: that is made for the first query that comes to the row.
struct Stored<R> {
    versioned: Versioned<R>,
    columns: OnceCell<Vec<Value>>,
}

impl<R: Row> MemoryStore<R> {
    /// An empty store whose outbox publishes on these topics.
    #[must_use]
    pub fn new(topics: &[Topic]) -> Self {
        let state = State {
            rows: Map::default(),
            unique: BTreeMap::new(),
            answers: Map::default(),
            positions: BTreeMap::new(),
            parked: BTreeMap::new(),
            committed: HashSet::default(),
            never: HashSet::default(),
        };
        Self { state: Mutex::new(state), log: Arc::new(MemoryLog::new(R::SERVICE, topics)) }
    }

    /// Its outbox.
    #[must_use]
    pub fn log(&self) -> Arc<MemoryLog> {
        Arc::clone(&self.log)
    }

    /// Looks at every row in the order of their keys, without a copy.
    pub fn inspect(&self, mut look: impl FnMut(&R)) {
        let state = self.state();
        let mut rows: Vec<_> = state.rows.iter().collect();
        rows.sort_unstable_by_key(|(key, _)| *key);
        rows.into_iter().for_each(|(_, stored)| look(&stored.versioned.row));
    }

    fn state(&self) -> MutexGuard<'_, State<R>> {
        // A commit is checked before it is applied, and applying cannot panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl<R: Row> Store<R> for MemoryStore<R> {
    async fn load(&self, keys: &[Key], answers: &[AnswerKey]) -> Result<Loaded<R>, StoreError> {
        let state = self.state();
        Ok(Loaded {
            rows: keys.iter().map(|key| Some(state.rows.get(key)?.versioned.clone())).collect(),
            answers: answers.iter().map(|key| state.answers.get(key).cloned()).collect(),
        })
    }

    async fn query(&self, query: &Query) -> Result<Vec<Versioned<R>>, StoreError> {
        let state = self.state();
        let table = table_of::<R>(query.table)?;
        let rows = state.rows.iter().filter(|(key, _)| key.table == query.table);
        let found = rows.filter_map(|(_, Stored { versioned, columns })| {
            let columns = columns.get_or_init(|| versioned.row.columns());
            query.find_by(table, columns, versioned)
        });
        Ok(query.page(found.collect()))
    }

    async fn commit(&self, commit: Commit<R>) -> Result<(), CommitError> {
        let mut state = self.state();
        state.check(&commit)?;
        for (topic, key) in &commit.forgotten {
            self.log.forget(*topic, key);
        }
        self.log.append(&commit.facts);
        state.apply(commit);
        Ok(())
    }

    async fn settle(&self, id: CommitId) -> Result<Settled, StoreError> {
        let mut state = self.state();
        if state.committed.contains(&id) {
            return Ok(Settled::Committed);
        }
        state.never.insert(id);
        Ok(Settled::Never)
    }

    async fn position(&self, partition: &Partition) -> Result<Position, StoreError> {
        Ok(self.state().positions.get(partition).copied().unwrap_or_default())
    }

    async fn parked(&self) -> Result<Vec<Parked>, StoreError> {
        let mut parked: Vec<Parked> = self.state().parked.values().cloned().collect();
        parked.sort_by_key(|parked| parked.at_us);
        Ok(parked)
    }

    async fn prune(&self, before_us: i64) -> Result<u64, StoreError> {
        let mut state = self.state();
        let before = state.answers.len();
        state.answers.retain(|_, answer| answer.at_us >= before_us);
        Ok((before - state.answers.len()) as u64)
    }

    async fn trim(&self, topic: Topic, up_to: Position, before_us: i64) -> Result<u64, StoreError> {
        Ok(self.log.trim(topic, up_to, before_us))
    }
}

impl<R: Row> State<R> {
    fn check(&self, commit: &Commit<R>) -> Result<(), CommitError> {
        let stale = |what: String| Err(CommitError::Stale(what));
        if self.never.contains(&commit.id) || self.committed.contains(&commit.id) {
            return stale("the commit was settled before".to_owned());
        }
        for change in &commit.changes {
            let version = self.rows.get(&change.key).map_or(0, |stored| stored.versioned.version);
            if version != change.expected {
                return stale(format!("{:?} is at version {version}, not {}", change.key, change.expected));
            }
        }
        // A row may take over a unique value that another row of the same commit gives up.
        let is_rewritten = |owner: &Key| commit.changes.iter().any(|change| change.key == *owner);
        let mut taken = BTreeSet::new();
        for value in commit
            .changes
            .iter()
            .filter_map(|change| Some((change.key.table, change.row.as_ref()?)))
            .flat_map(|(table, row)| unique_values(table, row.as_ref()))
        {
            let owner = self.unique.get(&value).filter(|owner| !is_rewritten(owner));
            if owner.is_some() || !taken.insert(value.clone()) {
                return stale(format!("{}.{} is taken", value.0, value.1));
            }
        }
        if let Some((key, _)) = commit.answers.iter().find(|(key, _)| self.answers.contains_key(key)) {
            return stale(format!("{key:?} has an answer"));
        }
        for advance in &commit.advances {
            let position = self.positions.get(&advance.partition).copied().unwrap_or_default();
            if position != advance.from {
                return stale(format!("{} is at {position:?}, not {:?}", advance.partition, advance.from));
            }
        }
        Ok(())
    }

    fn apply(&mut self, commit: Commit<R>) {
        for change in &commit.changes {
            if let Some(old) = self.rows.get(&change.key) {
                for value in unique_values(change.key.table, old.versioned.row.as_ref()) {
                    self.unique.remove(&value);
                }
            }
        }
        for change in commit.changes {
            match change.row {
                Some(row) => {
                    for value in unique_values(change.key.table, row.as_ref()) {
                        self.unique.insert(value, change.key.clone());
                    }
                    let versioned = Versioned { row, version: change.expected + 1 };
                    self.rows.insert(change.key, Stored { versioned, columns: OnceCell::new() });
                }
                None => {
                    self.rows.remove(&change.key);
                }
            }
        }
        self.answers.extend(commit.answers);
        for advance in commit.advances {
            self.positions.insert(advance.partition, advance.to);
        }
        for change in commit.parked {
            match change {
                ParkedChange::Park(parked) => {
                    self.parked.insert((parked.partition.clone(), parked.record.position), parked);
                }
                ParkedChange::Unpark(partition, position) => {
                    self.parked.remove(&(partition, position));
                }
            }
        }
        self.committed.insert(commit.id);
    }
}

/// Table, column and value of each unique column of a row of a table.
fn unique_values<R: Row>(table: &str, row: &R) -> Vec<(&'static str, &'static str, Value)> {
    let Some(table) = R::TABLES.iter().find(|known| known.name == table) else { return Vec::new() };
    if !table.columns.iter().any(|column| column.unique) {
        return Vec::new();
    }
    let values = table.columns.iter().zip(row.columns());
    values
        .filter(|(column, value)| column.unique && *value != Value::Null)
        .map(|(column, value)| (table.name, column.name, value))
        .collect()
}

fn table_of<R: Row>(name: &str) -> Result<&'static Table, StoreError> {
    let found = R::TABLES.iter().find(|table| table.name == name);
    found.ok_or_else(|| StoreError::Corrupt(format!("no table {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{self, TOPICS};

    #[tokio::test]
    async fn the_memory_store_conforms() {
        conformance::run(|| async {
            let store = Arc::new(MemoryStore::new(&TOPICS));
            let log = store.log();
            (store as Arc<dyn Store<_>>, log as Arc<dyn bus::Log>)
        })
        .await;
    }
}
