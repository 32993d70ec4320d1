use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::join_all;
use tokio::sync::Semaphore;

use super::*;

/// A user service in small: each token is good once, and spending it takes a turn that the test gives.
struct Family {
    current: AtomicUsize,
    turns: Semaphore,
    spent: AtomicUsize,
}

impl Family {
    fn new(turns: usize) -> Arc<Self> {
        let turns = Semaphore::new(turns);
        Arc::new(Self { current: AtomicUsize::new(1), turns, spent: AtomicUsize::new(0) })
    }

    async fn spend(self: Arc<Self>, old: SignedIn) -> Outcome {
        self.spent.fetch_add(1, Ordering::SeqCst);
        self.turns.acquire().await.unwrap().forget();
        let token: usize = old.refresh_token.parse().unwrap();
        let spending = self.current.compare_exchange(token, token + 1, Ordering::SeqCst, Ordering::SeqCst);
        match spending {
            Ok(_) => Ok(SignedIn { refresh_token: (token + 1).to_string(), ..old }),
            Err(_) => Err(ServiceError::unauthenticated("it is spent")),
        }
    }

    fn spent(&self) -> usize {
        self.spent.load(Ordering::SeqCst)
    }
}

fn signed_in(refresh_token: &str) -> SignedIn {
    SignedIn {
        access_token: "access".to_owned(),
        refresh_token: refresh_token.to_owned(),
        expires_at: 0,
        user_id: "7".to_owned(),
        name: "Ana".to_owned(),
        is_admin: false,
    }
}

#[tokio::test]
async fn many_requests_with_one_token_spend_it_once_and_all_go_on() {
    let (exchanges, family, old) = (Exchanges::new(), Family::new(1), signed_in("1"));
    let asking = (0..50).map(|_| exchanges.exchange(&old, 0, |old| Arc::clone(&family).spend(old)));
    for outcome in join_all(asking).await {
        assert_eq!(outcome.unwrap().refresh_token, "2");
    }
    assert_eq!(family.spent(), 1);
}

#[tokio::test]
async fn who_was_on_the_way_gets_what_the_token_was_exchanged_for_and_nobody_later() {
    let (exchanges, family) = (Exchanges::new(), Family::new(3));
    let exchange = async |token: &str, now| {
        exchanges.exchange(&signed_in(token), now, |old| Arc::clone(&family).spend(old)).await
    };
    assert_eq!(exchange("1", 0).await.unwrap().refresh_token, "2");
    assert_eq!(exchange("2", 1).await.unwrap().refresh_token, "3");
    assert_eq!(exchange("1", KEEP_EXCHANGES_SECONDS - 1).await.unwrap().refresh_token, "2");
    assert_eq!(family.spent(), 2);
    let late = exchange("1", KEEP_EXCHANGES_SECONDS).await;
    assert_eq!(late.err().unwrap().code, Code::Unauthenticated);
}

#[tokio::test]
async fn an_exchange_is_finished_though_whoever_began_it_has_gone() {
    let (exchanges, family, old) = (Arc::new(Exchanges::new()), Family::new(0), signed_in("1"));
    let begun = tokio::spawn({
        let (exchanges, family, old) = (Arc::clone(&exchanges), Arc::clone(&family), old.clone());
        async move { exchanges.exchange(&old, 0, |old| family.spend(old)).await }
    });
    while family.spent() == 0 {
        tokio::task::yield_now().await;
    }
    begun.abort();
    assert!(begun.await.err().unwrap().is_cancelled());
    family.turns.add_permits(1);
    let outcome = exchanges.exchange(&old, 0, |old| Arc::clone(&family).spend(old)).await;
    assert_eq!(outcome.unwrap().refresh_token, "2");
    assert_eq!(family.spent(), 1);
}

#[tokio::test]
async fn where_the_outcome_is_not_known_it_is_asked_for_again() {
    let (exchanges, old) = (Exchanges::new(), signed_in("1"));
    let down = async |_| Err(ServiceError::unavailable("unavailable", "down"));
    assert!(exchanges.exchange(&old, 0, down).await.is_err());
    let family = Family::new(1);
    assert!(exchanges.exchange(&old, 0, |old| family.spend(old)).await.is_ok());
}
