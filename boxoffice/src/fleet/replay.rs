//! `boxoffice replay SERVICE`: a read model built anew from the log, beside the one that is in use.
//!
//! Only what follows from facts alone can be built anew: all that `analytics` has, what `notification` knows and tells
//! (not whether a mail went out), and what `feedback` has heard (not the ratings, which came by request and are its
//! own). `user`, `event` and `ticket` are where the facts come from: their databases are backed up, not replayed.

use std::{collections::BTreeMap, sync::Arc};

use analytics::{AnalyticsMachine, AnalyticsRow};
use anyhow::Context;
use aws_lc_rs::digest::{Context as Digest, SHA256};
use bus::{Log, LogError, Position, Topic};
use feedback::{FeedbackMachine, FeedbackRow};
use kafka::KafkaLog;
use kit::{Consumer, Environment, Machine, Pipeline, consumer::Progress};
use notification::{NotificationMachine, NotificationRow};
use store::{Cursor, MAX_PAGE, Query, Row, Store, Value};

use super::databases::one;
use crate::{
    config::Config,
    serve::{
        Role, StoreUrl, log,
        stores::{self, Access},
    },
};

/// How often a fact that cannot be processed is tried before it is parked, as a service does it, and once more.
const MAX_STUCK: usize = 16;

/// What a replay found.
#[derive(Debug)]
pub struct Outcome {
    /// The digest of each table: as it is in use, and as it was built anew.
    pub tables: Vec<(&'static str, String, String)>,
    /// Facts that the service in use has not processed yet.
    pub behind: u64,
    /// How many facts were replayed.
    pub facts: usize,
}

impl Outcome {
    /// Whether both are the same.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.tables.iter().all(|(_, in_use, anew)| in_use == anew)
    }
}

/// Builds the read model of a service in a fresh database, and compares it with the one in use.
///
/// # Errors
/// When the service is none that can be built anew, the database is not fresh, or the log no longer has all facts.
pub async fn run(config: &Config, role: Role, into: &StoreUrl) -> anyhow::Result<Outcome> {
    match role {
        Role::Analytics => build::<AnalyticsMachine>(config, role, into, AnalyticsMachine, as_it_is).await,
        Role::Notification => build(config, role, into, NotificationMachine::new(), without_the_mail).await,
        Role::Feedback => build(config, role, into, FeedbackMachine, what_was_heard).await,
        Role::User | Role::Event | Role::Ticket | Role::Gateway | Role::Web => anyhow::bail!(
            "{role} cannot be built anew from the log: facts come from it. Those that can are analytics, notification \
             and feedback"
        ),
    }
}

/// What of a row is compared; `None` leaves it out.
type Compared<R> = fn(R) -> Option<R>;

fn as_it_is(row: AnalyticsRow) -> Option<AnalyticsRow> {
    Some(row)
}

/// What became of a mail is known to who sent it alone.
fn without_the_mail(row: NotificationRow) -> Option<NotificationRow> {
    Some(match row {
        NotificationRow::Notification(mut notification) => {
            notification.status = domain::notification::Status::Queued;
            notification.tries = 0;
            notification.next_try_at = notification.at;
            notification.subject.clear();
            notification.failure.clear();
            NotificationRow::Notification(notification)
        }
        row => row,
    })
}

/// Ratings come by request.
fn what_was_heard(row: FeedbackRow) -> Option<FeedbackRow> {
    match row {
        FeedbackRow::Rating(_) | FeedbackRow::Summary(_) => None,
        row => Some(row),
    }
}

