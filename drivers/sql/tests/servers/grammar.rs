//! Every statement that CockroachDB would get is one that its own parser reads.
//!
//! The statements are those that PostgreSQL was really asked, as its log has them, while a store of a `cockroach:` URL was
//! made, went through the whole suite, and committed, settled and trimmed.

use std::{
    collections::BTreeSet,
    io::Write as _,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
};

use bus::{Log, Position, Topic};
use store::{Store, conformance::SuiteRow};

use crate::{
    everything,
    support::{Kind, engine, open},
};

/// So many different statements there are at least.
const LEAST_STATEMENTS: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cockroachdb_reads_every_statement() {
    let Some(grammar) = engines::wanted(
        "CockroachDB's grammar",
        engines::tools::downloaded(
            "cockroach-grammar",
            "cockroach-grammar",
            "build drivers/sql/tests/cockroach-grammar with Go",
        ),
    ) else {
        return;
    };
    let Some(engine) = engine(Kind::Postgres) else { return };
    let names = Mutex::new(BTreeSet::new());
    let database = async || {
        let url = engine.empty_database().replacen("postgres:", "cockroach:", 1);
        names.lock().unwrap().insert(url.rsplit('/').next().unwrap().to_owned());
        sql::migrate::<SuiteRow>(&url).await.unwrap();
        open(&url).await
    };
    store::conformance::run(async || {
        let store = Arc::new(database().await);
        (Arc::clone(&store) as Arc<dyn Store<SuiteRow>>, store as Arc<dyn Log>)
    })
    .await;
    let store = database().await;
    for round in 0..3 {
        store.commit(everything::commit(round)).await.unwrap();
    }
    store.settle(everything::commit(9).id).await.unwrap();
    store.trim(Topic::UpsertData, Position(9), i64::MAX).await.unwrap();
    store.close().await;
    let statements = statements(&engine.log(), &names.into_inner().unwrap());
    assert!(statements.len() >= LEAST_STATEMENTS, "only {} statements: {statements:#?}", statements.len());
    for part in [
        "BEGIN ISOLATION LEVEL SERIALIZABLE",
        "CREATE UNIQUE INDEX",
        "ON CONFLICT",
        "COMMIT",
        "UNNEST",
        "USING",
    ] {
        assert!(statements.iter().any(|statement| statement.contains(part)), "no statement with {part}");
    }
    let mut reading = Command::new(grammar)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the parser starts");
    let lines: String = statements.iter().map(|statement| format!("{statement}\n")).collect();
    reading.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let read = reading.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&read.stdout);
    assert!(read.status.success(), "refused:\n{told}");
    assert_eq!(told.trim(), format!("{} statements", statements.len()));
}

/// The statements that were run in these databases. Each line of the log begins with the name of one.
fn statements(log: &str, databases: &BTreeSet<String>) -> BTreeSet<String> {
    let mut statements = BTreeSet::new();
    for line in log.lines() {
        let Some((database, told)) = line.split_once('|') else { continue };
        let Some(asked) = told.strip_prefix("LOG:  ").filter(|_| databases.contains(database)) else {
            continue;
        };
        let prepared = asked.strip_prefix("execute ").and_then(|asked| asked.split_once(": "));
        let statement = asked.strip_prefix("statement: ").or(prepared.map(|(_, statement)| statement));
        statements.extend(statement.map(str::to_owned));
    }
    statements
}
