//! The feedback service's rules: who may rate an event, and what a rating does to its average.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    facts::{EventStatus, EventUpserted, FeedbackRecorded, SeatsReleased, SeatsSold, places},
    ids::{BookingId, EventId, UserId},
    planted::{Defect, planted},
    refusal::{Check, Refusal, RefusalKind},
    text,
    time::Time,
};

/// The worst rating.
pub const MIN_RATING: i32 = 1;
/// The best rating.
pub const MAX_RATING: i32 = 5;
/// The longest comment, in characters.
pub const MAX_COMMENT_CHARS: usize = 2_000;

/// The name of a rating that everybody may know: it leads to no person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeedbackId(pub Uuid);

/// What a booking holds: the proof that somebody has a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// The booking.
    pub booking_id: BookingId,
    /// Its event.
    pub event_id: EventId,
    /// Its buyer; nobody once they are erased.
    pub user_id: Option<UserId>,
    /// The places that it still has.
    pub places: u32,
    /// The last release that was heard.
    pub cancel_number: u32,
    /// Its places were sold at some time.
    pub is_sold: bool,
    /// It gave everything back, so a sale that is heard now is an old one.
    pub is_over: bool,
}

impl Holding {
    /// A booking of which nothing was heard yet.
    #[must_use]
    pub fn unheard(booking_id: BookingId, event_id: EventId, user_id: UserId) -> Self {
        Self {
            booking_id,
            event_id,
            user_id: Some(user_id),
            places: 0,
            cancel_number: 0,
            is_sold: false,
            is_over: false,
        }
    }

    /// The holding after a sale; a sale counts once.
    #[must_use]
    pub fn after_sale(mut self, fact: &SeatsSold) -> Self {
        if !self.is_sold && !self.is_over || planted(Defect::OldSaleCountsAgain) {
            self.is_sold = true;
            self.places = places(&fact.lines);
        }
        self
    }

    /// The holding after a release; an old release changes nothing.
    #[must_use]
    pub fn after_release(mut self, fact: &SeatsReleased) -> Self {
        if fact.cancel_number <= self.cancel_number {
            return self;
        }
        self.cancel_number = fact.cancel_number;
        self.is_over = fact.keeps.is_empty();
        self.is_sold |= fact.was_sold;
        if self.is_sold {
            self.places = places(&fact.keeps);
        }
        self
    }
}

/// What is known here of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatedEvent {
    /// The event.
    pub event_id: EventId,
    /// Its title.
    pub title: String,
    /// Its status.
    pub status: EventStatus,
    /// From when on it can be rated.
    pub starts_at: Time,
    /// Grows with each change.
    pub version: u64,
}

impl From<&EventUpserted> for RatedEvent {
    fn from(fact: &EventUpserted) -> Self {
        Self {
            event_id: fact.event_id,
            title: fact.title.clone(),
            status: fact.status,
            starts_at: fact.starts_at,
            version: fact.version,
        }
    }
}

/// Somebody's rating of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// Its public name.
    pub feedback_id: FeedbackId,
    /// The event.
    pub event_id: EventId,
    /// Who rated; nobody once they are erased.
    pub user_id: Option<UserId>,
    /// 1 to 5.
    pub rating: u32,
    /// What they wrote, perhaps nothing.
    pub comment: String,
    /// Counts its edits from 1.
    pub edition: u32,
    /// Its place among the ratings and edits of the event; no two ratings share one.
    pub sequence: u64,
    /// When it was first given.
    pub created_at: Time,
    /// When it was last edited.
    pub updated_at: Time,
}

impl Rating {
    /// The rating without what leads to the person: the number stays, so the average does.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self { user_id: None, comment: String::new(), ..self.clone() }
    }
}

/// The running figures of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The event.
    pub event_id: EventId,
    /// The sum of its ratings.
    pub sum: u64,
    /// Their number.
    pub count: u64,
    /// Counts ratings and edits from 1.
    pub sequence: u64,
}

impl Summary {
    /// The figures of an event that nobody has rated.
    #[must_use]
    pub fn empty(event_id: EventId) -> Self {
        Self { event_id, sum: 0, count: 0, sequence: 0 }
    }