async fn build<M: Machine>(
    config: &Config,
    role: Role,
    into: &StoreUrl,
    machine: M,
    compared: Compared<M::Row>,
) -> anyhow::Result<Outcome> {
    let settings = log::settings(config)?;
    stores::migrate::<M::Row>(into, role).await.with_context(|| format!("{into}"))?;
    let anew = stores::open::<M::Row>(into, role, Access::Own).await.with_context(|| format!("{into}"))?;
    let log: Arc<dyn Log> = Arc::new(KafkaLog::alone(&settings, role.consumes()).await?);
    let is_fresh = rows(anew.store.as_ref(), |_| ()).await? == 0;
    anyhow::ensure!(is_fresh, "{into} is not fresh: a replay needs a database of its own");
    let pipeline = Pipeline::new(Arc::new(machine), Arc::clone(&anew.store), Environment::system());
    let facts = replay(&log, role.consumes(), &anew.store, &pipeline).await?;
    let in_use = one::<M::Row>(config, role).await?;
    let behind = behind(log.as_ref(), role.consumes(), in_use.store.as_ref(), anew.store.as_ref()).await?;
    let theirs = digests(in_use.store.as_ref(), compared).await?;
    let mine = digests(anew.store.as_ref(), compared).await?;
    in_use.close().await;
    anew.close().await;
    let tables = theirs.into_iter().map(|(table, theirs)| {
        let mine = mine.get(table).cloned().unwrap_or_default();
        (table, theirs, mine)
    });
    Ok(Outcome { tables: tables.collect(), behind, facts })
}

/// Processes every fact that the log has by now.
async fn replay<M: Machine>(
    log: &Arc<dyn Log>,
    topics: &[Topic],
    store: &Arc<dyn Store<M::Row>>,
    pipeline: &Pipeline<M>,
) -> anyhow::Result<usize> {
    let mut facts = 0;
    for partition in topics.iter().flat_map(|topic| log.partitions(*topic)) {
        let sink = Arc::new(pipeline.clone());
        let mut consumer = Consumer::<M>::new(partition, Arc::clone(log), Arc::clone(store), sink);
        let mut stuck = 0;
        loop {
            match consumer.step().await {
                Ok(Progress::Idle) => break,
                Ok(Progress::Moved(count)) => (facts, stuck) = (facts + count, 0),
                Ok(Progress::Stuck) if stuck < MAX_STUCK => stuck += 1,
                Ok(Progress::Stuck) => anyhow::bail!("a fact can neither be processed nor parked"),
                Err(kit::consumer::ConsumeError::Log(error @ LogError::Trimmed { .. })) => {
                    return Err(error)
                        .context("the log no longer has all facts, so nothing can be built from them");
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(facts)
}

/// How many facts the service in use has before it that were replayed here.
async fn behind<R: Row>(
    log: &dyn Log,
    topics: &[Topic],
    in_use: &dyn Store<R>,
    anew: &dyn Store<R>,
) -> anyhow::Result<u64> {
    let mut behind = 0;
    for partition in topics.iter().flat_map(|topic| log.partitions(*topic)) {
        let Position(theirs) = in_use.position(&partition).await?;
        let Position(mine) = anew.position(&partition).await?;
        behind += mine.saturating_sub(theirs);
    }
    Ok(behind)
}

/// A digest of each table: of its rows in the order of their ids.
async fn digests<R: Row>(
    store: &dyn Store<R>,
    compared: Compared<R>,
) -> anyhow::Result<BTreeMap<&'static str, String>> {
    let mut tables: BTreeMap<&'static str, Digest> =
        R::TABLES.iter().map(|table| (table.name, Digest::new(&SHA256))).collect();
    let mut failed = None;
    rows(store, |row: R| {
        let Some(row) = compared(row) else { return };
        let key = row.key();
        match (row.encode(), tables.get_mut(key.table)) {
            (Ok(state), Some(digest)) => {
                for part in [key.id.to_string().as_bytes(), state.as_bytes()] {
                    // The length keeps ("ab", "c") apart from ("a", "bc").
                    digest.update(&(part.len() as u64).to_be_bytes());
                    digest.update(part);
                }
            }
            (Err(error), _) => failed = Some(error),
            (Ok(_), None) => {}
        }
    })
    .await?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let hex = |digest: Digest| digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(tables.into_iter().map(|(table, digest)| (table, hex(digest))).collect())
}

/// Every row of every table, by id; how many.
async fn rows<R: Row>(store: &dyn Store<R>, mut take: impl FnMut(R)) -> anyhow::Result<usize> {
    let mut count = 0;
    for table in R::TABLES {
        let mut after = None;
        loop {
            let page = store.query(&Query::all(table.name).after(after.take())).await?;
            let is_last = page.len() < MAX_PAGE;
            count += page.len();
            after = page.last().map(|last| Cursor { value: Value::Null, id: last.row.key().id.to_string() });
            page.into_iter().for_each(|versioned| take(versioned.into_row()));
            if is_last {
                break;
            }
        }
    }
    Ok(count)
}
