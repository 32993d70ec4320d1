//! The embedded store: SQLite behind the storage port, with its outbox as the log.
//!
//! ```text
//!   commit, settle, trim ---> bounded queue --> the writer thread --> one connection --+
//!                                                                                      v
//!   load, query, read ------> a few connections, each with its own snapshot -----> the file, in WAL mode
//! ```
//!
//! One thread writes, so commits never wait for each other inside SQLite and positions of the outbox rise
//! in the order of commits. Readers see every commit that was answered, and never wait for the writer. A
//! commit is on the disk before it is answered (`synchronous = FULL`).
//!
//! That only one process writes a file is for whoever opens it to see to.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};

use async_trait::async_trait;
use bus::{Partition, Position, Topic};
use store::{
    AnswerKey, Commit, CommitError, CommitId, Key, Loaded, Parked, Query, Row, Settled, Store, StoreError,
    Versioned,
};
use tokio::sync::{mpsc, oneshot};

mod checkpoint;
mod error;
mod log;
mod open;
mod query;
mod readers;
mod reads;
mod schema;
mod search;
mod statements;
mod transaction;
mod trim;
mod writer;

pub use error::OpenError;

use log::Feeds;
use readers::Readers;
use schema::Wanted;
use statements::TableStatements;
use writer::{Job, PRUNE_STEP};

/// How a store is opened.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What its outbox publishes.
    pub topics: Vec<Topic>,
}

/// A store in one SQLite file. Dropping it waits for the commits that were handed in; [`SqliteStore::close`]
/// does so without blocking.
pub struct SqliteStore<R: Row> {
    tables: Arc<Vec<TableStatements>>,
    feeds: Arc<Feeds>,
    readers: Arc<Readers>,
    writing: Mutex<Writing<R>>,
}

/// The way to the writer; none once the store is closed, or when it was opened for reading only.
struct Writing<R: Row> {
    jobs: Option<mpsc::Sender<Job<R>>>,
    thread: Option<JoinHandle<()>>,
}

impl<R: Row> SqliteStore<R> {
    /// Opens a file, or makes it.
    ///
    /// # Errors
    /// When it is something else than a database of this service, or cannot be opened; the error names it.
    pub fn open(path: &Path, options: Options) -> Result<Self, OpenError> {
        let connection = open::writer(path, &wanted::<R>())?;
        let feeds = Feeds::load(&connection, &options.topics).map_err(|error| OpenError::of(path, error))?;
        let (tables, feeds) = (Arc::new(statements::of_all::<R>()), Arc::new(feeds));
        let readers = Readers::open(path)?;
        let (jobs, thread) = writer::start(path, connection, Arc::clone(&tables), Arc::clone(&feeds))?;
        let writing = Mutex::new(Writing { jobs: Some(jobs), thread: Some(thread) });
        Ok(Self { tables, feeds, readers, writing })
    }

    /// Opens a file that exists for reading only. It publishes the topics that it has facts of; nobody is
    /// woken by what another process writes.
    ///
    /// # Errors
    /// As [`SqliteStore::open`], and when an older program made the file.
    pub fn open_read_only(path: &Path) -> Result<Self, OpenError> {
        let connection = open::only_reader(path, &wanted::<R>())?;
        let feeds = log::topics_in(&connection).and_then(|topics| Feeds::load(&connection, &topics));
        let feeds = feeds.map_err(|error| OpenError::of(path, error))?;
        Self::reading(path, feeds)
    }

    /// Opens a file that another process may be writing, for reading only: whatever is committed there by the time of a
    /// read is seen. Nobody is woken by it.
    ///
    /// # Errors
    /// As [`SqliteStore::open_read_only`].
    pub fn open_beside(path: &Path, options: &Options) -> Result<Self, OpenError> {
        open::only_reader(path, &wanted::<R>())?;
        Self::reading(path, Feeds::of_another_process(&options.topics))
    }

    fn reading(path: &Path, feeds: Feeds) -> Result<Self, OpenError> {
        let readers = Readers::open(path)?;
        let writing = Mutex::new(Writing { jobs: None, thread: None });
        Ok(Self { tables: Arc::new(statements::of_all::<R>()), feeds: Arc::new(feeds), readers, writing })
    }

