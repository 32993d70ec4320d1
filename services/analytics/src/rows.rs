//! What the analytics service keeps.

use domain::{
    BookingId, Day, EventId, UserId,
    analytics::{BookingStat, DayStat, EventStat, RatingStat, UserStat},
};
use store::{Key, Value};

store::rows! {
    /// What the analytics service keeps.
    pub enum AnalyticsRow in "analytics" {
        /// The figures of an event.
        Event(EventStat) in "event_stat" by |event| event.event_id.0 => {
            organizer_id: PlainText = match event.organizer_id {
                Some(organizer_id) => organizer_id.0.into(),
                None => Value::Null,
            },
            booked: Int = Value::Int(i64::try_from(event.booked).unwrap_or(i64::MAX)),
        } indexes [["organizer_id", "booked"]],
        /// The figures of an event on one day.
        Day(DayStat) in "day_stat" by |day| day_id(day.event_id, day.day) => {
            event_id: PlainText = day.event_id.0.into(),
            day: PlainText = Value::Text(day.day.to_string()),
        } indexes [["event_id", "day"]],
        /// What is known of a booking.
        Booking(BookingStat) in "booking_stat" by |booking| booking.booking_id.0 => {
            event_id: Text = booking.event_id.0.into(),
        } indexes [],
        /// What is known of a user.
        User(UserStat) in "user_stat" by |user| user.user_id.0 => {} indexes [],
        /// Somebody's rating.
        Rating(RatingStat) in "rating_stat" by |rating| rating_id(rating.event_id, rating.user_id) => {
            event_id: Text = rating.event_id.0.into(),
        } indexes []
    }
}

fn day_id(event_id: EventId, day: Day) -> String {
    format!("{event_id}/{day}")
}

fn rating_id(event_id: EventId, user_id: UserId) -> String {
    format!("{event_id}/{user_id}")
}

/// Where an event's figures are.
#[must_use]
pub fn event_key(event_id: EventId) -> Key {
    Key::new("event_stat", event_id.0)
}

/// Where an event's figures of a day are.
#[must_use]
pub fn day_key(event_id: EventId, day: Day) -> Key {
    Key::new("day_stat", day_id(event_id, day))
}

/// Where a booking is.
#[must_use]
pub fn booking_key(booking_id: BookingId) -> Key {
    Key::new("booking_stat", booking_id.0)
}

/// Where a user is.
#[must_use]
pub fn user_key(user_id: UserId) -> Key {
    Key::new("user_stat", user_id.0)
}

/// Where a user's rating of an event is.
#[must_use]
pub fn rating_key(event_id: EventId, user_id: UserId) -> Key {
    Key::new("rating_stat", rating_id(event_id, user_id))
}

impl AnalyticsRow {
    /// The figures of an event, if they are.
    #[must_use]
    pub fn as_event(&self) -> Option<&EventStat> {
        if let Self::Event(event) = self { Some(event) } else { None }
    }

    /// The figures of a day, if they are.
    #[must_use]
    pub fn as_day(&self) -> Option<&DayStat> {
        if let Self::Day(day) = self { Some(day) } else { None }
    }

    /// The booking, if it is one.
    #[must_use]
    pub fn as_booking(&self) -> Option<&BookingStat> {
        if let Self::Booking(booking) = self { Some(booking) } else { None }
    }

    /// The user, if it is one.
    #[must_use]
    pub fn as_user(&self) -> Option<&UserStat> {
        if let Self::User(user) = self { Some(user) } else { None }
    }

    /// The rating, if it is one.
    #[must_use]
    pub fn as_rating(&self) -> Option<&RatingStat> {
        if let Self::Rating(rating) = self { Some(rating) } else { None }
    }
}
