//! A fact: a published message that says what happened, in the past tense.

use std::{
    any::Any,
    fmt,
    sync::{Arc, OnceLock},
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The id of a fact. The same id is the same fact, however often it arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FactId(pub Uuid);

/// The topics of the platform. Facts of one key on one topic stay in order; across topics there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// Bookings placed, paid and cancelled. Produced by ticket, keyed by event id.
    TicketEvent,
    /// Seats held, sold, refused and released. Produced by event, keyed by event id.
    TicketStatusEvent,
    /// Visits of event pages. Produced by event, keyed by event id.
    VisitEvent,
    /// Users and events as they now are. Produced by user and event, keyed by their id.
    UpsertData,
    /// Ratings. Produced by feedback, keyed by event id.
    FeedbackEvent,
}

/// Which facts of a topic stay on the log for good. The others go once they are old enough and every consumer
/// has done them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// None.
    None,
    /// The newest of each key: together they say how everything now is, so that a read model can be built
    /// from the beginning at any time.
    NewestOfKey,
}

impl Topic {
    /// All topics.
    pub const ALL: [Self; 5] =
        [Self::TicketEvent, Self::TicketStatusEvent, Self::VisitEvent, Self::UpsertData, Self::FeedbackEvent];

    /// The name on the wire and in the outbox table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TicketEvent => "ticket-event",
            Self::TicketStatusEvent => "ticket-status-event",
            Self::VisitEvent => "visit-event",
            Self::UpsertData => "upsert-data",
            Self::FeedbackEvent => "feedback-event",
        }
    }

    /// What stays of it.
    #[must_use]
    pub fn retention(self) -> Retention {
        match self {
            Self::UpsertData => Retention::NewestOfKey,
            Self::TicketEvent | Self::TicketStatusEvent | Self::VisitEvent | Self::FeedbackEvent => {
                Retention::None
            }
        }
    }

    /// The topic with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }
}

/// A CloudEvent (CloudEvents 1.0): the attributes as fields, the data as JSON of a proto message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Unique among all facts.
    pub id: FactId,
    /// The service that says so, such as `event`.
    pub source: &'static str,
    /// What happened, such as `seats.held`.
    pub kind: String,
    /// Where it is published.
    pub topic: Topic,
    /// The aggregate whose facts stay in order.
    pub key: String,
    /// When it was decided, in microseconds since 1970 UTC.
    pub time_us: i64,
    /// W3C trace context of the request that led to it.
    pub traceparent: Option<String>,
    /// JSON of the proto message that `kind` names.
    pub payload: String,
    /// What its payload was read as.
    pub memo: Memo,
}

/// What the payload of a fact was read as, so that several readers in one process read it once.
///
/// It is no part of the fact: it is equal to any other, and a copy of a fact begins without one.
#[derive(Default)]
pub struct Memo(OnceLock<Arc<dyn Any + Send + Sync>>);

impl Memo {
    /// A memo that is known from the start: by who wrote the payload.
    pub fn of<T: Any + Send + Sync>(value: T) -> Self {
        let value: Arc<dyn Any + Send + Sync> = Arc::new(value);
        Self(OnceLock::from(value))
    }

    /// What was read; the first reader reads it.
    pub fn get_or_read<T: Any + Send + Sync>(&self, read: impl FnOnce() -> T) -> Arc<T> {
        let mut read = Some(read);
        let known = self.0.get_or_init(|| match read.take() {
            Some(read) => Arc::new(read()),
            None => Arc::new(()),
        });
        match (Arc::clone(known).downcast(), read) {
            (Ok(value), _) => value,
            // Somebody read it as something else: then it is read again.
            (Err(_), Some(read)) => Arc::new(read()),
            (Err(_), None) => unreachable!("what was just read is of the type it was read as"),
        }
    }
}

impl Clone for Memo {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Memo {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Memo {}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memo")
    }
}
