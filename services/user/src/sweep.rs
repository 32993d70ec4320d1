//! Removes sessions that nobody uses any more.

use std::time::Duration;

use domain::SessionId;
use kit::Handle;
use store::{Condition, Query, StoreError, Value};
use tokio_util::sync::CancellationToken;

use crate::{
    machine::{Command, UserMachine},
    rows::UserRow,
};

/// How often they are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);
/// The most that one commit removes.
const SWEEP_BATCH: usize = 200;

/// Sweeps now and then, until told to stop.
pub(crate) async fn run(handle: Handle<UserMachine>, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(SWEEP_EVERY) => {}
            () = shutdown.cancelled() => return,
        }
        // What could not be swept now is found again the next time.
        while let Ok(SWEEP_BATCH) = sweep(&handle).await {
            tokio::task::yield_now().await;
        }
    }
}

/// Removes a batch of sessions that are over; how many were found.
pub(crate) async fn sweep(handle: &Handle<UserMachine>) -> Result<usize, StoreError> {
    let now = Value::Int(handle.environment().now().micros());
    let query = Query::all("session").filter(Condition::Below("expires_at", now)).limit(SWEEP_BATCH);
    let found = handle.store().query(&query).await?;
    let over: Vec<SessionId> = found
        .iter()
        .filter_map(|versioned| match versioned.row.as_ref() {
            UserRow::Session(session) => Some(session.id),
            _ => None,
        })
        .collect();
    let count = over.len();
    if count > 0 && handle.command(Command::Sweep(over)).await.is_err() {
        return Ok(0);
    }
    Ok(count)
}
