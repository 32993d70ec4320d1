//! A commit: what it expects is checked on the state after the newest entry that is seen, and then the entry with the
//! next number is inserted. That the number was free proves that the state was still so.

use std::{sync::Arc, time::Duration};

use bus::{Position, Record};
use futures_util::future::try_join4;
use serde::Deserialize;
use store::{AnswerKey, Change, Commit, CommitError, CommitId, Key, Row, Settled, StoreError, Versioned};

use crate::{
    database::COMMITS,
    document::{EntryKind, PositionDoc, RowDoc, partition_id},
    entry::{Changed, Entry, Forgotten},
    error::not_committed,
    journal::{Appended, Journal},
    reads::{Fields, Stored, newest_position, position_in},
    tail::Tail,
    unique::{self, Owner},
};

/// How often a commit is checked again because another process was first, before it is given up.
const MAX_TRIES: usize = 100;
/// So many entries wait to be applied at most, before commits wait for whoever applies them.
const MAX_PENDING: u64 = 2_000;
/// How long they wait.
const PENDING_TIMEOUT: Duration = Duration::from_secs(10);
/// So many entries are worth applying at once.
pub const APPLY_AT: u64 = 64;

/// What a commit is checked against.
struct Known {
    stored: Stored,
    positions: Vec<PositionDoc>,
    owners: Vec<Owner>,
    outcome: Option<OutcomeDoc>,
}

/// What became of a commit.
#[derive(Debug, Clone, serde::Serialize, Deserialize)]
pub struct OutcomeDoc {
    /// The id of the commit.
    #[serde(rename = "_id")]
    pub id: String,
    /// Whether it took effect; if not, it never will.
    pub committed: bool,
    /// When; none where it is kept for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_us: Option<i64>,
}

impl OutcomeDoc {
    fn settled(&self) -> Settled {
        if self.committed { Settled::Committed } else { Settled::Never }
    }
}

impl<R: Row> Journal<R> {
    /// See [`store::Store::commit`].
    pub async fn commit(&self, commit: Commit<R>) -> Result<(), CommitError> {
        self.is_open().map_err(not_committed)?;
        self.check_shape(&commit)?;
        self.wait_for_room().await?;
        let _alone = self.appending.lock().await;
        for _ in 0..MAX_TRIES {
            let entry = self.prepare(&commit).await?;
            let number = entry.number;
            match self.append(entry).await {
                Appended::Yes => {
                    if self.tail().pending_count() >= APPLY_AT {
                        self.work.notify_one();
                    }
                    return Ok(());
                }
                Appended::No(why) => return Err(CommitError::Failed(why)),
                Appended::Perhaps(why) => return Err(CommitError::Unknown(why)),
                Appended::Taken => self.catch_up().await.map_err(not_committed)?,
            }
            tracing::trace!(service = R::SERVICE, number, "another process was first");
        }
        Err(CommitError::Failed(format!("other processes were first {MAX_TRIES} times")))
    }

    fn check_shape(&self, commit: &Commit<R>) -> Result<(), CommitError> {
        let topics =
            commit.facts.iter().map(|fact| fact.topic).chain(commit.forgotten.iter().map(|one| one.0));
        for topic in topics {
            if self.feeds.of(topic).is_none() {
                return Err(CommitError::Failed(format!("{} is no topic of this store", topic.name())));
            }
        }
        for change in &commit.changes {
            crate::entry::table::<R>(change.key.table).map_err(not_committed)?;
        }
        Ok(())
    }

    async fn wait_for_room(&self) -> Result<(), CommitError> {
        let mut progress = self.progress.subscribe();
        let room = async {
            while self.tail().pending_count() > MAX_PENDING {
                self.work.notify_one();
                progress.changed().await.map_err(|_| ())?;
            }
            Ok::<(), ()>(())
        };
        match tokio::time::timeout(PENDING_TIMEOUT, room).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(CommitError::Failed(format!("more than {MAX_PENDING} commits wait to be applied"))),
        }
    }

    /// Checks a commit, and makes the next entry of it.
    pub async fn prepare(&self, commit: &Commit<R>) -> Result<Entry<R>, CommitError> {
        let mut is_up_to_date = false;
        loop {
            match self.try_prepare(commit).await? {
                Some(Err(CommitError::Stale(_))) if !is_up_to_date => {
                    // Perhaps it is this store that is late.
                    self.catch_up().await.map_err(not_committed)?;
                    is_up_to_date = true;
                }
                Some(prepared) => return prepared,
                None => {}
            }
        }
    }

    /// None when the store had to follow the log meanwhile.
    async fn try_prepare(
        &self,
        commit: &Commit<R>,
    ) -> Result<Option<Result<Entry<R>, CommitError>>, CommitError> {
        let reading = self.begin_read();
        let known = self.known(commit).await.map_err(not_committed)?;
        let newest = known.newest();
        if newest > self.tail().seen {
            self.catch_up().await.map_err(not_committed)?;
        }
        let tail = self.tail();
        let prepared = reading
            .is_covered(&tail, newest)
            .then(|| check(commit, &known, &tail).map(|()| next_entry(commit, &tail, &self.me)));
        // The end of the read looks at the tail.
        drop(tail);
        Ok(prepared)
    }

    async fn known(&self, commit: &Commit<R>) -> Result<Known, StoreError> {
        let keys: Vec<Key> = commit.changes.iter().map(|change| change.key.clone()).collect();
        let answers: Vec<AnswerKey> = commit.answers.iter().map(|(key, _)| key.clone()).collect();
        let partitions: Vec<_> = commit.advances.iter().map(|advance| advance.partition.clone()).collect();
        let (stored, positions, owners, outcome) = try_join4(
            self.stored(&keys, &answers, Fields::Version),
            self.stored_positions(&partitions),
            self.owners(commit),
            self.outcome(commit.id),
        )
        .await?;
        Ok(Known { stored, positions, owners, outcome })
    }

    async fn outcome(&self, id: CommitId) -> Result<Option<OutcomeDoc>, StoreError> {
        Ok(self.place.by_id(COMMITS, &id.0.to_string()).await?)
    }

    /// See [`store::Store::settle`]. The entry that says "never" also takes the number that a lost insertion of the
    /// commit asked for.
    pub async fn settle(&self, id: CommitId) -> Result<Settled, StoreError> {
        let _alone = self.appending.lock().await;
        for _ in 0..MAX_TRIES {
            let reading = self.begin_read();
            self.catch_up().await?;
            if let Some(settled) = self.tail().commit(id) {
                return Ok(settled);
            }
            if let Some(outcome) = self.outcome(id).await? {
                return Ok(outcome.settled());
            }
            let entry = {
                let tail = self.tail();
                if !reading.is_covered(&tail, 0) {
                    continue;
                }
                Entry { kind: EntryKind::Never, commit: Some(id), ..empty_entry(&tail, &self.me) }
            };
            match self.append(entry).await {
                Appended::Yes => return Ok(Settled::Never),
                Appended::Taken => {}
                Appended::No(why) | Appended::Perhaps(why) => return Err(StoreError::Unavailable(why)),
            }
        }
        Err(StoreError::Unavailable(format!("other processes were first {MAX_TRIES} times")))
    }
}

