//! Every booking that was answered, and whether all of them are there afterwards.
//!
//! An answer is a promise. After the run the bookings of each buyer are read again, page by page, and
//! each one that was answered must be among them, in the state that the answer said.

use std::{cell::RefCell, collections::HashMap, time::Duration};

use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::{
    account::Account,
    booking::{Booking, Status},
    http::{Call, Connection},
    progress::Progress,
    target::Target,
};

/// How long the last bookings may take to be decided after the load has ended.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long reading all bookings may take.
const READ_TIMEOUT: Duration = Duration::from_secs(300);
/// The pause between two looks at something that is still changing.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How many buyers are looked at side by side.
const READ_AT_ONCE: usize = 8;
/// How many problems of one kind are told.
const MAX_TOLD: usize = 5;

/// What buyers were answered.
pub struct Ledger {
    buyers: RefCell<Vec<Answered>>,
}

/// What one buyer was answered.
#[derive(Default)]
struct Answered {
    booked: Vec<Uuid>,
    /// Asked to be cancelled: how that was answered.
    cancelled: HashMap<Uuid, Cancel>,
}

/// How a cancellation was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancel {
    /// It was not: the booking may be in either state.
    Unknown,
    /// With success.
    Done,
}

/// What was found afterwards.
#[derive(Default)]
pub struct Found {
    /// What is wrong.
    pub problems: Vec<String>,
    /// How many answered bookings were found.
    pub confirmed: u64,
    /// The BOOKED bookings of each event, also those whose answer was lost.
    pub booked: HashMap<Uuid, u64>,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    bookings: Vec<Booking<'a>>,
    #[serde(borrow)]
    next_page_token: &'a str,
}

impl Ledger {
    /// Nothing was answered yet.
    pub fn new(buyers: usize) -> Self {
        Self { buyers: RefCell::new(std::iter::repeat_with(Answered::default).take(buyers).collect()) }
    }

    /// A buyer was answered.
    pub fn note(&self, buyer: usize, booking: &Booking<'_>) {
        if booking.status == Status::Booked {
            self.buyers.borrow_mut()[buyer].booked.push(booking.id);
        }
    }

    /// A buyer asked to cancel a booking.
    pub fn note_cancel(&self, buyer: usize, id: Uuid, cancel: Cancel) {
        self.buyers.borrow_mut()[buyer].cancelled.insert(id, cancel);
    }

    /// Reads the bookings of all buyers, once all are decided, and compares. Up to `unknown` more than
    /// were answered may be there.
    ///
    /// # Errors
    /// When the platform does not answer.
    pub async fn check(&self, target: &Target, buyers: &[Account], unknown: u64) -> anyhow::Result<Found> {
        let answered = self.buyers.take();
        let total: usize = answered.iter().map(|answered| answered.booked.len()).sum();
        eprintln!("reading {total} answered bookings again");
        let start = Instant::now();
        let progress = Progress::new("bookings read again", total as u64);
        let until = Instant::now() + READ_TIMEOUT;
        let read = buyers.iter().map(|buyer| read_buyer(target, buyer, until, &progress));
        let read: Vec<_> = stream::iter(read).buffered(READ_AT_ONCE).try_collect().await?;
        eprintln!("read in {:.1} s", start.elapsed().as_secs_f64());
        let mut found = Found::default();
        let mut beyond = 0;
        for (answered, read) in answered.iter().zip(&read) {
            beyond += compare(answered, read, &mut found);
        }
        if beyond > unknown {
            let problem = format!("{beyond} bookings are BOOKED that were not answered, {unknown} may be");
            found.problems.push(problem);
        }
        shorten(&mut found.problems);
        Ok(found)
    }
}

/// A booking as it is read again.
struct Now {
    event_id: Uuid,
    status: Status,
}

/// Compares what one buyer was answered with what is there; how many more are BOOKED.
fn compare(answered: &Answered, read: &HashMap<Uuid, Now>, found: &mut Found) -> u64 {
    let mut expected_booked = 0;
    for id in &answered.booked {
        let status = read.get(id).map(|now| now.status);
        let is_right = match answered.cancelled.get(id) {
            None => status == Some(Status::Booked),
            Some(Cancel::Done) => status == Some(Status::Cancelled),
            Some(Cancel::Unknown) => matches!(status, Some(Status::Booked | Status::Cancelled)),
        };
        if is_right {
            found.confirmed += 1;
            expected_booked += u64::from(status == Some(Status::Booked));
        } else {
            let cancel = answered.cancelled.get(id);
            found
                .problems
                .push(format!("booking {id} was answered BOOKED (cancelled: {cancel:?}), it is {status:?}"));
        }
    }
    let mut booked = 0;
    for (id, now) in read {
        match now.status {
            Status::Booked => {
                booked += 1;
                *found.booked.entry(now.event_id).or_default() += 1;
            }
            Status::Pending => found.problems.push(format!("booking {id} is still PENDING")),
            Status::Held | Status::Rejected | Status::Cancelled | Status::Expired => {}
        }
    }
    booked - expected_booked
}

