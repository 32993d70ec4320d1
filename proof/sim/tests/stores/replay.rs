//! Asking a store what another was asked.

use sim::tape::{Asked, Committed};
use store::{Parked, Row, Store};

/// Asks a store all that is on a tape, in order; each answer must be the one that is there.
pub async fn ask_again<R: Row>(store: &dyn Store<R>, tape: &[Asked<R>], where_at: impl Fn(&str) -> String) {
    for (number, asked) in tape.iter().enumerate() {
        let at = || where_at(&format!("question {number}"));
        match asked {
            Asked::Load(keys, answers, loaded) => {
                let again = store.load(keys, answers).await.unwrap();
                assert_eq!(again.rows, loaded.rows, "{}: rows of {keys:?}", at());
                assert_eq!(again.answers, loaded.answers, "{}: {answers:?}", at());
            }
            Asked::Query(query, found) => {
                let again = store.query(query).await.unwrap();
                assert_eq!(again, *found, "{}: {query:?}", at());
            }
            Asked::Commit(commit, outcome) => {
                let again = store.commit(commit.as_ref().clone()).await;
                assert_eq!(Committed::from(&again), *outcome, "{}: {again:?} of {commit:?}", at());
            }
            Asked::Settle(id, settled) => {
                assert_eq!(store.settle(*id).await.unwrap(), *settled, "{}: {id:?}", at());
            }
            Asked::Position(partition, position) => {
                assert_eq!(store.position(partition).await.unwrap(), *position, "{}: {partition}", at());
            }
            Asked::Parked(parked) => {
                assert_eq!(ordered(store.parked().await.unwrap()), ordered(parked.clone()), "{}", at());
            }
        }
    }
}

/// Those of one moment may come in any order.
pub fn ordered(mut parked: Vec<Parked>) -> Vec<Parked> {
    parked.sort_by_key(|parked| (parked.at_us, parked.partition.clone(), parked.record.position));
    parked
}
