//! Trimming: what nobody needs any more goes from the outbox, and nothing else does.

use bus::LogError;

use super::*;

const TOPIC: Topic = Topic::TicketEvent;
/// After every fact of the suite.
const LATER_US: i64 = i64::MAX;
/// Beyond every fact of the suite.
const END: Position = Position(1_000_000);
/// More than a driver removes in one step.
const MANY: u32 = 12_000;

/// The fact with a number is of the second with that number.
fn second(number: u32) -> i64 {
    i64::from(number) * 1_000_000
}

fn of(topic: Topic, number: u32) -> Fact {
    Fact { time_us: second(number), ..fact(topic, number) }
}

async fn publish(suite: &Suite, facts: impl IntoIterator<Item = Fact>) {
    suite.commit(Commit { facts: facts.into_iter().map(Arc::new).collect(), ..new_commit() }).await;
}

async fn trim(suite: &Suite, topic: Topic, up_to: Position, before_us: i64) -> u64 {
    suite.store.trim(topic, up_to, before_us).await.expect("trimming succeeds")
}

/// What is read from the position up to which a topic was trimmed.
async fn kept_after(suite: &Suite, topic: Topic, after: Position) -> Vec<Record> {
    let batch = suite.log.read(&suite.partition(topic), after, 100).await;
    batch.expect("a read from the beginning of what is kept succeeds").records
}

pub async fn trimmed_facts_are_gone_and_the_others_stay_where_they_are(suite: &Suite) {
    publish(suite, (0..6).map(|number| of(TOPIC, number))).await;
    let before = suite.records(TOPIC).await;
    let up_to = before[3].position;
    assert_eq!(trim(suite, TOPIC, up_to, LATER_US).await, 4);
    assert_eq!(kept_after(suite, TOPIC, up_to).await, before[4..]);
}

pub async fn young_facts_are_not_trimmed(suite: &Suite) {
    publish(suite, (0..6).map(|number| of(TOPIC, number))).await;
    let before = suite.records(TOPIC).await;
    assert_eq!(trim(suite, TOPIC, END, second(2)).await, 2, "a fact of just that time is not before it");
    assert_eq!(kept_after(suite, TOPIC, before[1].position).await, before[2..]);
}

pub async fn what_is_behind_a_young_fact_is_not_trimmed(suite: &Suite) {
    // The clock was set back between the second and the third.
    publish(suite, [0, 9, 1, 2].map(|number| of(TOPIC, number))).await;
    let before = suite.records(TOPIC).await;
    assert_eq!(trim(suite, TOPIC, END, second(5)).await, 1);
    assert_eq!(kept_after(suite, TOPIC, before[0].position).await, before[1..]);
}

pub async fn facts_that_are_not_done_are_not_trimmed(suite: &Suite) {
    publish(suite, (0..3).map(|number| of(TOPIC, number))).await;
    let all = suite.records(TOPIC).await;
    assert_eq!(trim(suite, TOPIC, Position::default(), LATER_US).await, 0);
    assert_eq!(suite.records(TOPIC).await, all);
}

pub async fn the_newest_fact_of_a_topic_is_never_trimmed(suite: &Suite) {
    publish(suite, (0..3).map(|number| of(TOPIC, number))).await;
    let before = suite.records(TOPIC).await;
    assert_eq!(trim(suite, TOPIC, END, LATER_US).await, 2);
    publish(suite, [of(TOPIC, 3)]).await;
    let kept = kept_after(suite, TOPIC, before[1].position).await;
    assert_eq!(kept[0], before[2]);
    assert!(kept[1].position > before[2].position, "no position is given twice");
}

pub async fn a_topic_is_trimmed_alone(suite: &Suite) {
    publish(suite, (0..6).map(|number| of(TOPICS[number as usize % 2], number))).await;
    let visits = suite.records(Topic::VisitEvent).await;
    assert_eq!(trim(suite, TOPIC, END, LATER_US).await, 2);
    assert_eq!(suite.records(Topic::VisitEvent).await, visits);
}

pub async fn trimming_again_changes_nothing(suite: &Suite) {
    assert_eq!(trim(suite, TOPIC, END, LATER_US).await, 0, "there is nothing yet");
    publish(suite, (0..6).map(|number| of(TOPIC, number))).await;
    let before = suite.records(TOPIC).await;
    assert_eq!(trim(suite, TOPIC, END, LATER_US).await, 5);
    assert_eq!(trim(suite, TOPIC, END, LATER_US).await, 0);
    assert_eq!(trim(suite, TOPIC, before[1].position, LATER_US).await, 0, "it never goes back");
    assert_eq!(kept_after(suite, TOPIC, before[4].position).await, before[5..]);
}

pub async fn a_long_outbox_is_trimmed(suite: &Suite) {
    publish(suite, (0..MANY).map(|number| of(TOPIC, number))).await;
    assert_eq!(trim(suite, TOPIC, END, second(MANY - 10)).await, u64::from(MANY) - 10);
    assert_eq!(trim(suite, TOPIC, END, LATER_US).await, 9);
}

pub async fn a_reader_from_before_what_is_kept_is_told(suite: &Suite) {
    publish(suite, (0..6).map(|number| of(TOPIC, number))).await;
    let before = suite.records(TOPIC).await;
    let partition = suite.partition(TOPIC);
    trim(suite, TOPIC, before[3].position, LATER_US).await;
    for after in [Position::default(), before[0].position, before[2].position] {
        let refused = suite.log.read(&partition, after, 10).await;
        let Err(LogError::Trimmed { trimmed, latest_us, .. }) = refused else {
            panic!("from {after:?}: {refused:?}")
        };
        assert_eq!((Position(trimmed), latest_us), (before[3].position, second(3)));
    }
    assert_eq!(kept_after(suite, TOPIC, before[3].position).await, before[4..]);
}

fn of_key(number: u32, key: &str) -> Fact {
    Fact { key: key.to_owned(), ..of(Topic::UpsertData, number) }
}

pub async fn the_newest_fact_of_each_key_stays_where_the_topic_says_so(suite: &Suite) {
    let topic = Topic::UpsertData;
    let keys = ["a", "b", "a", "c", "b", "a"];
    publish(suite, (0..).zip(keys).map(|(number, key)| of_key(number, key))).await;
    let before = suite.records(topic).await;
    assert_eq!(trim(suite, topic, END, LATER_US).await, 3);
    assert_eq!(suite.records(topic).await, before[3..], "a reader from the beginning misses nothing");
    assert_eq!(trim(suite, topic, END, LATER_US).await, 0);
    publish(suite, [of_key(6, "c")]).await;
    assert_eq!(trim(suite, topic, END, LATER_US).await, 1, "the earlier fact of c");
    let left: Vec<_> = suite.fact_keys(topic).await;
    assert_eq!(left, ["b", "a", "c"]);
}

pub async fn an_old_fact_of_a_key_stays_until_a_later_one_is_done_and_old(suite: &Suite) {
    let topic = Topic::UpsertData;
    publish(suite, [of_key(0, "a"), of_key(1, "a"), of_key(2, "a")]).await;
    let before = suite.records(topic).await;
    assert_eq!(trim(suite, topic, before[0].position, LATER_US).await, 0, "no later one is done");
    assert_eq!(trim(suite, topic, END, second(1)).await, 0, "no later one is old");
    assert_eq!(trim(suite, topic, END, second(2)).await, 1);
    assert_eq!(suite.records(topic).await, before[1..]);
}
