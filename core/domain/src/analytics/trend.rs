//! Figures over time, in days, weeks and months.

use std::collections::{BTreeMap, VecDeque};

use crate::{analytics::DayStat, time::Day};

/// How long one point of a trend is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// A day.
    Daily,
    /// A week from Monday on.
    Weekly,
    /// A month of the calendar.
    Monthly,
}

impl Period {
    /// The first day of the period that a day is in.
    #[must_use]
    pub fn start(self, day: Day) -> Day {
        match self {
            Self::Daily => day,
            Self::Weekly => day.monday(),
            Self::Monthly => day.first_of_month(),
        }
    }

    /// The first day of the period after the one that begins on `start`.
    #[must_use]
    pub fn next(self, start: Day) -> Day {
        match self {
            Self::Daily => start.plus(1),
            Self::Weekly => start.plus(7),
            // No month has more than 31 days and none fewer than 28, so this is always in the next one.
            Self::Monthly => start.plus(31).first_of_month(),
        }
    }
}

/// The figures of one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Point {
    /// Tickets sold.
    pub booked: u64,
    /// Sold tickets given back.
    pub cancelled: u64,
    /// Visits.
    pub visits: u64,
}

/// The days as points of a trend: in order, without gaps, and of too many only the latest.
#[must_use]
pub fn trend<'a>(
    days: impl Iterator<Item = &'a DayStat>,
    period: Period,
    most_points: usize,
) -> Vec<(Day, Point)> {
    let mut points: BTreeMap<Day, Point> = BTreeMap::new();
    for day in days {
        let point = points.entry(period.start(day.day)).or_default();
        point.booked += day.booked;
        point.cancelled += day.cancelled;
        point.visits += day.visits;
    }
    let (Some(first), Some(last)) = (points.keys().next().copied(), points.keys().next_back().copied())
    else {
        return Vec::new();
    };
    let mut all = VecDeque::new();
    let mut start = first;
    while start <= last {
        if all.len() == most_points {
            all.pop_front();
        }
        all.push_back((start, points.get(&start).copied().unwrap_or_default()));
        start = period.next(start);
    }
    all.into()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::ids::EventId;

    const EVENT: EventId = EventId(Uuid::from_u128(1));

    fn day(text: &str) -> Day {
        Day::parse(text).unwrap()
    }

    fn visits(text: &str, visits: u64) -> DayStat {
        DayStat { visits, ..DayStat::empty(EVENT, day(text)) }
    }

    fn starts(points: &[(Day, Point)]) -> Vec<String> {
        points.iter().map(|(start, _)| start.to_string()).collect()
    }

    #[test]
    fn a_trend_has_no_gaps_and_a_bounded_length() {
        let days = [visits("2026-11-01", 1), visits("2026-11-22", 2), visits("2026-12-01", 4)];
        let weekly = trend(days.iter(), Period::Weekly, 100);
        let mondays = ["2026-10-26", "2026-11-02", "2026-11-09", "2026-11-16", "2026-11-23", "2026-11-30"];
        assert_eq!(starts(&weekly), mondays);
        assert_eq!(weekly.iter().map(|(_, point)| point.visits).collect::<Vec<_>>(), [1, 0, 0, 2, 0, 4]);
        let monthly = trend(days.iter(), Period::Monthly, 100);
        assert_eq!(starts(&monthly), ["2026-11-01", "2026-12-01"]);
        assert_eq!(monthly[0].1.visits, 3);
        assert_eq!(starts(&trend(days.iter(), Period::Daily, 2)), ["2026-11-30", "2026-12-01"]);
        assert!(trend([].iter(), Period::Daily, 2).is_empty());
    }

    #[test]
    fn months_follow_each_other() {
        let mut start = day("2023-12-01");
        for expected in ["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"] {
            start = Period::Monthly.next(start);
            assert_eq!(start.to_string(), expected);
        }
    }
}
