//! Buyers who go on booking, whatever happens to the fleet, and remember what they were told.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::task::JoinHandle;

use crate::visitor::{Sale, Visitor};

/// The pause after a refusal that says to come again.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Bookings that go on.
pub struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    buyers: Vec<JoinHandle<Told>>,
}

/// What buyers were told.
#[derive(Debug, Default)]
pub struct Told {
    /// Answers: booking by idempotency key.
    pub booked: BTreeMap<String, String>,
    /// Refusals with 503, and answers that never came.
    pub refused: usize,
    pub lost: usize,
    /// Anything else; there must be none.
    pub wrong: Vec<String>,
}

impl Load {
    /// So many buyers, one after the other each, on some sales.
    pub fn start(buyers: &[Visitor], sales: &[Sale]) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let buyers = buyers.iter().enumerate().map(|(number, buyer)| {
            let (buyer, sales) = (buyer.clone(), sales.to_vec());
            let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
            tokio::spawn(async move { buy(number, &buyer, &sales, &stop, &answered).await })
        });
        Self { buyers: buyers.collect(), stop, answered }
    }

    /// How many were answered so far.
    pub fn answered(&self) -> usize {
        self.answered.load(Ordering::SeqCst)
    }

    /// Waits until so many more were answered.
    pub async fn goes_on(&self, more: usize) {
        let (before, began) = (self.answered(), std::time::Instant::now());
        while self.answered() < before + more {
            assert!(began.elapsed() < Duration::from_secs(60), "bookings do not go on");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends it.
    pub async fn end(self) -> Told {
        self.stop.store(true, Ordering::SeqCst);
        let mut all = Told::default();
        for buyer in self.buyers {
            let told = buyer.await.unwrap();
            all.booked.extend(told.booked);
            all.wrong.extend(told.wrong);
            all.refused += told.refused;
            all.lost += told.lost;
        }
        all
    }
}

async fn buy(
    number: usize,
    buyer: &Visitor,
    sales: &[Sale],
    stop: &AtomicBool,
    answered: &AtomicUsize,
) -> Told {
    let mut told = Told::default();
    let mut round = 0;
    while !stop.load(Ordering::SeqCst) {
        let key = format!("buyer-{number}-{round}");
        let sale = &sales[(number + round) % sales.len()];
        match buyer.try_book(sale, &key).await {
            Ok((status, booking)) if status == 201 || status == 202 => {
                told.booked.insert(key, booking["id"].as_str().unwrap().to_owned());
                answered.fetch_add(1, Ordering::SeqCst);
                round += 1;
            }
            // Nobody knows yet: the same key again.
            Ok((status, _)) if status == 503 => {
                told.refused += 1;
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            Ok((status, body)) => {
                told.wrong.push(format!("{status} {body}"));
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            Err(_) => {
                told.lost += 1;
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        }
    }
    told
}

/// Everything that buyers were told must be so. They had so many bookings before.
pub async fn must_be_true(told: &Told, buyers: &[Visitor], before: usize) {
    assert_eq!(told.wrong, Vec::<String>::new());
    let mut known = BTreeMap::new();
    for buyer in buyers {
        for booking in buyer.list("/v1/bookings", "bookings").await {
            known.insert(booking["id"].as_str().unwrap().to_owned(), booking["status"].clone());
        }
    }
    for (key, id) in &told.booked {
        assert!(known.contains_key(id), "{key} was answered with {id}, which is gone");
    }
    let undecided: Vec<_> = known.iter().filter(|(_, status)| **status == "PENDING").collect();
    assert!(undecided.is_empty(), "{undecided:?}");
    // One booking for each key, however often it was sent: beyond those, only the last of each buyer may be there.
    let most = before + told.booked.len() + buyers.len();
    assert!(known.len() <= most, "{} bookings of at most {most}", known.len());
}
