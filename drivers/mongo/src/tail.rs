//! What the log says beyond what is applied: the newest state of everything that the entries after `base` changed.
//!
//! ```text
//!   entries      1  2  3  4  5  6  7  8  9
//!                ---------|                 applied: what they say is in the collections
//!                   ------|  base           held back by a read that began there
//!                          |--- tail ----|  in memory
//!                                        seen
//! ```
//!
//! State at `seen` = what the collections have, where the tail says nothing else. A collection may be ahead of
//! `base`, since somebody applies; what it has of a later entry, the tail has too.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    hash::Hash,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use bus::{Partition, Position, Topic};
use store::{Answer, AnswerKey, CommitId, Key, Parked, ParkedChange, Row, Settled, Versioned};

use crate::{
    document::EntryKind,
    entry::{Entry, Forgotten},
};

/// What an entry said of something, and which entry it was.
type Said<T> = (u64, T);

/// The newest of each thing that the entries of the tail changed.
struct Newest<K, T>(HashMap<K, Said<T>>);

impl<K: Eq + Hash, T> Newest<K, T> {
    fn say(&mut self, key: K, entry: u64, value: T) {
        self.0.insert(key, (entry, value));
    }

    fn forget(&mut self, key: &K, entry: u64) {
        if self.0.get(key).is_some_and(|(said, _)| *said == entry) {
            self.0.remove(key);
        }
    }

    fn get(&self, key: &K) -> Option<&T> {
        self.0.get(key).map(|(_, value)| value)
    }
}

/// When the head of the log was last seen, by two clocks: one stops while the machine sleeps, one can be set.
#[derive(Clone, Copy)]
pub struct Confirmed(Instant, SystemTime);

impl Confirmed {
    /// Now.
    pub fn now() -> Self {
        Self(Instant::now(), SystemTime::now())
    }

    /// So long ago that anything may have happened.
    #[cfg(test)]
    pub fn long_ago() -> Self {
        Self(Instant::now(), SystemTime::UNIX_EPOCH)
    }

    /// How long ago it was.
    pub fn ago(self) -> Duration {
        self.0.elapsed().max(self.1.elapsed().unwrap_or_default())
    }
}

/// The tail of the log.
pub struct Tail<R: Row> {
    base: u64,
    applied: u64,
    /// How often the store had to begin anew.
    pub generation: u64,
    /// The newest entry.
    pub seen: u64,
    /// When it was seen to be the newest.
    pub confirmed: Confirmed,
    /// Up to where the log itself says that it is applied.
    pub mark: u64,
    /// Who applies.
    pub by: Arc<str>,
    /// The newest entry that is nothing but a sign of life of who applies.
    pub last_sign: u64,
    /// The latest time of a commit.
    pub at_us: i64,
    /// The newest position of each topic.
    pub heads: BTreeMap<Topic, u64>,
    /// The newest entry with something to apply.
    pub last_effect: u64,
    entries: VecDeque<Arc<Entry<R>>>,
    /// How many reads began at which base.
    readers: BTreeMap<u64, usize>,
    rows: Newest<Key, Option<Versioned<R>>>,
    answers: Newest<AnswerKey, Answer>,
    positions: Newest<Partition, Position>,
    parked: Newest<(Partition, Position), Option<Parked>>,
    commits: Newest<CommitId, Settled>,
}

impl<R: Row> Tail<R> {
    /// Begins with an entry up to which everything is applied.
    pub fn at(number: u64) -> Self {
        Self {
            base: number,
            applied: number,
            generation: 0,
            seen: number,
            confirmed: Confirmed::now(),
            mark: number,
            by: "".into(),
            last_sign: number,
            at_us: 0,
            heads: BTreeMap::new(),
            last_effect: 0,
            entries: VecDeque::new(),
            readers: BTreeMap::new(),
            rows: Newest(HashMap::new()),
            answers: Newest(HashMap::new()),
            positions: Newest(HashMap::new()),
            parked: Newest(HashMap::new()),
            commits: Newest(HashMap::new()),
        }
    }

    /// Takes over what an entry says of all before it: the one that this begins at.
    pub fn begin_at(&mut self, entry: &Entry<R>) {
        self.by = Arc::clone(&entry.by);
        self.at_us = entry.at_us;
        self.heads.clone_from(&entry.heads);
    }

