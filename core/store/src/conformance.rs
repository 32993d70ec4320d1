//! What every store must do, as small named cases.
//!
//! A driver opens a fresh, empty store for each case, whose outbox publishes [`TOPICS`] on one partition each.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bus::{Fact, Log, Partition, Position, Record, Topic};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Advance, Answer, AnswerKey, Change, Commit, CommitError, CommitId, Condition, Cursor, Direction, Key,
    MAX_PAGE, Parked, ParkedChange, Query, Row as _, Settled, Store, Value, Version, Versioned,
};

mod commits;
mod facts;
mod queries;
mod rows;
mod trims;

/// A row with a column of each kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Show {
    /// Its id.
    pub id: String,
    /// A text.
    pub city: Option<String>,
    /// A number.
    pub seats: Option<i64>,
    /// A set.
    pub tags: Vec<String>,
    /// Words, folded.
    pub words: Option<String>,
    /// Unique.
    pub code: Option<String>,
}

/// A row of a table without columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Its id.
    pub id: String,
    /// Its text.
    pub text: String,
}

crate::rows! {
    /// The rows of the suite.
    pub enum SuiteRow in "suite" {
        /// A row with a column of each kind.
        Show(Show) in "show" by |show| show.id.as_str() => {
            city: Text = text(&show.city),
            seats: Int = show.seats.map_or(Value::Null, Value::Int),
            tags: Set = Value::Set(show.tags.clone()),
            words: Words = text(&show.words),
            code: Unique = text(&show.code),
        } indexes [["city", "seats"; "code"]],
        /// A row of a table without columns.
        Note(Note) in "note" by |note| note.id.as_str() => {} indexes [],
    }
}

/// The topics of the suite's outbox.
pub const TOPICS: [Topic; 3] = [Topic::TicketEvent, Topic::VisitEvent, Topic::UpsertData];

/// A fresh store, with its outbox as a log.
pub type Fresh = (Arc<dyn Store<SuiteRow>>, Arc<dyn Log>);

/// Runs every case on a store of its own. The cases of concurrency need a tokio runtime with time.
///
/// # Panics
/// When the store breaks the contract; the last line printed names the case.
pub async fn run<F: Future<Output = Fresh>>(open: impl Fn() -> F) {
    macro_rules! cases {
        ($($module:ident: $($case:ident),* $(,)?;)*) => {
            $($(
                // Tests show what was printed when they fail, so the last line names the case.
                println!("case {}", stringify!($case));
                $module::$case(&Suite::new(open().await)).await;
            )*)*
        };
    }
    cases! {
        rows:
            what_is_committed_is_loaded,
            versions_grow_by_one,
            loads_keep_the_order_asked_for,
            a_stale_version_refuses_the_whole_commit,
            a_new_row_is_new_only_once,
            a_row_that_is_gone_is_stale,
            a_row_is_deleted_and_made_again,
            deleting_nothing_changes_nothing,
            tables_do_not_share_ids,
            odd_text_survives,
            one_of_ten_concurrent_commits_wins;
        rows:
            a_unique_value_is_taken_once,
            a_unique_value_is_taken_once_within_a_commit,
            a_unique_value_is_free_again_after_a_delete,
            unique_values_move_within_one_commit,
            a_deleted_row_hands_on_its_unique_value,
            a_taken_value_stays_taken_when_others_move,
            missing_unique_values_do_not_collide;
        commits:
            an_empty_commit_is_fine,
            answers_are_kept,
            a_second_answer_to_a_key_is_stale,
            positions_advance_from_where_they_are,
            a_zombie_consumer_is_stale,
            a_consumer_begins_at_the_start,
            facts_are_parked_and_taken_back,
            parked_facts_come_oldest_first,
            a_done_commit_settles_as_committed,
            an_unknown_commit_never_happens,
            a_stale_commit_settles_as_never,
            a_commit_id_is_used_once,
            pruning_forgets_old_answers_only,
            a_large_commit_works;
        facts:
            facts_appear_in_the_order_of_commits,
            a_refused_commit_publishes_nothing,
            forgotten_facts_are_gone_and_the_others_stay_where_they_are,
            topics_are_separate,
            a_waiting_reader_is_woken,
            facts_keep_every_attribute;
        trims:
            trimmed_facts_are_gone_and_the_others_stay_where_they_are,
            young_facts_are_not_trimmed,
            what_is_behind_a_young_fact_is_not_trimmed,
            facts_that_are_not_done_are_not_trimmed,
            the_newest_fact_of_a_topic_is_never_trimmed,
            a_topic_is_trimmed_alone,
            trimming_again_changes_nothing,
            a_long_outbox_is_trimmed,
            a_reader_from_before_what_is_kept_is_told,
            the_newest_fact_of_each_key_stays_where_the_topic_says_so,
            an_old_fact_of_a_key_stays_until_a_later_one_is_done_and_old;
        queries:
            a_query_of_everything_is_ordered_by_id,
            is_finds_equal_values,
            one_of_finds_any_of_them,
            ranges_include_their_beginning_only,
            all_conditions_must_hold,
            sets_match_by_one_of_their_texts,
            words_match_by_their_beginnings,
            search_follows_a_change,
            missing_values_never_match,
            ties_are_broken_by_id,
            missing_values_come_first,
            pages_visit_each_row_once,
            pages_follow_the_ids,
            a_limit_is_kept,
            an_unknown_table_is_an_error;
    }
}

