//! What the faults in front of a store do, and what they leave.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use store::{
    Change, Commit, CommitError, CommitId, Key, MemoryStore, Query, Row as _, Settled, Store, StoreError,
    conformance::{Note, SuiteRow, TOPICS},
    faulty::{Fault, FaultPlan, FaultyStore},
};
use uuid::Uuid;

/// Says the same of every call, until it is told otherwise.
struct Told(Mutex<Fault>);

impl Told {
    fn tell(&self, fault: Fault) {
        *self.0.lock().unwrap() = fault;
    }
}

impl FaultPlan for Told {
    fn read(&self) -> Fault {
        *self.0.lock().unwrap()
    }

    fn commit(&self) -> Fault {
        *self.0.lock().unwrap()
    }
}

fn faulty() -> (FaultyStore<SuiteRow>, Arc<Told>) {
    let plan = Arc::new(Told(Mutex::new(Fault::None)));
    let inner = Arc::new(MemoryStore::new(&TOPICS));
    (FaultyStore::new(inner, plan.clone()), plan)
}

fn new_note() -> Commit<SuiteRow> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let id = CommitId(Uuid::from_u128(u128::from(NEXT.fetch_add(1, Ordering::Relaxed))));
    let row = SuiteRow::from(Note { id: "n".to_owned(), text: String::new() });
    let mut commit = Commit::new(id, 1);
    commit.changes.push(Change::new(row.key(), 0, Some(row)));
    commit
}

async fn has_note(store: &FaultyStore<SuiteRow>) -> bool {
    store.load(&[Key::new("note", "n")], &[]).await.unwrap().rows[0].is_some()
}

#[tokio::test]
async fn without_a_fault_everything_goes_through() {
    let (store, _) = faulty();
    store.commit(new_note()).await.unwrap();
    assert!(has_note(&store).await);
}

#[tokio::test]
async fn a_refused_commit_had_no_effect() {
    let (store, plan) = faulty();
    plan.tell(Fault::Refused);
    let commit = new_note();
    assert!(matches!(store.commit(commit.clone()).await, Err(CommitError::Failed(_))));
    plan.tell(Fault::None);
    assert!(!has_note(&store).await);
    store.commit(commit).await.expect("trying again is safe");
    assert!(has_note(&store).await);
}

#[tokio::test]
async fn a_lost_commit_had_no_effect_and_settles_as_never() {
    let (store, plan) = faulty();
    plan.tell(Fault::Lost);
    let commit = new_note();
    assert!(matches!(store.commit(commit.clone()).await, Err(CommitError::Unknown(_))));
    plan.tell(Fault::None);
    assert!(!has_note(&store).await);
    assert_eq!(store.settle(commit.id).await.unwrap(), Settled::Never);
    assert!(matches!(store.commit(commit).await, Err(CommitError::Stale(_))), "never is never");
}

#[tokio::test]
async fn a_commit_that_timed_out_had_effect_and_settles_as_committed() {
    let (store, plan) = faulty();
    plan.tell(Fault::DoneButTimedOut);
    let commit = new_note();
    assert!(matches!(store.commit(commit.clone()).await, Err(CommitError::Unknown(_))));
    plan.tell(Fault::None);
    assert!(has_note(&store).await);
    assert_eq!(store.settle(commit.id).await.unwrap(), Settled::Committed);
}

#[tokio::test]
async fn a_stale_commit_is_stale_whatever_the_fault() {
    let (store, plan) = faulty();
    store.commit(new_note()).await.unwrap();
    plan.tell(Fault::DoneButTimedOut);
    assert!(matches!(store.commit(new_note()).await, Err(CommitError::Stale(_))));
}

#[tokio::test]
async fn every_read_fails_while_the_store_is_away() {
    let (store, plan) = faulty();
    plan.tell(Fault::Refused);
    assert!(matches!(store.load(&[], &[]).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.query(&Query::all("note")).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.parked().await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.settle(CommitId(Uuid::nil())).await, Err(StoreError::Unavailable(_))));
}