    /// Follows the next entry. Gives the positions up to which the outboxes are known to have everything, when the
    /// entry tells.
    pub fn push(&mut self, entry: Arc<Entry<R>>) -> Option<BTreeMap<Topic, u64>> {
        let number = entry.number;
        debug_assert_eq!(number, self.seen + 1, "the log has no gaps");
        self.seen = number;
        self.by = Arc::clone(&entry.by);
        self.at_us = entry.at_us;
        self.heads.clone_from(&entry.heads);
        if entry.has_effects() {
            self.last_effect = number;
        } else {
            self.last_sign = number;
        }
        for change in &entry.rows {
            self.rows.say(change.key.clone(), number, change.after.clone());
        }
        for (key, answer) in &entry.answers {
            self.answers.say(key.clone(), number, answer.clone());
        }
        for (partition, position) in &entry.positions {
            self.positions.say(partition.clone(), number, *position);
        }
        for change in &entry.parked {
            self.parked.say(parked_key(change), number, parked_value(change));
        }
        if let Some(id) = entry.commit {
            let is_commit = entry.kind == EntryKind::Commit;
            self.commits.say(id, number, if is_commit { Settled::Committed } else { Settled::Never });
        }
        let mark = entry.mark;
        self.entries.push_back(entry);
        if mark <= self.mark {
            return None;
        }
        self.mark = mark;
        let at_mark = self.entries.iter().find(|entry| entry.number == mark);
        let heads = at_mark.map(|entry| entry.heads.clone());
        self.set_applied(mark);
        heads
    }

    /// Everything up to an entry is in the collections.
    pub fn set_applied(&mut self, up_to: u64) {
        self.applied = self.applied.max(up_to);
        self.let_go();
    }

    /// Up to where everything is in the collections.
    pub fn applied(&self) -> u64 {
        self.applied
    }

    fn let_go(&mut self) {
        let held = self.readers.keys().next().copied().unwrap_or(u64::MAX);
        let floor = self.applied.min(held);
        while let Some(entry) = self.entries.pop_front_if(|entry| entry.number <= floor) {
            let number = entry.number;
            entry.rows.iter().for_each(|change| self.rows.forget(&change.key, number));
            entry.answers.iter().for_each(|(key, _)| self.answers.forget(key, number));
            entry.positions.iter().for_each(|(partition, _)| self.positions.forget(partition, number));
            entry.parked.iter().for_each(|change| self.parked.forget(&parked_key(change), number));
            if let Some(id) = &entry.commit {
                self.commits.forget(id, number);
            }
        }
        self.base = self.base.max(floor);
    }

    /// A read of the collections begins: what is said after the base stays until it ends. Gives the base.
    pub fn begin_read(&mut self) -> u64 {
        *self.readers.entry(self.base).or_default() += 1;
        self.base
    }

    /// A read that began at a base ends.
    pub fn end_read(&mut self, base: u64) {
        if let Some(count) = self.readers.get_mut(&base) {
            *count -= 1;
            if *count == 0 {
                self.readers.remove(&base);
                self.let_go();
            }
        }
    }

    /// The entries that are not applied yet.
    pub fn pending(&self) -> Vec<Arc<Entry<R>>> {
        self.entries.iter().filter(|entry| entry.number > self.applied).cloned().collect()
    }

    /// How many entries are not applied yet.
    pub fn pending_count(&self) -> u64 {
        self.seen - self.applied
    }

    /// Whether there is something to apply.
    pub fn has_work(&self) -> bool {
        self.last_effect > self.applied
    }

    /// What it says of a row; the inner none: it is gone.
    pub fn row(&self, key: &Key) -> Option<&Option<Versioned<R>>> {
        self.rows.get(key)
    }

    /// Every row of a table that it says something of.
    pub fn rows_of(&self, table: &str) -> impl Iterator<Item = (&Key, &Option<Versioned<R>>)> {
        self.rows.0.iter().filter(move |(key, _)| key.table == table).map(|(key, (_, row))| (key, row))
    }

    /// An answer that it has.
    pub fn answer(&self, key: &AnswerKey) -> Option<&Answer> {
        self.answers.get(key)
    }

    /// Where it says that a consumer is.
    pub fn position(&self, partition: &Partition) -> Option<Position> {
        self.positions.get(partition).copied()
    }

    /// The facts that it says are parked, or not any more.
    pub fn parked(&self) -> impl Iterator<Item = (&(Partition, Position), &Option<Parked>)> {
        self.parked.0.iter().map(|(key, (_, parked))| (key, parked))
    }

    /// What it says of a commit.
    pub fn commit(&self, id: CommitId) -> Option<Settled> {
        self.commits.get(&id).copied()
    }

    /// The facts of a topic that its entries remove.
    pub fn forgotten(&self, topic: Topic) -> impl Iterator<Item = &Forgotten> {
        self.entries.iter().flat_map(|entry| &entry.forgotten).filter(move |one| one.topic == topic)
    }
}

fn parked_key(change: &ParkedChange) -> (Partition, Position) {
    match change {
        ParkedChange::Park(parked) => (parked.partition.clone(), parked.record.position),
        ParkedChange::Unpark(partition, position) => (partition.clone(), *position),
    }
}

fn parked_value(change: &ParkedChange) -> Option<Parked> {
    match change {
        ParkedChange::Park(parked) => Some(parked.clone()),
        ParkedChange::Unpark(..) => None,
    }
}
