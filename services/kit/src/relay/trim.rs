//! Outboxes are kept short: a fact goes once it is published and old enough.

use std::time::Duration;

use bus::{Log, Position, Topic};
use domain::planted::{Defect, planted};
use store::{Row, Store, StoreError};
use tokio_util::sync::CancellationToken;

use super::{Outbox, published};
use crate::{
    clock::Environment,
    handle::Runtime,
    lease::{Lease, TERM},
};

/// How often it is looked whether facts may go.
const TRIM_EVERY: Duration = Duration::from_secs(30);

/// Removes the facts of a relayed outbox that are published and older than a time; how many. Consumers read them
/// elsewhere, so that they have processed them does not matter here.
///
/// # Errors
/// When the store cannot be reached. What went until then is gone, and it may be tried again.
pub async fn trim<R: Row>(
    store: &dyn Store<R>,
    outbox: &dyn Log,
    topics: &[Topic],
    before_us: i64,
) -> Result<u64, StoreError> {
    let mut removed = 0;
    for topic in topics {
        for partition in outbox.partitions(*topic) {
            let up_to = match planted(Defect::TrimmedBeforePublished) {
                true => Position(u64::MAX),
                false => published(store, &partition).await?,
            };
            removed += store.trim(*topic, up_to, before_us).await?;
        }
    }
    Ok(removed)
}

/// Trims now and then, until told to end.
pub(super) async fn trim_from_time_to_time<R: Row>(
    outbox: &Outbox<R>,
    environment: &Environment,
    end: &CancellationToken,
) {
    while pause_before_trim(end).await {
        let before_us = outbox.keep_from(environment);
        let trimmed = trim(outbox.store.as_ref(), outbox.log.as_ref(), outbox.publishes, before_us).await;
        tell_trimmed::<R>(trimmed);
    }
}

/// Keeps an outbox short that something else publishes, from now on: change data capture reads the database's own log, so
/// a fact is not needed in the outbox once it is old enough.
pub fn keep_short<R: Row>(runtime: &Runtime, outbox: Outbox<R>, environment: &Environment) {
    let (environment, shutdown) = (environment.clone(), runtime.shutdown.clone());
    runtime.tasks.spawn(async move {
        let lease = Lease::new(&outbox.store, &environment, "trim", TERM);
        lease.run(&shutdown, |end| trim_by_age_alone(&outbox, &environment, end)).await;
    });
}

async fn trim_by_age_alone<R: Row>(outbox: &Outbox<R>, environment: &Environment, end: CancellationToken) {
    while pause_before_trim(&end).await {
        for topic in outbox.publishes {
            let everything = Position(u64::MAX);
            tell_trimmed::<R>(outbox.store.trim(*topic, everything, outbox.keep_from(environment)).await);
        }
    }
}

impl<R: Row> Outbox<R> {
    /// Facts from this time on stay, in microseconds since 1970 UTC.
    fn keep_from(&self, environment: &Environment) -> i64 {
        let keep_seconds = i64::try_from(self.keep.as_secs()).unwrap_or(i64::MAX);
        environment.now().plus_seconds(-keep_seconds).micros()
    }
}

/// Whether it goes on.
async fn pause_before_trim(end: &CancellationToken) -> bool {
    tokio::select! {
        () = tokio::time::sleep(TRIM_EVERY) => true,
        () = end.cancelled() => false,
    }
}

fn tell_trimmed<R: Row>(trimmed: Result<u64, StoreError>) {
    match trimmed {
        Ok(0) => {}
        Ok(removed) => tracing::debug!(service = R::SERVICE, removed, "published facts are gone"),
        Err(error) => tracing::warn!(service = R::SERVICE, %error, "the outbox could not be trimmed"),
    }
}
