//! The conformance suites of the storage port and of the log, on files.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::sync::{Arc, Mutex};

use bus::Log;
use sqlite::{Options, SqliteStore};
use store::{
    Commit, CommitId, Store,
    conformance::{self, SuiteRow, TOPICS},
};
use tempfile::TempDir;
use uuid::Uuid;

/// Fresh stores, whose directories live as long as this.
#[derive(Default)]
struct Directories(Mutex<Vec<TempDir>>);

impl Directories {
    fn open(&self) -> SqliteStore<SuiteRow> {
        let directory = tempfile::tempdir().unwrap();
        let options = Options { topics: TOPICS.to_vec() };
        let store = SqliteStore::open(&directory.path().join("suite.db"), options).unwrap();
        self.0.lock().unwrap().push(directory);
        store
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_conforms() {
    let directories = Directories::default();
    conformance::run(|| async {
        let store = Arc::new(directories.open());
        (Arc::clone(&store) as Arc<dyn Store<SuiteRow>>, store as Arc<dyn Log>)
    })
    .await;
}

#[tokio::test]
async fn the_store_conforms_on_one_thread() {
    let directories = Directories::default();
    conformance::run(|| async {
        let store = Arc::new(directories.open());
        (Arc::clone(&store) as Arc<dyn Store<SuiteRow>>, store as Arc<dyn Log>)
    })
    .await;
}

#[tokio::test]
async fn the_log_conforms() {
    let directories = Directories::default();
    bus::conformance::run(|facts| {
        let store = directories.open();
        async move {
            let commit = Commit { facts, ..Commit::new(CommitId(Uuid::from_u128(1)), 1) };
            store.commit(commit).await.unwrap();
            store
        }
    })
    .await;
}
