//! What must hold at the end of those who follow: feedback, notification, analytics, and what the ticket service knows
//! of users and events. All of it follows from what the others did.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use analytics::{AnalyticsMachine, AnalyticsRow};
use bus::Position;
use domain::{
    BookingId, Day, EventId, Time, UserId,
    analytics::{BookingStat, DayStat, EventStat, RatingStat, UserStat},
    event::HoldState,
    facts::EventStatus,
    feedback::Holding,
    notification::{Kind, MAX_TRIES, Notification, Recipient, Status},
    ticket::Booking,
};
use event::EventRow;
use feedback::FeedbackRow;
use kit::Pipeline;
use notification::NotificationRow;
use store::{Row, Store};
use ticket::{EventInfo, TicketRow, UserInfo};

use crate::{node::poll, rest::Findings, store::open, witness::Witness, world::World};

/// One of so many seeds builds its analytics anew.
const ONE_REBUILDS_OF: u64 = 4;
/// Facts of one delivery of a rebuild.
const REBUILT_AT_ONCE: usize = 512;

/// What the followers keep, by what it is about.
#[derive(Default)]
struct Followers {
    event_infos: BTreeMap<EventId, EventInfo>,
    user_infos: BTreeMap<UserId, UserInfo>,
    visits: BTreeMap<(EventId, Day), u64>,
    event_ratings: BTreeMap<EventId, event::Rating>,
    holdings: BTreeMap<BookingId, Holding>,
    rated_events: BTreeMap<EventId, (u64, EventStatus)>,
    names_in_feedback: Vec<UserId>,
    erased_in_feedback: Vec<UserId>,
    recipients: BTreeMap<UserId, Recipient>,
    occasions: BTreeMap<EventId, (u64, String)>,
    notifications: BTreeMap<(BookingId, Kind), Notification>,
    stats: BTreeMap<EventId, EventStat>,
    days: BTreeMap<(EventId, Day), DayStat>,
    bookings: BTreeMap<BookingId, BookingStat>,
    users: BTreeMap<UserId, UserStat>,
    ratings: BTreeMap<(EventId, UserId), RatingStat>,
}

impl Followers {
    fn of(world: &World) -> Self {
        let mut all = Self::default();
        world.ticket.store.inner().inspect(|row| match row {
            TicketRow::Event(info) => drop(all.event_infos.insert(info.id, info.clone())),
            TicketRow::User(info) => drop(all.user_infos.insert(info.id, info.clone())),
            TicketRow::Booking(_) => {}
        });
        world.event.store.inner().inspect(|row| match row {
            EventRow::Visits(visits) => {
                all.visits.insert((visits.event_id, visits.date), visits.visits);
            }
            EventRow::Rating(rating) => drop(all.event_ratings.insert(rating.event_id, rating.clone())),
            EventRow::Event(_) | EventRow::Inventory(_) | EventRow::Hold(_) => {}
        });
        world.feedback.store.inner().inspect(|row| all.see_feedback(row));
        world.notification.store.inner().inspect(|row| match row {
            NotificationRow::User(user) => drop(all.recipients.insert(user.user_id, user.clone())),
            NotificationRow::Event(event) => {
                all.occasions.insert(event.event_id, (event.version, event.title.clone()));
            }
            NotificationRow::Notification(mail) => {
                all.notifications.insert((mail.booking_id, mail.kind), mail.clone());
            }
        });
        world.analytics.store.inner().inspect(|row| match row {
            AnalyticsRow::Event(stat) => drop(all.stats.insert(stat.event_id, stat.clone())),
            AnalyticsRow::Day(stat) => drop(all.days.insert((stat.event_id, stat.day), stat.clone())),
            AnalyticsRow::Booking(stat) => drop(all.bookings.insert(stat.booking_id, stat.clone())),
            AnalyticsRow::User(stat) => drop(all.users.insert(stat.user_id, stat.clone())),
            AnalyticsRow::Rating(stat) => {
                all.ratings.insert((stat.event_id, stat.user_id), stat.clone());
            }
        });
        all
    }