    /// The average; none while there is no rating.
    #[must_use]
    pub fn average(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }
}

/// Somebody rates an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// The event.
    pub event_id: EventId,
    /// Who.
    pub user_id: UserId,
    /// As it was sent.
    pub rating: i32,
    /// As it was sent, without blanks around it.
    pub comment: String,
    /// The name that the rating gets if it is a new one.
    pub new_id: FeedbackId,
    /// The booking by which they hold a place, if one was found.
    pub evidence: Option<BookingId>,
}

/// What the decision on a rating looks at.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// The event, if it is known.
    pub event: Option<&'a RatedEvent>,
    /// The booking that the command names.
    pub holding: Option<&'a Holding>,
    /// Their earlier rating.
    pub rating: Option<&'a Rating>,
    /// The event's figures.
    pub summary: &'a Summary,
}

/// A rating that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rated {
    /// The rating as it now is.
    pub rating: Rating,
    /// The event's figures with it.
    pub summary: Summary,
    /// What the other services are told.
    pub fact: FeedbackRecorded,
}

/// Takes a rating, or says why not.
///
/// # Errors
/// For bad input, an event that is unknown, called off or not begun, and for those without a ticket.
pub fn decide(standing: Standing<'_>, command: &Rate, now: Time) -> Result<Rated, Refusal> {
    check_input(command)?;
    check_event(standing.event, now)?;
    check_holder(standing.holding, command)?;
    let stars = command.rating.unsigned_abs();
    let (first, removed) = match standing.rating {
        Some(earlier) if planted(Defect::EditAddsRating) => (earlier.clone(), 0),
        Some(earlier) => (earlier.clone(), u64::from(earlier.rating)),
        None => (first_rating(command, now), 0),
    };
    let rating = Rating {
        rating: stars,
        comment: command.comment.clone(),
        edition: first.edition + 1,
        sequence: standing.summary.sequence + 1,
        updated_at: now,
        ..first
    };
    let summary = Summary {
        event_id: command.event_id,
        sum: (standing.summary.sum + u64::from(stars)).saturating_sub(removed),
        count: standing.summary.count + u64::from(standing.rating.is_none()),
        sequence: standing.summary.sequence + 1,
    };
    let fact = FeedbackRecorded {
        event_id: command.event_id,
        user_id: command.user_id,
        rating: stars,
        edition: rating.edition,
        rating_sum: summary.sum,
        rating_count: summary.count,
        sequence: summary.sequence,
        at: now,
    };
    Ok(Rated { rating, summary, fact })
}

/// A rating before its first edition.
fn first_rating(command: &Rate, now: Time) -> Rating {
    Rating {
        feedback_id: command.new_id,
        event_id: command.event_id,
        user_id: Some(command.user_id),
        rating: 0,
        comment: String::new(),
        edition: 0,
        sequence: 0,
        created_at: now,
        updated_at: now,
    }
}

fn check_input(command: &Rate) -> Result<(), Refusal> {
    let mut check = Check::default();
    let is_rating = (MIN_RATING..=MAX_RATING).contains(&command.rating);
    check.require(is_rating, "rating", format!("must be from {MIN_RATING} to {MAX_RATING}"));
    text::allow_paragraphs(&mut check, "comment", &command.comment, MAX_COMMENT_CHARS);
    check.finish()
}

/// A cancelled event is named before the missing ticket: calling it off took the tickets back.
fn check_event(event: Option<&RatedEvent>, now: Time) -> Result<(), Refusal> {
    let event = visible(event)?;
    if event.status == EventStatus::Cancelled {
        return Err(Refusal::conflict("event_cancelled", "the event was called off, so nobody can rate it"));
    }
    if now < event.starts_at && !planted(Defect::RatedBeforeStart) {
        let detail = format!("the event can be rated from its start on, at {}", event.starts_at);
        return Err(Refusal::conflict("event_not_started", detail));
    }
    Ok(())
}

