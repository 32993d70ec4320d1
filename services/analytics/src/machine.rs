//! The analytics service as a machine: it only listens.

use async_trait::async_trait;
use domain::{
    Day, EventId, Refusal, Time,
    analytics::{BookingStat, Change, DayStat, EventStat, RatingStat, UserStat},
    facts::{
        EventUpserted, EventVisited, FeedbackRecorded, Published, SeatsReleased, SeatsSold, UserErased,
        UserUpserted,
    },
};
use kit::{Machine, View};
use store::{Key, Row};

use crate::rows::{AnalyticsRow, booking_key, day_key, event_key, rating_key, user_key};

/// What it can be told.
#[derive(Debug, Clone)]
pub enum Command {
    /// A booking has its places for good.
    Sold(SeatsSold),
    /// A booking gave places back.
    Released(SeatsReleased),
    /// An event's page was read.
    Visited(EventVisited),
    /// An event changed.
    Event(EventUpserted),
    /// A user changed.
    User(UserUpserted),
    /// A user is gone.
    Erased(UserErased),
    /// Somebody rated an event.
    Rated(FeedbackRecorded),
}

/// The behaviour of the analytics service.
pub struct AnalyticsMachine;

#[async_trait]
impl Machine for AnalyticsMachine {
    type Row = AnalyticsRow;
    type Command = Command;
    type Reply = ();

    fn keys(&self, command: &Command) -> Vec<Key> {
        match command {
            Command::Sold(fact) => {
                let day = day_key(fact.event_id, fact.at.day());
                vec![booking_key(fact.booking_id), event_key(fact.event_id), day]
            }
            Command::Released(fact) => {
                let day = day_key(fact.event_id, fact.at.day());
                vec![booking_key(fact.booking_id), event_key(fact.event_id), day]
            }
            Command::Visited(fact) => {
                vec![event_key(fact.event_id), day_key(fact.event_id, fact.date)]
            }
            Command::Event(fact) => vec![event_key(fact.event_id)],
            Command::User(fact) => vec![user_key(fact.user_id)],
            Command::Erased(fact) => vec![user_key(fact.user_id)],
            Command::Rated(fact) => {
                vec![event_key(fact.event_id), rating_key(fact.event_id, fact.user_id)]
            }
        }
    }

    fn makes(&self, command: &Command) -> Option<Key> {
        match command {
            Command::Sold(fact) => Some(booking_key(fact.booking_id)),
            _ => None,
        }
    }

    fn decide(&self, view: &mut View<AnalyticsRow>, command: &Command, _now: Time) -> Result<(), Refusal> {
        match command {
            Command::Sold(fact) => {
                let booking =
                    booking(view, BookingStat::unheard(fact.booking_id, fact.event_id, fact.user_id));
                let (booking, change) = booking.after_sale(fact);
                count(view, booking, &change, fact.at.day());
            }
            Command::Released(fact) => {
                let booking =
                    booking(view, BookingStat::unheard(fact.booking_id, fact.event_id, fact.user_id));
                let (booking, change) = booking.after_release(fact);
                count(view, booking, &change, fact.at.day());
            }
            Command::Visited(fact) => {
                let (day, new_visits) = day(view, fact.event_id, fact.date).after_visits(fact);
                let mut event = event(view, fact.event_id);
                event.visits += new_visits;
                put_changed(view, day);
                put_changed(view, event);
            }
            Command::Event(fact) => {
                let event = event(view, fact.event_id).after_upsert(fact);
                put_changed(view, event);
            }
            Command::User(fact) => {
                let known = view.get(&user_key(fact.user_id)).and_then(AnalyticsRow::as_user);
                if let Some(user) = UserStat::upserted(known, fact) {
                    view.put(user);
                }
            }
            Command::Erased(fact) => put_changed(view, UserStat::erased(fact.user_id)),
            Command::Rated(fact) => rated(view, fact),
        }
        Ok(())
    }

    fn hear(&self, fact: &Published) -> Option<Command> {
        match fact {
            Published::SeatsSold(fact) => Some(Command::Sold(fact.clone())),
            Published::SeatsReleased(fact) => Some(Command::Released(fact.clone())),
            Published::EventVisited(fact) => Some(Command::Visited(fact.clone())),
            Published::EventUpserted(fact) => Some(Command::Event(fact.clone())),
            Published::UserUpserted(fact) => Some(Command::User(fact.clone())),
            Published::UserErased(fact) => Some(Command::Erased(fact.clone())),
            Published::FeedbackRecorded(fact) => Some(Command::Rated(fact.clone())),
            // What was asked for but not sold counts nowhere.
            Published::BookingPlaced(_)
            | Published::BookingPaid(_)
            | Published::BookingCancelled(_)
            | Published::SeatsHeld(_)
            | Published::SeatsRefused(_) => None,
        }
    }
}

/// Counts a sale or a release. The booking's row is written with it, so it counts once.
fn count(view: &mut View<AnalyticsRow>, booking: BookingStat, change: &Change, on: Day) {
    let event_id = booking.event_id;
    put_changed(view, booking);
    if *change == Change::default() {
        return;
    }
    let event = event(view, event_id).plus(change);
    let day = day(view, event_id, on).plus(change);
    put_changed(view, event);
    put_changed(view, day);
}

fn rated(view: &mut View<AnalyticsRow>, fact: &FeedbackRecorded) {
    let known = view.get(&rating_key(fact.event_id, fact.user_id)).and_then(AnalyticsRow::as_rating);
    if known.is_none_or(|known| known.edition < fact.edition) {
        view.put(RatingStat {
            event_id: fact.event_id,
            user_id: fact.user_id,
            rating: fact.rating,
            edition: fact.edition,
        });
    }
    let event = event(view, fact.event_id).after_rating(fact);
    put_changed(view, event);
}

fn event(view: &View<AnalyticsRow>, event_id: EventId) -> EventStat {
    let known = view.get(&event_key(event_id)).and_then(AnalyticsRow::as_event);
    known.cloned().unwrap_or_else(|| EventStat::unheard(event_id))
}

fn day(view: &View<AnalyticsRow>, event_id: EventId, day: Day) -> DayStat {
    let known = view.get(&day_key(event_id, day)).and_then(AnalyticsRow::as_day);
    known.cloned().unwrap_or_else(|| DayStat::empty(event_id, day))
}

fn booking(view: &View<AnalyticsRow>, unheard: BookingStat) -> BookingStat {
    let known = view.get(&booking_key(unheard.booking_id)).and_then(AnalyticsRow::as_booking);
    known.cloned().unwrap_or(unheard)
}

/// Hearing a fact twice writes nothing.
fn put_changed(view: &mut View<AnalyticsRow>, row: impl Into<AnalyticsRow>) {
    let row = row.into();
    if view.get(&row.key()) != Some(&row) {
        view.put(row);
    }
}
