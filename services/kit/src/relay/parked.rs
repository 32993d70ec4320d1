//! Tells of facts that a service set aside, on the parked topic of each. The store keeps them and re-drives them; this is
//! for who watches the log.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bus::{ParkedFact, Partition, Publisher};
use store::{Parked, Row, Store};
use tokio_util::sync::CancellationToken;

use super::RelayError;
use crate::{
    clock::Environment,
    mark::{Mark, Moved},
};

/// How often it is looked whether facts were set aside.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Publishes the parked facts of a store, each at least once.
///
/// Facts of one partition are set aside in the order of their positions, so one mark for each partition says how far
/// they are told.
pub struct ParkedRelay<R: Row> {
    store: Arc<dyn Store<R>>,
    publisher: Arc<dyn Publisher>,
    environment: Environment,
}

impl<R: Row> ParkedRelay<R> {
    /// Of this store.
    #[must_use]
    pub fn new(store: &Arc<dyn Store<R>>, publisher: Arc<dyn Publisher>, environment: &Environment) -> Self {
        Self { store: Arc::clone(store), publisher, environment: environment.clone() }
    }

    /// Tells of what was set aside since the last time; how many facts.
    ///
    /// # Errors
    /// When the store or the log cannot be reached. Trying again is safe.
    pub async fn step(&self) -> Result<usize, RelayError> {
        let mut by_partition: BTreeMap<Partition, Vec<Parked>> = BTreeMap::new();
        for parked in self.store.parked().await? {
            by_partition.entry(parked.partition.clone()).or_default().push(parked);
        }
        let mut told = 0;
        for (partition, parked) in by_partition {
            told += self.tell(partition, parked).await?;
        }
        Ok(told)
    }

    async fn tell(&self, partition: Partition, mut parked: Vec<Parked>) -> Result<usize, RelayError> {
        let name = format!("parked:{}", partition.name);
        let mark = Mark::new(&self.store, &self.environment, Partition { topic: partition.topic, name });
        let from = mark.position().await?;
        parked.retain(|parked| parked.record.position > from);
        parked.sort_by_key(|parked| parked.record.position);
        let Some(last) = parked.last() else { return Ok(0) };
        let to = last.record.position;
        let facts: Vec<ParkedFact> = parked.into_iter().map(as_told::<R>).collect();
        self.publisher.publish_parked(&facts).await?;
        match mark.advance(from, to).await? {
            Moved::There => Ok(facts.len()),
            Moved::Elsewhere => Err(RelayError::Overtaken),
        }
    }

    /// Runs until told to end.
    pub async fn run(self, end: CancellationToken) {
        loop {
            tokio::select! {
                step = self.step() => if let Err(error) = step {
                    tracing::warn!(service = R::SERVICE, %error, "parked facts were not told");
                },
                () = end.cancelled() => return,
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = end.cancelled() => return,
            }
        }
    }
}

fn as_told<R: Row>(parked: Parked) -> ParkedFact {
    let Parked { partition, record, reason, at_us } = parked;
    ParkedFact { service: R::SERVICE, partition, record, reason, at_us }
}
