//! What is in the file outlives the store, and a file that is something else is refused.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bus::{Log, Partition, Position, Topic};
use rusqlite::Connection;
use sqlite::{OpenError, Options, SqliteStore};
use store::{
    Advance, Answer, AnswerKey, Change, Commit, CommitError, CommitId, Condition, Key, Parked, ParkedChange,
    Query, Row as _, Settled, Store, StoreError,
    conformance::{Note, Show, SuiteRow, TOPICS},
};
use tempfile::TempDir;
use uuid::Uuid;

type Suite = SqliteStore<SuiteRow>;

fn file() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("suite.db");
    (directory, path)
}

fn open(path: &Path) -> Suite {
    Suite::open(path, Options { topics: TOPICS.to_vec() }).unwrap()
}

fn refused(path: &Path) -> OpenError {
    Suite::open(path, Options::default()).err().expect("it is refused")
}

fn commit_id(number: u64) -> CommitId {
    CommitId(Uuid::from_u128(u128::from(number)))
}

fn note(number: u64) -> SuiteRow {
    Note { id: format!("{number:05}"), text: "text".repeat(20) }.into()
}

/// A new note with a fact.
fn note_commit(number: u64) -> Commit<SuiteRow> {
    let row = note(number);
    let mut commit = Commit::new(commit_id(number), 1);
    commit.changes.push(Change::new(row.key(), 0, Some(row)));
    let seed = u32::try_from(number).unwrap();
    commit.facts.push(std::sync::Arc::new(bus::conformance::sample(Topic::TicketEvent, seed)));
    commit
}

async fn has_notes(store: &Suite, count: u64) {
    let keys: Vec<Key> = (0..count).map(|number| note(number).key()).collect();
    let rows = store.load(&keys, &[]).await.unwrap().rows;
    assert!(rows.iter().all(Option::is_some), "every note is there");
    let partition = store.partitions(Topic::TicketEvent).remove(0);
    let batch = store.read(&partition, Position::default(), 10_000).await.unwrap();
    assert_eq!(batch.records.len() as u64, count, "every fact is there");
}

/// Everything that a commit can have.
fn everything() -> Commit<SuiteRow> {
    let row = SuiteRow::from(Show {
        id: "s".to_owned(),
        city: Some("Bern".to_owned()),
        seats: Some(5),
        tags: vec!["jazz".to_owned()],
        words: Some("im park".to_owned()),
        code: Some("S-1".to_owned()),
    });
    let partition = Partition { topic: Topic::FeedbackEvent, name: "feedback".to_owned() };
    let fact = bus::conformance::sample(Topic::FeedbackEvent, 9);
    let record = bus::Record { position: Position(9), fact: Arc::new(fact) };
    let mut commit = note_commit(0);
    commit.changes.push(Change::new(row.key(), 0, Some(row)));
    let answer = Answer { fingerprint: "f".to_owned(), body: "b".to_owned(), at_us: 1 };
    commit.answers.push((AnswerKey("k".to_owned()), answer));
    commit.advances.push(Advance { partition: partition.clone(), from: Position(0), to: Position(9) });
    let parked = Parked { partition, record, reason: "odd".to_owned(), at_us: 1 };
    commit.parked.push(ParkedChange::Park(parked));
    commit
}

async fn has_everything(store: &Suite) {
    has_notes(store, 1).await;
    let query = Query::all("show")
        .filter(Condition::Is("tags", "jazz".into()))
        .filter(Condition::Matches("words", vec!["pa".to_owned()]));
    assert_eq!(store.query(&query).await.unwrap().len(), 1);
    let answers = store.load(&[], &[AnswerKey("k".to_owned())]).await.unwrap().answers;
    assert!(answers[0].is_some());
    let parked = store.parked().await.unwrap();
    assert_eq!(parked.len(), 1);
    assert_eq!(store.position(&parked[0].partition).await.unwrap(), Position(9));
}

