//! Between the protos and the domain.

use domain::notification::{Captured, Kind, Notification, Occasion, Status};
use proto::v1;

/// What an event is called that is not known here yet.
const UNKNOWN_EVENT: &str = "your event";

/// A notification as its recipient sees it. Until it is sent, its subject follows the event.
pub(crate) fn notification(notification: &Notification, event: Option<&Occasion>) -> v1::Notification {
    use v1::notification::{Kind as ProtoKind, Status as ProtoStatus};
    let kind = match notification.kind {
        Kind::Booked => ProtoKind::Booked,
        Kind::Cancelled => ProtoKind::Cancelled,
        Kind::Refused => ProtoKind::Refused,
        Kind::Expired => ProtoKind::Expired,
    };
    let status = match notification.status {
        Status::Queued => ProtoStatus::Queued,
        Status::Sent => ProtoStatus::Sent,
        Status::Failed => ProtoStatus::Failed,
    };
    let subject = if notification.subject.is_empty() {
        notification.kind.subject(event.map_or(UNKNOWN_EVENT, |event| &event.title))
    } else {
        notification.subject.clone()
    };
    let at = notification.at;
    v1::Notification {
        id: notification.id(),
        kind: kind.into(),
        booking_id: notification.booking_id.to_string(),
        event_id: notification.event_id.to_string(),
        subject,
        status: status.into(),
        at: Some(prost_types::Timestamp { seconds: at.seconds(), nanos: at.subsecond_nanos() }),
    }
}

/// A mail that was kept instead of sent.
pub(crate) fn captured(mail: Captured) -> v1::CapturedMail {
    v1::CapturedMail {
        id: mail.id,
        at: Some(prost_types::Timestamp { seconds: mail.at_seconds, nanos: 0 }),
        to: mail.to,
        subject: mail.subject,
        text: mail.text,
    }
}
