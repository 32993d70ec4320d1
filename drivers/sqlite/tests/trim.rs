//! What was trimmed stays so after a restart, and files from before there was trimming are taken over.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::{path::Path, sync::Arc};

use bus::{Fact, Log, LogError, Position, Record, Topic, conformance::sample};
use rusqlite::Connection;
use sqlite::{OpenError, Options, SqliteStore};
use store::{
    Commit, CommitId, Store,
    conformance::{SuiteRow, TOPICS},
};
use uuid::Uuid;

type Suite = SqliteStore<SuiteRow>;

const TOPIC: Topic = Topic::TicketEvent;

fn open(path: &Path) -> Suite {
    Suite::open(path, Options { topics: TOPICS.to_vec() }).unwrap()
}

async fn publish(store: &Suite, facts: Vec<Fact>) {
    let id = CommitId(Uuid::from_u128(u128::from(facts[0].time_us.unsigned_abs()) + 1));
    let facts = facts.into_iter().map(Arc::new).collect();
    store.commit(Commit { facts, ..Commit::new(id, 1) }).await.unwrap();
}

async fn read(store: &Suite, topic: Topic, after: u64) -> Result<Vec<Record>, LogError> {
    let partition = store.partitions(topic).remove(0);
    Ok(store.read(&partition, Position(after), 100).await?.records)
}

#[tokio::test]
async fn after_a_restart_positions_go_on_and_who_is_too_late_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("suite.db");
    let store = open(&path);
    publish(&store, (0..5).map(|number| sample(TOPIC, number)).collect()).await;
    assert_eq!(store.trim(TOPIC, Position(u64::MAX), i64::MAX).await.unwrap(), 4);
    store.close().await;

    let store = open(&path);
    publish(&store, vec![sample(TOPIC, 5)]).await;
    let kept = read(&store, TOPIC, 4).await.unwrap();
    let positions: Vec<u64> = kept.iter().map(|record| record.position.0).collect();
    assert_eq!(positions, [5, 6]);
    let late = read(&store, TOPIC, 3).await.unwrap_err();
    assert_eq!(
        late.to_string(),
        "the facts of ticket-event/suite up to 4 are no longer kept, and this reader is only at 3"
    );
}

#[tokio::test]
async fn a_file_from_before_there_was_trimming_is_taken_over() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("suite.db");
    let store = open(&path);
    let upsert = |number| Fact { key: "one".to_owned(), ..sample(Topic::UpsertData, number) };
    publish(&store, vec![upsert(0), upsert(1)]).await;
    store.close().await;
    let as_it_was = "DROP TABLE trimmed; DROP INDEX outbox_upsert_data_by_key; PRAGMA user_version = 1;";
    Connection::open(&path).unwrap().execute_batch(as_it_was).unwrap();
    let unread = Suite::open_read_only(&path).err();
    assert!(matches!(unread, Some(OpenError::Older { found: 1, known: 2, .. })), "{unread:?}");

    let store = open(&path);
    assert_eq!(read(&store, Topic::UpsertData, 0).await.unwrap().len(), 2);
    assert_eq!(store.trim(Topic::UpsertData, Position(u64::MAX), i64::MAX).await.unwrap(), 1);
    assert_eq!(read(&store, Topic::UpsertData, 0).await.unwrap().len(), 1);
}
