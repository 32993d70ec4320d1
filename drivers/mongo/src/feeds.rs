//! The newest facts of each topic, in memory.
//!
//! ```text
//!   outbox    1 2 3 4 5 6             what is applied
//!   feed            4 5 6 7 8 9       the newest, and all that is not applied yet
//! ```

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use bus::{Batch, Position, Record, Topic};
use store::Row;
use tokio::sync::watch;

use crate::entry::Entry;

/// The most applied facts of a topic in memory; a fact is about half a kilobyte.
const MAX_FEED: usize = 4_096;

/// The topics that a store publishes.
pub struct Feeds(Vec<Feed>);

/// One topic.
pub struct Feed {
    topic: Topic,
    newest: watch::Sender<u64>,
    kept: Mutex<Kept>,
}

/// Every fact after a position.
#[derive(Default)]
struct Kept {
    after: u64,
    /// Up to here the outbox has them too.
    applied: u64,
    records: VecDeque<Record>,
}

impl Feeds {
    /// Begins without any.
    pub fn new(topics: &[Topic]) -> Self {
        let feed =
            |topic: &Topic| Feed { topic: *topic, newest: watch::Sender::new(0), kept: Mutex::default() };
        Self(topics.iter().map(feed).collect())
    }

    /// Begins again where the outboxes end.
    pub fn restart(&self, heads: &BTreeMap<Topic, u64>) {
        for feed in &self.0 {
            let head = heads.get(&feed.topic).copied().unwrap_or_default();
            *feed.kept() = Kept { after: head, applied: head, records: VecDeque::new() };
            feed.newest.send_replace(head);
        }
    }

    /// Follows an entry, and wakes those who wait for its topics.
    pub fn follow<R: Row>(&self, entry: &Entry<R>) {
        for forgotten in &entry.forgotten {
            if let Some(feed) = self.of(forgotten.topic) {
                let goes =
                    |record: &Record| record.fact.key == forgotten.key && record.position <= forgotten.up_to;
                feed.kept().records.retain(|record| !goes(record));
            }
        }
        for feed in &self.0 {
            let mut newest = None;
            let mut kept = feed.kept();
            for record in entry.facts.iter().filter(|record| record.fact.topic == feed.topic) {
                newest = Some(record.position.0);
                kept.records.push_back(record.clone());
            }
            drop(kept);
            if let Some(newest) = newest {
                feed.newest.send_replace(newest);
            }
        }
    }

    /// The outboxes have everything up to these positions.
    pub fn set_applied(&self, heads: &BTreeMap<Topic, u64>) {
        for feed in &self.0 {
            let mut kept = feed.kept();
            kept.applied = kept.applied.max(heads.get(&feed.topic).copied().unwrap_or_default());
            let applied = kept.applied;
            while kept.records.len() > MAX_FEED
                && let Some(oldest) = kept.records.pop_front_if(|oldest| oldest.position.0 <= applied)
            {
                kept.after = oldest.position.0;
            }
        }
    }

    /// Wakes everyone, for good: there is nothing to wait for any more.
    pub fn release(&self) {
        self.0.iter().for_each(|feed| {
            feed.newest.send_replace(u64::MAX);
        });
    }

    /// The feed of a topic.
    pub fn of(&self, topic: Topic) -> Option<&Feed> {
        self.0.iter().find(|feed| feed.topic == topic)
    }
}

impl Feed {
    /// The records after a position; an error tells from where on the feed has them, when some of them are only in
    /// the outbox.
    pub fn read(&self, after: Position, most: usize) -> Result<Batch, Position> {
        let kept = self.kept();
        if after.0 < kept.after {
            return Err(Position(kept.after));
        }
        let start = kept.records.partition_point(|record| record.position <= after);
        let records: Vec<Record> = kept.records.range(start..).take(most).cloned().collect();
        let next = records.last().map_or(after, |record| record.position);
        Ok(Batch { records, next })
    }

    /// Forgets what is no longer, or no longer all, in the outbox.
    pub fn trim(&self, up_to: Position) {
        let mut kept = self.kept();
        let stays = kept.records.partition_point(|record| record.position <= up_to);
        kept.records.drain(..stays);
        kept.after = kept.after.max(up_to.0);
    }

    /// Changes with each fact.
    pub fn newest(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing panics while the lock is held.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
