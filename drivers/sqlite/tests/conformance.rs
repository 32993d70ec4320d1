//! The conformance suites of the storage port and of the log, on files.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use bus::{Fact, Log};
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
        let store = open(directory.path());
        self.0.lock().unwrap().push(directory);
        store
    }
}

fn open(directory: &Path) -> SqliteStore<SuiteRow> {
    SqliteStore::open(&directory.join("suite.db"), Options { topics: TOPICS.to_vec() }).unwrap()
}

async fn append(store: &SqliteStore<SuiteRow>, facts: Vec<Fact>) {
    let facts = facts.into_iter().map(Arc::new).collect();
    store.commit(Commit { facts, ..Commit::new(CommitId(Uuid::from_u128(1)), 1) }).await.unwrap();
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
            append(&store, facts).await;
            store
        }
    })
    .await;
}

/// What was committed before the store was opened is in the file only.
#[tokio::test]
async fn the_log_conforms_from_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let number = AtomicUsize::new(0);
    bus::conformance::run(|facts| {
        let path = directory.path().join(number.fetch_add(1, Ordering::Relaxed).to_string());
        async move {
            std::fs::create_dir(&path).unwrap();
            let store = open(&path);
            append(&store, facts).await;
            store.close().await;
            open(&path)
        }
    })
    .await;
}