    fn see_feedback(&mut self, row: &FeedbackRow) {
        match row {
            FeedbackRow::Holding(holding) => {
                self.names_in_feedback.extend(holding.user_id);
                self.holdings.insert(holding.booking_id, holding.clone());
            }
            FeedbackRow::Event(event) => {
                self.rated_events.insert(event.event_id, (event.version, event.status));
            }
            FeedbackRow::Rating(rating) => self.names_in_feedback.extend(rating.user_id),
            FeedbackRow::Erased(erased) => self.erased_in_feedback.push(erased.user_id),
            FeedbackRow::Summary(_) => {}
        }
    }

    fn check_users(&self, witness: &Witness, found: &mut Findings) {
        for (id, account) in &witness.accounts {
            let told = account.upserted();
            let info = self.user_infos.get(id).map(|info| (&info.name, &info.email, info.version));
            let recipient = self.recipients.get(id).map(|to| (&to.name, &to.email, to.version));
            let expected = Some((&told.name, &told.email, told.version));
            let stat = self.users.get(id).map(|stat| (stat.gender, stat.birth_year, stat.version));
            let is_same = info == expected
                && recipient == expected
                && stat == Some((told.gender, told.birth_year, told.version));
            found.require(is_same, "everybody knows a user as they are", || {
                format!("user {id} is {told:?}; ticket: {info:?}, notification: {recipient:?}, analytics: {stat:?}")
            });
        }
        let attended: BTreeSet<UserId> =
            witness.bookings.values().filter(names_somebody).map(|b| b.user_id).collect();
        for id in &witness.erased {
            let info =
                self.user_infos.get(id).is_some_and(|info| !info.name.is_empty() || !info.email.is_empty());
            let recipient = self.recipients.get(id);
            let stat = self.users.get(id);
            let is_named = info
                || attended.contains(id)
                || self.names_in_feedback.contains(id)
                || recipient.is_some_and(|to| !to.name.is_empty() || !to.email.is_empty())
                || stat.is_some_and(|stat| stat.gender.is_some() || stat.birth_year.is_some())
                || self.notifications.values().any(|mail| mail.user_id == *id);
            found.require(!is_named, "erased is erased", || format!("user {id} is still named"));
            let is_marked = recipient.is_some_and(|to| to.is_erased)
                && stat.is_some_and(|stat| stat.is_erased)
                && self.erased_in_feedback.contains(id);
            found.require(is_marked, "erased is erased", || format!("user {id} is not marked"));
        }
        for (email, id) in &witness.claims {
            let is_used =
                witness.accounts.get(id).is_some_and(|account| account.canonical_email.as_str() == email);
            found.require(is_used, "one account for an address", || format!("{email} is of nobody"));
        }
        for id in &self.erased_in_feedback {
            found.require(witness.erased.contains(id), "erased is erased", || {
                format!("user {id} is still there")
            });
        }
    }

    fn check_events(&self, witness: &Witness, found: &mut Findings) {
        for (id, event) in &witness.events {
            let (version, status) = (event.version, event.status);
            let info = self.event_infos.get(id).map(|info| (info.version, info.status, info.starts_at));
            let stat = self.stats.get(id).map(|stat| (stat.version, stat.organizer_id, stat.starts_at));
            let is_same = info == Some((version, status, event.draft.starts_at))
                && self.rated_events.get(id) == Some(&(version, status))
                && self.occasions.get(id) == Some(&(version, event.draft.title.clone()))
                && stat == Some((version, Some(event.organizer_id), Some(event.draft.starts_at)));
            found.require(is_same, "everybody knows an event as it is", || {
                format!("event {id} is {version} {status:?}; ticket: {info:?}, analytics: {stat:?}")
            });
            let summary = witness.summaries.get(id).map(|sum| (sum.sum, sum.count, sum.sequence));
            let shown = self.event_ratings.get(id).map(|sum| (sum.sum, sum.count, sum.sequence));
            found.require(shown == summary, "ratings add up", || {
                format!("event {id} shows {shown:?} of {summary:?}")
            });
        }
    }

