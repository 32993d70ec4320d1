//! The calendar, walked day by day beside the rule that everybody learns: leap years, and months of so many days.

use domain::{Day, Time};

/// The first day that can be said, which was a Monday.
const FIRST_DAY: &str = "0001-01-01";
/// From that day to 1970-01-01.
const DAYS_BEFORE_1970: i64 = 719_162;
/// Leap years repeat after 400 years; the walk sees every kind of turn of a year, before and after 1970.
const YEARS: i32 = 2_400;

fn days_of_month(year: i32, month: u32) -> u32 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[test]
fn every_day_follows_the_one_before_it() {
    let mut expected = Day::parse(FIRST_DAY).unwrap();
    assert_eq!(expected.start().seconds(), -DAYS_BEFORE_1970 * 86_400);
    let mut monday = expected;
    let mut weekday = 0;
    for (year, month) in (1..=YEARS).flat_map(|year| (1..=12).map(move |month| (year, month))) {
        let first = expected;
        let length = days_of_month(year, month);
        for day in 1..=length {
            assert_eq!(Day::from_date(year, month, day), Some(expected), "{year}-{month}-{day}");
            assert_eq!(expected.date(), (year, month, day));
            assert_eq!(expected.monday(), monday);
            assert_eq!(expected.first_of_month(), first);
            expected = expected.plus(1);
            weekday = (weekday + 1) % 7;
            monday = if weekday == 0 { expected } else { monday };
        }
        assert_eq!(Day::from_date(year, month, 0), None, "{year}-{month}");
        assert_eq!(Day::from_date(year, month, length + 1), None, "{year}-{month}");
    }
    for (month, day) in [(0, 1), (0, 31), (13, 1), (u32::MAX, 1), (1, u32::MAX)] {
        assert_eq!(Day::from_date(2026, month, day), None, "{month}-{day}");
    }
}

#[test]
fn a_day_has_its_moments_and_no_others() {
    for text in [FIRST_DAY, "1969-12-31", "1970-01-01", "2026-11-22", "9999-12-31"] {
        let day = Day::parse(text).unwrap();
        let start = day.start();
        assert_eq!((start.day(), start.plus_seconds(86_399).day()), (day, day), "{text}");
        assert_eq!(
            (start.plus_seconds(-1).day(), start.plus_seconds(86_400).day()),
            (day.plus(-1), day.plus(1))
        );
        assert_eq!((start.to_string(), format!("{day:?}")), (format!("{text}T00:00:00Z"), text.to_owned()));
        let json = serde_json::to_string(&day).unwrap();
        assert_eq!(
            (json.as_str(), serde_json::from_str::<Day>(&json).unwrap()),
            (&*format!("\"{text}\""), day)
        );
    }
    for text in
        ["", "2026-11-2", "2026-11-222", "2026/11-22", "2026-11/22", "0000-12-31", "+026-11-22", "2026-1é-2"]
    {
        assert_eq!(Day::parse(text), None, "{text}");
    }
    assert!(serde_json::from_str::<Day>("\"2026-02-29\"").is_err());
}

#[test]
fn every_time_of_a_day_is_written_as_it_is_read() {
    let midnight = Day::parse("2026-11-22").unwrap().start();
    for (hour, minute, second) in [(0, 0, 0), (0, 0, 59), (0, 59, 0), (1, 2, 3), (12, 34, 56), (23, 59, 59)] {
        let time = midnight.plus_seconds(hour * 3_600 + minute * 60 + second);
        let text = format!("2026-11-22T{hour:02}:{minute:02}:{second:02}Z");
        assert_eq!(
            (Time::parse(&text), time.to_string(), format!("{time:?}")),
            (Some(time), text.clone(), text)
        );
    }
    for (fraction, micros) in [(".5", 500_000), (".000001", 1), (".123456", 123_456), (".123456789", 123_456)]
    {
        let time = Time::parse(&format!("2026-11-22T00:00:00{fraction}Z")).unwrap();
        assert_eq!(time.micros() - midnight.micros(), micros, "{fraction}");
        assert_eq!(time.to_string(), format!("2026-11-22T00:00:00.{micros:06}Z"));
        assert_eq!((time.seconds(), i64::from(time.subsecond_nanos())), (midnight.seconds(), micros * 1_000));
        let json = serde_json::to_string(&time).unwrap();
        assert_eq!(serde_json::from_str::<Time>(&json).unwrap(), time);
    }
    assert!(serde_json::from_str::<Time>("\"yesterday\"").is_err());
}

#[test]
fn an_offset_is_taken_off() {
    let noon = Day::parse("2026-11-22").unwrap().start().plus_seconds(12 * 3_600);
    for (zone, seconds) in
        [("Z", 0), ("z", 0), ("+00:00", 0), ("+01:30", 5_400), ("-02:15", -8_100), ("+23:59", 86_340)]
    {
        let time = Time::parse(&format!("2026-11-22 12:00:00{zone}"));
        assert_eq!(time, Some(noon.plus_seconds(-seconds)), "{zone}");
    }
    for zone in
        ["", "z1", "+24:00", "+00:60", "+1:00", "+01:0", "+001:00", "+01:000", "+0100", "01:00", "+-1:00"]
    {
        assert_eq!(Time::parse(&format!("2026-11-22T12:00:00{zone}")), None, "{zone}");
    }
}

#[test]
fn a_time_with_one_wrong_character_is_none() {
    let right = "2026-11-22T18:23:45.123456+01:30";
    assert!(Time::parse(right).is_some());
    for place in 0..right.len() {
        let mut wrong = right.to_owned();
        wrong.replace_range(place..=place, "x");
        assert_eq!(Time::parse(&wrong), None, "{wrong}");
    }
    for wrong in [
        "2026-11-22T24:00:00Z",
        "2026-11-22T18:60:00Z",
        "2026-11-22T18:23:60Z",
        "2026-11-22T+8:23:45Z",
        "2026-11-22T18:+3:45Z",
        "2026-11-22T18:23:+5Z",
        "2026-11-22T18:23:45.Z",
        "2026-11-22T18:23:45.5",
        "2026-11-22T18:23:45.1234567890Z",
        "2026-11-22T18:23",
    ] {
        assert_eq!(Time::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn moments_end_where_a_year_has_more_than_four_digits() {
    let (first, last) = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z");
    let seconds = |text: &str| Time::parse(text).unwrap().seconds();
    for (at, nanos, text) in [
        (seconds(first), 0, Some(first)),
        (seconds(last), 999_999_999, Some("9999-12-31T23:59:59.999999Z")),
        (seconds(first) - 1, 0, None),
        (seconds(last) + 1, 0, None),
        (0, -1, None),
        (0, 1_000_000_000, None),
        (-1, 999_999_000, Some("1969-12-31T23:59:59.999999Z")),
    ] {
        assert_eq!(Time::from_parts(at, nanos).map(|time| time.to_string()).as_deref(), text, "{at} {nanos}");
    }
    assert_eq!(Time::parse("0001-01-01T00:00:00+00:01"), None);
    assert_eq!(Time::parse("9999-12-31T23:59:59-00:01"), None);
    assert_eq!(Time::from_micros(i64::MAX).plus_seconds(1), Time::from_micros(i64::MAX));
    assert_eq!(Time::from_micros(0).plus_seconds(-2), Time::from_micros(-2_000_000));
}
