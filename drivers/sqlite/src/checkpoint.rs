//! Copying the write-ahead log into the database, beside the writer.
//!
//! ```text
//!   writer        commit  commit  commit  commit  commit  commit   (now and then: the last few pages)
//!   checkpointer     |---- copies what is there ----|
//! ```
//!
//! A checkpoint waits for the disk much longer than a commit does. On a thread of its own it keeps nobody
//! waiting. Only the writer can begin the log anew, and only when all of it has been copied, so when the log has
//! become long the writer copies the rest, which is little by then.

use std::{
    path::Path,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use rusqlite::Connection;

use crate::{error::OpenError, open};

/// A checkpoint is made when about so many pages (of 4 KiB) were written.
const EVERY_PAGES: usize = 4_000;
/// The log is begun anew when it has so many pages.
const LONG_PAGES: i64 = 16_000;
/// What one commit writes beside its rows, in pages: the edges of the trees.
const PAGES_OF_A_COMMIT: usize = 6;
/// How many rows, with their indexes, fill a page.
const ROWS_OF_A_PAGE: usize = 2;

/// The checkpoints of one file.
pub struct Checkpointer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    work: Mutex<Work>,
    wake: Condvar,
    is_long: AtomicBool,
}

#[derive(Default)]
struct Work {
    /// About how many pages were written since the last checkpoint.
    pages: usize,
    is_over: bool,
}

impl Checkpointer {
    /// Starts the thread, with a connection of its own.
    ///
    /// # Errors
    /// When the file cannot be opened, or no thread can be started.
    pub fn start(path: &Path, service: &str) -> Result<Self, OpenError> {
        let connection = open::checkpointer(path)?;
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name(format!("checkpoint-{service}"))
            .spawn(move || {
                while own.wait() {
                    own.checkpoint(&connection);
                }
            })
            .map_err(OpenError::Thread)?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Notes a commit of so many rows, and has them copied when it is time.
    pub fn note(&self, rows: usize) {
        let mut work = self.shared.work();
        work.pages += PAGES_OF_A_COMMIT + rows / ROWS_OF_A_PAGE;
        if work.pages >= EVERY_PAGES {
            self.shared.wake.notify_one();
        }
    }

    /// Copies the rest of a log that has become long, on the writer's connection, so that the next commit
    /// begins the log anew. Should a reader still need it, a later commit tries again.
    pub fn shorten(&self, writer: &Connection) {
        if self.shared.is_long.swap(false, Ordering::Relaxed) {
            self.shared.checkpoint(writer);
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.shared.work().is_over = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the checkpointer panicked");
        }
    }
}

impl Shared {
    /// Waits until there is enough to copy; whether to go on.
    fn wait(&self) -> bool {
        let is_idle = |work: &mut Work| work.pages < EVERY_PAGES && !work.is_over;
        let woken = self.wake.wait_while(self.work(), is_idle);
        let mut work = woken.unwrap_or_else(PoisonError::into_inner);
        work.pages = 0;
        !work.is_over
    }

    fn checkpoint(&self, connection: &Connection) {
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(1)?, row.get(2)?));
        match connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], read) {
            Ok((pages, copied)) => {
                let (pages, copied): (i64, i64) = (pages, copied);
                tracing::trace!(pages, copied, "checkpoint");
                self.is_long.store(pages >= LONG_PAGES && copied > 0, Ordering::Relaxed);
            }
            // What was committed stays in the log; the next checkpoint copies it.
            Err(error) => tracing::warn!(%error, "a checkpoint failed"),
        }
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        // Nothing panics while the lock is held.
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
