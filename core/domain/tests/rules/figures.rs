//! What an organiser sees: each fact counts once, and an old one changes nothing.

use std::collections::BTreeMap;

use domain::{
    BookingId, Currency, Day, EventId, Money, TicketTypeId, Time, UserId,
    analytics::{BookingStat, Change, DayStat, EventStat, Group, Period, Point, UserStat, trend},
    facts::{
        CancelReason, EventStatus, EventUpserted, EventVisited, FeedbackRecorded, Gender, PricedLine,
        SeatsReleased, SeatsSold, UserUpserted,
    },
};
use uuid::Uuid;

const NOW: Time = Time::from_micros(1_800_000_000_000_000);
const EVENT: EventId = EventId(Uuid::from_u128(1));
const BUYER: UserId = UserId(Uuid::from_u128(2));

fn euros(minor: i64) -> Money {
    Money { currency: Currency::EUR, minor }
}

fn lines(quantity: u32) -> Vec<PricedLine> {
    vec![PricedLine { ticket_type_id: TicketTypeId(Uuid::from_u128(3)), quantity, unit_price: euros(500) }]
}

fn sale(quantity: u32) -> SeatsSold {
    let total = euros(500 * i64::from(quantity));
    let booking_id = BookingId::from_bits(1 << 16);
    SeatsSold { booking_id, event_id: EVENT, user_id: BUYER, lines: lines(quantity), total, at: NOW }
}

fn release(cancel_number: u32, gives: u32, keeps: u32, was_sold: bool) -> SeatsReleased {
    SeatsReleased {
        booking_id: BookingId::from_bits(1 << 16),
        event_id: EVENT,
        user_id: BUYER,
        reason: CancelReason::Buyer,
        cancel_number,
        lines: lines(gives),
        keeps: lines(keeps),
        was_sold,
        at: NOW,
    }
}

fn upserted(version: u64) -> EventUpserted {
    EventUpserted {
        event_id: EVENT,
        organizer_id: UserId(Uuid::from_u128(version.into())),
        status: EventStatus::Published,
        title: format!("title {version}"),
        starts_at: NOW.plus_seconds(60),
        ends_at: NOW.plus_seconds(120),
        time_zone: "Europe/Berlin".to_owned(),
        place: String::new(),
        ticket_types: Vec::new(),
        version,
    }
}

fn unheard() -> BookingStat {
    BookingStat::unheard(BookingId::from_bits(1 << 16), EVENT, BUYER)
}

#[test]
fn a_sale_counts_once_and_what_comes_back_is_taken_off() {
    let day = NOW.day();
    let (mut event, mut on_day) = (EventStat::unheard(EVENT), DayStat::empty(EVENT, day));
    let (booking, first) = unheard().after_sale(&sale(5));
    let (booking, again) = booking.after_sale(&sale(5));
    assert_eq!((&again, booking.total, booking.kept), (&Change::default(), Some(euros(2_500)), Some(5)));
    let (booking, part) = booking.after_release(&release(1, 2, 3, true));
    for change in [&first, &first, &again, &part, &part] {
        (event, on_day) = (event.plus(change), on_day.plus(change));
    }
    assert_eq!((event.bookings, event.booked, event.cancelled), (2, 10, 4));
    assert_eq!(event.revenue, BTreeMap::from([(Currency::EUR, 3_000)]));
    assert_eq!((on_day.booked, on_day.cancelled, on_day.visits), (10, 4, 0));
    assert_eq!((booking.kept, booking.cancel_number), (Some(3), 1));
}

#[test]
fn a_release_that_was_heard_before_its_sale_knows_what_is_left() {
    let (booking, _) = unheard().after_release(&release(1, 2, 3, true));
    let (booking, change) = booking.after_sale(&sale(5));
    assert_eq!((booking.kept, change.booked, change.bookings), (Some(3), 5, 1));
}

#[test]
fn places_that_were_only_held_are_in_no_figure() {
    let (booking, change) = unheard().after_release(&release(1, 2, 0, false));
    assert_eq!((booking.kept, booking.cancel_number, change), (None, 1, Change::default()));
}