impl Known {
    fn newest(&self) -> u64 {
        let owners = self.owners.iter().map(|owner| owner.entry);
        owners.fold(self.stored.newest.max(newest_position(&self.positions)), u64::max)
    }
}

fn check<R: Row>(commit: &Commit<R>, known: &Known, tail: &Tail<R>) -> Result<(), CommitError> {
    let stale = |what: String| Err(CommitError::Stale(what));
    if known.outcome.is_some() || tail.commit(commit.id).is_some() {
        return stale("the commit was settled before".to_owned());
    }
    for Change { key, expected, .. } in &commit.changes {
        let stored = || known.stored.rows.get(key).map_or(0, version_of);
        let version = tail.row(key).map_or_else(stored, |row| row.as_ref().map_or(0, |row| row.version));
        if version != *expected {
            return stale(format!("{key:?} is at version {version}, not {expected}"));
        }
    }
    unique::check(commit, &known.owners, tail)?;
    for (key, _) in &commit.answers {
        if tail.answer(key).is_some() || known.stored.answers.contains_key(&key.0) {
            return stale(format!("{key:?} has an answer"));
        }
    }
    for advance in &commit.advances {
        let position = position_in(&known.positions, tail, &advance.partition);
        if position != advance.from {
            return stale(format!(
                "{} is at {position:?}, not {:?}",
                partition_id(&advance.partition),
                advance.from
            ));
        }
    }
    Ok(())
}

fn version_of(row: &RowDoc) -> u64 {
    row.version.cast_unsigned()
}

/// The next entry, of nothing yet.
pub fn empty_entry<R: Row>(tail: &Tail<R>, me: &Arc<str>) -> Entry<R> {
    let by = if tail.by.is_empty() { Arc::clone(me) } else { Arc::clone(&tail.by) };
    // What this store has applied need not be told by an entry of its own.
    let mark = if by == *me { tail.applied() } else { tail.mark };
    Entry {
        number: tail.seen + 1,
        kind: EntryKind::Mark,
        commit: None,
        at_us: tail.at_us,
        mark,
        by,
        heads: tail.heads.clone(),
        rows: Vec::new(),
        forgotten: Vec::new(),
        facts: Vec::new(),
        answers: Vec::new(),
        positions: Vec::new(),
        parked: Vec::new(),
    }
}

fn next_entry<R: Row>(commit: &Commit<R>, tail: &Tail<R>, me: &Arc<str>) -> Entry<R> {
    let mut entry = Entry {
        kind: EntryKind::Commit,
        commit: Some(commit.id),
        at_us: tail.at_us.max(commit.at_us),
        answers: commit.answers.clone(),
        positions: commit.advances.iter().map(|advance| (advance.partition.clone(), advance.to)).collect(),
        parked: commit.parked.clone(),
        ..empty_entry(tail, me)
    };
    for change in &commit.changes {
        let (before, row) = (change.expected, change.row.as_ref());
        if before == 0 && row.is_none() {
            continue;
        }
        let after = row.map(|row| Versioned { row: Arc::clone(row), version: before + 1 });
        entry.rows.push(Changed { key: change.key.clone(), before, after });
    }
    for (topic, key) in &commit.forgotten {
        let up_to = Position(entry.heads.get(topic).copied().unwrap_or_default());
        entry.forgotten.push(Forgotten { topic: *topic, key: key.clone(), up_to });
    }
    for fact in &commit.facts {
        let head = entry.heads.entry(fact.topic).or_default();
        *head += 1;
        entry.facts.push(Record { position: Position(*head), fact: Arc::clone(fact) });
    }
    entry
}