    /// Finishes what was handed in, copies the write-ahead log into the file and closes it. What is asked
    /// of the store from then on fails. Closing again does nothing.
    pub async fn close(&self) {
        let thread = self.stop_writing();
        self.readers.close().await;
        if let Some(thread) = thread {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!(service = R::SERVICE, "the writer panicked");
            }
        }
        self.feeds.release();
    }

    fn stop_writing(&self) -> Option<JoinHandle<()>> {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        writing.jobs = None;
        writing.thread.take()
    }

    /// Hands a job to the writer and waits for the answer; the error says whether the job was handed over.
    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<T>) -> Job<R>) -> Result<T, NoAnswer> {
        let jobs = self.writing.lock().unwrap_or_else(PoisonError::into_inner).jobs.clone();
        let (reply, answer) = oneshot::channel();
        let jobs = jobs.ok_or(NoAnswer::Refused)?;
        jobs.send(job(reply)).await.map_err(|_| NoAnswer::Refused)?;
        answer.await.map_err(|_| NoAnswer::Lost)
    }
}

/// Why a job has no answer.
enum NoAnswer {
    /// It was not handed over.
    Refused,
    /// The writer ended in the middle of it.
    Lost,
}

const NO_WRITER: &str = "the store is closed, or open for reading only";
const WRITER_LOST: &str = "the writer ended without an answer";

impl NoAnswer {
    fn into_store_error(self) -> StoreError {
        match self {
            Self::Refused => StoreError::Unavailable(NO_WRITER.to_owned()),
            Self::Lost => StoreError::Unavailable(WRITER_LOST.to_owned()),
        }
    }
}

fn wanted<R: Row>() -> Wanted {
    Wanted { service: R::SERVICE, tables: R::TABLES }
}

#[async_trait]
impl<R: Row> Store<R> for SqliteStore<R> {
    async fn load(&self, keys: &[Key], answers: &[AnswerKey]) -> Result<Loaded<R>, StoreError> {
        let (tables, keys, answers) = (Arc::clone(&self.tables), keys.to_vec(), answers.to_vec());
        self.readers.read(move |connection| reads::load(connection, &tables, &keys, &answers)).await
    }

    async fn query(&self, query: &Query) -> Result<Vec<Versioned<R>>, StoreError> {
        let (tables, query) = (Arc::clone(&self.tables), query.clone());
        self.readers.read(move |connection| query::run(connection, &tables, &query)).await
    }

    async fn commit(&self, commit: Commit<R>) -> Result<(), CommitError> {
        let answer = self.ask(|reply| Job::Commit(Box::new(commit), reply)).await;
        answer.unwrap_or_else(|no_answer| match no_answer {
            NoAnswer::Refused => Err(CommitError::Failed(NO_WRITER.to_owned())),
            NoAnswer::Lost => Err(CommitError::Unknown(WRITER_LOST.to_owned())),
        })
    }

    async fn settle(&self, id: CommitId) -> Result<Settled, StoreError> {
        let answer = self.ask(|reply| Job::Settle(id, reply)).await;
        answer.unwrap_or_else(|no_answer| Err(no_answer.into_store_error()))
    }

    async fn position(&self, partition: &Partition) -> Result<Position, StoreError> {
        let partition = partition.clone();
        self.readers.read(move |connection| reads::position(connection, &partition)).await
    }

    async fn parked(&self) -> Result<Vec<Parked>, StoreError> {
        self.readers.read(reads::parked).await
    }

    async fn prune(&self, before_us: i64) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        loop {
            let answer = self.ask(|reply| Job::Prune(before_us, reply)).await;
            let pruned = answer.unwrap_or_else(|no_answer| Err(no_answer.into_store_error()))?;
            forgotten += pruned.answers as u64;
            if pruned.answers < PRUNE_STEP && pruned.commits < PRUNE_STEP {
                return Ok(forgotten);
            }
        }
    }

    async fn trim(&self, topic: Topic, up_to: Position, before_us: i64) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            let next = move |connection: &_| trim::next_step(connection, topic, up_to, before_us);
            let Some(step) = self.readers.read(next).await? else { return Ok(removed) };
            let answer = self.ask(|reply| Job::Trim(step, reply)).await;
            removed += answer.unwrap_or_else(|no_answer| Err(no_answer.into_store_error()))? as u64;
        }
    }

    /// One process holds the data directory, and the files with it.
    fn is_sole_writer(&self) -> bool {
        true
    }
}

impl<R: Row> Drop for SqliteStore<R> {
    fn drop(&mut self) {
        let thread = self.stop_writing();
        self.readers.close_idle();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!(service = R::SERVICE, "the writer panicked");
        }
    }
}
