//! Between the protos and the domain.

use std::collections::BTreeMap;

use domain::{
    Day, EventId, Refusal,
    analytics::{EventStat, Group, Period, Point},
};
use proto::v1;

/// The size of the list of top events when the client names none.
const DEFAULT_TOP: usize = 10;
/// The longest list of top events.
const MAX_TOP: usize = 100;

/// The ratings of a group of people.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RatingSum {
    pub(crate) sum: u64,
    pub(crate) count: u64,
}

/// The id in a request's path.
pub(crate) fn event_id(text: &str) -> Result<EventId, Refusal> {
    // What is not an id names no event.
    text.parse().map_err(|_| Refusal::not_found("event"))
}

/// The period asked for; a day when the client names none.
pub(crate) fn period(number: i32) -> Result<Period, Refusal> {
    use v1::get_trends_request::Period as Asked;
    match Asked::try_from(number) {
        Ok(Asked::Unspecified | Asked::Daily) => Ok(Period::Daily),
        Ok(Asked::Weekly) => Ok(Period::Weekly),
        Ok(Asked::Monthly) => Ok(Period::Monthly),
        Err(_) => Err(Refusal::field("period", "must be DAILY, WEEKLY or MONTHLY")),
    }
}

/// The number of top events asked for.
pub(crate) fn limit(asked: i32) -> Result<usize, Refusal> {
    match usize::try_from(asked) {
        Ok(0) => Ok(DEFAULT_TOP),
        Ok(limit) if limit <= MAX_TOP => Ok(limit),
        _ => Err(Refusal::field("limit", format!("must be from 1 to {MAX_TOP}"))),
    }
}

pub(crate) fn popularity(event: &EventStat) -> v1::Popularity {
    let money = |(currency, minor): (&domain::Currency, &i64)| v1::Money {
        currency: currency.as_str().to_owned(),
        minor: *minor,
    };
    v1::Popularity {
        event_id: event.event_id.to_string(),
        booked: int64(event.booked),
        cancelled: int64(event.cancelled),
        visits: int64(event.visits),
        conversion: event.conversion(),
        average_rating: event.average_rating(),
        rating_count: int64(event.rating_count),
        revenue: event.revenue.iter().map(money).collect(),
    }
}

pub(crate) fn demographics(event: &EventStat, groups: BTreeMap<Group, u64>) -> v1::Demographics {
    let group = |(group, tickets): (Group, u64)| v1::demographics::Group {
        gender: group.gender().to_owned(),
        age_band: group.age_band().to_owned(),
        tickets: int64(tickets),
    };
    v1::Demographics { event_id: event.event_id.to_string(), groups: groups.into_iter().map(group).collect() }
}

pub(crate) fn ratings(event: &EventStat, groups: BTreeMap<Group, RatingSum>) -> v1::Ratings {
    let group = |(group, ratings): (Group, RatingSum)| v1::ratings::Group {
        gender: group.gender().to_owned(),
        age_band: group.age_band().to_owned(),
        // A group exists by its first rating, so its count is never 0.
        average_rating: ratings.sum as f64 / ratings.count as f64,
        count: int64(ratings.count),
    };
    v1::Ratings {
        event_id: event.event_id.to_string(),
        average_rating: event.average_rating(),
        count: int64(event.rating_count),
        groups: groups.into_iter().map(group).collect(),
    }
}

pub(crate) fn trends(event: &EventStat, points: Vec<(Day, Point)>) -> v1::Trends {
    let point = |(start, point): (Day, Point)| v1::trends::Point {
        start: start.to_string(),
        booked: int64(point.booked),
        cancelled: int64(point.cancelled),
        visits: int64(point.visits),
    };
    v1::Trends { event_id: event.event_id.to_string(), points: points.into_iter().map(point).collect() }
}

pub(crate) fn top_event(event: &EventStat) -> v1::TopEvent {
    v1::TopEvent {
        event_id: event.event_id.to_string(),
        title: event.title.clone(),
        booked: int64(event.booked),
        cancelled: int64(event.cancelled),
        visits: int64(event.visits),
        average_rating: event.average_rating(),
    }
}

fn int64(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
