//! The one thread that writes. It owns the connection, takes jobs in order, and answers each when it is done.

use std::{path::Path, sync::Arc, thread::JoinHandle};

use rusqlite::Connection;
use store::{Commit, CommitError, CommitId, Row, Settled, StoreError};
use tokio::sync::{mpsc, oneshot};

use crate::{
    checkpoint::Checkpointer,
    error::{OpenError, failed_commit, is_failed_sync, read_error},
    log::Feeds,
    statements::TableStatements,
    transaction::{self, Refused, RowOrder},
    trim::{self, Step},
};

/// The most jobs that wait for the writer; whoever comes next waits for room.
pub const MAX_WAITING_JOBS: usize = 64;

/// How many answers or commit ids one transaction forgets, so that no commit waits long behind it.
pub const PRUNE_STEP: usize = 5_000;

/// What the writer does.
pub enum Job<R: Row> {
    /// Writes a commit.
    Commit(Box<Commit<R>>, oneshot::Sender<Result<(), CommitError>>),
    /// Finds out about a commit.
    Settle(CommitId, oneshot::Sender<Result<Settled, StoreError>>),
    /// Forgets some answers and commit ids that are older than a time.
    Prune(i64, oneshot::Sender<Result<Pruned, StoreError>>),
    /// Removes some facts from the outbox; how many.
    Trim(Step, oneshot::Sender<Result<usize, StoreError>>),
}

/// What one step of pruning forgot.
#[derive(Debug, Clone, Copy)]
pub struct Pruned {
    /// How many answers.
    pub answers: usize,
    /// How many commit ids.
    pub commits: usize,
}

struct Writer {
    connection: Connection,
    tables: Arc<Vec<TableStatements>>,
    feeds: Arc<Feeds>,
    /// None only where a test needs none.
    checkpointer: Option<Checkpointer>,
    /// Why nothing is written any more: a sync failed, so nobody knows what is on the disk.
    broken: Option<String>,
}

/// Starts the thread. It ends when every sender is dropped and every job is done.
pub fn start<R: Row>(
    path: &Path,
    connection: Connection,
    tables: Arc<Vec<TableStatements>>,
    feeds: Arc<Feeds>,
) -> Result<(mpsc::Sender<Job<R>>, JoinHandle<()>), OpenError> {
    let (sender, mut jobs) = mpsc::channel::<Job<R>>(MAX_WAITING_JOBS);
    let checkpointer = Some(Checkpointer::start(path, R::SERVICE)?);
    let mut writer = Writer { connection, tables, feeds, checkpointer, broken: None };
    let thread = std::thread::Builder::new()
        .name(format!("sqlite-{}", R::SERVICE))
        .spawn(move || {
            while let Some(job) = jobs.blocking_recv() {
                writer.work(job);
            }
            writer.close();
        })
        .map_err(OpenError::Thread)?;
    Ok((sender, thread))
}

impl Writer {
    /// Whoever asked may be gone by the time of the answer, which is no concern of the writer's.
    fn work<R: Row>(&mut self, job: Job<R>) {
        match job {
            Job::Commit(commit, reply) => {
                let _ = reply.send(self.commit(&commit));
                self.tidy(commit.changes.len() + commit.facts.len());
            }
            Job::Settle(id, reply) => {
                let _ = reply.send(self.write(|connection| transaction::settle(connection, id)));
            }
            Job::Prune(before_us, reply) => {
                let _ = reply.send(self.write(|connection| prune(connection, before_us)));
            }
            Job::Trim(step, reply) => {
                let removed = self.write(|connection| trim::carry_out(connection, step));
                let rows = *removed.as_ref().unwrap_or(&0);
                if removed.is_ok() {
                    self.feeds.trim(step.topic, step.end());
                }
                let _ = reply.send(removed);
                self.tidy(rows);
            }
        }
    }

    fn commit<R: Row>(&mut self, commit: &Commit<R>) -> Result<(), CommitError> {
        self.begin().map_err(CommitError::Failed)?;
        let mut applied =
            transaction::apply(&self.connection, &self.tables, &self.feeds, commit, RowOrder::AsGiven);
        if matches!(applied, Err(Refused::Taken(_))) && commit.changes.len() > 1 {
            // Rare, and so the usual commit does not pay for it.
            self.roll_back();
            self.begin().map_err(CommitError::Failed)?;
            applied = transaction::apply(
                &self.connection,
                &self.tables,
                &self.feeds,
                commit,
                RowOrder::VacateFirst,
            );
        }
        match applied {
            Ok(appended) => {
                self.end().map_err(failed_commit)?;
                self.feeds.append(appended, &commit.forgotten);
                Ok(())
            }
            Err(refused) => {
                self.roll_back();
                Err(match refused {
                    Refused::Taken(what) => CommitError::Stale(what),
                    Refused::For(error) => error,
                })
            }
        }
    }

    /// Runs a small transaction whose outcome need not be known for sure.
    fn write<T>(&mut self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        self.begin().map_err(StoreError::Unavailable)?;
        match work(&self.connection) {
            Ok(done) => self.end().map(|()| done).map_err(read_error),
            Err(error) => {
                self.roll_back();
                Err(read_error(error))
            }
        }
    }