#[tokio::test]
async fn reopening_after_a_close_shows_everything() {
    let (_directory, path) = file();
    let store = open(&path);
    store.commit(everything()).await.unwrap();
    store.close().await;
    assert!(!path.with_extension("db-wal").exists(), "closing leaves one file");
    let store = open(&path);
    has_everything(&store).await;
    assert_eq!(store.settle(commit_id(0)).await.unwrap(), Settled::Committed);
    store.commit(note_commit(1)).await.unwrap();
    has_notes(&store, 2).await;
}

#[tokio::test]
async fn a_closed_store_refuses_everything() {
    let (_directory, path) = file();
    let store = open(&path);
    let partition = store.partitions(Topic::TicketEvent).remove(0);
    store.close().await;
    store.close().await;
    assert!(matches!(store.commit(note_commit(1)).await, Err(CommitError::Failed(_))));
    assert!(matches!(store.load(&[], &[]).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.settle(commit_id(1)).await, Err(StoreError::Unavailable(_))));
    assert!(store.read(&partition, Position::default(), 1).await.is_err());
    store.wait(&partition, Position(7)).await.expect("nobody waits for ever");
}

#[tokio::test]
async fn dropping_without_a_close_loses_nothing() {
    let (_directory, path) = file();
    let store = open(&path);
    for number in 0..50 {
        store.commit(note_commit(number)).await.unwrap();
    }
    drop(store);
    has_notes(&open(&path), 50).await;
}

#[tokio::test]
async fn the_files_of_a_killed_process_have_every_commit() {
    let (directory, path) = file();
    let store = open(&path);
    for number in 0..50 {
        store.commit(note_commit(number)).await.unwrap();
    }
    // What a killed process leaves: the file and its write-ahead log as they are, without a close.
    let image = directory.path().join("image.db");
    std::fs::copy(&path, &image).unwrap();
    std::fs::copy(path.with_extension("db-wal"), image.with_extension("db-wal")).unwrap();
    let after = open(&image);
    has_notes(&after, 50).await;
    after.commit(note_commit(50)).await.unwrap();
    has_notes(&store, 50).await;
}

