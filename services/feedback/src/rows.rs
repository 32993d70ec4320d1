//! What the feedback service keeps.

use domain::{
    BookingId, EventId, UserId,
    feedback::{Holding, RatedEvent, Rating, Summary},
};
use serde::{Deserialize, Serialize};
use store::{Key, Value};

/// The mark that a user is gone: a sale that is heard late must not bring them back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// The user.
    pub user_id: UserId,
}

store::rows! {
    /// What the feedback service keeps.
    pub enum FeedbackRow in "feedback" {
        /// What a booking holds.
        Holding(Holding) in "holding" by |holding| holding.booking_id.0 => {
            user_id: Text = optional(holding.user_id),
            event_id: PlainText = holding.event_id.0.into(),
            places: PlainInt = Value::Int(i64::from(holding.places)),
        } indexes [],
        /// An event, as far as ratings need it.
        Event(RatedEvent) in "event" by |event| event.event_id.0 => {} indexes [],
        /// Somebody's rating of an event.
        Rating(Rating) in "rating" by |rating| rating_id(rating) => {
            event_id: PlainText = rating.event_id.0.into(),
            user_id: Text = optional(rating.user_id),
            sequence: PlainInt = Value::Int(i64::try_from(rating.sequence).unwrap_or(i64::MAX)),
        } indexes [["event_id", "sequence"]],
        /// The running figures of an event.
        Summary(Summary) in "summary" by |summary| summary.event_id.0 => {} indexes [],
        /// A user who is gone.
        Erased(Erased) in "erased" by |erased| erased.user_id.0 => {} indexes []
    }
}

/// An event and a user as one text: the id of a rating.
fn event_user(event_id: EventId, user_id: UserId) -> String {
    format!("{event_id}/{user_id}")
}

/// The id of a rating's row. Without a user it is the public name, which leads to nobody.
fn rating_id(rating: &Rating) -> String {
    match rating.user_id {
        Some(user_id) => event_user(rating.event_id, user_id),
        None => format!("{}/{}", rating.event_id, rating.feedback_id.0),
    }
}

fn optional(user_id: Option<UserId>) -> Value {
    user_id.map_or(Value::Null, |user_id| user_id.0.into())
}

/// Where a booking's holding is.
#[must_use]
pub fn holding_key(booking_id: BookingId) -> Key {
    Key::new("holding", booking_id.0)
}

/// Where an event is.
#[must_use]
pub fn event_key(event_id: EventId) -> Key {
    Key::new("event", event_id.0)
}

/// Where a user's rating of an event is.
#[must_use]
pub fn rating_key(event_id: EventId, user_id: UserId) -> Key {
    Key::new("rating", event_user(event_id, user_id))
}

/// Where an event's figures are.
#[must_use]
pub fn summary_key(event_id: EventId) -> Key {
    Key::new("summary", event_id.0)
}

/// Where the mark of a user who is gone would be.
#[must_use]
pub fn erased_key(user_id: UserId) -> Key {
    Key::new("erased", user_id.0)
}

impl FeedbackRow {
    /// The holding, if it is one.
    #[must_use]
    pub fn as_holding(&self) -> Option<&Holding> {
        if let Self::Holding(holding) = self { Some(holding) } else { None }
    }

    /// The event, if it is one.
    #[must_use]
    pub fn as_event(&self) -> Option<&RatedEvent> {
        if let Self::Event(event) = self { Some(event) } else { None }
    }

    /// The rating, if it is one.
    #[must_use]
    pub fn as_rating(&self) -> Option<&Rating> {
        if let Self::Rating(rating) = self { Some(rating) } else { None }
    }

    /// The figures, if they are.
    #[must_use]
    pub fn as_summary(&self) -> Option<&Summary> {
        if let Self::Summary(summary) = self { Some(summary) } else { None }
    }
}