    fn begin(&mut self) -> Result<(), String> {
        if let Some(why) = &self.broken {
            return Err(format!("nothing is written after a failed sync ({why}); start the program again"));
        }
        if !self.connection.is_autocommit() {
            // An earlier roll back failed.
            self.connection.execute_batch("ROLLBACK").map_err(|error| error.to_string())?;
        }
        self.run("BEGIN IMMEDIATE").map_err(|error| error.to_string())
    }

    fn end(&mut self) -> rusqlite::Result<()> {
        let ended = self.run("COMMIT");
        if let Err(error) = &ended {
            tracing::error!(%error, "a commit failed at its end");
            if is_failed_sync(error) {
                self.broken = Some(error.to_string());
            }
            self.roll_back();
            if let Err(error) = self.feeds.recall(&self.connection) {
                self.broken = Some(error.to_string());
            }
        }
        ended
    }

    fn roll_back(&self) {
        // Some errors have rolled back already.
        if !self.connection.is_autocommit()
            && let Err(error) = self.run("ROLLBACK")
        {
            tracing::error!(%error, "a roll back failed; it is tried again before the next commit");
        }
    }

    fn run(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(|_| ())
    }

    /// After the answer, so that nobody waits for it.
    fn tidy(&self, rows: usize) {
        if let Some(checkpointer) = &self.checkpointer {
            checkpointer.note(rows);
            checkpointer.shorten(&self.connection);
        }
    }

    /// Leaves one file behind where it can; what it cannot, the next start does.
    fn close(mut self) {
        drop(self.checkpointer.take());
        let tidied = self.connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);");
        if let Err(error) = tidied {
            tracing::warn!(%error, "the write-ahead log is left for the next start");
        }
        if let Err((_, error)) = self.connection.close() {
            tracing::warn!(%error, "the database did not close");
        }
    }
}

fn prune(connection: &Connection, before_us: i64) -> rusqlite::Result<Pruned> {
    let step = i64::try_from(PRUNE_STEP).unwrap_or(i64::MAX);
    let answers = connection
        .prepare_cached(
            "DELETE FROM answers WHERE key IN (SELECT key FROM answers WHERE at_us < ?1 LIMIT ?2)",
        )?
        .execute((before_us, step))?;
    let commits = connection
        .prepare_cached("DELETE FROM commits WHERE id IN (SELECT id FROM commits WHERE at_us < ?1 LIMIT ?2)")?
        .execute((before_us, step))?;
    Ok(Pruned { answers, commits })
}

#[cfg(test)]
mod tests {
    use bus::Topic;
    use store::{
        Change,
        conformance::{Note, SuiteRow, TOPICS},
    };
    use uuid::Uuid;

    use super::*;
    use crate::{open, schema::Wanted, statements};

    fn writer(path: &std::path::Path) -> Writer {
        let wanted = Wanted { service: SuiteRow::SERVICE, tables: SuiteRow::TABLES };
        let connection = open::writer(path, &wanted).expect("it opens");
        let feeds = Feeds::load(&connection, &TOPICS).expect("it reads");
        let tables = Arc::new(statements::of_all::<SuiteRow>());
        Writer { connection, tables, feeds: Arc::new(feeds), checkpointer: None, broken: None }
    }

    fn large(number: u128) -> Commit<SuiteRow> {
        let row = SuiteRow::from(Note { id: number.to_string(), text: "x".repeat(1_000_000) });
        let mut commit = Commit::new(CommitId(Uuid::from_u128(number)), 1);
        commit.changes.push(Change::new(row.key(), 0, Some(row)));
        commit.facts.push(std::sync::Arc::new(bus::conformance::sample(Topic::TicketEvent, 1)));
        commit
    }

    #[test]
    fn a_full_disk_fails_a_commit_and_later_ones_succeed() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut writer = writer(&directory.path().join("suite.db"));
        writer.connection.pragma_update(None, "max_page_count", 200).expect("a limit");
        let full = writer.commit(&large(1));
        assert!(matches!(full, Err(CommitError::Failed(_))), "{full:?}");
        writer.connection.pragma_update(None, "max_page_count", 2_000).expect("a limit");
        writer.commit(&large(1)).expect("there is room again");
    }

    #[test]
    fn a_failed_roll_back_is_made_good_by_the_next_commit() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut writer = writer(&directory.path().join("suite.db"));
        writer.connection.execute_batch("BEGIN IMMEDIATE").expect("it begins");
        writer.commit(&large(1)).expect("the transaction that was left open is gone");
    }

    #[test]
    fn nothing_is_written_after_a_failed_sync() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut writer = writer(&directory.path().join("suite.db"));
        writer.broken = Some("disk I/O error".to_owned());
        assert!(matches!(writer.commit(&large(1)), Err(CommitError::Failed(_))));
        let settled = writer.write(|connection| transaction::settle(connection, CommitId(Uuid::nil())));
        assert!(matches!(settled, Err(StoreError::Unavailable(_))));
    }
}
