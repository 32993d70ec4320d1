//! The writer: a process of its own, whose system calls are recorded.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use sqlite::{Options, SqliteStore};
use store::{
    Change, Commit, CommitId, Row as _, Store as _,
    conformance::{Note, SuiteRow, TOPICS},
};

use super::recording::Recording;

/// How many commits it makes, whatever the way.
pub const COMMITS: usize = SESSIONS * COMMITS_OF_A_SESSION;
/// It closes its file in between, which copies the write-ahead log.
const SESSIONS: usize = 3;
const COMMITS_OF_A_SESSION: usize = 10;
/// Which commit of a session has so many rows that the checkpointer begins: it wakes by their number, not by their size.
const LARGE: usize = 3;
const MANY_ROWS: usize = 8_200;
/// After this commit of the session the writer waits until the large one has been copied: those between are made
/// meanwhile, those that follow find a write-ahead log that need not be kept.
const COPIED_BY: usize = 7;
/// The longest wait for a copy: one that never comes is a failure, not a test that hangs.
const LONGEST_COPY: Duration = Duration::from_secs(120);
/// A plain checkpoint comes after so many commits.
const CHECKPOINT_EVERY: usize = 4;
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
    /// By the store, with commits so large that the log is copied beside the writer.
    StoreCopying,
    /// By SQLite itself, with this `synchronous`.
    Plain(&'static str),
    /// By SQLite itself and in full, with checkpoints by another connection that has this `synchronous`.
    PlainCopying(&'static str),
}

impl Way {
    /// How many rows a commit has beside its two.
    pub fn rows_beside(self, number: usize) -> usize {
        let is_large = matches!(self, Self::StoreCopying) && of_session(number) == LARGE;
        if is_large { MANY_ROWS } else { 0 }
    }

    fn from_name(name: &str) -> Self {
        let synchronous =
            |name: &str| ["full", "normal", "off"].into_iter().find(|known| *known == name).unwrap();
        match (name, name.strip_prefix("copying-")) {
            ("store", _) => Self::Store,
            ("early", _) => Self::StoreAnsweringFirst,
            ("large", _) => Self::StoreCopying,
            (_, Some(rest)) => Self::PlainCopying(synchronous(rest)),
            _ => Self::Plain(synchronous(name)),
        }
    }

    fn name(self) -> String {
        match self {
            Self::Store => "store".to_owned(),
            Self::StoreAnsweringFirst => "early".to_owned(),
            Self::StoreCopying => "large".to_owned(),
            Self::Plain(synchronous) => synchronous.to_owned(),
            Self::PlainCopying(synchronous) => format!("copying-{synchronous}"),
        }
    }
}

/// Which commit of its session it is, from 1.
fn of_session(number: usize) -> usize {
    (number - 1) % COMMITS_OF_A_SESSION + 1
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
    let output = command.env(WAY, way.name()).env(FILE, files.join("suite.db")).output().unwrap();
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
        let way = Way::from_name(&way);
        match way {
            Way::Store | Way::StoreAnsweringFirst | Way::StoreCopying => {
                runtime.block_on(by_store(&file, numbers, way));
            }
            Way::Plain(synchronous) => by_sqlite(&file, numbers, synchronous, None),
            Way::PlainCopying(synchronous) => by_sqlite(&file, numbers, "full", Some(synchronous)),
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
fn commit(number: usize, rows_beside: usize) -> Commit<SuiteRow> {
    let mut commit = Commit::new(CommitId(uuid::Uuid::from_u128(number as u128)), 1);
    let halves = ["a", "b"].map(|half| Note { id: format!("{half}{number:04}"), text: text(number) });
    let beside = (0..rows_beside).map(|row| Note { id: format!("c{number:04}-{row}"), text: String::new() });
    for note in halves.into_iter().chain(beside) {
        let row: SuiteRow = note.into();
        commit.changes.push(Change::new(row.key(), 0, Some(row)));
    }
    let seed = u32::try_from(number).unwrap();
    commit.facts.push(std::sync::Arc::new(bus::conformance::sample(bus::Topic::TicketEvent, seed)));
    commit
}

fn text(number: usize) -> String {
    "text".repeat(if number.is_multiple_of(5) { 4_000 } else { 20 })
}

async fn by_store(file: &Path, numbers: std::ops::RangeInclusive<usize>, way: Way) {
    let store = open(file);
    let answers_first = matches!(way, Way::StoreAnsweringFirst);
    let mut large_bytes = 0;
    for number in numbers {
        if answers_first {
            answer(number);
        }
        let rows_beside = way.rows_beside(number);
        store.commit(commit(number, rows_beside)).await.unwrap();
        if !answers_first {
            answer(number);
        }
        if rows_beside > 0 {
            large_bytes = committed_bytes(file);
        }
        if of_session(number) == COPIED_BY {
            wait_until_copied(file, large_bytes);
        }
    }
    store.close().await;
}

/// How long the database is with all that is in its write-ahead log.
fn committed_bytes(file: &Path) -> u64 {
    let connection = rusqlite::Connection::open(file).unwrap();
    let read = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0)).unwrap();
    u64::try_from(read("PRAGMA page_count") * read("PRAGMA page_size")).unwrap()
}

/// The last page of a database is the last that is copied.
fn wait_until_copied(file: &Path, bytes: u64) {
    let began = Instant::now();
    while std::fs::metadata(file).unwrap().len() < bytes {
        assert!(began.elapsed() < LONGEST_COPY, "the log was never copied");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The same rows in the file that the store has made; `copied` is the `synchronous` of who copies the log.
fn by_sqlite(file: &Path, numbers: std::ops::RangeInclusive<usize>, synchronous: &str, copied: Option<&str>) {
    drop(open(file));
    let copier = copied.map(|synchronous| {
        let copier = rusqlite::Connection::open(file).unwrap();
        copier.pragma_update(None, "synchronous", synchronous).unwrap();
        copier
    });
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
        if let Some(copier) = copier.as_ref().filter(|_| number.is_multiple_of(CHECKPOINT_EVERY)) {
            copier.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
        }
    }
}
