//! A log as a consumer meets it: what other services publish, slow, stalled, or with facts that cannot be read or
//! that another version of the code wrote.

use std::{
    collections::BTreeMap,
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

/// What an older version of the code left out, as what is missing is read as this.
const LEFT_OUT: [&str; 3] = [",\"was_sold\":false", ",\"keeps\":[]", ",\"lines\":[]"];
/// The kinds of facts of which that may be left out.
const MAY_LEAVE_OUT: [&str; 2] = ["seats.released", "booking.cancelled"];
/// What a newer version may add; it ends the payload.
const UNKNOWN_FIELDS: &str = ",\"of_a_newer_version\":{\"list\":[1,null],\"text\":\"x\"}}";

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

/// What a consumer meets on one partition.
#[derive(Default)]
struct State {
    bad: BTreeMap<Position, Bad>,
    /// Facts that could not be read at some time, as they were written.
    was_bad: BTreeMap<Position, Arc<Fact>>,
    /// Whether a fact goes bad is drawn once, when it is first read.
    drawn_to: Position,
    /// Steps for which it gives nothing.
    stalled: u64,
    archive: Archive,
}

/// One partition, and which of the logs has it.
struct Place {
    partition: Partition,
    source: Arc<MemoryLog>,
    state: Mutex<State>,
}

impl Place {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one service consumes.
pub struct SimLog {
    places: Vec<Place>,
    faults: Arc<Faults>,
    most: Mutex<usize>,
}

impl SimLog {
    /// Puts faults in front of some topics of several logs; one read gives at most so many records.
    #[must_use]
    pub fn new(sources: &[Arc<MemoryLog>], topics: &[Topic], faults: Arc<Faults>, most: usize) -> Self {
        let mut places = Vec::new();
        for topic in topics {
            for source in sources {
                for partition in source.partitions(*topic) {
                    places.push(Place { partition, source: Arc::clone(source), state: Mutex::default() });
                }
            }
        }
        Self { places, faults, most: Mutex::new(most) }
    }

    /// Every partition, in the order of the topics.
    #[must_use]
    pub fn all_partitions(&self) -> Vec<Partition> {
        self.places.iter().map(|place| place.partition.clone()).collect()
    }

    fn place(&self, partition: &Partition) -> Option<&Place> {
        self.places.iter().find(|place| place.partition == *partition)
    }

    /// Keeps what is about to leave the log, so that it can still be held against what became of it.
    pub fn archive(&self, partition: &Partition, up_to: Position) {
        let Some(place) = self.place(partition) else { return };
        let mut state = place.state();
        let leaving = written(place, state.archive.up_to, usize::MAX);
        let leaving = leaving.into_iter().filter(|record| record.position <= up_to);
        state.archive.records.extend(leaving);
        // What stands between the last of these and there is of other topics.
        state.archive.up_to = state.archive.up_to.max(up_to);
    }

    /// Records as they were written, whether or not they have left the log; none of a partition that is not of
    /// this log.
    #[must_use]
    pub fn truth(&self, partition: &Partition, after: Position, most: usize) -> Vec<Record> {
        let Some(place) = self.place(partition) else { return Vec::new() };
        let state = place.state();
        let archived = &state.archive.records;
        let start = archived.partition_point(|record| record.position <= after);
        let mut records: Vec<Record> = archived[start..].iter().take(most).cloned().collect();
        let missing = most - records.len();
        records.extend(written(place, after.max(state.archive.up_to), missing));
        records
    }

    /// Lets a partition give nothing for so many reads.
    pub fn stall(&self, partition: usize, reads: u64) {
        self.places[partition].state().stalled = reads;
    }

    /// Every fact can be read again; how many could not.
    pub fn mend(&self) -> usize {
        self.places.iter().map(|place| std::mem::take(&mut place.state().bad).len()).sum()
    }

    /// Ends stalls, slowness and damage for good.
    pub fn calm(&self) {
        for place in &self.places {
            let mut state = place.state();
            state.bad.clear();
            state.stalled = 0;
        }
        *self.most.lock().unwrap_or_else(PoisonError::into_inner) = usize::MAX;
    }

    /// Whether a fact could not be read at some time.
    #[must_use]
    pub fn was_bad(&self, partition: &Partition, position: Position) -> bool {
        self.place(partition).is_some_and(|place| place.state().was_bad.contains_key(&position))
    }

    /// A parked fact as it is read now: whole once it was mended.
    #[must_use]
    pub fn mended(&self, mut parked: Parked) -> Parked {
        let position = parked.record.position;
        let Some(place) = self.place(&parked.partition) else { return parked };
        let mut state = place.state();
        if state.bad.contains_key(&position) {
            tick(&mut state.bad, position);
        } else if let Some(whole) = state.was_bad.get(&position) {
            parked.record.fact = Arc::clone(whole);
        }
        parked
    }

    fn spoil(&self, state: &mut State, records: &mut [Record]) {
        for record in records {
            if record.position > state.drawn_to {
                state.drawn_to = record.position;
                if self.faults.strikes(Fault::Poison) {
                    let bad = match self.faults.below(ONE_STAYS_BAD_OF) {
                        0 => Bad::UntilMended,
                        _ => Bad::For(1 + self.faults.below(MOST_BAD_READS)),
                    };
                    state.bad.insert(record.position, bad);
                    state.was_bad.insert(record.position, Arc::clone(&record.fact));
                }
            }
            if state.bad.contains_key(&record.position) {
                // A copy, which has forgotten what the fact was read as.
                let fact = Fact { payload: UNREADABLE.to_owned(), ..(*record.fact).clone() };
                record.fact = Arc::new(fact);
                tick(&mut state.bad, record.position);
            } else if self.faults.strikes(Fault::OtherVersion) {
                record.fact = Arc::new(by_another_version(&record.fact));
            }
        }
    }
}

/// What is in the log.
fn written(place: &Place, after: Position, most: usize) -> Vec<Record> {
    let read = place.source.read(&place.partition, after, most).now_or_never();
    read.expect("a memory log is always ready")
        .expect("a partition of this log, read from what is kept")
        .records
}

/// A fact as an older or a newer version of the code writes it: without what may be left out, and with what this one
/// does not know. It has forgotten what it was read as.
fn by_another_version(fact: &Fact) -> Fact {
    let mut payload = fact.payload.clone();
    if MAY_LEAVE_OUT.contains(&fact.kind.as_str()) {
        for left_out in LEFT_OUT {
            payload = payload.replace(left_out, "");
        }
    }
    payload.truncate(payload.trim_end().len().saturating_sub(1));
    payload.push_str(UNKNOWN_FIELDS);
    Fact { payload, ..fact.clone() }
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
        let places = self.places.iter().filter(|place| place.partition.topic == topic);
        places.map(|place| place.partition.clone()).collect()
    }

    async fn read(&self, partition: &Partition, after: Position, most: usize) -> Result<Batch, LogError> {
        let place = self.place(partition).ok_or_else(|| LogError::UnknownPartition(partition.to_string()))?;
        {
            let mut state = place.state();
            if state.stalled > 0 {
                state.stalled -= 1;
                return Ok(Batch { records: Vec::new(), next: after });
            }
        }
        let most = most.min(*self.most.lock().unwrap_or_else(PoisonError::into_inner));
        let mut batch = place.source.read(partition, after, most).await?;
        self.spoil(&mut place.state(), &mut batch.records);
        Ok(batch)
    }

    async fn wait(&self, partition: &Partition, after: Position) -> Result<(), LogError> {
        let place = self.place(partition).ok_or_else(|| LogError::UnknownPartition(partition.to_string()))?;
        place.source.wait(partition, after).await
    }
}
