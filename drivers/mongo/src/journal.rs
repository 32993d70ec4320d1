//! The log: reading what others appended, and appending the next entry.
//!
//! ```text
//!   1 2 3 4 5 6 7 8 9 |10|          whoever inserts the document with the next number has committed;
//!                       ^           everybody else is told that it is there already
//! ```

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bus::Topic;
use futures_util::future::try_join_all;
use mongodb::bson::doc;
use store::{Row, StoreError};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use crate::{
    database::{LOG, Place},
    document::{EntryDoc, padded},
    entry::Entry,
    error::{NotInserted, REQUEST_TIMEOUT},
    feeds::Feeds,
    tail::{Confirmed, Tail},
};

/// The most bytes of one entry; MongoDB takes 16 MiB in one document.
const MAX_ENTRY_BYTES: usize = 15 * 1024 * 1024;
/// How many entries are read side by side by who has to catch up.
const AHEAD: u64 = 16;
/// Who saw the head of the log so long ago must not take a free number for the next one: see [`KEEP_APPLIED`].
const TRUST: Duration = Duration::from_secs(10);
/// How long entries stay in the log after they were applied. Only then is their number free again.
pub const KEEP_APPLIED: Duration = Duration::from_secs(60);

const _: () = assert!(TRUST.as_secs() * 3 <= KEEP_APPLIED.as_secs(), "who is trusted sees every entry");

/// What became of an entry that was to be appended.
#[derive(Debug)]
pub enum Appended {
    /// It is in the log.
    Yes,
    /// It is not: somebody else's entry is there.
    Taken,
    /// It is not, for this reason.
    No(String),
    /// It may be.
    Perhaps(String),
}

/// What the parts of a store share.
pub struct Journal<R: Row> {
    /// This store among those on the database.
    pub me: Arc<str>,
    /// The database.
    pub place: Place,
    /// The newest facts.
    pub feeds: Feeds,
    tail: Mutex<Tail<R>>,
    /// Held by who appends, so that appends of one process do not race.
    pub appending: tokio::sync::Mutex<()>,
    /// Held by who applies.
    pub applying: tokio::sync::Mutex<()>,
    /// There is a lot to apply.
    pub work: Notify,
    /// Up to where the log is applied.
    pub progress: watch::Sender<u64>,
    closed: AtomicBool,
}

/// A read of the collections; while it lasts, the tail keeps what they may not have.
pub struct Reading<'a, R: Row> {
    journal: &'a Journal<R>,
    base: u64,
    generation: u64,
}

impl<R: Row> Reading<'_, R> {
    /// Whether the tail still says everything that the collections may not have had when this began, and everything
    /// that they had: `newest` is the latest entry that was seen in them.
    pub fn is_covered(&self, tail: &Tail<R>, newest: u64) -> bool {
        self.generation == tail.generation && newest <= tail.seen
    }
}

impl<R: Row> Drop for Reading<'_, R> {
    fn drop(&mut self) {
        let mut tail = self.journal.tail();
        if tail.generation == self.generation {
            tail.end_read(self.base);
        }
    }
}

impl<R: Row> Journal<R> {
    /// Begins with what the log has.
    pub async fn open(place: Place, topics: &[Topic]) -> Result<Self, StoreError> {
        let journal = Self {
            me: Uuid::new_v4().to_string().into(),
            place,
            feeds: Feeds::new(topics),
            tail: Mutex::new(Tail::at(0)),
            appending: tokio::sync::Mutex::default(),
            applying: tokio::sync::Mutex::default(),
            work: Notify::new(),
            progress: watch::Sender::new(0),
            closed: AtomicBool::new(false),
        };
        journal.start_over().await?;
        Ok(journal)
    }

