//! The conformance suites of the storage port and of the log.

use std::sync::Arc;

use bus::Log;
use store::{Commit, Store, conformance::SuiteRow};

use crate::support::{commit_id, open};

crate::on_each_server! {
    async fn the_store_conforms(engine) {
        store::conformance::run(|| async {
            let store = Arc::new(open(&engine.database().await).await);
            (Arc::clone(&store) as Arc<dyn Store<SuiteRow>>, store as Arc<dyn Log>)
        })
        .await;
    }

    async fn the_log_conforms(engine) {
        bus::conformance::run(|facts| {
            let engine = Arc::clone(&engine);
            async move {
                let store = open(&engine.database().await).await;
                let facts = facts.into_iter().map(Arc::new).collect();
                store.commit(Commit { facts, ..Commit::new(commit_id(1), 1) }).await.unwrap();
                store
            }
        })
        .await;
    }
}
