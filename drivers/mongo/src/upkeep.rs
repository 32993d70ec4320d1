//! Forgetting: answers and commit ids by their age, and facts that everybody has processed.

use std::{collections::BTreeMap, time::Duration};

use bus::{Position, Retention, Topic};
use mongodb::bson::{Document, doc};
use serde::Deserialize;
use store::{Row, StoreError};

use crate::{
    database::{ANSWERS, COMMITS, META, PARKED, outbox, table_collection},
    document::{number, padded, signed},
    error::{LONG_REQUEST_TIMEOUT, in_time},
    journal::Journal,
    log::trimmed_id,
};

/// How long to wait for another process that applies the log.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(15);
/// How many facts one step of a trim removes or passes over.
const TRIM_STEP: usize = 2_000;
/// For how many keys facts are removed in one request.
const KEYS_AT_ONCE: usize = 100;

/// What a trim looks at.
#[derive(Deserialize)]
struct Old {
    #[serde(rename = "_id")]
    position: String,
    aggregateid: String,
    time_us: i64,
}

/// One step of a trim: the facts after where the topic was trimmed, up to a position.
struct Step {
    to: u64,
    latest_us: i64,
    /// The last of each key among them.
    last_of_key: BTreeMap<String, u64>,
}

impl<R: Row> Journal<R> {
    /// Returns when everything that was committed before is in the collections.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.catch_up().await?;
        let target = self.tail().last_effect;
        let mut progress = self.progress.subscribe();
        let flushed = async {
            while *progress.borrow_and_update() < target {
                if self.tail().by == self.me {
                    self.apply().await?;
                } else {
                    self.work.notify_one();
                    // The keeper follows whoever applies; and it is this store's turn when nobody does.
                    let _ = tokio::time::timeout(crate::keeper::POLL_EVERY, progress.changed()).await;
                }
            }
            Ok(())
        };
        let late = || StoreError::Unavailable("the log is not applied in time".to_owned());
        tokio::time::timeout(FLUSH_TIMEOUT, flushed).await.unwrap_or_else(|_| Err(late()))
    }

    /// See [`store::Store::prune`].
    pub async fn prune(&self, before_us: i64) -> Result<u64, StoreError> {
        self.flush().await?;
        let forgotten = self.place.delete(ANSWERS, doc! { "at_us": { "$lt": before_us } }).await?;
        // What will never be has no time, and stays.
        self.place.delete(COMMITS, doc! { "at_us": { "$lt": before_us } }).await?;
        // That a row is gone matters only to a write that has been on its way since before.
        let gone = doc! { "gone": { "$lt": before_us } };
        for table in R::TABLES {
            self.place.delete(&table_collection(table.name), gone.clone()).await?;
        }
        self.place.delete(PARKED, gone).await?;
        Ok(forgotten)
    }

    /// See [`store::Store::trim`].
    pub async fn trim(&self, topic: Topic, up_to: Position, before_us: i64) -> Result<u64, StoreError> {
        self.flush().await?;
        let mut removed = 0;
        while let Some(step) = self.next_step(topic, up_to, before_us).await? {
            // First that it is gone, and then it goes: no reader takes what is left for everything.
            self.note_trimmed(topic, &step).await?;
            if let Some(feed) = self.feeds.of(topic) {
                feed.trim(Position(step.to));
            }
            removed += self.remove(topic, &step).await?;
        }
        Ok(removed)
    }

    async fn next_step(
        &self,
        topic: Topic,
        up_to: Position,
        before_us: i64,
    ) -> Result<Option<Step>, StoreError> {
        let from = self.trimmed(topic).await?.map_or(0, |trimmed| trimmed.up_to.cast_unsigned());
        let mut end = up_to.0;
        if topic.retention() == Retention::None {
            // The newest stays.
            let newest = self.tail().heads.get(&topic).copied().unwrap_or_default();
            end = end.min(newest.saturating_sub(1));
        }
        let range = doc! { "_id": { "$gt": padded(from), "$lte": padded(end) } };
        let (outbox, order) = (outbox(topic), doc! { "_id": 1 });
        let found = self.place.first(&outbox, range, order, TRIM_STEP, LONG_REQUEST_TIMEOUT);
        let found: Vec<Old> = found.await?;
        let mut step = Step { to: from, latest_us: i64::MIN, last_of_key: BTreeMap::new() };
        for old in found.into_iter().take_while(|old| old.time_us < before_us) {
            step.to = number(&old.position)?;
            step.latest_us = step.latest_us.max(old.time_us);
            step.last_of_key.insert(old.aggregateid, step.to);
        }
        Ok((step.to > from).then_some(step))
    }

    async fn note_trimmed(&self, topic: Topic, step: &Step) -> Result<(), StoreError> {
        let latest_us =
            self.trimmed(topic).await?.map_or(step.latest_us, |old| old.latest_us.max(step.latest_us));
        let (meta, id) = (self.place.collection::<Document>(META), trimmed_id(topic));
        let set = doc! { "$set": { "up_to": signed(step.to), "latest_us": latest_us } };
        in_time(async { meta.update_one(doc! { "_id": id }, set).upsert(true).await }).await?;
        Ok(())
    }

    async fn remove(&self, topic: Topic, step: &Step) -> Result<u64, StoreError> {
        if topic.retention() == Retention::None {
            return self.place.delete(&outbox(topic), doc! { "_id": { "$lte": padded(step.to) } }).await;
        }
        let earlier = |(key, last): &(&String, &u64)| {
            doc! { "aggregateid": key, "_id": { "$lt": padded(**last) } }
        };
        let keys: Vec<_> = step.last_of_key.iter().collect();
        let mut removed = 0;
        for some in keys.chunks(KEYS_AT_ONCE) {
            let earlier: Vec<Document> = some.iter().map(earlier).collect();
            removed += self.place.delete(&outbox(topic), doc! { "$or": earlier }).await?;
        }
        Ok(removed)
    }
}