/// The event as everybody may see it; a draft is as good as unknown.
///
/// # Errors
/// When there is no such event.
pub fn visible(event: Option<&RatedEvent>) -> Result<&RatedEvent, Refusal> {
    event.filter(|event| event.status != EventStatus::Draft).ok_or_else(|| Refusal::not_found("event"))
}

fn check_holder(holding: Option<&Holding>, command: &Rate) -> Result<(), Refusal> {
    let is_proof = |holding: &Holding| {
        holding.event_id == command.event_id && holding.user_id == Some(command.user_id) && holding.places > 0
    };
    if holding.is_some_and(is_proof) || planted(Defect::AnybodyRates) {
        return Ok(());
    }
    Err(Refusal::new(
        RefusalKind::Forbidden,
        "not_a_ticket_holder",
        "only holders of a booked ticket can rate the event",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: EventId = EventId(Uuid::from_u128(1));
    const USER: UserId = UserId(Uuid::from_u128(2));
    const START: Time = Time::from_micros(1_000_000_000);

    fn event(status: EventStatus) -> RatedEvent {
        RatedEvent { event_id: EVENT, title: "Concert".to_owned(), status, starts_at: START, version: 1 }
    }

    fn holding(places: u32) -> Holding {
        let booking = BookingId::from_bits(7 << 16);
        Holding { places, is_sold: true, ..Holding::unheard(booking, EVENT, USER) }
    }

    fn rate(rating: i32) -> Rate {
        Rate {
            event_id: EVENT,
            user_id: USER,
            rating,
            comment: "good".to_owned(),
            new_id: FeedbackId(Uuid::from_u128(9)),
            evidence: None,
        }
    }

    fn code(event: &RatedEvent, holding: &Holding, command: &Rate, now: Time) -> &'static str {
        let summary = Summary::empty(EVENT);
        let standing =
            Standing { event: Some(event), holding: Some(holding), rating: None, summary: &summary };
        decide(standing, command, now).map_or_else(|refusal| refusal.code, |_| "ok")
    }

    #[test]
    fn an_edit_replaces_the_earlier_rating_in_the_sum() {
        let (event, holding, empty) = (event(EventStatus::Published), holding(1), Summary::empty(EVENT));
        let standing =
            Standing { event: Some(&event), holding: Some(&holding), rating: None, summary: &empty };
        let first = decide(standing, &rate(5), START).unwrap();
        assert_eq!((first.summary.sum, first.summary.count, first.rating.edition), (5, 1, 1));
        let standing = Standing { rating: Some(&first.rating), summary: &first.summary, ..standing };
        let later = START.plus_seconds(60);
        let second = decide(standing, &rate(2), later).unwrap();
        assert_eq!((second.summary.sum, second.summary.count, second.summary.sequence), (2, 1, 2));
        assert_eq!((second.rating.edition, second.rating.created_at), (2, START));
        assert_eq!((second.fact.edition, second.rating.updated_at), (2, later));
    }

    #[test]
    fn each_refusal_has_its_code() {
        let (published, held) = (event(EventStatus::Published), holding(1));
        let early = START.plus_seconds(-1);
        assert_eq!(code(&published, &held, &rate(3), START), "ok");
        assert_eq!(code(&published, &held, &rate(0), START), "bad_input");
        assert_eq!(code(&published, &held, &rate(6), START), "bad_input");
        let long = Rate { comment: "a".repeat(MAX_COMMENT_CHARS + 1), ..rate(3) };
        assert_eq!(code(&published, &held, &long, START), "bad_input");
        assert_eq!(code(&published, &held, &rate(3), early), "event_not_started");
        assert_eq!(code(&event(EventStatus::Cancelled), &held, &rate(3), START), "event_cancelled");
        assert_eq!(code(&event(EventStatus::Draft), &held, &rate(3), START), "not_found");
        assert_eq!(code(&published, &holding(0), &rate(3), START), "not_a_ticket_holder");
        let other = Rate { user_id: UserId(Uuid::from_u128(3)), ..rate(3) };
        assert_eq!(code(&published, &held, &other, START), "not_a_ticket_holder");
    }
}
