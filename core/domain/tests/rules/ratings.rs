//! Who may rate: those who hold a place by what was sold and given back, in whatever order it is heard.

use domain::{
    BookingId, Currency, EventId, Money, TicketTypeId, Time, UserId,
    facts::{CancelReason, EventStatus, EventUpserted, PricedLine, SeatsReleased, SeatsSold},
    feedback::{FeedbackId, Holding, Rate, RatedEvent, Standing, Summary, decide, visible},
};
use uuid::Uuid;

const NOW: Time = Time::from_micros(1_800_000_000_000_000);
const EVENT: EventId = EventId(Uuid::from_u128(1));
const BUYER: UserId = UserId(Uuid::from_u128(2));

fn id() -> BookingId {
    BookingId::from_bits(7 << 16)
}

fn lines(quantity: u32) -> Vec<PricedLine> {
    let unit_price = Money { currency: Currency::EUR, minor: 0 };
    let line = PricedLine { ticket_type_id: TicketTypeId(Uuid::nil()), quantity, unit_price };
    (quantity > 0).then_some(line).into_iter().collect()
}

/// What is heard of a booking.
#[derive(Clone, Copy)]
enum Heard {
    Sold(u32),
    /// The number of the cancellation, and what is kept.
    Back(u32, u32),
    HeldBack(u32),
}

fn hear(holding: Holding, heard: Heard) -> Holding {
    let released = |cancel_number, keeps, was_sold| SeatsReleased {
        booking_id: id(),
        event_id: EVENT,
        user_id: BUYER,
        reason: CancelReason::Buyer,
        cancel_number,
        lines: lines(1),
        keeps: lines(keeps),
        was_sold,
        at: NOW,
    };
    match heard {
        Heard::Sold(quantity) => {
            let total = Money::zero(Currency::EUR);
            let lines = lines(quantity);
            holding.after_sale(&SeatsSold {
                booking_id: id(),
                event_id: EVENT,
                user_id: BUYER,
                lines,
                total,
                at: NOW,
            })
        }
        Heard::Back(number, keeps) => holding.after_release(&released(number, keeps, true)),
        Heard::HeldBack(number) => holding.after_release(&released(number, 0, false)),
    }
}

#[test]
fn a_holding_is_what_the_newest_fact_says_of_it() {
    use Heard::{Back, HeldBack, Sold};
    for (story, places, is_over) in [
        (&[Sold(3)][..], 3, false),
        (&[Sold(3), Sold(4)], 3, false),
        (&[Sold(3), Back(1, 2)], 2, false),
        (&[Sold(3), Back(1, 2), Sold(3)], 2, false),
        (&[Sold(3), Back(1, 2), Back(2, 0)], 0, true),
        (&[Sold(3), Back(2, 0), Back(1, 2)], 0, true),
        (&[Sold(3), Back(1, 2), Back(1, 1)], 2, false),
        (&[Back(1, 2), Sold(3)], 2, false),
        (&[HeldBack(1)], 0, true),
        (&[HeldBack(1), Sold(3)], 0, true),
    ] {
        let holding =
            story.iter().fold(Holding::unheard(id(), EVENT, BUYER), |holding, heard| hear(holding, *heard));
        assert_eq!((holding.places, holding.is_over), (places, is_over));
    }
}

fn event(status: EventStatus) -> RatedEvent {
    RatedEvent::from(&EventUpserted {
        event_id: EVENT,
        organizer_id: BUYER,
        status,
        title: "Concert".to_owned(),
        starts_at: NOW,
        ends_at: NOW.plus_seconds(60),
        time_zone: "Europe/Berlin".to_owned(),
        place: String::new(),
        ticket_types: Vec::new(),
        version: 4,
    })
}

fn rate(rating: i32, comment: &str) -> Rate {
    let new_id = FeedbackId(Uuid::from_u128(9));
    Rate {
        event_id: EVENT,
        user_id: BUYER,
        rating,
        comment: comment.to_owned(),
        new_id,
        evidence: Some(id()),
    }
}

#[test]
fn a_rating_is_kept_and_told_as_it_was_given_and_leads_to_nobody_later() {
    let event = event(EventStatus::Published);
    assert_eq!((event.title.as_str(), event.starts_at, event.version), ("Concert", NOW, 4));
    let holding = hear(Holding::unheard(id(), EVENT, BUYER), Heard::Sold(1));
    let summary = Summary { sum: 7, count: 2, sequence: 5, ..Summary::empty(EVENT) };
    let standing = Standing { event: Some(&event), holding: Some(&holding), rating: None, summary: &summary };
    let first = decide(standing, &rate(5, "loud"), NOW).unwrap();
    assert_eq!((first.rating.rating, first.rating.comment.as_str(), first.rating.sequence), (5, "loud", 6));
    assert_eq!((first.rating.user_id, first.rating.edition), (Some(BUYER), 1));
    assert_eq!((first.fact.rating_sum, first.fact.rating_count, first.fact.sequence), (12, 3, 6));
    let standing = Standing { rating: Some(&first.rating), summary: &first.summary, ..standing };
    let edited = decide(standing, &rate(1, "too loud"), NOW.plus_seconds(9)).unwrap();
    assert_eq!(
        (edited.rating.comment.as_str(), edited.rating.sequence, edited.rating.edition),
        ("too loud", 7, 2)
    );
    assert_eq!((edited.summary.sum, edited.summary.count, edited.fact.rating_sum), (8, 3, 8));
    let anonymous = edited.rating.anonymous();
    assert_eq!((anonymous.user_id, anonymous.comment.as_str(), anonymous.rating), (None, "", 1));
}

#[test]
fn the_proof_is_a_place_at_this_event() {
    let event = event(EventStatus::Published);
    let summary = Summary::empty(EVENT);
    let held = hear(Holding::unheard(id(), EVENT, BUYER), Heard::Sold(1));
    let elsewhere = Holding { event_id: EventId(Uuid::from_u128(8)), ..held.clone() };
    let erased = Holding { user_id: None, ..held.clone() };
    for (holding, right) in
        [(Some(&held), true), (Some(&elsewhere), false), (Some(&erased), false), (None, false)]
    {
        let standing = Standing { event: Some(&event), holding, rating: None, summary: &summary };
        assert_eq!(decide(standing, &rate(3, ""), NOW).is_ok(), right);
    }
}

#[test]
fn the_average_is_that_of_all_ratings() {
    let summary = Summary { sum: 9, count: 2, ..Summary::empty(EVENT) };
    assert_eq!((summary.average(), Summary::empty(EVENT).average()), (Some(4.5), None));
    assert!(visible(None).is_err() && visible(Some(&event(EventStatus::Draft))).is_err());
    assert!(visible(Some(&event(EventStatus::Cancelled))).is_ok());
}
