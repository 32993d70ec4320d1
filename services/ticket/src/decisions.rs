//! Who waits for a booking to be decided, and is told in the moment it is.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{
    BookingId,
    ticket::{Booking, BookingStatus},
};
use tokio::sync::oneshot;

/// The most waits at a time; beyond that, an answer does not wait.
const MAX_WAITING: usize = 20_000;

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

    /// Tells those who wait for these bookings.
    pub fn tell<'a>(&self, bookings: impl Iterator<Item = &'a Booking>) {
        let mut waiting = self.waiting();
        if waiting.is_empty() {
            return;
        }
        for booking in bookings {
            let Some(waits) = waiting.remove(&booking.id) else { continue };
            let (met, not_yet): (Vec<_>, Vec<_>) = waits.into_iter().partition(|(a, _)| a.is_met(booking));
            for (_, sender) in met {
                // Who gave up waiting hears nothing.
                let _ = sender.send(booking.clone());
            }
            if !not_yet.is_empty() {
                waiting.insert(booking.id, not_yet);
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
