//! The analytics service's rules: what each fact adds to the figures, once. How figures are shown is in
//! [`Group`] and [`trend`].

mod group;
mod trend;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use group::Group;
pub use trend::{Period, Point, trend};

use crate::{
    event::details::MAX_PER_BOOKING,
    facts::{
        EventUpserted, EventVisited, FeedbackRecorded, Gender, PricedLine, SeatsReleased, SeatsSold,
        UserUpserted, places,
    },
    ids::{BookingId, EventId, UserId},
    money::{Currency, Money},
    planted::{Defect, planted},
    time::{Day, Time},
};

/// The figures of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventStat {
    /// The event.
    pub event_id: EventId,
    /// Whose it is; nobody while only other facts of it were heard.
    pub organizer_id: Option<UserId>,
    /// Its title.
    pub title: String,
    /// When it starts.
    pub starts_at: Option<Time>,
    /// The version of what is known of it.
    pub version: u64,
    /// Bookings that were sold.
    pub bookings: u64,
    /// Tickets that were sold, those given back later included.
    pub booked: u64,
    /// Tickets that were given back after they were sold.
    pub cancelled: u64,
    /// Visits of its page.
    pub visits: u64,
    /// What was sold less what was given back, in minor units.
    pub revenue: BTreeMap<Currency, i64>,
    /// The sum of its ratings.
    pub rating_sum: u64,
    /// Their number.
    pub rating_count: u64,
    /// The last rating or edit that these sums are of.
    pub rating_sequence: u64,
}

impl EventStat {
    /// An event of which nothing was heard yet.
    #[must_use]
    pub fn unheard(event_id: EventId) -> Self {
        Self {
            event_id,
            organizer_id: None,
            title: String::new(),
            starts_at: None,
            version: 0,
            bookings: 0,
            booked: 0,
            cancelled: 0,
            visits: 0,
            revenue: BTreeMap::new(),
            rating_sum: 0,
            rating_count: 0,
            rating_sequence: 0,
        }
    }

    /// The event as it now is; an older version changes nothing.
    #[must_use]
    pub fn after_upsert(mut self, fact: &EventUpserted) -> Self {
        if fact.version > self.version {
            self.organizer_id = Some(fact.organizer_id);
            self.title.clone_from(&fact.title);
            self.starts_at = Some(fact.starts_at);
            self.version = fact.version;
        }
        self
    }

    /// With what a sale or a release adds.
    #[must_use]
    pub fn plus(mut self, change: &Change) -> Self {
        self.bookings += change.bookings;
        self.booked += change.booked;
        self.cancelled += change.cancelled;
        for (currency, minor) in &change.revenue {
            let sum = self.revenue.entry(*currency).or_default();
            *sum = sum.saturating_add(*minor);
        }
        self
    }

    /// With the running sums of its ratings; older sums change nothing.
    #[must_use]
    pub fn after_rating(mut self, fact: &FeedbackRecorded) -> Self {
        if fact.sequence > self.rating_sequence || planted(Defect::OldRatingWins) {
            self.rating_sum = fact.rating_sum;
            self.rating_count = fact.rating_count;
            self.rating_sequence = fact.sequence;
        }
        self
    }

    /// The average rating; none while there is no rating.
    #[must_use]
    pub fn average_rating(&self) -> Option<f64> {
        (self.rating_count > 0).then(|| self.rating_sum as f64 / self.rating_count as f64)
    }

    /// Bookings per visit; 0 while there is no visit.
    #[must_use]
    pub fn conversion(&self) -> f64 {
        if self.visits == 0 { 0.0 } else { self.bookings as f64 / self.visits as f64 }
    }
}

/// The figures of an event on one day in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayStat {
    /// The event.
    pub event_id: EventId,
    /// The day.
    pub day: Day,
    /// Tickets sold on it.
    pub booked: u64,
    /// Sold tickets given back on it.
    pub cancelled: u64,
    /// Visits on it.
    pub visits: u64,
}

impl DayStat {
    /// A day on which nothing happened.
    #[must_use]
    pub fn empty(event_id: EventId, day: Day) -> Self {
        Self { event_id, day, booked: 0, cancelled: 0, visits: 0 }
    }

    /// With what a sale or a release of that day adds.
    #[must_use]
    pub fn plus(mut self, change: &Change) -> Self {
        self.booked += change.booked;
        self.cancelled += change.cancelled;
        self
    }

    /// With the visits told so far, and how many of them are new. The total of a day only grows.
    #[must_use]
    pub fn after_visits(mut self, fact: &EventVisited) -> (Self, u64) {
        let known = if planted(Defect::VisitsAdded) { 0 } else { self.visits };
        let new = fact.visits.saturating_sub(known);
        self.visits += new;
        (self, new)
    }
}

/// What a sale or a release adds to the figures of an event and of a day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// Bookings sold.
    pub bookings: u64,
    /// Tickets sold.
    pub booked: u64,
    /// Sold tickets given back.
    pub cancelled: u64,
    /// Earned, or less than nothing where it was given back.
    pub revenue: BTreeMap<Currency, i64>,
}

/// What is known of a booking, so that each of its facts counts once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingStat {
    /// The booking.
    pub booking_id: BookingId,
    /// Its event.
    pub event_id: EventId,
    /// Its buyer.
    pub user_id: UserId,
    /// What was paid, once its sale was heard.
    pub total: Option<Money>,
    /// The tickets that it still has, once anything of them was heard.
    pub kept: Option<u32>,
    /// The last release that was heard.
    pub cancel_number: u32,
    /// Releases before the last one that were not heard yet: a fact that is tried again later may come behind others.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub missed: BTreeSet<u32>,
}

