//! The witness sees every commit of all stores, keeps its own picture, and notes what must never be.
//!
//! It looks only at what a commit changes, so looking after every commit is cheap. What it notes
//! about bookings is in [`crate::bookings`], about seats in [`crate::holds`], about accounts and ratings in
//! `others`, about consumers in [`crate::progress`], about published facts in `published`; what must be at the end
//! is in [`crate::rest`] and `follow`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use analytics::AnalyticsRow;
use bus::{Fact, Partition, Position};
use domain::{
    BookingId, EventId, SessionId, TicketTypeId, UserId,
    event::{Event, Hold, Inventory},
    facts::Published,
    feedback::{Rating, Summary},
    ticket::Booking,
    user::{Account, Session},
};
use event::EventRow;
use feedback::FeedbackRow;
use notification::NotificationRow;
use store::{Advance, Commit, Key, ParkedChange, Row};
use ticket::{EventInfo, TicketRow};
use user::UserRow;

use crate::{
    crashes::{Transition, of_booking, of_fact, of_hold},
    faults::Faults,
    holds::Ledger,
    log::SimLog,
    published::Publications,
    store::Watch,
};

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

/// Facts that a booking tells, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    /// `booking.placed`
    pub placed: u32,
    /// `booking.paid`
    pub paid: u32,
    /// `booking.cancelled`
    pub cancelled: u32,
}

