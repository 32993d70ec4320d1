//! What is in a database outlives the store, and a database that is not prepared is refused.

use bus::{Log as _, Position, Topic};
use sql::{OpenError, Options, SqlStore};
use store::{CommitError, Row, Settled, Store as _, StoreError, conformance::SuiteRow};

use crate::{
    everything,
    support::{Kind, Suite, commit_id, note_commit, open},
};

async fn refused<R: Row>(url: &str) -> OpenError {
    SqlStore::<R>::open(url, Options::default()).await.err().expect("it is refused")
}

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

    store::rows! {
        /// The same service with a further table.
        pub enum OneMore in "suite" {
            /// Its row.
            Note(Note) in "note" by |note| &note.id => {} indexes [],
            /// Another row.
            More(super::More) in "more" by |more| &more.id => {} indexes [],
        }
    }

    store::rows! {
        /// A service that takes a reserved name.
        pub enum Reserved in "suite" {
            /// Its row.
            Note(Note) in "outbox_ticket_event" by |note| &note.id => {} indexes [],
        }
    }
}

/// A row of a table that came later.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct More {
    pub id: String,
}

crate::on_each_server! {
    async fn reopening_shows_everything(engine) {
        let url = engine.database().await;
        let store = open(&url).await;
        store.commit(everything::commit(0)).await.unwrap();
        store.close().await;
        let store = open(&url).await;
        everything::is_there(&store, 0).await;
        assert_eq!(store.settle(commit_id(0)).await.unwrap(), Settled::Committed);
        store.commit(everything::commit(1)).await.unwrap();
        everything::is_there(&store, 1).await;
    }

    async fn a_closed_store_refuses_everything(engine) {
        let store = open(&engine.database().await).await;
        let partition = store.partitions(Topic::TicketEvent).remove(0);
        store.close().await;
        store.close().await;
        assert!(matches!(store.commit(note_commit(1)).await, Err(CommitError::Failed(_))));
        assert!(matches!(store.position(&partition).await, Err(StoreError::Unavailable(_))));
        assert!(matches!(store.settle(commit_id(1)).await, Err(StoreError::Unavailable(_))));
        assert!(store.read(&partition, Position::default(), 1).await.is_err());
        store.wait(&partition, Position(7)).await.expect("nobody waits for ever");
    }

    async fn an_empty_database_is_refused_until_it_is_migrated(engine) {
        let url = engine.empty_database();
        let error = refused::<SuiteRow>(&url).await;
        assert!(matches!(error, OpenError::NoSchema { .. }), "{error:?}");
        assert!(error.to_string().ends_with("has no schema: run `boxoffice migrate` on it first"), "{error}");
        let migrations = (0..3).map(|_| sql::migrate::<SuiteRow>(&url));
        for done in futures_util::future::join_all(migrations).await {
            done.unwrap();
        }
        sql::migrate::<SuiteRow>(&url).await.unwrap();
        let store = open(&url).await;
        store.commit(everything::commit(0)).await.unwrap();
        sql::migrate::<SuiteRow>(&url).await.unwrap();
        everything::is_there(&store, 0).await;
    }

    async fn a_database_of_another_version_is_refused(engine) {
        let url = engine.database().await;
        engine.run(&url, "UPDATE meta SET value = '99' WHERE name = 'schema_version'").await;
        let error = refused::<SuiteRow>(&url).await;
        assert!(matches!(error, OpenError::Newer { found: 99, known: 1, .. }), "{error:?}");
        assert!(matches!(sql::migrate::<SuiteRow>(&url).await, Err(OpenError::Newer { .. })));
        engine.run(&url, "UPDATE meta SET value = '0' WHERE name = 'schema_version'").await;
        let error = refused::<SuiteRow>(&url).await;
        assert!(matches!(error, OpenError::Older { .. }), "{error:?}");
        assert!(error.to_string().contains("`boxoffice migrate`"), "{error}");
    }

    async fn a_database_made_for_something_else_is_refused(engine) {
        let url = engine.database().await;
        let error = refused::<others::OtherService>(&url).await;
        assert!(matches!(error, OpenError::OtherService { .. }), "{error:?}");
        assert!(matches!(sql::migrate::<others::OtherService>(&url).await, Err(OpenError::OtherService { .. })));
        let error = refused::<others::OtherColumns>(&url).await;
        assert!(matches!(&error, OpenError::OtherColumns { table, .. } if table == "note"), "{error:?}");
        assert!(matches!(sql::migrate::<others::OtherColumns>(&url).await, Err(OpenError::OtherColumns { .. })));
        let error = refused::<others::Reserved>(&url).await;
        assert!(matches!(error, OpenError::Name { .. }), "{error:?}");
    }

    async fn a_table_that_came_later_is_made_by_migrating(engine) {
        let url = engine.database().await;
        let error = refused::<others::OneMore>(&url).await;
        assert!(error.to_string().contains("without the table more"), "{error}");
        sql::migrate::<others::OneMore>(&url).await.unwrap();
        SqlStore::<others::OneMore>::open(&url, Options::default()).await.unwrap().close().await;
    }

    async fn a_server_that_cannot_be_had_is_named_without_the_password(engine) {
        let (scheme, user) = if engine.kind == Kind::Postgres { ("cockroach", "boxoffice") } else { ("mysql", "root") };
        let port = engine.port();
        for (url, place) in [
            (format!("{scheme}://{user}:s3cret@127.0.0.1:1/x"), format!("{scheme}://127.0.0.1:1/x")),
            (format!("{scheme}://{user}@127.0.0.1:{port}/absent"), format!("{scheme}://127.0.0.1:{port}/absent")),
            (format!("{scheme}://nobody:s3cret@127.0.0.1:{port}/x"), format!("{scheme}://127.0.0.1:{port}/x")),
        ] {
            let error = Suite::open(&url, Options::default()).await.err().expect("it is refused");
            let (shown, told) = (format!("{error:?}"), error.to_string());
            assert!(matches!(error, OpenError::Unreachable { .. }), "{shown}");
            assert!(told.starts_with(&format!("{place} cannot be opened: ")), "{told}");
            assert!(!told.contains("s3cret") && !shown.contains("s3cret"), "{shown}");
        }
    }
}