    /// Each booking is told of each of its ends once, and nobody who is gone is told anything.
    fn check_notifications(&self, witness: &Witness, found: &mut Findings) {
        for ((id, kind), user_id) in &witness.ledger.mails {
            let mail = self.notifications.get(&(*id, *kind));
            let is_right = match mail {
                None => witness.erased.contains(user_id),
                Some(mail) => mail.user_id == *user_id && is_of_fact(witness, mail),
            };
            found.require(is_right, "one notification for each status", || {
                format!("booking {id}, {}: {mail:?}", kind.name())
            });
        }
        for (id, kind) in self.notifications.keys() {
            let is_due = witness.ledger.mails.contains_key(&(*id, *kind));
            found.require(is_due, "one notification for each status", || {
                format!("booking {id}: {} never happened", kind.name())
            });
        }
    }

    fn check_figures(&self, witness: &Witness, found: &mut Findings) {
        let ledger = &witness.ledger;
        let mut sums: BTreeMap<EventId, (u64, u64, u64)> = BTreeMap::new();
        for ((event_id, day), (booked, cancelled)) in &ledger.days {
            let stat = self.days.get(&(*event_id, *day)).map(|stat| (stat.booked, stat.cancelled));
            found.require(stat == Some((*booked, *cancelled)), "analytics equal the ledger", || {
                format!("event {event_id} on {day}: {stat:?}, and it was {booked} and {cancelled}")
            });
            let sum = sums.entry(*event_id).or_default();
            *sum = (sum.0 + booked, sum.1 + cancelled, sum.2);
        }
        for ((event_id, day), visits) in &self.visits {
            let stat = self.days.get(&(*event_id, *day)).map(|stat| stat.visits);
            found.require(stat == Some(*visits), "analytics equal the ledger", || {
                format!("event {event_id} on {day}: {stat:?} visits, and it was {visits}")
            });
            sums.entry(*event_id).or_default().2 += visits;
        }
        for (event_id, stat) in &self.stats {
            let sum = sums.get(event_id).copied().unwrap_or_default();
            let (bookings, minor) = ledger.earned.get(event_id).copied().unwrap_or_default();
            let ratings = witness.summaries.get(event_id).map_or((0, 0), |sum| (sum.sum, sum.count));
            let is_same = (stat.booked, stat.cancelled, stat.visits) == sum
                && (stat.bookings, stat.revenue.values().sum()) == (bookings, minor)
                && (stat.rating_sum, stat.rating_count) == ratings;
            found.require(is_same, "analytics equal the ledger", || {
                format!(
                    "{stat:?}, and it was {sum:?}, {bookings} bookings, {minor} earned, ratings {ratings:?}"
                )
            });
        }
        for ((event_id, user_id), rating) in &witness.ratings {
            let stat = self.ratings.get(&(*event_id, *user_id)).map(|stat| (stat.rating, stat.edition));
            found.require(
                stat == Some((rating.rating, rating.edition)),
                "analytics equal the ledger",
                || format!("rating of {event_id} by {user_id}: {stat:?}"),
            );
        }
    }

    /// What feedback and analytics know of each booking is what it has.
    fn check_holdings(&self, witness: &Witness, found: &mut Findings) {
        for id in witness.ledger.sold.keys() {
            let Some(hold) = witness.holds.get(id) else { continue };
            let has = match hold.state {
                HoldState::Sold => domain::facts::places(&hold.lines),
                _ => 0,
            };
            let holding = self.holdings.get(id).map(|holding| holding.places);
            let kept = self.bookings.get(id).and_then(|stat| stat.kept);
            found.require(
                (holding, kept) == (Some(has), Some(has)),
                "followers know what a booking has",
                || format!("booking {id} has {has}; feedback: {holding:?}, analytics: {kept:?}"),
            );
        }
        for (id, holding) in &self.holdings {
            let is_of = witness.bookings.get(id).is_some_and(|booking| {
                booking.event_id == holding.event_id
                    && holding.user_id.is_none_or(|user| user == booking.user_id)
            });
            let is_sold = holding.places == 0 || witness.ledger.sold.contains_key(id);
            found.require(is_of && is_sold, "followers know what a booking has", || format!("{holding:?}"));
        }
    }
}

