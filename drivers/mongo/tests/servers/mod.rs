//! A server for tests, and databases on it.
#![allow(dead_code, reason = "each test uses some of it")]

use std::sync::atomic::{AtomicUsize, Ordering};

use engines::ferretdb::{self, FerretDb};
use mongo::{MongoStore, Options};
use store::conformance::{SuiteRow, TOPICS};
use tempfile::TempDir;

/// A running server, with a new database for each store.
pub struct Servers {
    server: FerretDb,
    number: AtomicUsize,
    _directory: TempDir,
}

impl Servers {
    /// None where there is no server to be had, which is told.
    pub fn start() -> Option<Self> {
        engines::wanted("FerretDB", ferretdb::program())?;
        let directory = tempfile::tempdir().unwrap();
        let server = FerretDb::start(directory.path()).unwrap();
        Some(Self { server, number: AtomicUsize::new(0), _directory: directory })
    }

    /// The URL of a database that nobody has used.
    pub fn url(&self) -> String {
        self.server.url(&format!("suite_{}", self.number.fetch_add(1, Ordering::Relaxed)))
    }

    /// The URL of a new database with collections.
    pub async fn migrated(&self) -> String {
        let url = self.url();
        mongo::migrate::<SuiteRow>(&url).await.unwrap();
        url
    }

    /// A store on a new database.
    pub async fn fresh(&self) -> MongoStore<SuiteRow> {
        open(&self.migrated().await).await
    }
}

/// A store on a database.
pub async fn open(url: &str) -> MongoStore<SuiteRow> {
    MongoStore::open(url, Options { topics: TOPICS.to_vec() }).await.unwrap()
}
