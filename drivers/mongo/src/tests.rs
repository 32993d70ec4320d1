//! What needs a look inside: reads of what is applied, deaths in the middle, and writes that come late.

use std::sync::Arc;

use bus::{Log, Position, Topic, conformance::sample};
use engines::ferretdb::{self, FerretDb};
use mongodb::bson::{Document, doc};
use store::{
    Advance, Answer, Change, ParkedChange, Row as _,
    conformance::{Note, SuiteRow, TOPICS},
};
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::{
    apply::Work,
    database::{ANSWERS, COMMITS, Dialect, LOG, outbox, table_collection},
};

mod applied;
mod together;

type Suite = MongoStore<SuiteRow>;

struct Server {
    ferret: FerretDb,
    _directory: TempDir,
}

impl Server {
    fn start() -> Option<Self> {
        engines::wanted("FerretDB", ferretdb::program())?;
        let directory = tempfile::tempdir().unwrap();
        Some(Self { ferret: FerretDb::start(directory.path()).unwrap(), _directory: directory })
    }

    async fn migrated(&self) -> String {
        let url = self.ferret.url(&format!("suite_{}", Uuid::new_v4().simple()));
        migrate::<SuiteRow>(&url).await.unwrap();
        url
    }
}

async fn open(url: &str, dialect: Dialect) -> Suite {
    let place = Place { dialect, ..Place::connect(url).await.unwrap() };
    Suite::open_place(place, Options { topics: TOPICS.to_vec() }).await.unwrap()
}

fn note(id: &str, text: &str) -> SuiteRow {
    Note { id: id.to_owned(), text: text.to_owned() }.into()
}

fn commit_id(number: u64) -> CommitId {
    CommitId(Uuid::from_u128(u128::from(number)))
}

/// Everything that a commit can have, over a version of its note.
fn everything(number: u64, version: u64) -> Commit<SuiteRow> {
    let mut commit = Commit::new(commit_id(number), 1_000);
    let row = note("n", &format!("written by {number}"));
    commit.changes.push(Change::new(row.key(), version, Some(row)));
    let new = note(&format!("new {number}"), "");
    commit.changes.push(Change::new(new.key(), 0, Some(new)));
    let seed = u32::try_from(number).unwrap();
    commit.facts = vec![
        Arc::new(sample(Topic::TicketEvent, seed)),
        Arc::new(sample(Topic::UpsertData, seed)),
        Arc::new(sample(Topic::TicketEvent, seed + 1_000)),
    ];
    let answer = Answer { fingerprint: "f".to_owned(), body: number.to_string(), at_us: 1_000 };
    commit.answers.push((AnswerKey(number.to_string()), answer));
    let partition = Partition { topic: Topic::FeedbackEvent, name: "feedback".to_owned() };
    let (from, to) = (Position(number - 1), Position(number));
    commit.advances.push(Advance { partition: partition.clone(), from, to });
    let fact = Arc::new(sample(Topic::FeedbackEvent, seed));
    let record = bus::Record { position: to, fact };
    let parked = Parked { partition, record, reason: "odd".to_owned(), at_us: i64::from(seed) };
    commit.parked.push(ParkedChange::Park(parked));
    commit
}

/// Every record of a topic.
async fn all(log: &dyn Log, topic: Topic) -> Vec<bus::Record> {
    let (partition, mut position, mut records) = (log.partitions(topic).remove(0), Position(0), Vec::new());
    loop {
        let batch = log.read(&partition, position, 100).await.unwrap();
        if batch.records.is_empty() && batch.next == position {
            return records;
        }
        position = batch.next;
        records.extend(batch.records);
    }
}

