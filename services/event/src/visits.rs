//! Visits are counted in memory and committed together, so that reading an event costs no write.
//! A crash forgets those of the last moment; nothing was promised about them.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use domain::{Day, EventId};
use kit::Handle;
use tokio_util::sync::CancellationToken;

use crate::machine::{EventCommand, EventMachine};

/// How long a visit may wait to be committed.
const FLUSH_EVERY: Duration = Duration::from_millis(250);
/// The most events with visits that wait; beyond that, further events are not counted.
const MAX_WAITING: usize = 10_000;

/// Visits that are not committed yet.
#[derive(Default)]
pub(crate) struct VisitCounter {
    waiting: Mutex<BTreeMap<(EventId, Day), u64>>,
}

impl VisitCounter {
    /// Counts one visit.
    pub(crate) fn count(&self, event_id: EventId, date: Day) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MAX_WAITING || waiting.contains_key(&(event_id, date)) {
            *waiting.entry((event_id, date)).or_default() += 1;
        }
    }

    /// Commits what waits, again and again, until told to stop.
    pub(crate) async fn run(&self, handle: Handle<EventMachine>, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(FLUSH_EVERY) => {}
                () = shutdown.cancelled() => return,
            }
            let taken = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
            let commands = taken.iter().map(|((event_id, date), count)| {
                handle.command(EventCommand::Visited(*event_id, *date, *count))
            });
            let outcomes = futures_util::future::join_all(commands).await;
            if outcomes.iter().any(Result::is_err) {
                tracing::warn!("some visits were not counted");
            }
        }
    }
}