impl BookingStat {
    /// A booking of which nothing was heard yet.
    #[must_use]
    pub fn unheard(booking_id: BookingId, event_id: EventId, user_id: UserId) -> Self {
        Self {
            booking_id,
            event_id,
            user_id,
            total: None,
            kept: None,
            cancel_number: 0,
            missed: BTreeSet::new(),
        }
    }

    /// The booking after its sale, with what that adds: nothing the second time.
    #[must_use]
    pub fn after_sale(mut self, fact: &SeatsSold) -> (Self, Change) {
        if self.total.is_some() && !planted(Defect::SaleCountedTwice) {
            return (self, Change::default());
        }
        let tickets = places(&fact.lines);
        self.total = Some(fact.total);
        // A release that was heard before knows better what is left.
        self.kept = self.kept.or(Some(tickets));
        let revenue = BTreeMap::from([(fact.total.currency, fact.total.minor)]);
        (self, Change { bookings: 1, booked: u64::from(tickets), cancelled: 0, revenue })
    }

    /// The booking after a release, with what that adds: nothing for places that were only held, and
    /// nothing for a release that was heard before.
    #[must_use]
    pub fn after_release(mut self, fact: &SeatsReleased) -> (Self, Change) {
        let number = fact.cancel_number;
        let is_latest = number > self.cancel_number;
        if is_latest {
            // Each gives back at least one place.
            let between = self.cancel_number.saturating_add(1)..number;
            self.missed.extend(between.take(MAX_PER_BOOKING as usize));
            self.cancel_number = number;
        } else if !self.missed.remove(&number) {
            return (self, Change::default());
        }
        if !fact.was_sold && !planted(Defect::HeldReturnCounted) {
            return (self, Change::default());
        }
        if is_latest {
            self.kept = Some(places(&fact.keeps));
        }
        let cancelled = u64::from(places(&fact.lines));
        (self, Change { cancelled, revenue: given_back(&fact.lines), ..Change::default() })
    }
}

fn given_back(lines: &[PricedLine]) -> BTreeMap<Currency, i64> {
    let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
    for line in lines.iter().filter(|_| !planted(Defect::EarningsKept)) {
        let amount = line.unit_price.minor.saturating_mul(i64::from(line.quantity));
        let sum = sums.entry(line.unit_price.currency).or_default();
        *sum = sum.saturating_sub(amount);
    }
    sums
}

/// What is known of a user for grouping. An erased one stays as a mark without figures, so that an
/// old fact that is heard again does not bring them back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserStat {
    /// The user.
    pub user_id: UserId,
    /// If told.
    pub gender: Option<Gender>,
    /// If told.
    pub birth_year: Option<i32>,
    /// The version of what is known.
    pub version: u64,
    /// The user is gone.
    pub is_erased: bool,
}

impl UserStat {
    /// The user as they now are; `None` when this is old.
    #[must_use]
    pub fn upserted(known: Option<&Self>, fact: &UserUpserted) -> Option<Self> {
        let is_news = known.is_none_or(|known| !known.is_erased && fact.version > known.version);
        is_news.then_some(Self {
            user_id: fact.user_id,
            gender: fact.gender,
            birth_year: fact.birth_year,
            version: fact.version,
            is_erased: false,
        })
    }

    /// The mark that a user is gone.
    #[must_use]
    pub fn erased(user_id: UserId) -> Self {
        Self { user_id, gender: None, birth_year: None, version: 0, is_erased: true }
    }
}

/// Somebody's rating of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatingStat {
    /// The event.
    pub event_id: EventId,
    /// Who rated.
    pub user_id: UserId,
    /// 1 to 5.
    pub rating: u32,
    /// Counts the edits from 1.
    pub edition: u32,
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{facts::CancelReason, ids::TicketTypeId};

    fn lines(quantity: u32) -> Vec<PricedLine> {
        let unit_price = Money { currency: Currency::EUR, minor: 500 };
        vec![PricedLine { ticket_type_id: TicketTypeId(Uuid::nil()), quantity, unit_price }]
    }

    fn release(cancel_number: u32, gives: u32, keeps: u32) -> SeatsReleased {
        SeatsReleased {
            booking_id: BookingId::from_bits(1 << 16),
            event_id: EventId(Uuid::nil()),
            user_id: UserId(Uuid::nil()),
            reason: CancelReason::Buyer,
            cancel_number,
            lines: lines(gives),
            keeps: lines(keeps),
            was_sold: true,
            at: Time::from_micros(0),
        }
    }

    #[test]
    fn a_release_that_comes_behind_a_later_one_counts_once_and_takes_nothing_back() {
        let id = BookingId::from_bits(1 << 16);
        let mut booking = BookingStat::unheard(id, EventId(Uuid::nil()), UserId(Uuid::nil()));
        let mut counted = Vec::new();
        for fact in [release(2, 3, 1), release(1, 2, 4), release(1, 2, 4), release(2, 3, 1)] {
            let (after, change) = booking.after_release(&fact);
            counted.push((change.cancelled, change.revenue.values().sum::<i64>()));
            booking = after;
        }
        assert_eq!(counted, [(3, -1_500), (2, -1_000), (0, 0), (0, 0)]);
        assert_eq!((booking.kept, booking.missed.len()), (Some(1), 0));
    }
}
