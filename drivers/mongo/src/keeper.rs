//! What a store does beside answering: it looks for what others appended, applies the log or sees to it that somebody
//! does, and deletes old entries.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use store::{Row, StoreError};
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    commit::APPLY_AT,
    journal::{Journal, KEEP_APPLIED},
};

/// How often a store looks for what others appended: whoever waits for a fact of another process is woken after so
/// long at the latest.
pub const POLL_EVERY: Duration = Duration::from_millis(100);
/// How long entries wait to be applied together.
const APPLY_AFTER: Duration = Duration::from_millis(500);
/// How long the others wait to be told, where no commit tells them; and how often they get a sign of life.
const MARK_AFTER: Duration = Duration::from_secs(1);
/// Whoever applies and does not get on for so long is taken to have died.
pub const TAKE_OVER_AFTER: Duration = Duration::from_secs(5);
/// How often old entries are deleted.
const DELETE_EVERY: Duration = Duration::from_secs(15);
/// How often a failure is told.
const TELL_EVERY: Duration = Duration::from_secs(30);
/// How long a store that is closed still tries to apply the log.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(20);

const _: () = assert!(
    TAKE_OVER_AFTER.as_millis()
        > 2 * (APPLY_AFTER.as_millis() + MARK_AFTER.as_millis() + POLL_EVERY.as_millis()),
    "nobody who gets on is taken to have died"
);

/// What it remembers between two looks.
struct Keeper<R: Row> {
    journal: Arc<Journal<R>>,
    /// Since when there is something to apply.
    work_since: Option<Instant>,
    /// Since when something is applied that the log does not say.
    untold_since: Option<Instant>,
    /// What the log said of the progress, and since when.
    progress: (u64, u64, Arc<str>, Instant),
    /// When the log was seen to say that it is applied up to an entry.
    marks: VecDeque<(Instant, u64)>,
    /// Everybody has seen that it is applied up to here.
    old: u64,
    deleted_at: Instant,
    told_at: Option<Instant>,
}

/// Runs until it is stopped.
pub async fn run<R: Row>(journal: Arc<Journal<R>>) {
    let now = Instant::now();
    let mut keeper = Keeper {
        journal,
        work_since: None,
        untold_since: None,
        progress: (0, 0, "".into(), now),
        marks: VecDeque::new(),
        old: 0,
        deleted_at: now,
        told_at: None,
    };
    let mut ticks = interval(POLL_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = keeper.journal.work.notified() => {}
        }
        if let Err(error) = keeper.look().await {
            keeper.tell(&error);
        }
    }
}

/// Applies what is left and gives up applying, so that the next store need not wait.
pub async fn finish<R: Row>(journal: &Journal<R>) {
    let finish = async {
        if journal.apply().await? {
            journal.mark(&"".into(), &journal.me).await?;
        }
        Ok::<(), StoreError>(())
    };
    match tokio::time::timeout(CLOSE_TIMEOUT, finish).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(service = R::SERVICE, %error, "what is left in the log is applied later")
        }
        Err(_) => tracing::warn!(service = R::SERVICE, "what is left in the log is applied later"),
    }
}

impl<R: Row> Keeper<R> {
    async fn look(&mut self) -> Result<(), StoreError> {
        self.journal.catch_up().await?;
        let now = Instant::now();
        let (by, mark, sign, has_work, count, untold) = {
            let tail = self.journal.tail();
            let untold = tail.last_effect > tail.mark && !tail.has_work();
            let (has_work, count) = (tail.has_work(), tail.pending_count());
            (Arc::clone(&tail.by), tail.mark, tail.last_sign, has_work, count, untold)
        };
        if (mark, sign, &by) != (self.progress.0, self.progress.1, &self.progress.2) {
            self.progress = (mark, sign, Arc::clone(&by), now);
        }
        since(&mut self.work_since, has_work, now);
        since(&mut self.untold_since, untold, now);
        if by == self.journal.me {
            self.apply(count, now).await?;
        } else if has_work && (by.is_empty() || is_past(self.work_since, TAKE_OVER_AFTER)) {
            self.take_over(&by).await?;
        }
        self.delete_old(mark, now).await
    }

    async fn apply(&mut self, count: u64, now: Instant) -> Result<(), StoreError> {
        if count >= APPLY_AT || is_past(self.work_since, APPLY_AFTER) {
            tokio::select! {
                applied = self.journal.apply() => applied.map(drop)?,
                failed = self.show_life() => return failed,
            }
            self.work_since = None;
            self.untold_since.get_or_insert(now);
        } else if is_past(self.untold_since, MARK_AFTER) {
            self.journal.mark(&self.journal.me, &self.journal.me).await?;
            self.untold_since = None;
        }
        Ok(())
    }

    /// Lets the others know that this store has not died, for as long as it takes to apply the log.
    async fn show_life(&self) -> Result<(), StoreError> {
        let mut beats = interval(MARK_AFTER);
        beats.tick().await;
        loop {
            beats.tick().await;
            self.journal.mark(&self.journal.me, &self.journal.me).await?;
        }
    }

    /// Only when there was no progress and no sign of life for so long.
    async fn take_over(&mut self, from: &Arc<str>) -> Result<(), StoreError> {
        if !from.is_empty() && self.progress.3.elapsed() < TAKE_OVER_AFTER {
            return Ok(());
        }
        if self.journal.mark(&self.journal.me, from).await? && !from.is_empty() {
            tracing::info!(
                service = R::SERVICE,
                "another process has ended; this one applies the log from now on"
            );
        }
        self.journal.apply().await.map(drop)
    }

    async fn delete_old(&mut self, mark: u64, now: Instant) -> Result<(), StoreError> {
        if self.marks.back().is_none_or(|(_, last)| *last < mark) {
            self.marks.push_back((now, mark));
        }
        while let Some((_, mark)) = self.marks.pop_front_if(|(seen, _)| seen.elapsed() >= KEEP_APPLIED) {
            self.old = mark;
        }
        if self.journal.tail().by != self.journal.me || self.deleted_at.elapsed() < DELETE_EVERY {
            return Ok(());
        }
        self.deleted_at = now;
        self.journal.delete_before(self.old).await.map(drop)
    }

    fn tell(&mut self, error: &StoreError) {
        if self.told_at.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            self.told_at = Some(Instant::now());
            tracing::warn!(service = R::SERVICE, %error, "the log of commits cannot be followed");
        }
    }
}

fn since(begin: &mut Option<Instant>, holds: bool, now: Instant) {
    if holds {
        begin.get_or_insert(now);
    } else {
        *begin = None;
    }
}

fn is_past(begin: Option<Instant>, limit: Duration) -> bool {
    begin.is_some_and(|begin| begin.elapsed() >= limit)
}
