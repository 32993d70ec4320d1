//! A few connections that read. Each sees the database as it was when its transaction began, and never
//! waits for the writer.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rusqlite::Connection;
use store::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    error::{OpenError, read_error},
    open,
};

/// How many reads run at the same time; whoever comes next waits for one of them.
pub const READERS: usize = 4;

/// The connections that read.
pub struct Readers {
    idle: Mutex<Vec<Connection>>,
    /// A permit for each connection that is idle.
    free: Arc<Semaphore>,
}

/// A connection that is lent out, and comes back even when the read panics.
struct Lent {
    readers: Arc<Readers>,
    connection: Option<Connection>,
    _permit: OwnedSemaphorePermit,
}

impl Readers {
    /// Opens them all.
    pub fn open(path: &Path) -> Result<Arc<Self>, OpenError> {
        let mut idle = Vec::with_capacity(READERS);
        for _ in 0..READERS {
            idle.push(open::reader(path)?);
        }
        Ok(Arc::new(Self { idle: Mutex::new(idle), free: Arc::new(Semaphore::new(READERS)) }))
    }

    /// Runs a read in one transaction, on a thread that may block.
    pub async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.free).acquire_owned().await;
        let permit = permit.map_err(|_| StoreError::Unavailable("the store is closed".to_owned()))?;
        let connection = self.idle().pop();
        let lent = Lent { readers: Arc::clone(self), connection, _permit: permit };
        let done = tokio::task::spawn_blocking(move || match &lent.connection {
            Some(connection) => in_transaction(connection, work),
            None => Err(StoreError::Unavailable("the store is closed".to_owned())),
        });
        done.await.unwrap_or_else(|error| Err(StoreError::Unavailable(error.to_string())))
    }

    /// Waits for the reads that run, refuses further ones, and closes the connections.
    pub async fn close(&self) {
        // A closed semaphore refuses this too: then somebody else is closing, or has.
        let all = u32::try_from(READERS).unwrap_or(u32::MAX);
        if let Ok(permits) = self.free.acquire_many(all).await {
            permits.forget();
        }
        self.close_idle();
    }

    /// Refuses further reads, and closes the connections that are idle.
    pub fn close_idle(&self) {
        self.free.close();
        self.idle().clear();
    }

    /// Whether the store is closed.
    pub fn are_closed(&self) -> bool {
        self.free.is_closed()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        // Nothing panics while the lock is held.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        // Once closed, nobody would take it: then it is dropped here.
        if !self.readers.free.is_closed() {
            self.readers.idle().push(connection);
        }
    }
}

fn in_transaction<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    // Dropping the transaction ends it; there is nothing to commit.
    let transaction = connection.unchecked_transaction().map_err(read_error)?;
    work(&transaction)
}
