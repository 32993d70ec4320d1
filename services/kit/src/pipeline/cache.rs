//! The rows that a pipeline has at hand, so that what is written again and again is not read again.
//!
//! It holds committed rows only. Where nobody else writes to the store, what is kept here is what is stored;
//! where somebody may, nothing is kept. Should it be wrong all the same, the commit notices by the versions.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hashlink::LruCache;
use store::{Change, Key, Row, Versioned};

/// The most rows of one service. A booking is about a kilobyte.
const MAX_ROWS: usize = 4_096;

/// Counts the commits: a row that was read from the store may be kept only when nothing was committed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Epoch(u64);

/// What is known of a row.
#[derive(Debug, Clone)]
pub(super) enum Known<R> {
    /// Nothing: it has to be read.
    Unknown,
    /// That it is so, or that there is none.
    As(Option<Versioned<R>>),
}

struct Kept<R: Row> {
    /// None where there is no such row, as is known.
    rows: LruCache<Key, Option<Versioned<R>>>,
    epoch: u64,
}

/// Committed rows by key; without effect where others write to the store too.
pub(super) struct RowCache<R: Row>(Option<Mutex<Kept<R>>>);

impl<R: Row> RowCache<R> {
    pub(super) fn new(is_sole_writer: bool) -> Self {
        let kept = || Mutex::new(Kept { rows: LruCache::new(MAX_ROWS), epoch: 0 });
        Self(is_sole_writer.then(kept))
    }

    /// What is known of the rows, in the order of the keys.
    pub(super) fn look(&self, keys: &[Key]) -> (Vec<Known<R>>, Epoch) {
        let Some(mut kept) = self.kept() else { return (vec![Known::Unknown; keys.len()], Epoch(0)) };
        let known = |key| kept.rows.get(key).map_or(Known::Unknown, |row| Known::As(row.clone()));
        (keys.iter().map(known).collect(), Epoch(kept.epoch))
    }

    /// Keeps rows that were read from the store since [`RowCache::look`].
    pub(super) fn fill<'a>(
        &self,
        epoch: Epoch,
        rows: impl Iterator<Item = (&'a Key, &'a Option<Versioned<R>>)>,
    ) {
        let Some(mut kept) = self.kept().filter(|kept| kept.epoch == epoch.0) else { return };
        for (key, row) in rows {
            kept.rows.insert(key.clone(), row.clone());
        }
    }

    /// Forgets the rows of a commit that is about to be made. From then on until [`RowCache::follow`] they are read
    /// from the store: whoever hears of the commit, perhaps before this process does, finds it there.
    pub(super) fn begin(&self, changes: &[Change<R>]) {
        let Some(mut kept) = self.kept() else { return };
        kept.epoch += 1;
        for change in changes {
            kept.rows.remove(&change.key);
        }
    }

    /// Follows a commit that is surely done. Of new rows only those of some tables are kept: the others would
    /// only push out what is needed again.
    pub(super) fn follow(&self, changes: &[Change<R>], kept_when_new: &[&str]) {
        let Some(mut kept) = self.kept() else { return };
        kept.epoch += 1;
        for change in changes {
            let is_new = change.expected == 0 && change.before.is_none();
            if is_new && !kept_when_new.contains(&change.key.table) {
                // It may be known to be absent, which it no longer is.
                kept.rows.remove(&change.key);
                continue;
            }
            let row = change.row.clone().map(|row| Versioned { row, version: change.expected + 1 });
            kept.rows.insert(change.key.clone(), row);
        }
    }

    /// Forgets everything, when what is stored may be something else.
    pub(super) fn doubt(&self) {
        let Some(mut kept) = self.kept() else { return };
        kept.epoch += 1;
        kept.rows.clear();
    }

    fn kept(&self) -> Option<MutexGuard<'_, Kept<R>>> {
        // Nothing panics while the lock is held.
        self.0.as_ref().map(|kept| kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use store::conformance::{Note, SuiteRow};

    use super::*;

    fn note(text: &str) -> SuiteRow {
        Note { id: "n".to_owned(), text: text.to_owned() }.into()
    }

    fn is_known(cache: &RowCache<SuiteRow>, text: &str) -> bool {
        let (known, _) = cache.look(&[note("").key()]);
        matches!(&known[0], Known::As(Some(versioned)) if *versioned.row == note(text))
    }

    #[test]
    fn a_row_that_is_being_written_is_not_known() {
        let cache = RowCache::<SuiteRow>::new(true);
        let (_, epoch) = cache.look(&[note("").key()]);
        cache.fill(epoch, [(&note("").key(), &Some(Versioned::new(note("old"), 1)))].into_iter());
        assert!(is_known(&cache, "old"));

        let change = Change::new(note("").key(), 1, Some(note("new")));
        cache.begin(std::slice::from_ref(&change));
        let (known, meanwhile) = cache.look(&[note("").key()]);
        assert!(matches!(known[0], Known::Unknown), "others may have heard of it already");
        cache.follow(&[change], &[]);
        cache.fill(meanwhile, [(&note("").key(), &Some(Versioned::new(note("old"), 1)))].into_iter());
        assert!(is_known(&cache, "new"), "what was read before does not come back");
    }
}
