//! Which categories and cities there are to choose from.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use kit::ServiceError;
use proto::v1::{Event, ListEventsRequest};

use crate::visit::Visit;

/// How long a list is used before it is made anew, in seconds: a new category may be missing for so long.
const KEEP_SECONDS: i64 = 30;
/// How many events a list is made of, soonest first.
const EVENTS: i32 = 100;
/// The most values of one kind.
const MAX_VALUES: usize = 40;

/// The values of what is on, by name, each with the number of its events.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facets {
    /// Of categories.
    pub categories: Vec<(String, usize)>,
    /// Of cities.
    pub cities: Vec<(String, usize)>,
}

impl Facets {
    /// Of some events.
    pub fn of(events: &[Event]) -> Self {
        let (mut categories, mut cities) = (BTreeMap::new(), BTreeMap::new());
        for event in events {
            for category in &event.categories {
                *categories.entry(category.clone()).or_insert(0) += 1;
            }
            if let Some(venue) = event.venue.as_ref().filter(|venue| !venue.city.is_empty()) {
                *cities.entry(venue.city.clone()).or_insert(0) += 1;
            }
        }
        Self { categories: most_frequent(categories), cities: most_frequent(cities) }
    }
}

/// The most frequent values, by name.
fn most_frequent(counted: BTreeMap<String, usize>) -> Vec<(String, usize)> {
    let mut values: Vec<(String, usize)> = counted.into_iter().collect();
    values.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    values.truncate(MAX_VALUES);
    values.sort();
    values
}

/// The list that was made last.
#[derive(Default)]
pub(crate) struct FacetCache(Mutex<Option<(i64, Arc<Facets>)>>);

impl FacetCache {
    /// The list, made anew where it is old.
    ///
    /// # Errors
    /// When the events cannot be listed.
    pub async fn get(&self, visit: &Visit) -> Result<Arc<Facets>, ServiceError> {
        let now = visit.view().now.as_second();
        // Nothing panics while the lock is held.
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((made_at, facets)) = kept
            && now - made_at < KEEP_SECONDS
        {
            return Ok(facets);
        }
        let message = ListEventsRequest { page_size: EVENTS, ..ListEventsRequest::default() };
        let listed = visit.ask(visit.services().event().list_events(visit.request(message))).await?;
        let facets = Arc::new(Facets::of(&listed.events));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(&facets)));
        Ok(facets)
    }
}