/// Why seats are given back, and which.
pub(crate) type GivenBack = (domain::facts::CancelReason, Vec<(TicketTypeId, u32)>);

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
    /// How long seats are held, in seconds.
    pub(crate) hold_seconds: i64,
    /// What was held, sold, refused and given back, as the event service told it.
    pub(crate) ledger: Ledger,
    /// What bookings were told to give back: by booking and number, why, and what they keep.
    pub(crate) cancels: BTreeMap<(BookingId, u32), GivenBack>,
    /// Every account as last committed.
    pub accounts: BTreeMap<UserId, Account>,
    /// Whose each address is.
    pub(crate) claims: BTreeMap<String, UserId>,
    /// Every session as last committed.
    pub sessions: BTreeMap<SessionId, Session>,
    /// Users who are gone.
    pub erased: BTreeSet<UserId>,
    /// Every rating that names somebody, as last committed.
    pub(crate) ratings: BTreeMap<(EventId, UserId), Rating>,
    /// The figures of the ratings of each event as last committed.
    pub(crate) summaries: BTreeMap<EventId, Summary>,
    /// Where each consumer and each relay is.
    pub(crate) positions: BTreeMap<(&'static str, Partition), Position>,
    /// What of the outboxes is on the log, where that is elsewhere.
    pub(crate) publications: Option<Publications>,
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
    pub fn new(
        faults: Arc<Faults>,
        reads: BTreeMap<&'static str, Arc<SimLog>>,
        hold_seconds: i64,
        is_relayed: bool,
    ) -> Self {
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
            hold_seconds,
            ledger: Ledger::default(),
            cancels: BTreeMap::new(),
            accounts: BTreeMap::new(),
            claims: BTreeMap::new(),
            sessions: BTreeMap::new(),
            erased: BTreeSet::new(),
            ratings: BTreeMap::new(),
            summaries: BTreeMap::new(),
            positions: BTreeMap::new(),
            publications: is_relayed.then(Publications::default),
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

    /// The step of a booking that a fact tells of.
    pub(crate) fn transition(&self, fact: &Fact) -> Option<Transition> {
        let said = said(fact);
        let Ok(published) = said.as_ref() else { return None };
        let booking = match published {
            Published::BookingCancelled(fact) => self.bookings.get(&fact.booking_id),
            _ => None,
        };
        of_fact(published, booking)
    }

    fn count(&mut self, is_effective: bool) {
        self.commits += 1;
        self.effective += u64::from(is_effective);
    }
}

/// The part of a commit that the witness looks at, whatever the rows are.
pub(crate) struct Seen<R> {
    pub rows: Vec<Arc<R>>,
    pub removed: Vec<Key>,
    pub facts: Vec<Arc<Fact>>,
    pub forgotten: Vec<(bus::Topic, String)>,
    pub advances: Vec<Advance>,
    pub parked: Vec<ParkedChange>,
    pub at_us: i64,
}

impl<R: Row> Seen<R> {
    fn of(commit: &Commit<R>) -> Self {
        let removed = commit.changes.iter().filter(|change| change.row.is_none());
        Self {
            rows: commit.changes.iter().filter_map(|change| change.row.clone()).collect(),
            removed: removed.map(|change| change.key.clone()).collect(),
            facts: commit.facts.clone(),
            forgotten: commit.forgotten.clone(),
            advances: commit.advances.clone(),
            parked: commit.parked.clone(),
            at_us: commit.at_us,
        }
    }

    fn is_effective(&self) -> bool {
        !self.rows.is_empty() || !self.removed.is_empty() || !self.facts.is_empty()
    }
}

/// What a fact says, as it was decided.
pub(crate) fn said(fact: &Fact) -> Arc<Result<Published, String>> {
    fact.memo.get_or_read(|| Published::read(&fact.kind, &fact.payload))
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

    fn watch<R: Row>(&self, commit: &Commit<R>, see: fn(&mut Witness, Seen<R>)) -> Box<dyn FnOnce() + Send> {
        let (seen, watcher) = (Seen::of(commit), self.clone());
        Box::new(move || {
            let mut witness = watcher.witness();
            witness.count(seen.is_effective());
            witness.see_progress(R::SERVICE, &seen.advances, &seen.parked);
            witness.see_outbox(R::SERVICE, &seen.forgotten, &seen.facts);
            see(&mut witness, seen);
        })
    }
}

impl Watch<EventRow> for Watcher {
    fn look(&self, commit: &Commit<EventRow>) -> Box<dyn FnOnce() + Send> {
        self.watch(commit, Witness::see_seats)
    }

    fn transitions(&self, commit: &Commit<EventRow>) -> Vec<Transition> {
        let witness = self.witness();
        let hold = |row: &EventRow| match row {
            EventRow::Hold(hold) => of_hold(witness.holds.get(&hold.booking_id), hold),
            _ => None,
        };
        commit.changes.iter().filter_map(|change| hold(change.row.as_deref()?)).collect()
    }
}

impl Watch<TicketRow> for Watcher {
    fn look(&self, commit: &Commit<TicketRow>) -> Box<dyn FnOnce() + Send> {
        self.watch(commit, Witness::see_bookings)
    }

    fn transitions(&self, commit: &Commit<TicketRow>) -> Vec<Transition> {
        let witness = self.witness();
        let mut found = Vec::new();
        for row in commit.changes.iter().filter_map(|change| change.row.as_deref()) {
            if let TicketRow::Booking(booking) = row {
                of_booking(witness.bookings.get(&booking.id), booking, &mut found);
            }
        }
        found
    }
}

impl Watch<UserRow> for Watcher {
    fn look(&self, commit: &Commit<UserRow>) -> Box<dyn FnOnce() + Send> {
        self.watch(commit, Witness::see_accounts)
    }
}

impl Watch<FeedbackRow> for Watcher {
    fn look(&self, commit: &Commit<FeedbackRow>) -> Box<dyn FnOnce() + Send> {
        self.watch(commit, Witness::see_ratings)
    }
}

// What these keep follows from facts alone: it is held against them once everything is at rest.

impl Watch<NotificationRow> for Watcher {
    fn look(&self, commit: &Commit<NotificationRow>) -> Box<dyn FnOnce() + Send> {
        self.watch(commit, |_, _| {})
    }
}

impl Watch<AnalyticsRow> for Watcher {
    fn look(&self, commit: &Commit<AnalyticsRow>) -> Box<dyn FnOnce() + Send> {
        self.watch(commit, |_, _| {})
    }
}