async fn has_everything(store: &Suite, count: u64) {
    let keys: Vec<AnswerKey> = (1..=count).map(|number| AnswerKey(number.to_string())).collect();
    let loaded = store.load(&[note("n", "").key()], &keys).await.unwrap();
    let expected = Versioned::new(note("n", &format!("written by {count}")), count);
    assert_eq!(loaded.rows, [Some(expected)]);
    assert!(loaded.answers.iter().all(Option::is_some));
    assert_eq!(store.query(&Query::all("note")).await.unwrap().len() as u64, count + 1);
    let parked = store.parked().await.unwrap();
    assert_eq!(parked.len() as u64, count);
    assert_eq!(store.position(&parked[0].partition).await.unwrap(), Position(count));
    for (topic, each) in [(Topic::TicketEvent, 2), (Topic::UpsertData, 1)] {
        let positions: Vec<u64> = all(store, topic).await.iter().map(|record| record.position.0).collect();
        assert_eq!(positions, (1..=count * each).collect::<Vec<_>>(), "each fact once, in order");
    }
    for number in 1..=count {
        assert_eq!(store.settle(commit_id(number)).await.unwrap(), Settled::Committed);
    }
}

async fn count(store: &Suite, collection: &str) -> u64 {
    let found: Vec<Document> = store.journal.place.find(collection, doc! {}, None).await.unwrap();
    found.len() as u64
}

