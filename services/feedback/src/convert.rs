//! Between the protos and the domain.

use domain::{EventId, Refusal, Time, feedback::Rating};
use proto::v1;

use crate::machine::Reply;

/// The id in a request's path.
pub(crate) fn event_id(text: &str) -> Result<EventId, Refusal> {
    // What is not an id names no event.
    text.parse().map_err(|_| Refusal::not_found("event"))
}

/// A rating as everybody may see it: without its author.
pub(crate) fn feedback(rating: &Rating) -> v1::Feedback {
    v1::Feedback {
        id: rating.feedback_id.0.to_string(),
        event_id: rating.event_id.to_string(),
        rating: i32::try_from(rating.rating).unwrap_or_default(),
        comment: rating.comment.clone(),
        created_at: Some(timestamp(rating.created_at)),
        updated_at: Some(timestamp(rating.updated_at)),
    }
}

/// The answer to a rating: what was sent, with the name and the times that it got.
pub(crate) fn rated(reply: Reply, rating: i32, event_id: EventId, comment: String) -> Option<v1::Feedback> {
    let Reply::Rated { feedback_id, created_at, updated_at } = reply else { return None };
    Some(v1::Feedback {
        id: feedback_id.0.to_string(),
        event_id: event_id.to_string(),
        rating,
        comment,
        created_at: Some(timestamp(created_at)),
        updated_at: Some(timestamp(updated_at)),
    })
}

fn timestamp(time: Time) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: time.seconds(), nanos: time.subsecond_nanos() }
}
