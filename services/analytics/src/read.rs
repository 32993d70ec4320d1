//! Reading figures: the event that the caller may see, and its rows page by page.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    EventId, Refusal, UserId,
    analytics::{DayStat, EventStat, Group, UserStat},
};
use kit::{Caller, ServiceError};
use store::{Condition, Cursor, Direction, Key, MAX_PAGE, Query, Row, Store, StoreError, Value};

use crate::{
    convert::RatingSum,
    rows::{AnalyticsRow, event_key, user_key},
};

/// The most pages that one figure is computed of: a million bookings of one event.
const MAX_PAGES: usize = 1_000;

/// Reads of the service's store.
pub(crate) struct Reader {
    store: Arc<dyn Store<AnalyticsRow>>,
}

impl Reader {
    pub(crate) fn new(store: Arc<dyn Store<AnalyticsRow>>) -> Self {
        Self { store }
    }

    /// The figures of an event, for its organiser and for ADMIN.
    pub(crate) async fn event(&self, caller: &Caller, event_id: EventId) -> Result<EventStat, ServiceError> {
        let loaded = self.store.load(&[event_key(event_id)], &[]).await.map_err(unavailable)?;
        let row = loaded.rows.into_iter().flatten().next();
        let event = row.as_ref().and_then(|versioned| versioned.row.as_event());
        // Facts may tell of an event before the event itself is told; until then it is unknown.
        let Some((event, organizer_id)) = event.and_then(|event| Some((event, event.organizer_id?))) else {
            return Err(Refusal::not_found("event").into());
        };
        if !caller.is(organizer_id) && !caller.is_admin() {
            return Err(Refusal::forbidden("only the organiser of the event sees its figures").into());
        }
        Ok(event.clone())
    }

    /// The tickets that are kept, by group of people.
    pub(crate) async fn tickets_by_group(
        &self,
        event: &EventStat,
    ) -> Result<BTreeMap<Group, u64>, ServiceError> {
        let mut groups = BTreeMap::new();
        let mut pages = self.pages("booking_stat", event.event_id);
        while let Some(rows) = pages.next().await? {
            let kept: Vec<(UserId, u32)> = rows
                .iter()
                .filter_map(AnalyticsRow::as_booking)
                .map(|booking| (booking.user_id, booking.kept.unwrap_or(0)))
                .filter(|(_, tickets)| *tickets > 0)
                .collect();
            let users = self.users(kept.iter().map(|(user_id, _)| *user_id)).await?;
            for (user_id, tickets) in kept {
                let group = Group::of(users.get(&user_id), event.starts_at);
                *groups.entry(group).or_default() += u64::from(tickets);
            }
        }
        Ok(groups)
    }

    /// The ratings, by group of people.
    pub(crate) async fn ratings_by_group(
        &self,
        event: &EventStat,
    ) -> Result<BTreeMap<Group, RatingSum>, ServiceError> {
        let mut groups: BTreeMap<Group, RatingSum> = BTreeMap::new();
        let mut pages = self.pages("rating_stat", event.event_id);
        while let Some(rows) = pages.next().await? {
            let ratings: Vec<_> = rows.iter().filter_map(AnalyticsRow::as_rating).collect();
            let users = self.users(ratings.iter().map(|rating| rating.user_id)).await?;
            for rating in ratings {
                let group = Group::of(users.get(&rating.user_id), event.starts_at);
                let ratings = groups.entry(group).or_default();
                ratings.sum += u64::from(rating.rating);
                ratings.count += 1;
            }
        }
        Ok(groups)
    }

    /// Every day of an event on which something happened.
    pub(crate) async fn days(&self, event_id: EventId) -> Result<Vec<DayStat>, ServiceError> {
        let mut days = Vec::new();
        let mut pages = self.pages("day_stat", event_id);
        while let Some(rows) = pages.next().await? {
            days.extend(rows.iter().filter_map(AnalyticsRow::as_day).cloned());
        }
        Ok(days)
    }

    /// The events with the most tickets sold: one organiser's, or everybody's for ADMIN.
    pub(crate) async fn top_events(
        &self,
        caller: &Caller,
        limit: usize,
    ) -> Result<Vec<EventStat>, ServiceError> {
        let organizer_id = caller.user()?;
        let mut query = Query::all("event_stat").order("booked", Direction::Descending).limit(limit);
        if !caller.is_admin() {
            query = query.filter(Condition::Is("organizer_id", Value::Text(organizer_id.to_string())));
        }
        let found = self.store.query(&query).await.map_err(unavailable)?;
        Ok(found.iter().filter_map(|versioned| versioned.row.as_event()).cloned().collect())
    }

    /// What is known of users; those of whom nothing is known are missing.
    pub(crate) async fn users(
        &self,
        user_ids: impl Iterator<Item = UserId>,
    ) -> Result<BTreeMap<UserId, UserStat>, ServiceError> {
        let mut keys: Vec<Key> = user_ids.map(user_key).collect();
        keys.sort();
        keys.dedup();
        let loaded = self.store.load(&keys, &[]).await.map_err(unavailable)?;
        let users = loaded.rows.iter().flatten().filter_map(|versioned| versioned.row.as_user());
        Ok(users.map(|user| (user.user_id, user.clone())).collect())
    }

    /// The rows of a table that are of an event, page by page.
    fn pages(&self, table: &'static str, event_id: EventId) -> Pages<'_> {
        let condition = Condition::Is("event_id", Value::Text(event_id.to_string()));
        Pages { store: self.store.as_ref(), next: Some(Query::all(table).filter(condition)), read: 0 }
    }
}

/// A walk through the pages of a query, ordered by id.
struct Pages<'a> {
    store: &'a dyn Store<AnalyticsRow>,
    next: Option<Query>,
    read: usize,
}

impl Pages<'_> {
    async fn next(&mut self) -> Result<Option<Vec<AnalyticsRow>>, ServiceError> {
        let Some(query) = self.next.take() else { return Ok(None) };
        let found = self.store.query(&query).await.map_err(unavailable)?;
        self.read += 1;
        if let Some(last) = found.last().filter(|_| found.len() == MAX_PAGE) {
            if self.read == MAX_PAGES {
                tracing::warn!(table = query.table, pages = MAX_PAGES, "a figure leaves out what is beyond");
            } else {
                let cursor = Cursor { value: Value::Null, id: last.row.key().id.to_string() };
                self.next = Some(query.after(Some(cursor)));
            }
        }
        Ok(Some(found.into_iter().map(store::Versioned::into_row).collect()))
    }
}

fn unavailable(error: StoreError) -> ServiceError {
    tracing::warn!(%error, "store unavailable");
    ServiceError::unavailable("unavailable", "the service cannot reach its store now; nothing was changed")
}
