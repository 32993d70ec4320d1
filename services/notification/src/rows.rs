//! What the notification service keeps.

use domain::{
    BookingId, EventId, UserId,
    notification::{Kind, Notification, Occasion, Recipient, Status},
};
use store::{Key, Value};

store::rows! {
    /// What the notification service keeps.
    pub enum NotificationRow in "notification" {
        /// Whom to write to.
        User(Recipient) in "user" by |user| user.user_id.0 => {} indexes [],
        /// What a mail says of an event.
        Event(Occasion) in "event" by |event| event.event_id.0 => {} indexes [],
        /// What a user is told of a booking.
        Notification(Notification) in "notification" by |notification| notification.id() => {
            user_id: PlainText = notification.user_id.0.into(),
            at: PlainInt = Value::Int(notification.at.micros()),
            due_at: SparseInt = match notification.status {
                Status::Queued => Value::Int(notification.next_try_at.micros()),
                _ => Value::Null,
            },
        } indexes [["user_id", "at"]]
    }
}

/// Where a user is.
#[must_use]
pub fn user_key(user_id: UserId) -> Key {
    Key::new("user", user_id.0)
}

/// Where an event is.
#[must_use]
pub fn event_key(event_id: EventId) -> Key {
    Key::new("event", event_id.0)
}

/// Where the notification of a kind about a booking is.
#[must_use]
pub fn notification_key(booking_id: BookingId, kind: Kind) -> Key {
    Key::new("notification", format!("{booking_id}/{}", kind.name()))
}

impl NotificationRow {
    /// The user, if it is one.
    #[must_use]
    pub fn as_user(&self) -> Option<&Recipient> {
        if let Self::User(user) = self { Some(user) } else { None }
    }

    /// The event, if it is one.
    #[must_use]
    pub fn as_event(&self) -> Option<&Occasion> {
        if let Self::Event(event) = self { Some(event) } else { None }
    }

    /// The notification, if it is one.
    #[must_use]
    pub fn as_notification(&self) -> Option<&Notification> {
        if let Self::Notification(notification) = self { Some(notification) } else { None }
    }
}
