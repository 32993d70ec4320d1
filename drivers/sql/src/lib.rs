//! Server databases behind the storage port: PostgreSQL, CockroachDB, MySQL and MariaDB, with their outbox as the log.
//!
//! ```text
//!   commit          one transaction: a statement for each table and kind of change, however many rows (in MySQL a few
//!                   for new rows); then the positions of its facts, the facts, and COMMIT
//!   load, query     one statement each, which sees what is committed by then
//!   read, wait      the outbox by position; woken by commits of this process, and looking for those of others
//! ```
//!
//! Several processes may write to one database. Nothing is read before it is written: each statement names the versions
//! that it expects, and the number of rows that it changed tells whether that was so. PostgreSQL and CockroachDB commit at
//! SERIALIZABLE, MySQL and MariaDB at READ COMMITTED. A conflict is tried again for a while; a commit whose end
//! was not heard of is `Unknown`, and settled by its id.
//!
//! No text may have the character NUL, which PostgreSQL cannot keep: a commit with one fails. States and payloads are JSON,
//! where it is written as `\u0000`. Ids, keys and unique values have at most 255 characters; of other texts that are
//! compared so many count.
//!
//! TLS is used when the URL asks for it (`sslmode=verify-full`, `ssl-mode=VERIFY_IDENTITY`), and where the server offers
//! it, then without knowing whom one speaks to. MySQL's `caching_sha2_password` needs it.

use std::sync::Arc;

use async_trait::async_trait;
use bus::{Partition, Position, Topic};
use store::{
    AnswerKey, Commit, CommitError, CommitId, Key, Loaded, Parked, Query, Row, Settled, Store, StoreError,
    Versioned,
};

mod commit;
mod database;
mod dialect;
mod error;
mod insert;
mod log;
mod open;
mod outbox;
mod progress;
mod query;
mod reads;
mod retry;
mod schema;
mod sides;
mod statements;
mod tail;
mod transaction;
mod trim;
mod url;
mod values;

pub use error::OpenError;

use commit::Committer;
use log::Feeds;

/// How many connections a store has unless it is told otherwise. A service commits on one at a time; the others read.
pub const DEFAULT_CONNECTIONS: u32 = 8;

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// What its outbox publishes.
    pub topics: Vec<Topic>,
    /// The most connections at a time.
    pub connections: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { topics: Vec::new(), connections: DEFAULT_CONNECTIONS }
    }
}

/// A store in a database of a server.
pub struct SqlStore<R: Row> {
    committer: Arc<Committer>,
    rows: std::marker::PhantomData<fn() -> R>,
}

/// Makes or upgrades the schema of a service's database. It may be run again, also while the service runs.
///
/// # Errors
/// When the database cannot be reached, belongs to another service or to a newer program, or has a table with other
/// columns. What was made until then stays, and is made use of by the next try.
pub async fn migrate<R: Row>(url: &str) -> Result<(), OpenError> {
    open::migrate::<R>(url).await
}

impl<R: Row> SqlStore<R> {
    /// Opens a database that [`migrate`] has prepared.
    ///
    /// # Errors
    /// When it cannot be reached, or is not prepared for this service and this version of the program. The error names the
    /// database and never the password.
    pub async fn open(url: &str, options: Options) -> Result<Self, OpenError> {
        schema::check_names(R::TABLES)?;
        let place = url::read(url)?;
        let database = open::connect(&place, &options).await?;
        if let Err(error) = open::check::<R>(&place, &database).await {
            database.close().await;
            return Err(error);
        }
        let tables = statements::of_all::<R>(database.dialect);
        let committer = Arc::new(Committer::new(database, tables, Feeds::new(&options.topics)));
        Ok(Self { committer, rows: std::marker::PhantomData })
    }

    /// Waits for what is under way and closes the connections. What is asked of the store from then on fails. Closing again
    /// does nothing.
    pub async fn close(&self) {
        self.committer.database.close().await;
        self.committer.feeds.release();
    }
}

#[async_trait]
impl<R: Row> Store<R> for SqlStore<R> {
    async fn load(&self, keys: &[Key], answers: &[AnswerKey]) -> Result<Loaded<R>, StoreError> {
        reads::load(&self.committer.database, &self.committer.tables, keys, answers).await
    }

    async fn query(&self, query: &Query) -> Result<Vec<Versioned<R>>, StoreError> {
        query::run(&self.committer.database, &self.committer.tables, query).await
    }

    /// Once begun it is brought to its end, also when nobody waits for it any more.
    async fn commit(&self, commit: Commit<R>) -> Result<(), CommitError> {
        let committer = Arc::clone(&self.committer);
        let done = tokio::spawn(async move { committer.commit(&commit).await }).await;
        done.unwrap_or_else(|error| Err(CommitError::Unknown(error.to_string())))
    }

    async fn settle(&self, id: CommitId) -> Result<Settled, StoreError> {
        self.committer.settle(id).await
    }

    async fn position(&self, partition: &Partition) -> Result<Position, StoreError> {
        reads::position(&self.committer.database, partition).await
    }

    async fn parked(&self) -> Result<Vec<Parked>, StoreError> {
        reads::parked(&self.committer.database).await
    }

    async fn prune(&self, before_us: i64) -> Result<u64, StoreError> {
        trim::prune(&self.committer.database, before_us).await
    }

    async fn trim(&self, topic: Topic, up_to: Position, before_us: i64) -> Result<u64, StoreError> {
        let removed = trim::trim(&self.committer.database, topic, up_to, before_us).await?;
        // Perhaps more than was removed: what is forgotten is in the table.
        self.committer.feeds.trimmed(topic, up_to);
        Ok(removed)
    }
}
