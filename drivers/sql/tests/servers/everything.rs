//! A commit with everything that a commit can have, one after another.

use std::sync::Arc;

use bus::{Fact, FactId, Partition, Position, Record, Topic};
use store::{
    Advance, Answer, AnswerKey, Change, Commit, Condition, Key, Parked, ParkedChange, Query, Row as _,
    Store as _,
    conformance::{Show, SuiteRow},
};
use uuid::Uuid;

use crate::support::{Suite, commit_id, fact_keys, note, note_key, version};

fn show_key() -> Key {
    Key::new("show", "s")
}

fn show(round: u64) -> SuiteRow {
    SuiteRow::from(Show {
        id: "s".to_owned(),
        city: Some(format!("city {round}")),
        seats: Some(round as i64),
        tags: vec![format!("tag{round}"), "common".to_owned()],
        words: Some(format!("round number{round}")),
        code: Some(format!("S-{round}")),
    })
}

fn consumed() -> Partition {
    Partition { topic: Topic::FeedbackEvent, name: "feedback".to_owned() }
}

fn fact(topic: Topic, round: u64) -> Arc<Fact> {
    let number = u32::try_from(round).unwrap();
    let sample = bus::conformance::sample(topic, number);
    Arc::new(Fact { id: FactId(Uuid::from_u128(u128::from(round) * 10 + topic as u128)), ..sample })
}

/// The commit of a round, after those of all rounds before: from 0 on.
pub fn commit(round: u64) -> Commit<SuiteRow> {
    let mut commit = Commit::new(commit_id(round), 1);
    commit.changes.push(Change::new(show_key(), round, Some(show(round))));
    commit.changes.push(Change::new(
        note_key(&format!("n{round}")),
        0,
        Some(note(&format!("n{round}"), "text")),
    ));
    if round > 0 {
        commit.changes.push(Change::new(note_key(&format!("n{}", round - 1)), 1, None));
        commit.forgotten.push((Topic::UpsertData, format!("key-{}", round - 1)));
        commit.parked.push(ParkedChange::Unpark(consumed(), Position(round)));
    }
    commit.facts = vec![fact(Topic::TicketEvent, round), fact(Topic::UpsertData, round)];
    let answer = Answer { fingerprint: "f".to_owned(), body: "b".to_owned(), at_us: 1 };
    commit.answers.push((AnswerKey(format!("key {round}")), answer));
    commit.advances.push(Advance { partition: consumed(), from: Position(round), to: Position(round + 1) });
    let record = Record { position: Position(round + 1), fact: fact(Topic::FeedbackEvent, round) };
    commit.parked.push(ParkedChange::Park(Parked {
        partition: consumed(),
        record,
        reason: "odd".to_owned(),
        at_us: 1,
    }));
    commit
}

/// Checks that a store has what the rounds up to one left, each exactly once.
pub async fn is_there(store: &Suite, round: u64) {
    assert_eq!(version(store, show_key()).await, round + 1, "the row was written once in each round");
    let tagged = |tag: String| Query::all("show").filter(Condition::Is("tags", tag.as_str().into()));
    assert_eq!(store.query(&tagged(format!("tag{round}"))).await.unwrap().len(), 1);
    if round > 0 {
        assert!(store.query(&tagged(format!("tag{}", round - 1))).await.unwrap().is_empty());
    }
    let word = Condition::Matches("words", vec![format!("number{round}")]);
    assert_eq!(store.query(&Query::all("show").filter(word)).await.unwrap().len(), 1);
    let notes = store.query(&Query::all("note")).await.unwrap();
    assert_eq!(
        notes.iter().map(|found| found.row.key().id.to_string()).collect::<Vec<_>>(),
        [format!("n{round}")]
    );
    let expected: Vec<String> = (0..=round).map(|round| format!("key-{round}")).collect();
    assert_eq!(fact_keys(store, Topic::TicketEvent).await, expected, "each fact is published once");
    assert_eq!(
        fact_keys(store, Topic::UpsertData).await,
        expected[expected.len() - 1..],
        "others were forgotten"
    );
    let answers = store.load(&[], &[AnswerKey(format!("key {round}"))]).await.unwrap().answers;
    assert!(answers[0].is_some());
    assert_eq!(store.position(&consumed()).await.unwrap(), Position(round + 1));
    assert_eq!(store.parked().await.unwrap().len(), 1);
}
