//! The witness sees every commit of both stores, keeps its own picture, and notes what must never be.
//!
//! It looks only at what a commit changes, so looking after every commit is cheap. What it notes
//! about bookings is in [`crate::bookings`], about seats in [`crate::holds`], about consumers in
//! [`crate::progress`]; what must be at the end is in [`crate::rest`].

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bus::{Fact, Partition, Position};
use domain::{
    BookingId, EventId, TicketTypeId,
    event::{Event, Hold, Inventory},
    ticket::Booking,
};
use event::EventRow;
use store::{Advance, Commit, ParkedChange, Row};
use ticket::{EventInfo, TicketRow};

use crate::{faults::Faults, log::SimLog, store::Watch};

/// Something that must never be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub invariant: &'static str,
    /// What was found.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.detail)
    }
}

/// Facts published about one booking, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    /// `booking.placed`
    pub placed: u32,
    /// `booking.paid`
    pub paid: u32,
    /// `booking.cancelled`
    pub cancelled: u32,
    /// `seats.held`
    pub held: u32,
    /// `seats.sold`
    pub sold: u32,
    /// `seats.refused`
    pub refused: u32,
    /// `seats.released`
    pub released: u32,
}

/// Its own picture of both stores.
pub struct Witness {
    pub(crate) faults: Arc<Faults>,
    /// What each service reads.
    pub(crate) reads: BTreeMap<&'static str, Arc<SimLog>>,
    /// Every booking as last committed.
    pub bookings: BTreeMap<BookingId, Booking>,
    /// The bookings in the order of their making.
    pub order: Vec<BookingId>,
    /// Every hold as last committed.
    pub holds: BTreeMap<BookingId, Hold>,
    /// Every event as last committed.
    pub events: BTreeMap<EventId, Event>,
    /// The figures of every event as last committed.
    pub inventories: BTreeMap<EventId, Inventory>,
    /// What the ticket service knows of the events.
    pub infos: BTreeMap<EventId, EventInfo>,
    /// Held and sold by its own count of the holds.
    pub(crate) sums: BTreeMap<(EventId, TicketTypeId), (i64, i64)>,
    pub(crate) told: BTreeMap<BookingId, Told>,
    /// Bookings whose whole cancellation the event service has carried out or noted.
    pub(crate) ended: BTreeSet<BookingId>,
    /// The parked facts of each service with their keys.
    pub(crate) parked: BTreeMap<(&'static str, Partition, Position), String>,
    /// Keys of which something was parked at some time.
    pub(crate) ever_parked: BTreeSet<(&'static str, Partition, String)>,
    /// Commits that changed a row or published a fact.
    pub effective: u64,
    /// Every commit.
    pub commits: u64,
    /// What must never be, and was.
    pub violations: Vec<Violation>,
}

impl Witness {
    /// A witness of nothing yet; `reads` are the logs by the service that consumes them.
    #[must_use]
    pub fn new(faults: Arc<Faults>, reads: BTreeMap<&'static str, Arc<SimLog>>) -> Self {
        Self {
            faults,
            reads,
            bookings: BTreeMap::new(),
            order: Vec::new(),
            holds: BTreeMap::new(),
            events: BTreeMap::new(),
            inventories: BTreeMap::new(),
            infos: BTreeMap::new(),
            sums: BTreeMap::new(),
            told: BTreeMap::new(),
            ended: BTreeSet::new(),
            parked: BTreeMap::new(),
            ever_parked: BTreeSet::new(),
            effective: 0,
            commits: 0,
            violations: Vec::new(),
        }
    }

    /// Notes something that must never be.
    pub fn violate(&mut self, invariant: &'static str, detail: impl Into<String>) {
        self.violations.push(Violation { invariant, detail: detail.into() });
    }

    /// Notes it unless the condition holds.
    pub fn require(&mut self, holds: bool, invariant: &'static str, detail: impl FnOnce() -> String) {
        if !holds {
            self.violate(invariant, detail());
        }
    }

    fn count(&mut self, is_effective: bool) {
        self.commits += 1;
        self.effective += u64::from(is_effective);
    }
}

/// The part of a commit that the witness looks at, whatever the rows are.
pub(crate) struct Seen<R> {
    pub rows: Vec<Arc<R>>,
    pub removed: usize,
    pub facts: Vec<(String, BookingId)>,
    pub advances: Vec<Advance>,
    pub parked: Vec<ParkedChange>,
    pub at_us: i64,
}

impl<R: Row> Seen<R> {
    fn of(commit: &Commit<R>) -> Self {
        Self {
            rows: commit.changes.iter().filter_map(|change| change.row.clone()).collect(),
            removed: commit.changes.iter().filter(|change| change.row.is_none()).count(),
            facts: commit.facts.iter().filter_map(|f| Some((f.kind.clone(), booking_of(f)?))).collect(),
            advances: commit.advances.clone(),
            parked: commit.parked.clone(),
            at_us: commit.at_us,
        }
    }

    fn is_effective(&self) -> bool {
        !self.rows.is_empty() || self.removed > 0 || !self.facts.is_empty()
    }
}

/// The booking that a fact is about. Each such payload begins with it; reading no more saves time.
fn booking_of(fact: &Fact) -> Option<BookingId> {
    let text = fact.payload.strip_prefix("{\"booking_id\":\"")?;
    text.get(..36)?.parse().ok()
}

/// A witness that several stores share.
#[derive(Clone)]
pub struct Watcher(Arc<Mutex<Witness>>);

impl Watcher {
    /// Shares a witness.
    #[must_use]
    pub fn new(witness: Witness) -> Self {
        Self(Arc::new(Mutex::new(witness)))
    }

    /// The witness.
    pub fn witness(&self) -> MutexGuard<'_, Witness> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch<EventRow> for Watcher {
    fn look(&self, commit: &Commit<EventRow>) -> Box<dyn FnOnce() + Send> {
        let (seen, watcher) = (Seen::of(commit), self.clone());
        Box::new(move || {
            let mut witness = watcher.witness();
            witness.count(seen.is_effective());
            witness.see_progress(EventRow::SERVICE, &seen.advances, &seen.parked);
            witness.see_seats(seen);
        })
    }
}

impl Watch<TicketRow> for Watcher {
    fn look(&self, commit: &Commit<TicketRow>) -> Box<dyn FnOnce() + Send> {
        let (seen, watcher) = (Seen::of(commit), self.clone());
        Box::new(move || {
            let mut witness = watcher.witness();
            witness.count(seen.is_effective());
            witness.see_progress(TicketRow::SERVICE, &seen.advances, &seen.parked);
            witness.see_bookings(seen);
        })
    }
}
