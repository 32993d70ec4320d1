//! One commit as one transaction, tried again after a conflict; and what became of one that was interrupted.
//!
//! ```text
//!   BEGIN ... statements ... | COMMIT ..... answer
//!      anything that fails   |   40001: surely not done, tried again
//!      here is not done      |   anything else that fails: unknown, settled by the commit's id
//! ```

use store::{Commit, CommitError, CommitId, Row, Settled, StoreError};
use tokio::sync::Mutex;

use crate::{
    database::{Connection, Database},
    error::{self, Trouble},
    log::Feeds,
    outbox::Heads,
    retry::Retry,
    statements::TableStatements,
    transaction::{self, COMMITTED, NEVER, Refused, RowOrder},
};

/// What committing needs.
pub struct Committer {
    /// The connections.
    pub database: Database,
    /// The statements of each table.
    pub tables: Vec<TableStatements>,
    /// Whom to wake.
    pub feeds: Feeds,
    /// At SERIALIZABLE, who waits for the positions of a topic is told to begin again when they are free. Within one
    /// process commits with facts take turns instead.
    turn: Mutex<()>,
}

/// A transaction that is open. When it is dropped, its connection is cut, and the server rolls it back.
pub struct Open(Option<Connection>);

impl Open {
    /// Begins one.
    pub async fn begin(database: &Database, how: &str) -> Result<Self, sqlx::Error> {
        let mut connection = database.acquire().await?;
        match connection.run(how).await {
            Ok(()) => Ok(Self(Some(connection))),
            Err(error) => {
                connection.discard();
                Err(error)
            }
        }
    }

    /// Its connection.
    pub fn connection(&mut self) -> Result<&mut Connection, sqlx::Error> {
        self.0.as_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// Makes it last. Whatever goes wrong, the connection is cut.
    pub async fn commit(mut self) -> Result<(), sqlx::Error> {
        self.connection()?.run("COMMIT").await?;
        drop(self.0.take());
        Ok(())
    }

    /// Undoes it. What cannot be rolled back is cut, which comes to the same.
    pub async fn roll_back(mut self) {
        if let Some(connection) = self.0.as_mut()
            && connection.run("ROLLBACK").await.is_ok()
        {
            drop(self.0.take());
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            connection.discard();
        }
    }
}

impl Committer {
    /// Over a database.
    pub fn new(database: Database, tables: Vec<TableStatements>, feeds: Feeds) -> Self {
        Self { database, tables, feeds, turn: Mutex::new(()) }
    }

    /// Makes a commit, and wakes those who wait for its facts.
    pub async fn commit<R: Row>(&self, commit: &Commit<R>) -> Result<(), CommitError> {
        self.check(commit).map_err(CommitError::Failed)?;
        let takes_turns = !commit.facts.is_empty() && !self.database.dialect.is_mysql();
        let _turn = if takes_turns { Some(self.turn.lock().await) } else { None };
        let (mut order, mut retry) = (RowOrder::Usual, Retry::default());
        loop {
            match self.attempt(commit, order).await {
                Ok(heads) => {
                    self.feeds.appended(&heads, &commit.facts, &commit.forgotten);
                    return Ok(());
                }
                // Rare, and so the usual commit does not pay for it.
                Err(Refused::Taken(_)) if order == RowOrder::Usual && self.may_move_values(commit) => {
                    order = RowOrder::VacateFirst;
                }
                Err(Refused::Taken(what) | Refused::Stale(what)) => return Err(CommitError::Stale(what)),
                Err(Refused::Failed(what)) => return Err(CommitError::Failed(what)),
                Err(Refused::Unknown(what)) => return Err(CommitError::Unknown(what)),
                Err(Refused::Again(what)) => {
                    if self.database.is_closed() || !retry.rest().await {
                        return Err(CommitError::Failed(what));
                    }
                }
                Err(Refused::Busy(what)) => {
                    if self.database.is_closed() || !retry.queue().await {
                        return Err(CommitError::Failed(what));
                    }
                }
            }
        }
    }

    fn check<R: Row>(&self, commit: &Commit<R>) -> Result<(), String> {
        if let Some(fact) = commit.facts.iter().find(|fact| !self.feeds.has(fact.topic)) {
            return Err(format!("{} is no topic of this store", fact.topic.name()));
        }
        let is_known = |name: &str| self.tables.iter().any(|statements| statements.table.name == name);
        match commit.changes.iter().find(|change| !is_known(change.key.table)) {
            Some(change) => Err(format!("no table {}", change.key.table)),
            None => Ok(()),
        }
    }

    /// Whether a unique value that is taken may be one that the commit itself gives up.
    fn may_move_values<R: Row>(&self, commit: &Commit<R>) -> bool {
        let has_unique = |name: &str| {
            self.tables.iter().any(|statements| statements.table.name == name && statements.vacate.is_some())
        };
        commit.changes.len() > 1 && commit.changes.iter().any(|change| has_unique(change.key.table))
    }

    async fn attempt<R: Row>(&self, commit: &Commit<R>, order: RowOrder) -> Result<Heads, Refused> {
        let mut open = Open::begin(&self.database, self.database.dialect.begin()).await?;
        match transaction::apply(open.connection()?, &self.tables, commit, order).await {
            Ok(heads) => match open.commit().await {
                Ok(()) => Ok(heads),
                Err(error) => Err(failed_commit(&error)),
            },
            Err(refused) => {
                open.roll_back().await;
                Err(refused)
            }
        }
    }

    /// Notes that a commit will never be, unless it is. One that is still under way is waited for: it has written the same
    /// row.
    pub async fn settle(&self, id: CommitId) -> Result<Settled, StoreError> {
        let id = id.0.to_string();
        let dialect = self.database.dialect;
        // Without a time it is never pruned, and so it holds for good.
        let sql = format!(
            "{} \"commits\" (\"id\", \"outcome\", \"at_us\") VALUES (?, '{NEVER}', NULL){}",
            dialect.insert_missing(),
            dialect.unless_there("\"id\"")
        );
        self.database.write(&sql, &[id.as_str().into()]).await?;
        let sql = "SELECT \"outcome\" FROM \"commits\" WHERE \"id\" = ?";
        let found = self.database.read(sql, &[id.as_str().into()]).await?;
        match found.first().map(|row| row.text(0)).transpose()? {
            Some(COMMITTED) => Ok(Settled::Committed),
            Some(_) => Ok(Settled::Never),
            None => Err(StoreError::Unavailable("the outcome of the commit was not kept".to_owned())),
        }
    }
}

/// What an error of the COMMIT itself means. A conflict is a roll back; anything else may have come after the commit.
fn failed_commit(error: &sqlx::Error) -> Refused {
    match error::trouble(error) {
        Trouble::Conflict => Refused::Again(error.to_string()),
        _ => Refused::Unknown(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_that_is_interrupted_is_unknown() {
        let lost = sqlx::Error::Io(std::io::Error::from(std::io::ErrorKind::UnexpectedEof));
        assert!(matches!(failed_commit(&lost), Refused::Unknown(_)));
        assert!(matches!(Refused::from(lost), Refused::Again(_)), "before the COMMIT it surely was not done");
    }
}