#[test]
fn the_newest_telling_of_an_event_stays() {
    let mut event = EventStat::unheard(EVENT);
    for (version, title) in [(2, "title 2"), (1, "title 2"), (3, "title 3")] {
        event = event.after_upsert(&upserted(version));
        assert_eq!(event.title, title);
    }
    // The same version again is the same telling: whatever else it says is not news.
    let repeated = EventUpserted { title: "other".to_owned(), ..upserted(3) };
    assert_eq!(event.clone().after_upsert(&repeated), event);
    assert_eq!((event.version, event.starts_at), (3, Some(NOW.plus_seconds(60))));
}

#[test]
fn the_average_is_of_the_newest_sums() {
    let sums = |sequence, rating_sum, rating_count| FeedbackRecorded {
        event_id: EVENT,
        user_id: BUYER,
        rating: 5,
        edition: 1,
        rating_sum,
        rating_count,
        sequence,
        at: NOW,
    };
    let unrated = EventStat::unheard(EVENT);
    assert_eq!(unrated.average_rating(), None);
    let rated = unrated.after_rating(&sums(2, 9, 2));
    assert_eq!(rated.average_rating(), Some(4.5));
    assert_eq!(rated.clone().after_rating(&sums(1, 5, 1)), rated);
    assert_eq!(rated.clone().after_rating(&sums(2, 5, 1)), rated);
    assert_eq!(rated.after_rating(&sums(3, 10, 4)).average_rating(), Some(2.5));
}

#[test]
fn visits_of_a_day_only_grow_and_are_compared_with_bookings() {
    let told = |visits| EventVisited { event_id: EVENT, date: NOW.day(), visits };
    let (day, new) = DayStat::empty(EVENT, NOW.day()).after_visits(&told(5));
    assert_eq!((day.visits, new), (5, 5));
    let (day, new) = day.after_visits(&told(8));
    assert_eq!((day.visits, new), (8, 3));
    let (day, new) = day.after_visits(&told(6));
    assert_eq!((day.visits, new), (8, 0));
    assert_eq!(EventStat::unheard(EVENT).conversion().to_bits(), 0.0_f64.to_bits());
    let event = EventStat { visits: 8, bookings: 2, ..EventStat::unheard(EVENT) };
    assert!((event.conversion() - 0.25).abs() < 1e-9);
}

#[test]
fn a_point_of_a_trend_is_the_sum_of_its_days() {
    let day = |days: i32, booked, cancelled| DayStat {
        booked,
        cancelled,
        visits: 10,
        ..DayStat::empty(EVENT, NOW.day().monday().plus(days))
    };
    let days = [day(0, 5, 1), day(6, 3, 2), day(7, 4, 0)];
    let points = trend(days.iter(), Period::Weekly, 10);
    let point = |booked, cancelled, visits| Point { booked, cancelled, visits };
    assert_eq!(
        points.into_iter().map(|(_, point)| point).collect::<Vec<_>>(),
        [point(8, 3, 20), point(4, 0, 10)]
    );
}

#[test]
fn somebody_who_is_gone_stays_gone() {
    let told = |version, gender| UserUpserted {
        user_id: BUYER,
        name: String::new(),
        email: String::new(),
        gender,
        birth_year: Some(1_990),
        version,
    };
    let first = UserStat::upserted(None, &told(2, Some(Gender::Female))).unwrap();
    assert_eq!((first.gender, first.birth_year, first.version), (Some(Gender::Female), Some(1_990), 2));
    assert_eq!(UserStat::upserted(Some(&first), &told(1, None)), None);
    assert_eq!(UserStat::upserted(Some(&first), &told(2, None)), None);
    assert_eq!(UserStat::upserted(Some(&first), &told(3, None)).unwrap().gender, None);
    let gone = UserStat::erased(BUYER);
    assert!(gone.is_erased && gone.birth_year.is_none());
    assert_eq!(UserStat::upserted(Some(&gone), &told(9, None)), None);
}

#[test]
fn a_group_has_the_name_of_its_gender() {
    let group = |gender| {
        let user = UserStat { gender, ..UserStat::erased(BUYER) };
        Group::of(Some(&user), None).gender()
    };
    let told = [Some(Gender::Male), Some(Gender::Female), Some(Gender::Other), None];
    assert_eq!(told.map(group), ["MALE", "FEMALE", "OTHER", "UNKNOWN"]);
    assert_eq!(Day::parse("2027-01-15"), Some(NOW.day()));
}