/// Whether a notification says what happened.
fn is_of_fact(witness: &Witness, mail: &Notification) -> bool {
    let ledger = &witness.ledger;
    match mail.kind {
        Kind::Booked => ledger.sold.get(&mail.booking_id).is_some_and(|sold| {
            let lines = sold.lines.iter().map(|line| (line.ticket_type_id, line.quantity));
            mail.total == Some(sold.total)
                && lines.eq(mail.lines.iter().map(|line| (line.ticket_type_id, line.quantity)))
        }),
        Kind::Refused => ledger.refused.get(&mail.booking_id) == Some(&mail.reason),
        Kind::Expired => mail.reason == "expired",
        Kind::Cancelled => witness.bookings.get(&mail.booking_id).is_some_and(|b| b.reason == mail.reason),
    }
}

impl World {
    /// When the next mail is due.
    pub(crate) fn next_mail(&self) -> Option<Time> {
        let mut next: Option<Time> = None;
        self.notification.store.inner().inspect(|row| {
            if let NotificationRow::Notification(mail) = row
                && mail.status == Status::Queued
            {
                next = next.max(Some(mail.next_try_at));
            }
        });
        next
    }

    /// Holds what the followers keep against what happened.
    pub(crate) fn check_followers(&mut self, found: &mut Findings) {
        let followers = Followers::of(self);
        {
            let mut witness = self.watcher.witness();
            witness.check_summaries();
            followers.check_users(&witness, found);
            followers.check_events(&witness, found);
            followers.check_notifications(&witness, found);
            followers.check_figures(&witness, found);
            followers.check_holdings(&witness, found);
        }
        self.check_mails(&followers, found);
        if self.rng.below(ONE_REBUILDS_OF) == 0 {
            self.check_rebuild(found);
        }
    }

    /// Every mail that was to leave has left, to the right address.
    fn check_mails(&self, followers: &Followers, found: &mut Findings) {
        if self.couriers.is_none() {
            return;
        }
        let witness = self.watcher.witness();
        for mail in followers.notifications.values() {
            let taken = self.mailer.taken(&mail.message_id());
            let is_right = match mail.status {
                Status::Queued => false,
                Status::Failed => mail.tries >= MAX_TRIES || witness.erased.contains(&mail.user_id),
                Status::Sent => taken.as_ref().is_some_and(|(_, address)| {
                    witness.accounts.get(&mail.user_id).is_none_or(|account| account.email == *address)
                }),
            };
            found.require(is_right, "one mail", || {
                format!("mail about {} is {}, and was taken: {taken:?}", mail.id(), mail.status.name())
            });
        }
        let told = witness.ledger.mails.len();
        let mails = self.mailer.mails();
        found.require(mails <= told, "one mail", || format!("{mails} mails left of {told}"));
    }

    /// Analytics that are built from the beginning of the log are those that grew with it.
    fn check_rebuild(&mut self, found: &mut Findings) {
        let store = open::<AnalyticsRow>(analytics::PUBLISHES);
        let environment = self.analytics.environment(0).clone();
        let pipeline =
            Pipeline::new(Arc::new(AnalyticsMachine), Arc::clone(&store) as Arc<dyn Store<_>>, environment);
        for partition in 0..self.analytics.partitions.len() {
            let mut after = Position(0);
            loop {
                let item = self.analytics.out_of_turn(partition, after, REBUILT_AT_ONCE);
                let kit::Item::Redrive(copies) = &item else { break };
                let Some(last) = copies.last() else { break };
                after = last.record.position;
                poll(&self.faults, pipeline.run(std::slice::from_ref(&item)));
            }
        }
        let rows = |store: &store::MemoryStore<AnalyticsRow>| {
            let mut rows = BTreeMap::new();
            store.inspect(|row| drop(rows.insert(row.key(), row.clone())));
            rows
        };
        let (grown, built) = (rows(self.analytics.store.inner()), rows(&store));
        let differs = grown.iter().find(|(key, row)| built.get(key) != Some(row));
        found.require(
            differs.is_none() && grown.len() == built.len(),
            "analytics from the beginning are the same",
            || format!("{differs:?}; {} and {} rows", grown.len(), built.len()),
        );
    }
}

/// Whether a buyer has said who comes.
fn names_somebody(booking: &&Booking) -> bool {
    !booking.attendees.is_empty() || booking.tickets.iter().any(|ticket| ticket.attendee.is_some())
}
