//! MongoDB behind the storage port, with its outbox as the log. Needs no transaction over several documents, so what
//! speaks MongoDB's protocol without having them, as FerretDB does, serves too.
//!
//! ```text
//!                     the log: one document for each commit, numbered without gaps
//!   commit -------->  1 2 3 4 5 6 7 8 9      inserting number 10 is the commit; who is late finds it taken
//!                     -------|  applied      by one store at a time, some entries together
//!                            v
//!                     rows, answers, positions, parked facts, outboxes: collections of their own
//!
//!   load, query --->  what the collections have, and over it what the entries after 5 say
//! ```
//!
//! A commit is in one document, so it is there as a whole or not at all, and held by a majority of the replica set
//! before it is answered. Each store has the entries that are not applied yet in memory, and looks before each read
//! whether there are more: whatever was answered before the read began is seen, and of each commit all or nothing.
//! Whoever dies leaves entries in the log, which the next one applies. See `docs/adr/0015-mongodb-as-a-log.md`.

use std::{
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use bus::{Batch, Log, LogError, Partition, Position, Topic};
use store::{
    AnswerKey, Commit, CommitError, CommitId, Key, Loaded, Parked, Query, Row, Settled, Store, StoreError,
    Versioned,
};
use tokio::task::JoinHandle;

mod apply;
mod commit;
mod database;
mod document;
mod entry;
mod error;
mod feeds;
mod journal;
mod keeper;
mod layout;
mod log;
mod query;
mod reads;
mod tail;
mod unique;
mod upkeep;

pub use error::OpenError;

use database::Place;
use journal::Journal;

/// How a store is opened.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What its outbox publishes.
    pub topics: Vec<Topic>,
}

/// A store in one database of MongoDB; several processes may have it open. Dropping it leaves what is not applied yet
/// to the next one; [`MongoStore::close`] applies it.
pub struct MongoStore<R: Row> {
    journal: Arc<Journal<R>>,
    keeper: Mutex<Option<JoinHandle<()>>>,
    rows: PhantomData<R>,
}

/// Makes the collections and indexes of a service in the database that a URL names; what is there already stays.
///
/// # Errors
/// When the database cannot be used, or is another service's or another program's.
pub async fn migrate<R: Row>(url: &str) -> Result<(), OpenError> {
    let place = Place::connect(url).await?;
    let made = layout::make::<R>(&place).await;
    place.database.client().clone().shutdown().await;
    made
}

impl<R: Row> MongoStore<R> {
    /// Opens the database that a URL names (`mongodb://USER:PASSWORD@HOST/NAME`), which [`migrate`] has made. Needs a
    /// tokio runtime with time.
    ///
    /// # Errors
    /// When it cannot be reached, or was not made for this service by this program.
    pub async fn open(url: &str, options: Options) -> Result<Self, OpenError> {
        Self::open_place(Place::connect(url).await?, options).await
    }

    async fn open_place(place: Place, options: Options) -> Result<Self, OpenError> {
        layout::check::<R>(&place).await?;
        let name = place.name.clone();
        let opened = Journal::open(place, &options.topics).await;
        let journal = Arc::new(opened.map_err(|error| match error {
            StoreError::Unavailable(why) => OpenError::Unusable { place: name, why },
            StoreError::Corrupt(why) => OpenError::Corrupt { place: name, why },
        })?);
        let keeper = tokio::spawn(keeper::run(Arc::clone(&journal)));
        Ok(Self { journal, keeper: Mutex::new(Some(keeper)), rows: PhantomData })
    }

    /// Applies what is committed, and disconnects. What is asked of the store from then on fails. Closing again does
    /// nothing.
    pub async fn close(&self) {
        let Some(keeper) = self.take_keeper() else { return };
        keeper.abort();
        // It ends at once, or has panicked; either way it is gone.
        let _ = keeper.await;
        keeper::finish(&self.journal).await;
        self.journal.close();
        self.journal.place.database.client().clone().shutdown().immediate(true).await;
    }

    fn take_keeper(&self) -> Option<JoinHandle<()>> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<R: Row> Drop for MongoStore<R> {
    fn drop(&mut self) {
        if let Some(keeper) = self.take_keeper() {
            keeper.abort();
        }
        self.journal.close();
    }
}

#[async_trait]
impl<R: Row> Store<R> for MongoStore<R> {
    async fn load(&self, keys: &[Key], answers: &[AnswerKey]) -> Result<Loaded<R>, StoreError> {
        self.journal.load(keys, answers).await
    }

    async fn query(&self, query: &Query) -> Result<Vec<Versioned<R>>, StoreError> {
        self.journal.query(query).await
    }

    async fn commit(&self, commit: Commit<R>) -> Result<(), CommitError> {
        self.journal.commit(commit).await
    }

    async fn settle(&self, id: CommitId) -> Result<Settled, StoreError> {
        self.journal.settle(id).await
    }

    async fn position(&self, partition: &Partition) -> Result<Position, StoreError> {
        self.journal.position(partition).await
    }

    async fn parked(&self) -> Result<Vec<Parked>, StoreError> {
        self.journal.parked().await
    }

    async fn prune(&self, before_us: i64) -> Result<u64, StoreError> {
        self.journal.prune(before_us).await
    }

    async fn trim(&self, topic: Topic, up_to: Position, before_us: i64) -> Result<u64, StoreError> {
        self.journal.trim(topic, up_to, before_us).await
    }
}

#[async_trait]
impl<R: Row> Log for MongoStore<R> {
    fn partitions(&self, topic: Topic) -> Vec<Partition> {
        self.journal.partition(topic).into_iter().collect()
    }

    async fn read(&self, partition: &Partition, after: Position, most: usize) -> Result<Batch, LogError> {
        self.journal.facts(partition, after, most).await
    }

    async fn wait(&self, partition: &Partition, after: Position) -> Result<(), LogError> {
        let mut newest = self.journal.feed(partition)?.newest();
        let waited = newest.wait_for(|newest| *newest > after.0).await;
        waited.map(|_| ()).map_err(|error| LogError::Unavailable(error.to_string()))
    }
}

#[cfg(test)]
mod tests;
