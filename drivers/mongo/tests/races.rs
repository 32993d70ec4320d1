//! Several processes on one database: who wins, and what those see who look on.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod servers;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bus::{Log, Position, Topic, conformance::sample};
use mongo::MongoStore;
use servers::Servers;
use store::{
    Change, Commit, CommitError, CommitId, Key, Query, Row as _, Store,
    conformance::{Note, SuiteRow},
};
use tokio::task::JoinSet;
use uuid::Uuid;

type Suite = MongoStore<SuiteRow>;

/// A reader who waits for a fact of another process is woken long before this.
const PATIENCE: Duration = Duration::from_secs(10);

fn note(id: &str, text: &str) -> SuiteRow {
    Note { id: id.to_owned(), text: text.to_owned() }.into()
}

fn key(id: &str) -> Key {
    note(id, "").key()
}

/// Writes notes over a version, and publishes a fact.
fn write(ids: &[&str], text: &str, version: u64) -> Commit<SuiteRow> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut commit = Commit::new(CommitId(Uuid::from_u128(u128::from(number))), 1);
    commit.changes = ids.iter().map(|id| Change::new(key(id), version, Some(note(id, text)))).collect();
    commit.facts.push(Arc::new(sample(Topic::TicketEvent, u32::try_from(number).unwrap())));
    commit
}

async fn two(servers: &Servers) -> [Arc<Suite>; 2] {
    let url = servers.migrated().await;
    [Arc::new(servers::open(&url).await), Arc::new(servers::open(&url).await)]
}

/// Reads the log from the beginning until it is told to stop and there is no more; how many facts there were.
async fn follow(log: Arc<Suite>, stop: Arc<AtomicBool>) -> u64 {
    let (partition, mut position) = (log.partitions(Topic::TicketEvent).remove(0), Position(0));
    loop {
        let is_last = stop.load(Ordering::Acquire);
        let batch = log.read(&partition, position, 7).await.unwrap();
        for record in &batch.records {
            assert_eq!(record.position.0, position.0 + 1, "no gap, and nothing comes in between later");
            position = record.position;
        }
        assert_eq!(batch.next, position);
        if is_last && batch.records.is_empty() {
            return position.0;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_on_one_row_one_wins_and_on_two_rows_both_do() {
    const ROUNDS: u64 = 40;
    let Some(servers) = Servers::start() else { return };
    let stores = two(&servers).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut followers = JoinSet::new();
    for store in &stores {
        followers.spawn(follow(Arc::clone(store), Arc::clone(&stop)));
    }
    for round in 0..ROUNDS {
        let [one, other] = [0, 1].map(|at| stores[at].commit(write(&["same"], &format!("by {at}"), round)));
        let outcomes = tokio::join!(one, other);
        let winner = match outcomes {
            (Ok(()), Err(CommitError::Stale(_))) => "by 0",
            (Err(CommitError::Stale(_)), Ok(())) => "by 1",
            others => panic!("{others:?}"),
        };
        let [one, other] = [0, 1].map(|at| stores[at].commit(write(&[["a", "b"][at]], "", round)));
        let (one, other) = tokio::join!(one, other);
        one.unwrap();
        other.unwrap();
        for store in &stores {
            let rows = store.load(&["same", "a", "b"].map(key), &[]).await.unwrap().rows;
            let rows: Vec<_> = rows.into_iter().flatten().collect();
            assert!(rows.len() == 3 && rows.iter().all(|row| row.version == round + 1), "{rows:?}");
            assert_eq!(*rows[0].row, note("same", winner));
        }
    }
    stop.store(true, Ordering::Release);
    assert_eq!(followers.join_all().await, [3 * ROUNDS; 2], "each reader has seen each fact once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_sees_all_of_a_commit_or_nothing() {
    const COMMITS: u64 = 60;
    let Some(servers) = Servers::start() else { return };
    let stores = two(&servers).await;
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut readers = JoinSet::new();
    for number in 0..4 {
        let (store, stop, done) = (Arc::clone(&stores[number % 2]), Arc::clone(&stop), Arc::clone(&done));
        readers.spawn(async move {
            while !stop.load(Ordering::Acquire) {
                let answered = done.load(Ordering::Acquire);
                let rows = store.load(&["x", "y"].map(key), &[]).await.unwrap().rows;
                let versions: Vec<u64> =
                    rows.into_iter().map(|row| row.map_or(0, |row| row.version)).collect();
                assert_eq!(versions[0], versions[1], "half of a commit was seen");
                assert!(versions[0] >= answered, "an answered commit was not seen");
                let found = store.query(&Query::all("note")).await.unwrap();
                assert!(found.iter().all(|row| row.version >= answered), "an answered commit was not found");
            }
        });
    }
    for version in 0..COMMITS {
        let writer = &stores[usize::from(version % 3 == 0)];
        writer.commit(write(&["x", "y"], "", version)).await.unwrap();
        done.store(version + 1, Ordering::Release);
        // So slowly that the log is applied in between, by one of the two.
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    stop.store(true, Ordering::Release);
    readers.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_reader_is_woken_by_another_process() {
    let Some(servers) = Servers::start() else { return };
    let [writer, reader] = two(&servers).await;
    let partition = reader.partitions(Topic::TicketEvent).remove(0);
    let begun = Instant::now();
    let waiting = tokio::spawn(async move { reader.wait(&partition, Position(0)).await });
    writer.commit(write(&["n"], "", 0)).await.unwrap();
    tokio::time::timeout(PATIENCE, waiting).await.expect("it is woken in time").unwrap().unwrap();
    assert!(begun.elapsed() < PATIENCE);
}

/// Ten writers in three processes on one row: what each of them adds is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_write_is_lost_among_many() {
    const WRITERS: usize = 9;
    const WRITES: u64 = 6;
    let Some(servers) = Servers::start() else { return };
    let url = servers.migrated().await;
    let mut stores = Vec::new();
    for _ in 0..3 {
        stores.push(Arc::new(servers::open(&url).await));
    }
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let store = Arc::clone(&stores[number % 3]);
        writers.spawn(async move {
            let mut written = 0;
            while written < WRITES {
                let version =
                    store.load(&[key("n")], &[]).await.unwrap().rows[0].as_ref().map_or(0, |row| row.version);
                match store.commit(write(&["n"], "", version)).await {
                    Ok(()) => written += 1,
                    Err(CommitError::Stale(_)) => {}
                    Err(other) => panic!("{other}"),
                }
            }
        });
    }
    writers.join_all().await;
    let expected = WRITES * WRITERS as u64;
    for store in &stores {
        let rows = store.load(&[key("n")], &[]).await.unwrap().rows;
        assert_eq!(rows[0].as_ref().unwrap().version, expected);
        let stop = Arc::new(AtomicBool::new(true));
        assert_eq!(follow(Arc::clone(store), stop).await, expected);
    }
}