    /// The tail. Not to be held while waiting for anything.
    pub fn tail(&self) -> MutexGuard<'_, Tail<R>> {
        // Nothing panics while the lock is held.
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a read of the collections.
    pub fn begin_read(&self) -> Reading<'_, R> {
        let mut tail = self.tail();
        Reading { journal: self, base: tail.begin_read(), generation: tail.generation }
    }

    /// Refuses everything from now on.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.feeds.release();
    }

    /// An error once the store is closed.
    pub fn is_open(&self) -> Result<(), StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(StoreError::Unavailable("the store is closed".to_owned()));
        }
        Ok(())
    }

    /// Forgets everything, and begins with the newest entry and those before it that are not applied.
    async fn start_over(&self) -> Result<(), StoreError> {
        let newest: Vec<EntryDoc> =
            self.place.first(LOG, doc! {}, doc! { "_id": -1 }, 1, REQUEST_TIMEOUT).await?;
        let newest = newest.into_iter().next();
        let newest = newest.ok_or_else(|| StoreError::Corrupt("the log has no entry".to_owned()))?;
        let newest = Entry::<R>::from_doc(newest)?;
        let numbers: Vec<u64> = (newest.mark..=newest.number).collect();
        let mut entries = Vec::with_capacity(numbers.len());
        for some in numbers.chunks(usize::try_from(AHEAD).unwrap_or(1)) {
            entries.extend(try_join_all(some.iter().map(|number| self.entry(*number))).await?);
        }
        let entries: Option<Vec<_>> = entries.into_iter().collect();
        let entries = entries.ok_or_else(|| StoreError::Corrupt("the log has a gap".to_owned()))?;
        let mut tail = self.tail();
        let generation = tail.generation + 1;
        *tail = Tail::at(newest.mark);
        tail.generation = generation;
        for entry in entries {
            if entry.number == newest.mark {
                tail.begin_at(&entry);
                self.feeds.restart(&entry.heads);
            } else {
                self.feeds.follow(&entry);
                tail.push(Arc::new(entry));
            }
        }
        self.progress.send_replace(tail.applied());
        Ok(())
    }

    async fn entry(&self, number: u64) -> Result<Option<Entry<R>>, StoreError> {
        let found: Option<EntryDoc> = self.place.by_id(LOG, &padded(number)).await?;
        found.map(Entry::from_doc).transpose()
    }

    /// Follows the log up to its newest entry. Whatever was committed before this began is seen after it.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        self.is_open()?;
        loop {
            let (seen, confirmed) = {
                let tail = self.tail();
                (tail.seen, tail.confirmed)
            };
            let now = Confirmed::now();
            let Some(next) = self.entry(seen + 1).await? else {
                if confirmed.ago() > TRUST && self.entry(seen).await?.is_none() {
                    tracing::warn!(
                        service = R::SERVICE,
                        "this process slept for so long that the log went on without it"
                    );
                    self.start_over().await?;
                    continue;
                }
                self.confirm(now);
                return Ok(());
            };
            self.follow(next);
            let ahead = (seen + 2..seen + 2 + AHEAD).map(|number| self.entry(number));
            let found = try_join_all(ahead).await?;
            let count = found.len();
            let whole: Vec<_> = found.into_iter().map_while(|entry| entry).collect();
            let is_all = whole.len() < count;
            whole.into_iter().for_each(|entry| self.follow(entry));
            if is_all {
                self.confirm(now);
                return Ok(());
            }
        }
    }

    fn confirm(&self, at: Confirmed) {
        self.tail().confirmed = at;
    }

    /// Follows an entry, unless it was followed already.
    fn follow(&self, entry: Entry<R>) {
        let mut tail = self.tail();
        if entry.number != tail.seen + 1 {
            return;
        }
        let entry = Arc::new(entry);
        self.feeds.follow(&entry);
        if let Some(heads) = tail.push(entry) {
            self.feeds.set_applied(&heads);
        }
        self.tell_applied(&tail);
    }

    /// Notes that everything up to an entry is in the collections.
    pub fn set_applied(&self, last: &Entry<R>) {
        let mut tail = self.tail();
        tail.set_applied(last.number);
        self.feeds.set_applied(&last.heads);
        self.tell_applied(&tail);
    }

    fn tell_applied(&self, tail: &Tail<R>) {
        let applied = tail.applied();
        self.progress.send_if_modified(|known| std::mem::replace(known, applied) != applied);
    }

    /// Appends the entry after those that are seen.
    pub async fn append(&self, entry: Entry<R>) -> Appended {
        let document = match entry.to_doc() {
            Ok(document) => document,
            Err(error) => return Appended::No(error.to_string()),
        };
        let bytes = document.bytes();
        if bytes > MAX_ENTRY_BYTES {
            let why =
                format!("the commit has about {bytes} bytes, and one document at most {MAX_ENTRY_BYTES}");
            return Appended::No(why);
        }
        let now = Confirmed::now();
        match self.place.insert(LOG, &document).await {
            Ok(()) => {}
            Err(NotInserted::Duplicate) => return Appended::Taken,
            Err(NotInserted::Surely(why)) => return Appended::No(why),
            Err(NotInserted::Perhaps(why)) => return Appended::Perhaps(why),
        }
        let confirmed = self.tail().confirmed;
        if confirmed.ago() > TRUST {
            // The entry before it is there, so the number was not one that is free again.
            match self.entry(entry.number - 1).await {
                Ok(Some(_)) => {}
                Ok(None) => return self.take_back(&document).await,
                Err(error) => return Appended::Perhaps(error.to_string()),
            }
        }
        self.confirm(now);
        self.follow(entry);
        Appended::Yes
    }

    /// Nobody has read it, since everybody else is beyond its number.
    async fn take_back(&self, document: &EntryDoc) -> Appended {
        let deleted = self.place.delete(LOG, doc! { "_id": &document.id, "commit": &document.commit }).await;
        match deleted {
            Ok(_) => Appended::No("this process slept for too long".to_owned()),
            Err(error) => Appended::Perhaps(error.to_string()),
        }
    }
}