/// A store under test, and what the cases say in one word.
struct Suite {
    store: Arc<dyn Store<SuiteRow>>,
    log: Arc<dyn Log>,
}

impl Suite {
    fn new((store, log): Fresh) -> Self {
        Self { store, log }
    }

    async fn commit(&self, commit: Commit<SuiteRow>) {
        self.store.commit(commit).await.expect("the commit succeeds");
    }

    async fn stale(&self, commit: Commit<SuiteRow>) {
        let refused = self.store.commit(commit).await;
        assert!(matches!(refused, Err(CommitError::Stale(_))), "stale was expected, not {refused:?}");
    }

    async fn rows(&self, keys: &[Key]) -> Vec<Option<Versioned<SuiteRow>>> {
        self.store.load(keys, &[]).await.expect("a load succeeds").rows
    }

    async fn version(&self, key: &Key) -> Version {
        self.rows(std::slice::from_ref(key)).await.remove(0).map_or(0, |versioned| versioned.version)
    }

    async fn answer(&self, key: &AnswerKey) -> Option<Answer> {
        let loaded = self.store.load(&[], std::slice::from_ref(key)).await;
        loaded.expect("a load succeeds").answers.remove(0)
    }

    /// Commits new rows.
    async fn have(&self, rows: Vec<SuiteRow>) {
        self.commit(rows.into_iter().fold(new_commit(), |commit, row| put(commit, row, 0))).await;
    }

    /// The keys of a topic's facts, read in small steps.
    async fn fact_keys(&self, topic: Topic) -> Vec<String> {
        self.records(topic).await.into_iter().map(|record| record.fact.key.clone()).collect()
    }

    async fn records(&self, topic: Topic) -> Vec<Record> {
        let partition = self.partition(topic);
        let mut position = Position::default();
        let mut records = Vec::new();
        loop {
            let batch = self.log.read(&partition, position, 100).await.expect("a read succeeds");
            if batch.records.is_empty() && batch.next == position {
                return records;
            }
            position = batch.next;
            records.extend(batch.records);
        }
    }

    fn partition(&self, topic: Topic) -> Partition {
        let mut partitions = self.log.partitions(topic);
        assert_eq!(partitions.len(), 1, "the suite expects one partition of {}", topic.name());
        partitions.remove(0)
    }
}

/// A commit of nothing yet, with an id of its own and no particular time.
fn new_commit() -> Commit<SuiteRow> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Commit::new(CommitId(Uuid::from_u128(u128::from(number))), 1_000_000)
}

/// With a row written over a version.
fn put(mut commit: Commit<SuiteRow>, row: SuiteRow, expected: Version) -> Commit<SuiteRow> {
    commit.changes.push(Change::new(row.key(), expected, Some(row)));
    commit
}

/// With a row removed.
fn remove(mut commit: Commit<SuiteRow>, key: Key, expected: Version) -> Commit<SuiteRow> {
    commit.changes.push(Change::new(key, expected, None));
    commit
}

/// A show with nothing but an id.
fn bare(id: &str) -> Show {
    Show { id: id.to_owned(), city: None, seats: None, tags: Vec::new(), words: None, code: None }
}

fn with_code(id: &str, code: &str) -> SuiteRow {
    Show { code: Some(code.to_owned()), ..bare(id) }.into()
}

fn note(id: &str, text: &str) -> SuiteRow {
    Note { id: id.to_owned(), text: text.to_owned() }.into()
}

fn show_key(id: &str) -> Key {
    Key::new("show", id)
}

fn note_key(id: &str) -> Key {
    Key::new("note", id)
}

fn fact(topic: Topic, number: u32) -> Fact {
    bus::conformance::sample(topic, number)
}

fn answer(body: &str, at_us: i64) -> Answer {
    Answer { fingerprint: "fingerprint".to_owned(), body: body.to_owned(), at_us }
}

/// A partition that the service consumes, of another service.
fn consumed() -> Partition {
    Partition { topic: Topic::FeedbackEvent, name: "feedback".to_owned() }
}

fn parked(position: u64, at_us: i64) -> Parked {
    let number = u32::try_from(position).expect("small");
    Parked {
        partition: consumed(),
        record: Record { position: Position(position), fact: Arc::new(fact(Topic::FeedbackEvent, number)) },
        reason: "it's \"odd\"".to_owned(),
        at_us,
    }
}

fn advance(from: u64, to: u64) -> Advance {
    Advance { partition: consumed(), from: Position(from), to: Position(to) }
}

fn text(text: &Option<String>) -> Value {
    text.as_deref().map_or(Value::Null, Value::from)
}
