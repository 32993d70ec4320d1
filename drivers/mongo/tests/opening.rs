//! A database is opened only by whom it was made for, and errors name what to do.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod servers;

use bus::{Log, Position, Topic};
use mongo::{MongoStore, OpenError, Options};
use servers::Servers;
use store::{Commit, CommitError, CommitId, Query, Store, StoreError, conformance::SuiteRow};
use uuid::Uuid;

mod others {
    //! The same database, as others describe it.

    use store::{Value, conformance::Note};

    store::rows! {
        /// Another service.
        pub enum OtherService in "other" {
            /// Its row.
            Note(Note) in "note" by |note| &note.id => {} indexes [],
        }
    }

    store::rows! {
        /// The same service with other columns.
        pub enum OtherColumns in "suite" {
            /// Its row.
            Note(Note) in "note" by |note| &note.id => { text: Text = Value::Text(note.text.clone()) } indexes [],
        }
    }
}

async fn refused(url: &str) -> String {
    let error = MongoStore::<SuiteRow>::open(url, Options::default()).await.err().expect("it is refused");
    error.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_without_collections_is_refused_and_making_them_again_changes_nothing() {
    let Some(servers) = Servers::start() else { return };
    let url = servers.url();
    let error = refused(&url).await;
    assert!(
        error.ends_with("has no collections of the service \"suite\" yet: run `boxoffice migrate`"),
        "{error}"
    );
    mongo::migrate::<SuiteRow>(&url).await.unwrap();
    let store = servers::open(&url).await;
    let partition = store.partitions(Topic::TicketEvent).remove(0);
    let mut commit = Commit::new(CommitId(Uuid::from_u128(1)), 1);
    commit.facts.push(std::sync::Arc::new(bus::conformance::sample(Topic::TicketEvent, 1)));
    store.commit(commit.clone()).await.unwrap();
    mongo::migrate::<SuiteRow>(&url).await.unwrap();
    let again = servers::open(&url).await;
    assert_eq!(again.read(&partition, Position(0), 10).await.unwrap().records.len(), 1);
    assert!(matches!(again.commit(commit).await, Err(CommitError::Stale(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_somebody_else_is_refused() {
    let Some(servers) = Servers::start() else { return };
    let url = servers.migrated().await;
    let service = MongoStore::<others::OtherService>::open(&url, Options::default()).await.err();
    assert!(matches!(service, Some(OpenError::OtherService { .. })), "{service:?}");
    let service = mongo::migrate::<others::OtherService>(&url).await.err();
    assert!(matches!(service, Some(OpenError::OtherService { .. })), "{service:?}");
    let columns = MongoStore::<others::OtherColumns>::open(&url, Options::default()).await.err();
    assert!(matches!(columns, Some(OpenError::OtherColumns { .. })), "{columns:?}");
}

#[tokio::test]
async fn what_cannot_be_reached_or_read_is_told_without_the_password() {
    for (url, expected) in [
        ("mongodb://ann:s3cr3t@127.0.0.1:1", "names no database"),
        ("mongodb://ann:s3cr3t@127.0.0.1:1/suite", "the database \"suite\" at 127.0.0.1:1 cannot be used"),
        ("mongodb://ann:s3cr3t@127.0.0.1:1/suite?w=x&readPreference=s3cr3t", "cannot be read"),
        ("mysql://ann:s3cr3t@127.0.0.1/suite", "cannot be read"),
    ] {
        let error = refused(url).await;
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("s3cr3t"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_store_refuses_everything() {
    let Some(servers) = Servers::start() else { return };
    let store = servers.fresh().await;
    let partition = store.partitions(Topic::TicketEvent).remove(0);
    store.close().await;
    store.close().await;
    let commit = Commit::new(CommitId(Uuid::from_u128(1)), 1);
    assert!(matches!(store.commit(commit).await, Err(CommitError::Failed(_))));
    assert!(matches!(store.load(&[], &[]).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.query(&Query::all("note")).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.settle(CommitId(Uuid::from_u128(1))).await, Err(StoreError::Unavailable(_))));
    assert!(store.read(&partition, Position::default(), 1).await.is_err());
    store.wait(&partition, Position(7)).await.expect("nobody waits for ever");
}
