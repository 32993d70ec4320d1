//! Answers, positions, parked facts, and what becomes of a commit.

use super::*;

fn with_answer(key: &AnswerKey, answer: Answer) -> Commit<SuiteRow> {
    Commit { answers: vec![(key.clone(), answer)], ..new_commit() }
}

fn with_advance(from: u64, to: u64) -> Commit<SuiteRow> {
    Commit { advances: vec![advance(from, to)], ..new_commit() }
}

fn with_parked(changes: Vec<ParkedChange>) -> Commit<SuiteRow> {
    Commit { parked: changes, ..new_commit() }
}

pub async fn an_empty_commit_is_fine(suite: &Suite) {
    let commit = new_commit();
    assert!(commit.is_empty());
    suite.commit(commit).await;
}

pub async fn answers_are_kept(suite: &Suite) {
    let key = AnswerKey("user \"x\" / book".to_owned());
    assert_eq!(suite.answer(&key).await, None);
    suite.commit(with_answer(&key, answer("it's {\"done\"}", 7))).await;
    assert_eq!(suite.answer(&key).await, Some(answer("it's {\"done\"}", 7)));
}

pub async fn a_second_answer_to_a_key_is_stale(suite: &Suite) {
    let key = AnswerKey("k".to_owned());
    suite.commit(with_answer(&key, answer("first", 1))).await;
    suite.stale(put(with_answer(&key, answer("second", 2)), note("n", ""), 0)).await;
    assert_eq!(suite.answer(&key).await, Some(answer("first", 1)));
    assert_eq!(suite.version(&note_key("n")).await, 0);
}

pub async fn positions_advance_from_where_they_are(suite: &Suite) {
    for (from, to) in [(0, 3), (3, 4), (4, 1_000_000_000_000)] {
        assert_eq!(suite.store.position(&consumed()).await.expect("a read"), Position(from));
        suite.commit(with_advance(from, to)).await;
    }
    let other = Partition { topic: Topic::FeedbackEvent, name: "other".to_owned() };
    assert_eq!(suite.store.position(&other).await.expect("a read"), Position(0));
}

pub async fn a_zombie_consumer_is_stale(suite: &Suite) {
    suite.commit(with_advance(0, 5)).await;
    suite.stale(put(with_advance(0, 3), note("n", ""), 0)).await;
    suite.stale(put(with_advance(4, 9), note("n", ""), 0)).await;
    assert_eq!(suite.store.position(&consumed()).await.expect("a read"), Position(5));
    assert_eq!(suite.version(&note_key("n")).await, 0);
}

pub async fn a_consumer_begins_at_the_start(suite: &Suite) {
    suite.stale(with_advance(5, 6)).await;
    assert_eq!(suite.store.position(&consumed()).await.expect("a read"), Position(0));
}

pub async fn facts_are_parked_and_taken_back(suite: &Suite) {
    let (one, two) = (parked(1, 10), parked(2, 20));
    suite.commit(with_parked(vec![ParkedChange::Park(one.clone()), ParkedChange::Park(two.clone())])).await;
    assert_eq!(suite.store.parked().await.expect("a read"), [one, two.clone()]);
    suite.commit(with_parked(vec![ParkedChange::Unpark(consumed(), Position(1))])).await;
    assert_eq!(suite.store.parked().await.expect("a read"), std::slice::from_ref(&two));
    let again = Parked { reason: "still odd".to_owned(), at_us: 30, ..two };
    suite.commit(with_parked(vec![ParkedChange::Park(again.clone())])).await;
    assert_eq!(suite.store.parked().await.expect("a read"), [again], "the same fact is parked once");
    let absent = ParkedChange::Unpark(consumed(), Position(77));
    suite.commit(with_parked(vec![absent])).await;
}

pub async fn parked_facts_come_oldest_first(suite: &Suite) {
    for (position, at_us) in [(3, 10), (1, 20), (2, 15)] {
        suite.commit(with_parked(vec![ParkedChange::Park(parked(position, at_us))])).await;
    }
    let times: Vec<i64> =
        suite.store.parked().await.expect("a read").into_iter().map(|parked| parked.at_us).collect();
    assert_eq!(times, [10, 15, 20]);
}

pub async fn a_done_commit_settles_as_committed(suite: &Suite) {
    let commit = put(new_commit(), note("n", ""), 0);
    let id = commit.id;
    suite.commit(commit).await;
    for _ in 0..2 {
        assert_eq!(suite.store.settle(id).await.expect("it settles"), Settled::Committed);
    }
}