/// What the collections have, without the log.
async fn is_applied_once(store: &Suite, commits: u64) {
    assert_eq!(count(store, &table_collection("note")).await, commits + 1);
    assert_eq!(count(store, &outbox(Topic::TicketEvent)).await, commits * 2);
    assert_eq!(count(store, ANSWERS).await, commits);
    assert_eq!(count(store, COMMITS).await, commits);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_process_has_committed_is_there_at_once_and_applied_by_the_next() {
    let Some(server) = Server::start() else { return };
    for dialect in [Dialect::FerretDb, Dialect::MongoDb] {
        let url = server.migrated().await;
        let dead = open(&url, dialect).await;
        for number in 1..=3 {
            dead.commit(everything(number, number - 1)).await.unwrap();
        }
        // It dies before it has applied anything.
        drop(dead);
        let next = open(&url, dialect).await;
        assert_eq!(count(&next, &table_collection("note")).await, 0, "nothing is applied yet");
        has_everything(&next, 3).await;
        next.commit(everything(4, 3)).await.unwrap();
        next.journal.flush().await.unwrap();
        has_everything(&next, 4).await;
        is_applied_once(&next, 4).await;
        next.close().await;
        let after = open(&url, dialect).await;
        has_everything(&after, 4).await;
        is_applied_once(&after, 4).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_applied_in_part_is_applied_again_without_harm() {
    let Some(server) = Server::start() else { return };
    for dialect in [Dialect::FerretDb, Dialect::MongoDb] {
        let url = server.migrated().await;
        let dead = open(&url, dialect).await;
        dead.take_keeper().unwrap().abort();
        for number in 1..=3 {
            dead.commit(everything(number, number - 1)).await.unwrap();
        }
        // It dies after it has applied two of them, and before it has told anybody.
        let entries = dead.journal.tail().pending();
        dead.journal.write(Work::of(&entries[..2])).await.unwrap();
        drop(dead);
        let next = open(&url, dialect).await;
        has_everything(&next, 3).await;
        next.commit(everything(4, 3)).await.unwrap();
        next.journal.flush().await.unwrap();
        has_everything(&next, 4).await;
        is_applied_once(&next, 4).await;
    }
}

/// MongoDB evaluates the filter and writes in one step: what comes late changes nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_applies_late_brings_nothing_old_back() {
    let Some(server) = Server::start() else { return };
    let url = server.migrated().await;
    let late = open(&url, Dialect::MongoDb).await;
    late.take_keeper().unwrap().abort();
    late.commit(everything(1, 0)).await.unwrap();
    let row = note("gone", "");
    let mut made = Commit::new(commit_id(100), 1_000);
    made.changes.push(Change::new(row.key(), 0, Some(row.clone())));
    late.commit(made).await.unwrap();
    let old = late.journal.tail().pending();

    let next = open(&url, Dialect::MongoDb).await;
    next.commit(everything(2, 1)).await.unwrap();
    let mut removed = Commit::new(commit_id(101), 1_000);
    removed.changes.push(Change::new(row.key(), 1, None));
    next.commit(removed).await.unwrap();
    next.journal.flush().await.unwrap();
    // It has just looked, and was held up since.
    late.journal.tail().confirmed = crate::tail::Confirmed::now();
    late.journal.write(Work::of(&old)).await.unwrap();

    let reader = open(&url, Dialect::MongoDb).await;
    for store in [&next, &reader] {
        has_everything(store, 2).await;
        assert_eq!(store.load(&[row.key()], &[]).await.unwrap().rows, [None]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_entries_leave_the_log_and_a_process_that_slept_begins_anew() {
    let Some(server) = Server::start() else { return };
    let url = server.migrated().await;
    let (awake, asleep) = (open(&url, Dialect::FerretDb).await, open(&url, Dialect::FerretDb).await);
    asleep.take_keeper().unwrap().abort();
    for number in 1..=3 {
        awake.commit(everything(number, number - 1)).await.unwrap();
    }
    awake.journal.flush().await.unwrap();
    let me = Arc::clone(&awake.journal.me);
    awake.journal.mark(&me, &me).await.unwrap();
    let mark = awake.journal.tail().mark;
    assert_eq!(awake.journal.delete_before(mark).await.unwrap(), mark);
    assert_eq!(
        count(&awake, LOG).await,
        2,
        "the entry up to which all is applied, and the mark that says so"
    );

    // It has seen nothing since long before, and the numbers after what it saw are free again.
    asleep.journal.tail().confirmed = crate::tail::Confirmed::long_ago();
    let mut late = Commit::new(commit_id(9), 1_000);
    late.changes.push(Change::new(note("late", "").key(), 0, Some(note("late", ""))));
    let refused = asleep.commit(late).await;
    assert!(matches!(refused, Err(CommitError::Failed(_))), "{refused:?}");
    assert_eq!(count(&awake, LOG).await, 2, "what it wrote is taken back");
    has_everything(&asleep, 3).await;
    asleep.commit(everything(4, 3)).await.unwrap();
    has_everything(&awake, 4).await;
}

/// Its answer was lost, and it was settled: then it arrives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_insertion_that_was_settled_never_comes_later() {
    let Some(server) = Server::start() else { return };
    let url = server.migrated().await;
    let (store, other) = (open(&url, Dialect::FerretDb).await, open(&url, Dialect::FerretDb).await);
    let on_its_way = store.journal.prepare(&everything(1, 0)).await.unwrap();
    assert_eq!(other.settle(commit_id(1)).await.unwrap(), Settled::Never);
    let arrived = store.journal.append(on_its_way).await;
    assert!(matches!(arrived, crate::journal::Appended::Taken), "{arrived:?}");
    assert!(matches!(store.commit(everything(1, 0)).await, Err(CommitError::Stale(_))));
    assert_eq!(store.query(&Query::all("note")).await.unwrap(), []);
    assert_eq!(store.settle(commit_id(1)).await.unwrap(), Settled::Never);

    // The other way round: it had arrived, and only the answer was lost.
    let arrived = other.journal.prepare(&everything(2, 0)).await;
    assert!(matches!(arrived, Err(CommitError::Stale(_))), "the consumer is not there yet");
    let mut commit = Commit::new(commit_id(3), 1_000);
    commit.changes.push(Change::new(note("n", "").key(), 0, Some(note("n", ""))));
    let arrived = other.journal.prepare(&commit).await.unwrap();
    other.journal.place.insert(LOG, &arrived.to_doc().unwrap()).await.unwrap();
    assert_eq!(store.settle(commit_id(3)).await.unwrap(), Settled::Committed);
    assert!(matches!(other.commit(commit).await, Err(CommitError::Stale(_))));
}
