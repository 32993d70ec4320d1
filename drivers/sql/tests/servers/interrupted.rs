//! Commits whose connection is lost: what is said of each is true, and `settle` tells the rest.

use std::{sync::Arc, time::Duration};

use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection, PgConnection};
use store::{CommitError, Settled, Store as _};

use crate::{
    everything,
    proxy::{Next, Proxy},
    support::{Engine, Kind, Suite, commit_id, note_commit, note_key, open, version},
};

/// A store that is reached through a proxy, and one that is not.
async fn by_proxy(engine: &Engine) -> (Proxy, Suite, Suite) {
    let url = engine.database().await;
    let proxy = Proxy::to(engine.port()).await;
    let name = url.rsplit('/').next().unwrap();
    let store = open(&engine.url(proxy.port, name)).await;
    (proxy, store, open(&url).await)
}

crate::on_each_server! {
    async fn a_commit_that_was_cut_before_the_server_heard_of_it_never_happens(engine) {
        let (proxy, store, direct) = by_proxy(&engine).await;
        proxy.next(Next::CutBefore);
        let outcome = store.commit(everything::commit(0)).await;
        assert!(matches!(outcome, Err(CommitError::Unknown(_))), "{outcome:?}");
        assert!(proxy.has_happened());
        assert_eq!(store.settle(everything::commit(0).id).await.unwrap(), Settled::Never);
        let again = store.commit(everything::commit(0)).await;
        assert!(matches!(again, Err(CommitError::Stale(_))), "{again:?}");
        let other = store::Commit { id: commit_id(99), ..everything::commit(0) };
        store.commit(other).await.unwrap();
        everything::is_there(&direct, 0).await;
    }

    async fn a_commit_whose_answer_was_lost_is_settled_as_done(engine) {
        let (proxy, store, direct) = by_proxy(&engine).await;
        proxy.next(Next::CutAfter);
        let outcome = store.commit(everything::commit(0)).await;
        assert!(matches!(outcome, Err(CommitError::Unknown(_))), "{outcome:?}");
        assert_eq!(store.settle(everything::commit(0).id).await.unwrap(), Settled::Committed);
        everything::is_there(&direct, 0).await;
        store.commit(everything::commit(1)).await.unwrap();
        everything::is_there(&direct, 1).await;
    }

    /// Somebody else settles while the COMMIT is on its way: the answer is the truth, whichever it is.
    async fn settling_waits_for_a_commit_that_is_under_way(engine) {
        let (proxy, store, direct) = by_proxy(&engine).await;
        proxy.next(Next::Hold);
        let committing = tokio::spawn(async move { store.commit(everything::commit(0)).await });
        proxy.held().await;
        let direct = Arc::new(direct);
        let settling = Arc::clone(&direct);
        let settling = tokio::spawn(async move { settling.settle(everything::commit(0).id).await });
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!settling.is_finished(), "it cannot be known yet");
        proxy.let_go();
        committing.await.unwrap().unwrap();
        assert_eq!(settling.await.unwrap().unwrap(), Settled::Committed);
        everything::is_there(&direct, 0).await;
    }

    async fn whatever_connection_is_killed_no_outcome_is_wrong(engine) {
        let url = engine.database().await;
        let store = Arc::new(open(&url).await);
        let killing = tokio::spawn({
            let (engine, url) = (Arc::clone(&engine), url.clone());
            async move {
                for _ in 0..25 {
                    tokio::time::sleep(Duration::from_millis(40)).await;
                    kill_all(&engine, &url).await;
                }
            }
        });
        let mut outcomes = Vec::new();
        while !killing.is_finished() {
            let number = outcomes.len() as u64;
            outcomes.push(store.commit(note_commit(number)).await);
        }
        killing.await.unwrap();
        let mut done = 0;
        for (number, outcome) in outcomes.iter().enumerate() {
            let number = number as u64;
            let is_there = version(&store, note_key(&format!("{number:05}"))).await == 1;
            done += usize::from(is_there);
            match outcome {
                Ok(()) => assert!(is_there, "{number} was answered, and is gone"),
                Err(CommitError::Failed(why)) => assert!(!is_there, "{number} failed, and is there: {why}"),
                Err(CommitError::Stale(why)) => panic!("{number} was alone: {why}"),
                Err(CommitError::Unknown(_)) => {
                    let settled = store.settle(commit_id(number)).await.unwrap();
                    assert_eq!(settled == Settled::Committed, is_there, "{number}");
                }
            }
        }
        let facts = crate::support::fact_keys(&store, bus::Topic::TicketEvent).await;
        assert_eq!(facts.len(), done, "each has its fact");
        assert!(done > 0, "none was done: {outcomes:?}");
        store.close().await;
    }
}

/// Ends every connection to a database but one's own.
async fn kill_all(engine: &Engine, url: &str) {
    let name = url.rsplit('/').next().unwrap();
    if engine.kind == Kind::Postgres {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        return;
    }
    let mut connection = MySqlConnection::connect(url).await.unwrap();
    let sql = format!(
        "SELECT id FROM information_schema.processlist WHERE db = '{name}' AND id <> CONNECTION_ID()"
    );
    let others: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
    for id in others {
        // It may have ended by itself.
        let _ = sqlx::raw_sql(AssertSqlSafe(format!("KILL {id}"))).execute(&mut connection).await;
    }
    connection.close().await.unwrap();
}
