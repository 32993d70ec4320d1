//! Pages of the event list that were asked for lately: most visitors ask for the same few.
//!
//! What is kept is what the store answered, and it is forgotten as soon as any event is written; seats and ratings
//! are looked up afresh for each answer. Where others write to the store too, nothing is kept.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use domain::Time;
use hashlink::LruCache;
use kit::ServiceError;
use store::{Query, Store, Versioned};

use crate::rows::EventRow;

/// The most pages.
const MAX_PAGES: usize = 256;
/// How long a page is kept: events that have ended meanwhile fall out of it.
const KEEP_SECONDS: i64 = 1;

/// One page, with one event more if there is a next one.
pub(crate) type Page = Arc<Vec<Versioned<EventRow>>>;

struct Kept {
    page: Page,
    until: Time,
    generation: u64,
}

/// The pages by what was asked for.
pub(crate) struct RecentPages {
    pages: Mutex<LruCache<String, Kept>>,
    /// Counts the writes of events.
    generation: AtomicU64,
}

impl Default for RecentPages {
    fn default() -> Self {
        Self { pages: Mutex::new(LruCache::new(MAX_PAGES)), generation: AtomicU64::new(0) }
    }
}

impl RecentPages {
    /// An event was written: no page is known any more.
    pub(crate) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// The page of a query; `asked` names all that it depends on but the time.
    pub(crate) async fn page(
        &self,
        store: &dyn Store<EventRow>,
        query: &Query,
        asked: String,
        now: Time,
    ) -> Result<Page, ServiceError> {
        let generation = self.generation.load(Ordering::SeqCst);
        if let Some(kept) = self.pages().get(&asked)
            && kept.generation == generation
            && now < kept.until
        {
            return Ok(Arc::clone(&kept.page));
        }
        let page = Arc::new(store.query(query).await?);
        if store.is_sole_writer() {
            let until = now.plus_seconds(KEEP_SECONDS);
            // With the generation of before: a write meanwhile makes it worthless.
            self.pages().insert(asked, Kept { page: Arc::clone(&page), until, generation });
        }
        Ok(page)
    }

    fn pages(&self) -> MutexGuard<'_, LruCache<String, Kept>> {
        // Nothing panics while the lock is held.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
