//! Facts: what is committed is on the log, in order, and nothing else is.

use std::time::Duration;

use super::*;

/// How long a reader that should be woken may sleep.
const PATIENCE: Duration = Duration::from_secs(10);

fn with_facts(facts: Vec<Fact>) -> Commit<SuiteRow> {
    Commit { facts: facts.into_iter().map(Arc::new).collect(), ..new_commit() }
}

pub async fn facts_appear_in_the_order_of_commits(suite: &Suite) {
    for first in [0, 3, 6] {
        let facts = (first..first + 3).map(|number| fact(Topic::TicketEvent, number)).collect();
        suite.commit(with_facts(facts)).await;
    }
    let expected: Vec<String> = (0..9).map(|number| format!("key-{number}")).collect();
    assert_eq!(suite.fact_keys(Topic::TicketEvent).await, expected);
}

pub async fn a_refused_commit_publishes_nothing(suite: &Suite) {
    suite.commit(with_facts(vec![fact(Topic::TicketEvent, 0)])).await;
    suite.stale(put(with_facts(vec![fact(Topic::TicketEvent, 1)]), note("n", ""), 4)).await;
    suite.commit(with_facts(vec![fact(Topic::TicketEvent, 2)])).await;
    assert_eq!(suite.fact_keys(Topic::TicketEvent).await, ["key-0", "key-2"]);
}

pub async fn forgotten_facts_are_gone_and_the_others_stay_where_they_are(suite: &Suite) {
    let facts = vec![fact(Topic::TicketEvent, 0), fact(Topic::TicketEvent, 1), fact(Topic::VisitEvent, 0)];
    suite.commit(with_facts(facts)).await;
    let before = suite.records(Topic::TicketEvent).await;
    let again = Fact { id: bus::FactId(Uuid::from_u128(77)), ..fact(Topic::TicketEvent, 0) };
    let forgotten = vec![(Topic::TicketEvent, "key-0".to_owned())];
    suite.commit(Commit { forgotten, ..with_facts(vec![again.clone()]) }).await;
    let after = suite.records(Topic::TicketEvent).await;
    assert_eq!(after.len(), 2, "the other key's fact, and the new one of the forgotten key");
    assert_eq!(after[0], before[1]);
    assert_eq!(*after[1].fact, again);
    assert_eq!(suite.fact_keys(Topic::VisitEvent).await, ["key-0"]);
}

pub async fn topics_are_separate(suite: &Suite) {
    let facts = (0..6).map(|number| fact(TOPICS[number as usize % 2], number)).collect();
    suite.commit(with_facts(facts)).await;
    assert_eq!(suite.fact_keys(Topic::TicketEvent).await, ["key-0", "key-2", "key-4"]);
    assert_eq!(suite.fact_keys(Topic::VisitEvent).await, ["key-1", "key-3", "key-5"]);
}

pub async fn a_waiting_reader_is_woken(suite: &Suite) {
    suite.commit(with_facts(vec![fact(Topic::TicketEvent, 0)])).await;
    let partition = suite.partition(Topic::TicketEvent);
    let last = suite.log.read(&partition, Position::default(), 10).await.expect("a read").next;
    let log = Arc::clone(&suite.log);
    let waiting = tokio::spawn(async move { log.wait(&partition, last).await });
    tokio::task::yield_now().await;
    suite.commit(with_facts(vec![fact(Topic::TicketEvent, 1)])).await;
    let woken = tokio::time::timeout(PATIENCE, waiting).await.expect("it is woken in time");
    woken.expect("it does not panic").expect("waiting succeeds");
}

pub async fn facts_keep_every_attribute(suite: &Suite) {
    let plain = fact(Topic::TicketEvent, 1);
    let odd = Fact {
        key: "it's 日本 \"odd\"".to_owned(),
        kind: "seats.held".to_owned(),
        time_us: -1,
        traceparent: None,
        payload: "{\"text\":\"a\\u0001\\n'\"}".to_owned(),
        ..fact(Topic::TicketEvent, 2)
    };
    suite.commit(with_facts(vec![plain.clone(), odd.clone()])).await;
    let records = suite.records(Topic::TicketEvent).await;
    let facts: Vec<Arc<Fact>> = records.into_iter().map(|record| record.fact).collect();
    assert_eq!(facts, [Arc::new(plain), Arc::new(odd)]);
}
