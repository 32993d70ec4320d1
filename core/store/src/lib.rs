//! The storage port: what a service needs of a database, small enough for every driver to keep honestly.
//!
//! A service describes its rows ([`Row`]); a driver stores any rows. There is one way to write,
//! [`Store::commit`], which takes state, facts, idempotency answers and consumer position together.
//!
//! To add a driver: implement [`Store`] and `bus::Log` (its outbox is the log) in `drivers/NAME`, run
//! [`conformance::run`] on it, and name its URL scheme in `boxoffice`.

mod commit;
mod query;
mod row;
mod row_id;

/// The conformance suite: each driver runs every case.
pub mod conformance;
/// A store that fails as it is told, for the simulator and for tests.
pub mod faulty;
/// The store in memory.
pub mod memory;

pub use commit::{
    Advance, Answer, AnswerKey, Change, Commit, CommitError, CommitId, Parked, ParkedChange, Settled,
    StoreError,
};
pub use memory::MemoryStore;
pub use query::{Condition, Cursor, Direction, Found, MAX_PAGE, Query};
pub use row::{
    Column, ColumnKind, Index, Indexed, Key, Row, Table, Value, Version, Versioned, from_state, to_state,
};
pub use row_id::{RowId, RowIdBuffer, row_id_buffer};

use async_trait::async_trait;
use bus::{Partition, Position, Topic};

/// What a load gave, in the order in which it was asked for; `None` where there is nothing.
#[derive(Debug, Clone)]
pub struct Loaded<R> {
    /// The rows.
    pub rows: Vec<Option<Versioned<R>>>,
    /// The answers to idempotency keys.
    pub answers: Vec<Option<Answer>>,
}

/// The database of one service.
///
/// - What a `commit` that returned `Ok` wrote is there after any crash, and every later read sees it.
/// - A `commit` takes effect as a whole or not at all.
/// - [`CommitError::Stale`] and [`CommitError::Failed`] surely had no effect. [`CommitError::Unknown`] may
///   have had: ask [`Store::settle`].
/// - Facts are readable by the service's log as soon as their commit is, in the order of commits.
#[async_trait]
pub trait Store<R: Row>: Send + Sync + 'static {
    /// Rows by key, and answers by idempotency key, in one read.
    async fn load(&self, keys: &[Key], answers: &[AnswerKey]) -> Result<Loaded<R>, StoreError>;

    /// The rows of one table that match, in order, at most [`MAX_PAGE`].
    async fn query(&self, query: &Query) -> Result<Vec<Versioned<R>>, StoreError>;

    /// Writes all of it, or nothing.
    async fn commit(&self, commit: Commit<R>) -> Result<(), CommitError>;

    /// Whether a commit took effect. After `Settled::Never` it never will.
    async fn settle(&self, id: CommitId) -> Result<Settled, StoreError>;

    /// How far the service's consumer of a partition is; the start when it never was.
    async fn position(&self, partition: &Partition) -> Result<Position, StoreError>;

    /// The parked facts, oldest first.
    async fn parked(&self) -> Result<Vec<Parked>, StoreError>;

    /// Forgets answers and commit ids older than a time; how many.
    async fn prune(&self, before_us: i64) -> Result<u64, StoreError>;

    /// Removes facts from the outbox that were published before a time and that all their consumers have done:
    /// those of a topic up to a position, but for what the topic keeps for good ([`bus::Retention`]); how many.
    ///
    /// ```text
    ///   position   1  2  3  4  5  6  7  8
    ///              ---- old ---|
    ///              -- all are done ---|
    ///              -- gone ----|           never 8, the newest: what follows it gets a new position
    /// ```
    ///
    /// What goes is the beginning of the topic, up to the first fact that must stay. It is done in small steps,
    /// so no commit waits long behind it; when it fails in between, what is gone is gone, and it may be tried
    /// again.
    async fn trim(&self, topic: Topic, up_to: Position, before_us: i64) -> Result<u64, StoreError>;

    /// Whether nobody but this process writes to the store, for as long as it is open. Then what was committed
    /// here is what is stored, and need not be read again.
    fn is_sole_writer(&self) -> bool {
        false
    }
}
