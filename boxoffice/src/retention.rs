//! Keeps the outboxes short. A fact goes once every consumer of its topic is beyond it and it is old enough.
//!
//! In one process all consumers are here, so each says in its store how far it is. One that is stuck keeps the
//! facts that it has not processed.

use std::time::Duration;

use bus::{Log, Partition, Position, Topic};
use kit::{Environment, Runtime};
use sqlite::SqliteStore;
use store::{Row, Store, StoreError};

use crate::stores::Stores;

/// How often it is looked whether facts may go. The first time is soon after the start.
const TRIM_EVERY: Duration = Duration::from_secs(30);
const FIRST_TRIM_AFTER: Duration = Duration::from_secs(1);
const SECONDS_OF_A_DAY: i64 = 86_400;

/// Trims the outboxes from now on, until the runtime stops.
pub fn start(runtime: &Runtime, stores: &Stores, environment: &Environment, keep_days: u32) {
    let (stores, environment, shutdown) = (stores.clone(), environment.clone(), runtime.shutdown.clone());
    runtime.tasks.spawn(async move {
        let mut pause = FIRST_TRIM_AFTER;
        loop {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = shutdown.cancelled() => return,
            }
            let before = environment.now().plus_seconds(-i64::from(keep_days) * SECONDS_OF_A_DAY);
            tokio::select! {
                trimmed = trim(&stores, before.micros()) => if let Err(error) = trimmed {
                    tracing::warn!(%error, "the outboxes could not be trimmed");
                },
                () = shutdown.cancelled() => return,
            }
            pause = TRIM_EVERY;
        }
    });
}

/// Removes what was published before a time and every consumer has done; how many facts.
///
/// # Errors
/// When a store cannot be reached. What went until then is gone, and it may be tried again.
pub async fn trim(stores: &Stores, before_us: i64) -> Result<u64, StoreError> {
    Ok(trim_outbox(stores, &stores.user, user::PUBLISHES, before_us).await?
        + trim_outbox(stores, &stores.event, event::PUBLISHES, before_us).await?
        + trim_outbox(stores, &stores.ticket, ticket::PUBLISHES, before_us).await?
        + trim_outbox(stores, &stores.feedback, feedback::PUBLISHES, before_us).await?)
}

async fn trim_outbox<R: Row>(
    stores: &Stores,
    producer: &SqliteStore<R>,
    topics: &[Topic],
    before_us: i64,
) -> Result<u64, StoreError> {
    let mut removed = 0;
    for topic in topics {
        for partition in producer.partitions(*topic) {
            let done = done_by_all(stores, &partition).await?;
            removed += producer.trim(*topic, done, before_us).await?;
        }
    }
    if removed > 0 {
        tracing::debug!(service = R::SERVICE, removed, "facts that everybody has done are gone");
    }
    Ok(removed)
}

/// How far the slowest consumer of a partition is.
async fn done_by_all(stores: &Stores, partition: &Partition) -> Result<Position, StoreError> {
    let positions = [
        position(stores.user.as_ref(), user::CONSUMES, partition).await?,
        position(stores.event.as_ref(), event::CONSUMES, partition).await?,
        position(stores.ticket.as_ref(), ticket::CONSUMES, partition).await?,
        position(stores.feedback.as_ref(), feedback::CONSUMES, partition).await?,
        position(stores.notification.as_ref(), notification::CONSUMES, partition).await?,
        position(stores.analytics.as_ref(), analytics::CONSUMES, partition).await?,
    ];
    Ok(positions.into_iter().flatten().min().unwrap_or_default())
}

/// How far a service is, if it consumes the partition.
async fn position<R: Row>(
    store: &dyn Store<R>,
    consumes: &[Topic],
    partition: &Partition,
) -> Result<Option<Position>, StoreError> {
    if !consumes.contains(&partition.topic) {
        return Ok(None);
    }
    store.position(partition).await.map(Some)
}
