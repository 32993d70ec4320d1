//! Finding events: which conditions a list request means.

use domain::{
    Day, Refusal, Time, UserId,
    facts::EventStatus,
    refusal::Check,
    text::{self, MAX_SEARCH_WORDS},
};
use kit::Caller;
use proto::v1;
use store::{Condition, Direction, Query, Value};

use crate::rows::status_name;

/// A list request, understood.
pub(crate) struct Listing {
    pub(crate) query: Query,
    /// The column that orders it.
    pub(crate) order: &'static str,
    /// Names the list with its filters, for its page tokens.
    pub(crate) name: String,
    /// Whether drafts and what is over are in it too.
    pub(crate) scope: (bool, bool),
}

pub(crate) fn listing(
    request: &v1::ListEventsRequest,
    caller: &Caller,
    now: Time,
) -> Result<Listing, Refusal> {
    let mut check = Check::default();
    let (order, direction) = match request.sort.as_str() {
        "" | "soonest" => ("starts_at", Direction::Ascending),
        "latest" => ("starts_at", Direction::Descending),
        "newest" => ("created_at", Direction::Descending),
        _ => {
            check.fail("sort", "must be soonest, latest or newest");
            ("starts_at", Direction::Ascending)
        }
    };
    let mut query = Query::all("event").order(order, direction);
    let owner = owner(&mut check, request, caller)?;
    if let Some(owner) = owner {
        query = query.filter(Condition::Is("organizer_id", Value::Text(owner.to_string())));
    }
    let sees_all = caller.is_admin() || owner.is_some_and(|owner| caller.is(owner));
    query = filter_status(query, request, sees_all);
    let is_own = owner.is_some_and(|owner| caller.is(owner));
    query = filter_times(&mut check, query, request, is_own, now);
    query = filter_texts(&mut check, query, request);
    check.finish()?;
    let name = format!(
        "events {:?}",
        (&request.q, &request.category, &request.city, &request.country, &request.from, &request.to)
    ) + &format!("{:?}", (owner, request.status, &request.sort));
    Ok(Listing { query, order, name, scope: (sees_all, is_own) })
}

fn owner(
    check: &mut Check,
    request: &v1::ListEventsRequest,
    caller: &Caller,
) -> Result<Option<UserId>, Refusal> {
    match request.organizer_id.as_str() {
        "" => Ok(None),
        "me" => caller.user().map(Some),
        id => {
            let id = id.parse().ok();
            check.require(id.is_some(), "organizer_id", "must be the id of a user, or me");
            Ok(id)
        }
    }
}

/// Who does not see all sees what is published, whatever status they ask for.
fn filter_status(query: Query, request: &v1::ListEventsRequest, sees_all: bool) -> Query {
    let asked = match v1::event::Status::try_from(request.status) {
        Ok(v1::event::Status::Draft) => Some(EventStatus::Draft),
        Ok(v1::event::Status::Published) => Some(EventStatus::Published),
        Ok(v1::event::Status::Cancelled) => Some(EventStatus::Cancelled),
        _ => None,
    };
    let is = |query: Query, status| query.filter(Condition::Is("status", status_name(status).into()));
    let query = if sees_all { query } else { is(query, EventStatus::Published) };
    match asked {
        Some(status) => is(query, status),
        None => query,
    }
}

fn filter_times(
    check: &mut Check,
    mut query: Query,
    request: &v1::ListEventsRequest,
    is_own: bool,
    now: Time,
) -> Query {
    let read = |check: &mut Check, field: &str, text: &str| {
        let time = Time::parse(text).or_else(|| Day::parse(text).map(Day::start));
        check.require(time.is_some(), field, "must be a time such as 2026-11-22T19:00:00Z, or a date");
        time
    };
    let from = match request.from.as_str() {
        // One's own events are listed with those that are over; everybody else sees what is to come.
        "" if is_own => None,
        "" => Some(now),
        text => read(check, "from", text),
    };
    if let Some(from) = from {
        query = query.filter(Condition::AtLeast("ends_at", Value::Int(from.micros())));
    }
    if !request.to.is_empty()
        && let Some(to) = read(check, "to", &request.to)
    {
        query = query.filter(Condition::Below("starts_at", Value::Int(to.micros())));
    }
    query
}

fn filter_texts(check: &mut Check, mut query: Query, request: &v1::ListEventsRequest) -> Query {
    let texts = [
        ("category", "categories", &request.category),
        ("city", "city", &request.city),
        ("country", "country", &request.country),
    ];
    for (field, column, text) in texts {
        text::allow_line(check, field, text, domain::event::details::MAX_NAME);
        if !text.is_empty() {
            query = query.filter(Condition::Is(column, Value::Text(text::fold(text))));
        }
    }
    text::allow_line(check, "q", &request.q, domain::event::details::MAX_TITLE);
    let words = text::search_words(&request.q);
    check.require(words.len() <= MAX_SEARCH_WORDS, "q", "must have at most 8 words");
    if !words.is_empty() {
        query = query.filter(Condition::Matches("words", words));
    } else if !request.q.trim().is_empty() {
        check.fail("q", "must have a letter or a digit");
    }
    query
}