pub async fn an_unknown_commit_never_happens(suite: &Suite) {
    let mut commit = put(new_commit(), note("n", ""), 0);
    commit.facts.push(Arc::new(fact(Topic::TicketEvent, 1)));
    for _ in 0..2 {
        assert_eq!(suite.store.settle(commit.id).await.expect("it settles"), Settled::Never);
    }
    suite.store.prune(i64::MAX).await.expect("it prunes");
    suite.stale(commit.clone()).await;
    assert_eq!(suite.version(&note_key("n")).await, 0);
    assert!(suite.fact_keys(Topic::TicketEvent).await.is_empty());
    assert_eq!(suite.store.settle(commit.id).await.expect("it settles"), Settled::Never);
}

pub async fn a_stale_commit_settles_as_never(suite: &Suite) {
    let commit = put(new_commit(), note("n", ""), 5);
    let id = commit.id;
    suite.stale(commit).await;
    assert_eq!(suite.store.settle(id).await.expect("it settles"), Settled::Never);
}

pub async fn a_commit_id_is_used_once(suite: &Suite) {
    let commit = put(new_commit(), note("n", ""), 0);
    let again = put(Commit::new(commit.id, 1_000_001), note("other", ""), 0);
    suite.commit(commit.clone()).await;
    suite.stale(commit).await;
    suite.stale(again).await;
    assert_eq!(suite.version(&note_key("n")).await, 1);
    assert_eq!(suite.version(&note_key("other")).await, 0);
}

pub async fn pruning_forgets_old_answers_only(suite: &Suite) {
    let keys = ["old", "older", "new"].map(|key| AnswerKey(key.to_owned()));
    let times = [100, 50, 200];
    let mut commit = put(new_commit(), note("n", ""), 0);
    commit.at_us = 200;
    commit.answers = keys.iter().zip(times).map(|(key, at_us)| (key.clone(), answer("yes", at_us))).collect();
    commit.facts = vec![Arc::new(fact(Topic::TicketEvent, 1))];
    commit.advances = vec![advance(0, 3)];
    commit.parked = vec![ParkedChange::Park(parked(3, 10))];
    let id = commit.id;
    suite.commit(commit).await;
    assert_eq!(suite.store.prune(200).await.expect("it prunes"), 2);
    assert_eq!(suite.store.prune(200).await.expect("it prunes"), 0);
    assert_eq!(suite.answer(&keys[0]).await, None);
    assert_eq!(suite.answer(&keys[1]).await, None);
    assert_eq!(suite.answer(&keys[2]).await, Some(answer("yes", 200)));
    assert_eq!(suite.version(&note_key("n")).await, 1);
    assert_eq!(suite.fact_keys(Topic::TicketEvent).await.len(), 1);
    assert_eq!(suite.store.position(&consumed()).await.expect("a read"), Position(3));
    assert_eq!(suite.store.parked().await.expect("a read").len(), 1);
    assert_eq!(suite.store.settle(id).await.expect("it settles"), Settled::Committed);
    suite.commit(with_answer(&keys[0], answer("again", 300))).await;
}

pub async fn a_large_commit_works(suite: &Suite) {
    const MANY: u32 = 1_000;
    let name = |number: u32| format!("{number:05}");
    let mut commit = new_commit();
    for number in 0..MANY {
        let show = Show { seats: Some(i64::from(number)), code: Some(name(number)), ..bare(&name(number)) };
        commit = put(commit, show.into(), 0);
        commit.facts.push(Arc::new(fact(Topic::TicketEvent, number)));
    }
    suite.commit(commit).await;
    let keys: Vec<Key> = (0..MANY).map(|number| show_key(&name(number))).collect();
    assert!(suite.rows(&keys).await.iter().all(Option::is_some));
    let expected: Vec<String> = (0..MANY).map(|number| format!("key-{number}")).collect();
    assert_eq!(suite.fact_keys(Topic::TicketEvent).await, expected);
    let mut update = new_commit();
    for number in 0..MANY {
        update = put(update, bare(&name(number)).into(), 1);
    }
    update = put(update, note("n", ""), 3);
    suite.stale(update).await;
    assert_eq!(suite.version(&show_key(&name(0))).await, 1, "the last of many refuses them all");
}
