//! `boxoffice parked`: the facts that services could not process, and another try for them.

use std::{collections::BTreeSet, sync::Arc};

use bus::{Log, Merged};
use kit::{Consumer, Environment, Machine, Pipeline};
use store::{Parked, Row, Store};

use super::databases::one;
use crate::{
    config::Config,
    serve::{
        Role,
        stores::{self, Access, Opened},
    },
};

/// The services that consume facts.
pub const CONSUMERS: [Role; 5] =
    [Role::Event, Role::Ticket, Role::Feedback, Role::Notification, Role::Analytics];

/// Every parked fact of one service, or of each that is configured, a line for each. What the facts say is not
/// shown: it may be about persons.
///
/// # Errors
/// When a database cannot be opened or read.
pub async fn list(config: &Config, only: Option<Role>) -> anyhow::Result<Vec<String>> {
    let mut lines = Vec::new();
    for role in CONSUMERS.into_iter().filter(|role| only.is_none_or(|only| only == *role)) {
        if config.fleet.store_url_of(role).is_none() && only.is_none() {
            continue;
        }
        let parked = match role {
            Role::Event => parked_of::<event::EventRow>(config, role).await?,
            Role::Ticket => parked_of::<ticket::TicketRow>(config, role).await?,
            Role::Feedback => parked_of::<feedback::FeedbackRow>(config, role).await?,
            Role::Notification => parked_of::<notification::NotificationRow>(config, role).await?,
            Role::Analytics => parked_of::<analytics::AnalyticsRow>(config, role).await?,
            Role::User | Role::Gateway | Role::Web => Vec::new(),
        };
        lines.extend(parked.iter().map(|parked| line(role, parked)));
    }
    Ok(lines)
}

async fn parked_of<R: Row>(config: &Config, role: Role) -> anyhow::Result<Vec<Parked>> {
    let opened = one::<R>(config, role).await?;
    let parked = opened.store.parked().await;
    opened.close().await;
    Ok(parked?)
}

fn line(role: Role, parked: &Parked) -> String {
    let (fact, position) = (&parked.record.fact, parked.record.position.0);
    let since = domain::Time::from_micros(parked.at_us);
    format!(
        "{role} {}@{position} {} of {} since {since}: {}",
        parked.partition, fact.kind, fact.key, parked.reason
    )
}

/// Tries the parked facts of a service again, key by key, in their order; those that are still parked, a line for
/// each, and how many were done. The service may run meanwhile, unless its database is a SQLite file.
///
/// # Errors
/// When its database cannot be opened or written.
pub async fn redrive(config: &Config, role: Role) -> anyhow::Result<(usize, Vec<String>)> {
    let hold_seconds = i64::from(config.hold_minutes) * 60;
    match role {
        Role::Event => again(config, role, event::EventMachine::new(hold_seconds)).await,
        Role::Ticket => again(config, role, ticket::TicketMachine::new(Arc::default())).await,
        Role::Feedback => again(config, role, feedback::FeedbackMachine).await,
        Role::Notification => again(config, role, notification::NotificationMachine::new()).await,
        Role::Analytics => again(config, role, analytics::AnalyticsMachine).await,
        Role::User | Role::Gateway | Role::Web => {
            anyhow::bail!("{role} consumes no facts, so it has none parked")
        }
    }
}

async fn again<M: Machine>(config: &Config, role: Role, machine: M) -> anyhow::Result<(usize, Vec<String>)> {
    let url = stores::url_of(config, role)?;
    let opened: Opened<M::Row> = stores::open(&url, role, Access::Own).await?;
    let store: Arc<dyn Store<M::Row>> = Arc::clone(&opened.store);
    let pipeline = Pipeline::new(Arc::new(machine), Arc::clone(&store), Environment::system());
    let before = store.parked().await?;
    let partitions: BTreeSet<_> = before.iter().map(|parked| parked.partition.clone()).collect();
    // What is parked is in the store: the log is not read.
    let nothing: Arc<dyn Log> = Arc::new(Merged::new(Vec::new()));
    for partition in partitions {
        let sink = Arc::new(pipeline.clone());
        Consumer::<M>::new(partition, Arc::clone(&nothing), Arc::clone(&store), sink).redrive().await?;
    }
    let after = store.parked().await?;
    opened.close().await;
    let lines = after.iter().map(|parked| line(role, parked)).collect();
    Ok((before.len().saturating_sub(after.len()), lines))
}
