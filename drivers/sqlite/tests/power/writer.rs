//! The writer: a process of its own, whose system calls are recorded.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use sqlite::{Options, SqliteStore};
use store::{
    Change, Commit, CommitId, Row as _, Store as _,
    conformance::{Note, SuiteRow, TOPICS},
};

use super::recording::Recording;

/// How many commits it makes.
pub const COMMITS: usize = SESSIONS * COMMITS_OF_A_SESSION;
/// It closes its file in between, which copies the write-ahead log.
const SESSIONS: usize = 3;
const COMMITS_OF_A_SESSION: usize = 10;
/// Tells the process what to do; without them it is nobody's writer.
const WAY: &str = "POWER_WAY";
const FILE: &str = "POWER_FILE";
/// What is recorded.
const CALLS: &str = "trace=openat,pwrite64,write,ftruncate,fsync,fdatasync,unlink,rename";

/// How it writes.
#[derive(Debug, Clone, Copy)]
pub enum Way {
    /// By the store.
    Store,
    /// By the store, but answering before it commits.
    StoreAnsweringFirst,
    /// By SQLite itself, with this `synchronous`.
    Plain(&'static str),
}

/// Runs the writer and records it; none where nothing records.
pub fn record(way: Way) -> Option<Recording> {
    let strace = engines::tools::downloaded("strace", "strace", "apt-get install strace");
    let strace = engines::wanted("strace", strace)?;
    let directory = tempfile::tempdir().unwrap();
    // The name that the system knows it by, as the recording has it.
    let home = directory.path().canonicalize().unwrap();
    let (log, files) = (home.join("calls"), home.join("files"));
    std::fs::create_dir(&files).unwrap();
    let mut command = Command::new(strace);
    command.args(["-f", "-y", "-xx", "-s", "1000000", "-e", CALLS, "-o"]).arg(&log);
    command.arg(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "writer::writes", "--nocapture"]);
    let name = match way {
        Way::Store => "store",
        Way::StoreAnsweringFirst => "early",
        Way::Plain(synchronous) => synchronous,
    };
    let output = command.env(WAY, name).env(FILE, files.join("suite.db")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(Recording::read(&std::fs::read_to_string(&log).unwrap(), &files))
}

#[test]
#[ignore = "the process that the other tests record"]
fn writes() {
    let (Ok(way), Some(file)) = (std::env::var(WAY), std::env::var_os(FILE).map(PathBuf::from)) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for session in 0..SESSIONS {
        let numbers = session * COMMITS_OF_A_SESSION + 1..=(session + 1) * COMMITS_OF_A_SESSION;
        match way.as_str() {
            "store" => runtime.block_on(by_store(&file, numbers, false)),
            "early" => runtime.block_on(by_store(&file, numbers, true)),
            synchronous => by_sqlite(&file, numbers, synchronous),
        }
    }
}

fn answer(number: usize) {
    // One call for the whole line, which the recording looks for.
    let mut out = std::io::stdout().lock();
    out.write_all(format!("answered {number}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

fn open(file: &Path) -> SqliteStore<SuiteRow> {
    SqliteStore::open(file, Options { topics: TOPICS.to_vec() }).unwrap()
}

/// Two rows and a fact, which are there together or not at all. Every few commits the rows fill several pages.
fn commit(number: usize) -> Commit<SuiteRow> {
    let mut commit = Commit::new(CommitId(uuid::Uuid::from_u128(number as u128)), 1);
    for half in ["a", "b"] {
        let row: SuiteRow = Note { id: format!("{half}{number:04}"), text: text(number) }.into();
        commit.changes.push(Change::new(row.key(), 0, Some(row)));
    }
    let seed = u32::try_from(number).unwrap();
    commit.facts.push(std::sync::Arc::new(bus::conformance::sample(bus::Topic::TicketEvent, seed)));
    commit
}

fn text(number: usize) -> String {
    "text".repeat(if number.is_multiple_of(5) { 4_000 } else { 20 })
}

async fn by_store(file: &Path, numbers: std::ops::RangeInclusive<usize>, answers_first: bool) {
    let store = open(file);
    for number in numbers {
        if answers_first {
            answer(number);
        }
        store.commit(commit(number)).await.unwrap();
        if !answers_first {
            answer(number);
        }
    }
    store.close().await;
}

/// The same rows in the file that the store has made.
fn by_sqlite(file: &Path, numbers: std::ops::RangeInclusive<usize>, synchronous: &str) {
    drop(open(file));
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.pragma_update(None, "synchronous", synchronous).unwrap();
    for number in numbers {
        let transaction = connection.unchecked_transaction().unwrap();
        for half in ["a", "b"] {
            let sql = "INSERT INTO note (id, version, state) VALUES (?1, 1, ?2)";
            transaction.execute(sql, (format!("{half}{number:04}"), text(number))).unwrap();
        }
        transaction.commit().unwrap();
        answer(number);
    }
}
