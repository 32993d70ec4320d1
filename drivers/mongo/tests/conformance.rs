//! The conformance suites of the storage port and of the log, on a real server of the MongoDB protocol.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod servers;

use std::sync::Arc;

use bus::{Fact, Log};
use mongo::MongoStore;
use servers::Servers;
use store::{
    Commit, CommitId, Store,
    conformance::{self, SuiteRow},
};
use uuid::Uuid;

async fn append(store: &MongoStore<SuiteRow>, facts: Vec<Fact>) {
    let facts = facts.into_iter().map(Arc::new).collect();
    store.commit(Commit { facts, ..Commit::new(CommitId(Uuid::from_u128(1)), 1) }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_conforms() {
    let Some(servers) = Servers::start() else { return };
    conformance::run(|| async {
        let store = Arc::new(servers.fresh().await);
        (Arc::clone(&store) as Arc<dyn Store<SuiteRow>>, store as Arc<dyn Log>)
    })
    .await;
}

#[tokio::test]
async fn the_log_conforms() {
    let Some(servers) = Servers::start() else { return };
    bus::conformance::run(|facts| {
        let servers = &servers;
        async move {
            let store = servers.fresh().await;
            append(&store, facts).await;
            store
        }
    })
    .await;
}

/// What was committed before the store was opened is in the collections only.
#[tokio::test]
async fn the_log_conforms_from_the_collections() {
    let Some(servers) = Servers::start() else { return };
    bus::conformance::run(|facts| {
        let servers = &servers;
        async move {
            let url = servers.migrated().await;
            let store = servers::open(&url).await;
            append(&store, facts).await;
            store.close().await;
            servers::open(&url).await
        }
    })
    .await;
}
