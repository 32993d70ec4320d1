//! Every statement of a commit may be told to begin again, and the commit is made once all the same.

use store::Store as _;

use crate::{
    everything,
    support::{Engine, Kind, open},
};

/// What a commit with everything writes to.
const TABLES: [&str; 11] = [
    "commits",
    "show",
    "show_tags",
    "show_words",
    "note",
    "answers",
    "positions",
    "parked",
    "outbox_heads",
    "outbox_ticket_event",
    "outbox_upsert_data",
];

/// A commit with everything runs at least so many statements.
const LEAST_STATEMENTS: u64 = 18;

/// From now on statements are counted, and the one with the number in `inject_at` fails as one that lost against somebody
/// else does. The count is a sequence, so it goes on after a roll back.
async fn prepare(engine: &Engine, url: &str) {
    let mut sql =
        "CREATE SEQUENCE injected; CREATE TABLE inject_at (n BIGINT); INSERT INTO inject_at VALUES (0);"
            .to_owned();
    if engine.kind == Kind::Postgres {
        sql.push_str(
            "CREATE FUNCTION inject() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF nextval('injected') = (SELECT n FROM inject_at) THEN RAISE EXCEPTION 'injected' USING ERRCODE = '40001'; \
             END IF; RETURN NULL; END $$;",
        );
        for table in TABLES {
            sql.push_str(&format!(
                "CREATE TRIGGER inject BEFORE INSERT OR UPDATE OR DELETE ON \"{table}\" \
                 FOR EACH STATEMENT EXECUTE FUNCTION inject();"
            ));
        }
        // This one is called by the COMMIT.
        sql.push_str(
            "CREATE CONSTRAINT TRIGGER inject_at_end AFTER INSERT ON commits DEFERRABLE INITIALLY DEFERRED \
             FOR EACH ROW EXECUTE FUNCTION inject();",
        );
    } else {
        for (table, what) in
            TABLES.iter().flat_map(|table| ["INSERT", "UPDATE", "DELETE"].map(|what| (table, what)))
        {
            sql.push_str(&format!(
                "CREATE TRIGGER inject_{table}_{what} BEFORE {what} ON `{table}` FOR EACH ROW \
                 IF NEXTVAL(injected) = (SELECT n FROM inject_at) THEN \
                 SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'injected'; END IF;"
            ));
        }
    }
    engine.run(url, &sql).await;
}

/// The next number of the count.
async fn count(engine: &Engine, url: &str) -> i64 {
    let name = if engine.kind == Kind::Postgres { "'injected'" } else { "injected" };
    engine.number(url, &format!("SELECT NEXTVAL({name})")).await
}

/// From now on a statement fails, counted from 1; the number of the count that it has.
async fn inject_at(engine: &Engine, url: &str, statement: u64) -> i64 {
    let at = count(engine, url).await + statement.cast_signed();
    engine.run(url, &format!("UPDATE inject_at SET n = {at}")).await;
    at
}

crate::on_each_server! {
    async fn a_conflict_at_any_statement_is_tried_again(engine) {
        let url = engine.database().await;
        let store = open(&url).await;
        store.commit(everything::commit(0)).await.unwrap();
        prepare(&engine, &url).await;
        let mut round = 0;
        loop {
            round += 1;
            let at = inject_at(&engine, &url, round).await;
            store.commit(everything::commit(round)).await.unwrap();
            everything::is_there(&store, round).await;
            if count(&engine, &url).await <= at {
                break;
            }
            assert!(round < 200, "it never gets beyond the last statement");
        }
        assert!(round > LEAST_STATEMENTS, "only {} statements were met", round - 1);
        store.close().await;
    }

    async fn a_conflict_that_does_not_end_fails(engine) {
        let url = engine.database().await;
        let store = open(&url).await;
        let always = if engine.kind == Kind::Postgres {
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             RAISE EXCEPTION 'always' USING ERRCODE = '40001'; END $$; \
             CREATE TRIGGER refuse BEFORE INSERT ON note FOR EACH STATEMENT EXECUTE FUNCTION refuse()"
        } else {
            "CREATE TRIGGER refuse BEFORE INSERT ON note FOR EACH ROW \
             SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'always'"
        };
        engine.run(&url, always).await;
        let refused = store.commit(everything::commit(0)).await;
        assert!(matches!(&refused, Err(store::CommitError::Failed(why)) if why.contains("always")), "{refused:?}");
        assert_eq!(store.settle(everything::commit(0).id).await.unwrap(), store::Settled::Never);
        store.close().await;
    }
}
