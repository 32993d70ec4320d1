//! Who waits for a booking to be decided, and is told in the moment it is.
//!
//! Where several processes share a store, the decision may be heard by another one than who waits for it. Then the
//! waiting one looks: at all that it waits for together, so that the store is asked a few times a second however many
//! wait.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{
    BookingId,
    ticket::{Booking, BookingStatus},
};
use store::{Key, Store};
use tokio::{sync::oneshot, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::rows::{TicketRow, booking_key};

/// The most waits at a time; beyond that, an answer does not wait.
const MAX_WAITING: usize = 20_000;

/// How often a process that shares its store looks for what it waits for, at the most.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The longest rest between two looks. It doubles up to here while they find nothing: then this process hears the
/// decisions itself.
const MAX_REST: Duration = Duration::from_millis(160);
/// Of its time, a look may take one part in so many: a store that is slow is asked less often.
const LOOK_SHARE: u32 = 4;
/// The most bookings of one look; with more, they take turns.
const MAX_LOOKED_AT: usize = 500;

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaited {
    /// It is no longer PENDING.
    Decided,
    /// It is neither PENDING nor HELD.
    Settled,
}

impl Awaited {
    /// Whether a booking is what was waited for.
    #[must_use]
    pub fn is_met(self, booking: &Booking) -> bool {
        match self {
            Self::Decided => booking.status != BookingStatus::Pending,
            Self::Settled => !matches!(booking.status, BookingStatus::Pending | BookingStatus::Held),
        }
    }
}

type Waiting = BTreeMap<BookingId, Vec<(Awaited, oneshot::Sender<Booking>)>>;

/// The waits of this process.
#[derive(Default)]
pub struct Decisions {
    waiting: Mutex<Waiting>,
}

impl Decisions {
    /// Waits from now on. `None` when too many do.
    #[must_use]
    pub fn wait(&self, id: BookingId, awaited: Awaited) -> Option<oneshot::Receiver<Booking>> {
        let mut waiting = self.waiting();
        if waiting.len() >= MAX_WAITING {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        waiting.entry(id).or_default().push((awaited, sender));
        Some(receiver)
    }

    /// Forgets the waits for a booking that nobody listens to any more.
    pub fn forget(&self, id: BookingId) {
        let mut waiting = self.waiting();
        if let Some(waits) = waiting.get_mut(&id) {
            waits.retain(|(_, sender)| !sender.is_closed());
            if waits.is_empty() {
                waiting.remove(&id);
            }
        }
    }

    /// Tells those who wait for these bookings; how many were told.
    pub fn tell<'a>(&self, bookings: impl Iterator<Item = &'a Booking>) -> usize {
        let mut waiting = self.waiting();
        let mut told = 0;
        if waiting.is_empty() {
            return told;
        }
        for booking in bookings {
            let Some(waits) = waiting.remove(&booking.id) else { continue };
            let (met, not_yet): (Vec<_>, Vec<_>) = waits.into_iter().partition(|(a, _)| a.is_met(booking));
            told += met.len();
            for (_, sender) in met {
                // Who gave up waiting hears nothing.
                let _ = sender.send(booking.clone());
            }
            if !not_yet.is_empty() {
                waiting.insert(booking.id, not_yet);
            }
        }
        told
    }

    /// Looks in a shared store for what is waited for, until told to stop.
    pub(crate) async fn look(self: Arc<Self>, store: Arc<dyn Store<TicketRow>>, shutdown: CancellationToken) {
        let mut after = None;
        let mut pause = LOOK_EVERY;
        loop {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = shutdown.cancelled() => return,
            }
            let keys = self.next_to_look_at(&mut after);
            if keys.is_empty() {
                pause = LOOK_EVERY;
                continue;
            }
            let began = Instant::now();
            let told = match store.load(&keys, &[]).await {
                Ok(loaded) => {
                    let rows: Vec<_> = loaded.rows.into_iter().flatten().collect();
                    self.tell(rows.iter().filter_map(|versioned| match versioned.row.as_ref() {
                        TicketRow::Booking(booking) => Some(booking),
                        _ => None,
                    }))
                }
                // Who waits is told that the booking is PENDING, which it is as far as is known.
                Err(error) => {
                    tracing::debug!(%error, "what is waited for could not be looked at");
                    0
                }
            };
            pause = rest_after(pause, began.elapsed(), told);
        }
    }

    /// Some of the bookings that are waited for, each in its turn.
    fn next_to_look_at(&self, after: &mut Option<BookingId>) -> Vec<Key> {
        let waiting = self.waiting();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let ids: Vec<BookingId> =
            waiting.range((from, Bound::Unbounded)).take(MAX_LOOKED_AT).map(|(id, _)| *id).collect();
        // At the end it begins anew.
        *after = if ids.len() < MAX_LOOKED_AT { None } else { ids.last().copied() };
        ids.into_iter().map(booking_key).collect()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long to rest after a look that took so long and found so much.
fn rest_after(rest_before: Duration, took: Duration, told: usize) -> Duration {
    let rest = if told > 0 { LOOK_EVERY } else { (rest_before * 2).min(MAX_REST) };
    (took * LOOK_SHARE).max(rest)
}

#[cfg(test)]
mod tests {
    use domain::{EventId, UserId, ticket::Command};
    use kit::{Environment, Item, Pipeline, Request};
    use store::MemoryStore;
    use uuid::Uuid;

    use super::*;
    use crate::machine::{Actor, TicketCommand, TicketMachine};

    fn id(number: u128) -> BookingId {
        BookingId::from_bits(number << 16)
    }

    /// Another process on the same store.
    async fn elsewhere(store: &Arc<MemoryStore<TicketRow>>, command: TicketCommand) {
        let machine = Arc::new(TicketMachine::new(Arc::default()));
        let pipeline = Pipeline::new(machine, Arc::clone(store) as _, Environment::system());
        let request = Request { command, idempotency: None, traceparent: None };
        pipeline.run(&[Item::Request(request)]).await.pop().unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_decision_that_another_process_heard_is_found_in_the_store() {
        let store = Arc::new(MemoryStore::<TicketRow>::new(crate::PUBLISHES));
        let decisions = Arc::new(Decisions::default());
        let shutdown = CancellationToken::new();
        tokio::spawn(Arc::clone(&decisions).look(Arc::clone(&store) as _, shutdown.clone()));
        let (user_id, event_id) = (UserId(Uuid::from_u128(1)), EventId(Uuid::from_u128(2)));
        let actor = Actor { user_id, is_admin: false };
        let mut heard = decisions.wait(id(7), Awaited::Decided).unwrap();
        let place = Command::Place {
            id: id(7),
            event_id,
            user_id,
            lines: Vec::new(),
            promo_code: None,
            attendees: Vec::new(),
        };
        elsewhere(&store, TicketCommand::Own(actor, id(7), event_id, place)).await;
        tokio::time::sleep(LOOK_EVERY * 10).await;
        assert!(heard.try_recv().is_err(), "it is PENDING");
        let refused = domain::facts::SeatsRefused {
            booking_id: id(7),
            event_id,
            user_id,
            reason: "sold_out".to_owned(),
            at: domain::Time::from_micros(1),
        };
        elsewhere(&store, TicketCommand::Saga(id(7), event_id, Command::Refused(refused))).await;
        let booking = tokio::time::timeout(LOOK_EVERY * 10, heard).await.unwrap().unwrap();
        assert_eq!(booking.status, BookingStatus::Rejected);
    }

    #[test]
    fn looks_that_find_nothing_become_rare_and_a_find_makes_them_frequent() {
        let short = Duration::from_millis(1);
        let mut rests = vec![LOOK_EVERY];
        for _ in 0..5 {
            rests.push(rest_after(*rests.last().unwrap(), short, 0));
        }
        let rests_ms: Vec<u128> = rests.iter().map(Duration::as_millis).collect();
        assert_eq!(rests_ms, [20, 40, 80, 160, 160, 160]);
        assert_eq!(rest_after(MAX_REST, short, 1), LOOK_EVERY);
        let slow = Duration::from_millis(100);
        assert_eq!(rest_after(LOOK_EVERY, slow, 1), slow * LOOK_SHARE, "a slow store is asked less often");
    }

    #[test]
    fn with_many_waits_all_are_looked_at_in_turn() {
        let decisions = Decisions::default();
        let waits: Vec<_> =
            (0..1_200).map(|number| decisions.wait(id(number), Awaited::Decided).unwrap()).collect();
        let mut after = None;
        let looks: Vec<usize> = (0..4).map(|_| decisions.next_to_look_at(&mut after).len()).collect();
        assert_eq!(looks, [500, 500, 200, 500]);
        drop(waits);
    }
}
