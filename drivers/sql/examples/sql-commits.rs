//! How many commits and rows a second a server takes: `cargo run -p sql --example sql-commits`.
//!
//! It starts PostgreSQL and MariaDB as durable as they are out of the box, on a directory of its own. Each commit has half new
//! rows and half changed ones, of about a kilobyte, and a fact for each row. With several replicas each has a store of its own.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use engines::{mariadb::MariaDb, postgres::Postgres};
use sql::{Options, SqlStore};
use store::{
    Change, Commit, CommitId, Key, Store as _,
    conformance::{Note, SuiteRow, TOPICS},
};
use tokio::task::JoinSet;
use uuid::Uuid;

/// How long each measurement takes.
const SPAN: Duration = Duration::from_secs(5);
/// A state of about a kilobyte, in bytes.
const STATE: usize = 1_000;

type Suite = SqlStore<SuiteRow>;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    std::fs::set_permissions(directory.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    let postgres = Postgres::start(directory.path(), &[])?;
    let mariadb = MariaDb::start(directory.path(), &[])?;
    println!("server       replicas  rows a commit  commits/s  rows/s");
    for (replicas, rows) in [(1, 32), (1, 256), (3, 32), (3, 256)] {
        let name = format!("r{replicas}_{rows}");
        postgres.run(&format!("CREATE DATABASE {name}"))?;
        mariadb.run(&format!("CREATE DATABASE {name}"))?;
        let url = format!("postgres://{}@127.0.0.1:{}/{name}", engines::postgres::USER, postgres.port);
        measure("PostgreSQL", &url, replicas, rows).await?;
        measure("MariaDB", &format!("mariadb://root@127.0.0.1:{}/{name}", mariadb.port), replicas, rows)
            .await?;
    }
    Ok(())
}

async fn measure(server: &str, url: &str, replicas: u64, rows: u64) -> anyhow::Result<()> {
    sql::migrate::<SuiteRow>(url).await?;
    let mut running = JoinSet::new();
    for replica in 0..replicas {
        let store = Suite::open(url, Options { topics: TOPICS.to_vec(), ..Options::default() }).await?;
        running.spawn(commit_for_a_while(store, replica, rows));
    }
    let mut commits = 0;
    while let Some(done) = running.join_next().await {
        commits += done??;
    }
    let a_second = commits as f64 / SPAN.as_secs_f64();
    println!("{server:<12} {replicas:>8} {rows:>14} {a_second:>10.0} {:>7.0}", a_second * rows as f64);
    Ok(())
}

async fn commit_for_a_while(store: Suite, replica: u64, rows: u64) -> anyhow::Result<u64> {
    let end = Instant::now() + SPAN;
    let mut commits = 0;
    while Instant::now() < end {
        store.commit(commit(replica, commits, rows)).await?;
        commits += 1;
    }
    store.close().await;
    Ok(commits)
}

/// New rows, and a change of the new rows of the commit before.
fn commit(replica: u64, number: u64, rows: u64) -> Commit<SuiteRow> {
    let id = u128::from(replica) << 64 | u128::from(number + 1);
    let mut commit = Commit::new(CommitId(Uuid::from_u128(id)), 1);
    let row = |number: u64, index: u64| Note {
        id: format!("{replica}-{number:06}-{index:03}"),
        text: "x".repeat(STATE),
    };
    let new = if number == 0 { rows } else { rows / 2 };
    for index in 0..new {
        let note = row(number, index);
        commit.changes.push(Change::new(Key::new("note", &note.id), 0, Some(note.into())));
    }
    for index in 0..rows - new {
        let note = row(number - 1, index);
        commit.changes.push(Change::new(Key::new("note", &note.id), 1, Some(note.into())));
    }
    for index in 0..rows {
        let sample = bus::conformance::sample(bus::Topic::TicketEvent, index as u32);
        let id = bus::FactId(Uuid::from_u128(id << 12 | u128::from(index)));
        commit.facts.push(Arc::new(bus::Fact {
            id,
            payload: format!("{{\"text\":\"{}\"}}", "y".repeat(300)),
            ..sample
        }));
    }
    commit
}