/// All bookings of a buyer.
async fn read_buyer(
    target: &Target,
    buyer: &Account,
    until: Instant,
    progress: &Progress,
) -> anyhow::Result<HashMap<Uuid, Now>> {
    let mut connection = Connection::to(target);
    settle(&mut connection, buyer).await?;
    let (mut all, mut token) = (HashMap::new(), String::new());
    loop {
        anyhow::ensure!(Instant::now() < until, "the bookings were not read again within {READ_TIMEOUT:?}");
        let path = format!("/v1/bookings?page_size=100&page_token={token}");
        token = read_page(&mut connection, buyer, &path, &mut all, progress).await?;
        if token.is_empty() {
            return Ok(all);
        }
    }
}

/// Waits until none is PENDING any more. Those that still are in the end are told by the comparison.
async fn settle(connection: &mut Connection, buyer: &Account) -> anyhow::Result<()> {
    let until = Instant::now() + SETTLE_TIMEOUT;
    while Instant::now() < until {
        let mut pending = HashMap::new();
        let path = "/v1/bookings?status=PENDING&page_size=1";
        read_page(connection, buyer, path, &mut pending, &Progress::new("", 0)).await?;
        if pending.is_empty() {
            break;
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// Reads a page; the token of the next one.
async fn read_page(
    connection: &mut Connection,
    buyer: &Account,
    path: &str,
    all: &mut HashMap<Uuid, Now>,
    progress: &Progress,
) -> anyhow::Result<String> {
    let authorization = buyer.authorization();
    let answer = connection.patient_call(&Call::get(path).by(&authorization)).await?;
    let page: Page<'_> = serde_json::from_slice(answer.body).context("a list of bookings cannot be read")?;
    progress.step(page.bookings.len() as u64);
    all.extend(
        page.bookings
            .iter()
            .map(|booking| (booking.id, Now { event_id: booking.event_id, status: booking.status })),
    );
    Ok(page.next_page_token.to_owned())
}

fn shorten(problems: &mut Vec<String>) {
    let more = problems.len().saturating_sub(MAX_TOLD);
    if more > 0 {
        problems.truncate(MAX_TOLD);
        problems.push(format!("{more} more of this kind"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: Uuid = Uuid::from_u128(1);

    fn read(bookings: &[(u128, Status)]) -> HashMap<Uuid, Now> {
        let now = |status| Now { event_id: EVENT, status };
        bookings.iter().map(|(id, status)| (Uuid::from_u128(*id), now(*status))).collect()
    }

    fn answered(booked: &[u128], cancelled: &[(u128, Cancel)]) -> Answered {
        Answered {
            booked: booked.iter().map(|id| Uuid::from_u128(*id)).collect(),
            cancelled: cancelled.iter().map(|(id, cancel)| (Uuid::from_u128(*id), *cancel)).collect(),
        }
    }

    #[test]
    fn what_was_answered_is_confirmed() {
        let answered =
            answered(&[1, 2, 3, 4], &[(2, Cancel::Done), (3, Cancel::Unknown), (4, Cancel::Unknown)]);
        let read = read(&[
            (1, Status::Booked),
            (2, Status::Cancelled),
            (3, Status::Booked),
            (4, Status::Cancelled),
            (5, Status::Rejected),
            (6, Status::Booked),
        ]);
        let mut found = Found::default();
        assert_eq!(compare(&answered, &read, &mut found), 1, "6 was not answered");
        assert!(found.problems.is_empty(), "{:?}", found.problems);
        assert_eq!((found.confirmed, found.booked[&EVENT]), (4, 3));
    }

    #[test]
    fn what_is_lost_or_in_another_state_is_told() {
        for (answered, read) in [
            (answered(&[1], &[]), read(&[])),
            (answered(&[1], &[]), read(&[(1, Status::Cancelled)])),
            (answered(&[1], &[(1, Cancel::Done)]), read(&[(1, Status::Booked)])),
            (answered(&[1], &[(1, Cancel::Unknown)]), read(&[(1, Status::Held)])),
            (answered(&[], &[]), read(&[(1, Status::Pending)])),
        ] {
            let mut found = Found::default();
            compare(&answered, &read, &mut found);
            assert_eq!(found.problems.len(), 1, "{:?}", found.problems);
        }
    }
}