#[tokio::test]
async fn jobs_that_were_handed_in_are_done_before_a_drop() {
    let (_directory, path) = file();
    let store = Arc::new(open(&path));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..20 {
        let store = Arc::clone(&store);
        tasks.spawn(async move { store.commit(note_commit(number)).await });
    }
    tokio::task::yield_now().await;
    drop(store);
    let outcomes = tasks.join_all().await;
    assert!(outcomes.iter().all(Result::is_ok));
    has_notes(&open(&path), 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_readers_see_whole_commits_while_one_writes() {
    const COMMITS: u64 = 100;
    let (_directory, path) = file();
    let store = Arc::new(open(&path));
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = Arc::clone(&store);
        readers.spawn(async move {
            let mut seen = 0;
            while seen < 2 * COMMITS {
                let rows = store.query(&Query::all("note")).await.unwrap().len() as u64;
                assert!(rows.is_multiple_of(2), "half a commit was seen");
                assert!(rows >= seen, "a commit was seen and is gone");
                seen = rows;
            }
        });
    }
    for number in 0..COMMITS {
        let mut commit = note_commit(number);
        commit.changes.extend(note_commit(number + COMMITS).changes);
        store.commit(commit).await.unwrap();
        let key = note(number).key();
        assert!(store.load(&[key], &[]).await.unwrap().rows[0].is_some(), "one sees one's own commit");
    }
    readers.join_all().await;
}

#[tokio::test]
async fn a_read_only_store_reads_and_refuses_commits() {
    let (_directory, path) = file();
    assert!(Suite::open_read_only(&path).is_err(), "there is no file yet");
    let store = open(&path);
    store.commit(everything()).await.unwrap();
    let audit = Suite::open_read_only(&path).unwrap();
    has_everything(&audit).await;
    assert!(matches!(audit.commit(note_commit(1)).await, Err(CommitError::Failed(_))));
    assert!(audit.prune(i64::MAX).await.is_err());
    store.commit(note_commit(1)).await.unwrap();
    has_notes(&audit, 2).await;
    store.close().await;
    drop(audit);
    has_everything_alone(&path).await;
}

#[tokio::test]
async fn what_another_process_commits_is_seen_at_the_next_read() {
    let (_directory, path) = file();
    let store = open(&path);
    let beside = Suite::open_beside(&path, &Options { topics: TOPICS.to_vec() }).unwrap();
    let partition = beside.partitions(Topic::TicketEvent).remove(0);
    for number in 0..3 {
        store.commit(note_commit(number)).await.unwrap();
        has_notes(&beside, number + 1).await;
        let news = beside.read(&partition, Position(number), 10).await.unwrap();
        assert_eq!(news.records.len(), 1);
        assert!(beside.read(&partition, news.next, 10).await.unwrap().records.is_empty());
    }
    store.close().await;
    beside.close().await;
}

async fn has_everything_alone(path: &Path) {
    let audit = Suite::open_read_only(path).unwrap();
    has_notes(&audit, 2).await;
    audit.close().await;
}

#[tokio::test]
async fn damage_is_reported_with_table_and_id() {
    let (_directory, path) = file();
    let store = open(&path);
    store.commit(note_commit(7)).await.unwrap();
    Connection::open(&path).unwrap().execute("UPDATE note SET state = '{'", []).unwrap();
    let read = store.load(&[note(7).key()], &[]).await;
    let Err(StoreError::Corrupt(what)) = read else { panic!("{read:?}") };
    assert!(what.starts_with("note 00007: "), "{what}");
}

#[test]
fn a_file_that_is_no_database_is_refused_by_name() {
    let (_directory, path) = file();
    std::fs::write(&path, "this is a letter to my aunt. ".repeat(100)).unwrap();
    let error = refused(&path);
    assert!(matches!(error, OpenError::NotADatabase { .. }), "{error:?}");
    assert!(error.to_string().ends_with("suite.db is not a SQLite database"), "{error}");
    assert!(matches!(Suite::open_read_only(&path), Err(OpenError::NotADatabase { .. })));
    let letter = std::fs::read_to_string(&path).unwrap();
    assert!(letter.starts_with("this is a letter"), "it is left as it was");
}

#[test]
fn a_database_of_another_program_is_refused() {
    let (_directory, path) = file();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
    assert!(matches!(refused(&path), OpenError::Foreign { application_id: 0, .. }));
}

#[test]
fn a_newer_schema_is_refused() {
    let (_directory, path) = file();
    drop(open(&path));
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = refused(&path);
    assert!(matches!(error, OpenError::Newer { found: 99, known: 2, .. }), "{error:?}");
    assert!(error.to_string().contains("schema version 99, this program knows 2"), "{error}");
}

#[test]
fn a_missing_directory_is_named() {
    let (_directory, path) = file();
    let path = path.join("nowhere").join("suite.db");
    let error = refused(&path);
    assert!(error.to_string().contains("nowhere"), "{error}");
}

mod others {
    //! The same file, as others describe it.

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
        /// A service that takes a reserved name.
        pub enum Reserved in "suite" {
            /// Its row.
            Note(Note) in "outbox_ticket_event" by |note| &note.id => {} indexes [],
        }
    }
}

#[test]
fn a_file_made_for_something_else_is_refused() {
    let (_directory, path) = file();
    drop(open(&path));
    let service = SqliteStore::<others::OtherService>::open(&path, Options::default()).err();
    assert!(matches!(service, Some(OpenError::OtherService { .. })), "{service:?}");
    let columns = SqliteStore::<others::OtherColumns>::open(&path, Options::default()).err();
    assert!(matches!(columns, Some(OpenError::OtherColumns { .. })), "{columns:?}");
    let reserved = SqliteStore::<others::Reserved>::open(&path, Options::default()).err();
    assert!(matches!(reserved, Some(OpenError::Name { .. })), "{reserved:?}");
}
