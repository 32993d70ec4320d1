//! Commits a second: `cargo run -p mongo --example mongo-commits -- [URL]`. Without the URL of an empty database it starts a
//! FerretDB. Each commit writes a row that the one before has written, new rows, and a fact for each.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use bus::{Topic, conformance::sample};
use engines::ferretdb::FerretDb;
use mongo::{MongoStore, Options};
use store::{
    Change, Commit, CommitId, Row as _, Store,
    conformance::{Note, SuiteRow, TOPICS},
};
use uuid::Uuid;

/// How many rows a commit writes.
const BATCHES: [u64; 3] = [1, 32, 256];
/// How long each is measured.
const LONG: Duration = Duration::from_secs(10);
/// How long the state of a row is.
const STATE_BYTES: usize = 600;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let (url, _server) = match std::env::args().nth(1) {
        Some(url) => (url, None),
        None => {
            let server = FerretDb::start_indexed(directory.path())?;
            (server.url("speed"), Some(server))
        }
    };
    mongo::migrate::<SuiteRow>(&url).await?;
    let store = MongoStore::<SuiteRow>::open(&url, Options { topics: TOPICS.to_vec() }).await?;
    for rows in BATCHES {
        measure(&store, rows).await?;
    }
    store.close().await;
    Ok(())
}

async fn measure(store: &MongoStore<SuiteRow>, rows: u64) -> anyhow::Result<()> {
    let hot = row(format!("hot {rows}"));
    let (mut commits, mut slowest) = (0, Duration::ZERO);
    let begun = Instant::now();
    while begun.elapsed() < LONG {
        let asked = Instant::now();
        let loaded = store.load(&[hot.key()], &[]).await?;
        let version =
            loaded.rows.into_iter().next().context("a row was asked for")?.map_or(0, |row| row.version);
        let mut commit = Commit::new(CommitId(Uuid::new_v4()), 1);
        commit.changes.push(Change::new(hot.key(), version, Some(hot.clone())));
        for number in 1..rows {
            let new = row(Uuid::new_v4().to_string());
            commit.changes.push(Change::new(new.key(), 0, Some(new)));
            commit.facts.push(Arc::new(sample(Topic::TicketEvent, u32::try_from(number)?)));
        }
        store.commit(commit).await?;
        slowest = slowest.max(asked.elapsed());
        commits += 1;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let each = f64::from(commits) / seconds;
    let rows_each = each * rows as f64;
    println!("{rows:>4} rows: {each:>7.1} commits/s, {rows_each:>8.0} rows/s, slowest {slowest:?}");
    Ok(())
}

fn row(id: String) -> SuiteRow {
    Note { id, text: "x".repeat(STATE_BYTES) }.into()
}
