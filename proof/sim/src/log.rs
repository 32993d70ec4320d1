//! A log as a consumer meets it: another service's outbox, slow, stalled, or with facts that cannot be read.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bus::{Batch, Fact, Log, LogError, MemoryLog, Partition, Position, Record, Topic};
use futures_util::FutureExt;
use store::Parked;

use crate::faults::{Fault, Faults};

/// What an unreadable fact looks like.
const UNREADABLE: &str = "{\"unreadable";
/// The most tries for which a passing fault keeps a fact unreadable; beyond `kit`'s own limit, so that
/// some are parked.
const MOST_BAD_READS: u64 = 9;
/// Of so many unreadable facts, one stays so until somebody mends it.
const ONE_STAYS_BAD_OF: u64 = 3;

/// For how long a fact cannot be read.
#[derive(Debug, Clone, Copy)]
enum Bad {
    /// For so many more reads.
    For(u64),
    /// Until the world mends it.
    UntilMended,
}

/// What may have left the outbox.
#[derive(Default)]
struct Archive {
    records: Vec<Record>,
    /// It has all up to here.
    up_to: Position,
}

#[derive(Default)]
struct State {
    bad: BTreeMap<Position, Bad>,
    /// Facts that could not be read at some time.
    was_bad: BTreeSet<Position>,
    /// Whether a fact goes bad is drawn once, when it is first read.
    drawn_to: BTreeMap<Topic, Position>,
    /// Steps for which a partition gives nothing.
    stalled: BTreeMap<Topic, u64>,
    archive: BTreeMap<Topic, Archive>,
    most: usize,
}

/// The outbox that one service consumes.
pub struct SimLog {
    inner: Arc<MemoryLog>,
    faults: Arc<Faults>,
    state: Mutex<State>,
}

impl SimLog {
    /// Puts faults in front of a log; one read gives at most so many records.
    #[must_use]
    pub fn new(inner: Arc<MemoryLog>, faults: Arc<Faults>, most: usize) -> Self {
        Self { inner, faults, state: Mutex::new(State { most, ..State::default() }) }
    }

    /// Keeps what is about to leave the outbox, so that it can still be held against what became of it.
    pub fn archive(&self, partition: &Partition, up_to: Position) {
        let kept = self.archived_to(partition.topic);
        let leaving = self.written(partition, kept, usize::MAX);
        let leaving = leaving.into_iter().filter(|record| record.position <= up_to);
        let mut state = self.state();
        let archive = state.archive.entry(partition.topic).or_default();
        archive.records.extend(leaving);
        // What stands between the last of these and there is of other topics.
        archive.up_to = archive.up_to.max(up_to);
    }

    fn archived_to(&self, topic: Topic) -> Position {
        self.state().archive.get(&topic).map(|archive| archive.up_to).unwrap_or_default()
    }

    /// What is in the outbox.
    fn written(&self, partition: &Partition, after: Position, most: usize) -> Vec<Record> {
        let read = self.inner.read(partition, after, most).now_or_never();
        read.expect("a memory log is always ready")
            .expect("a partition of this log, read from what is kept")
            .records
    }

    /// Records as they were written, whether or not they have left the outbox.
    ///
    /// # Panics
    /// When the partition is not of this log.
    #[must_use]
    pub fn truth(&self, partition: &Partition, after: Position, most: usize) -> Vec<Record> {
        let archived_to = self.archived_to(partition.topic);
        let mut records: Vec<Record> = match self.state().archive.get(&partition.topic) {
            Some(archive) => {
                let start = archive.records.partition_point(|record| record.position <= after);
                archive.records[start..].iter().take(most).cloned().collect()
            }
            None => Vec::new(),
        };
        let missing = most - records.len();
        records.extend(self.written(partition, after.max(archived_to), missing));
        records
    }

    /// Lets a topic give nothing for so many reads.
    pub fn stall(&self, topic: Topic, reads: u64) {
        self.state().stalled.insert(topic, reads);
    }

    /// Every fact can be read again; how many could not.
    pub fn mend(&self) -> usize {
        std::mem::take(&mut self.state().bad).len()
    }

    /// Ends stalls, slowness and damage for good.
    pub fn calm(&self) {
        let mut state = self.state();
        state.bad.clear();
        state.stalled.clear();
        state.most = usize::MAX;
    }

    /// Whether a fact could not be read at some time.
    #[must_use]
    pub fn was_bad(&self, position: Position) -> bool {
        self.state().was_bad.contains(&position)
    }

    /// A parked fact as it is read now: whole once it was mended.
    #[must_use]
    pub fn mended(&self, mut parked: Parked) -> Parked {
        let position = parked.record.position;
        {
            let mut state = self.state();
            if state.bad.contains_key(&position) {
                tick(&mut state.bad, position);
                return parked;
            }
        }
        if parked.record.fact.payload == UNREADABLE {
            let before = Position(position.0 - 1);
            parked.record = self.truth(&parked.partition, before, 1).remove(0);
        }
        parked
    }

    fn spoil(&self, state: &mut State, topic: Topic, records: &mut [Record]) {
        for record in records {
            let drawn_to = state.drawn_to.entry(topic).or_default();
            if record.position > *drawn_to {
                *drawn_to = record.position;
                if self.faults.strikes(Fault::Poison) {
                    let bad = match self.faults.below(ONE_STAYS_BAD_OF) {
                        0 => Bad::UntilMended,
                        _ => Bad::For(1 + self.faults.below(MOST_BAD_READS)),
                    };
                    state.bad.insert(record.position, bad);
                    state.was_bad.insert(record.position);
                }
            }
            if state.bad.contains_key(&record.position) {
                // A copy, which has forgotten what the fact was read as.
                let fact = Fact { payload: UNREADABLE.to_owned(), ..(*record.fact).clone() };
                record.fact = Arc::new(fact);
                tick(&mut state.bad, record.position);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One bad read less.
fn tick(bad: &mut BTreeMap<Position, Bad>, position: Position) {
    match bad.get_mut(&position) {
        Some(Bad::For(reads)) if *reads > 1 => *reads -= 1,
        Some(Bad::For(_)) => {
            bad.remove(&position);
        }
        Some(Bad::UntilMended) | None => {}
    }
}

#[async_trait]
impl Log for SimLog {
    fn partitions(&self, topic: Topic) -> Vec<Partition> {
        self.inner.partitions(topic)
    }

    async fn read(&self, partition: &Partition, after: Position, most: usize) -> Result<Batch, LogError> {
        let most = {
            let mut state = self.state();
            if let Some(reads) = state.stalled.get_mut(&partition.topic).filter(|reads| **reads > 0) {
                *reads -= 1;
                return Ok(Batch { records: Vec::new(), next: after });
            }
            most.min(state.most)
        };
        let mut batch = self.inner.read(partition, after, most).await?;
        self.spoil(&mut self.state(), partition.topic, &mut batch.records);
        Ok(batch)
    }

    async fn wait(&self, partition: &Partition, after: Position) -> Result<(), LogError> {
        self.inner.wait(partition, after).await
    }
}
