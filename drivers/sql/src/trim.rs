//! Trimming the outbox, and forgetting old answers and commits: in small steps, so that no commit waits long.

use bus::{Position, Retention, Topic};
use store::StoreError;

use crate::{
    commit::Open,
    database::Database,
    error, log,
    retry::Retry,
    schema::{outbox, outbox_index},
    values::{signed, unsigned},
};

/// How many facts one transaction removes or passes over.
const TRIM_STEP: i64 = 2_000;
/// How many answers, and how many commits, one statement forgets.
const PRUNE_STEP: usize = 1_000;

/// One step: the facts of a topic after a position, up to another.
#[derive(Debug, Clone, Copy)]
struct Step {
    topic: Topic,
    from: i64,
    to: i64,
    latest_us: i64,
}

/// What was trimmed of a topic.
pub struct Trimmed {
    /// Up to here.
    pub up_to: Position,
    /// The latest time of a fact that was removed or passed over.
    pub latest_us: i64,
}

/// What was trimmed of a topic; none when nothing was yet.
pub async fn trimmed(database: &Database, topic: Topic) -> Result<Option<Trimmed>, StoreError> {
    let sql = "SELECT \"position\", \"latest_us\" FROM \"outbox_trimmed\" WHERE \"topic\" = ?";
    let found = database.read(sql, &[topic.name().into()]).await?;
    let Some(row) = found.first() else { return Ok(None) };
    Ok(Some(Trimmed { up_to: Position(unsigned(row.int(0)?)?), latest_us: row.int(1)? }))
}

/// Removes the facts of a topic up to a position that were published before a time; how many.
pub async fn trim(
    database: &Database,
    topic: Topic,
    up_to: Position,
    before_us: i64,
) -> Result<u64, StoreError> {
    let mut removed = 0;
    while let Some(step) = next_step(database, topic, up_to, before_us).await? {
        removed += carry_out(database, step).await?;
    }
    Ok(removed)
}

async fn next_step(
    database: &Database,
    topic: Topic,
    up_to: Position,
    before_us: i64,
) -> Result<Option<Step>, StoreError> {
    let from = trimmed(database, topic).await?.map_or(Ok(0), |trimmed| signed(trimmed.up_to.0));
    let from = from.map_err(StoreError::Corrupt)?;
    let mut up_to = signed(up_to.0).unwrap_or(i64::MAX);
    if topic.retention() == Retention::None {
        // The newest stays.
        let newest = signed(log::newest(database, topic).await?).map_err(StoreError::Corrupt)?;
        up_to = up_to.min(newest - 1);
    }
    let sql = format!(
        "SELECT \"position\", \"time_us\" FROM \"{}\" WHERE \"position\" > ? AND \"position\" <= ? \
         ORDER BY \"position\" LIMIT ?",
        outbox(topic)
    );
    let mut step = Step { topic, from, to: from, latest_us: i64::MIN };
    for row in database.read(&sql, &[from.into(), up_to.into(), TRIM_STEP.into()]).await? {
        let time_us = row.int(1)?;
        if time_us >= before_us {
            break;
        }
        step.to = row.int(0)?;
        step.latest_us = step.latest_us.max(time_us);
    }
    Ok((step.to > from).then_some(step))
}

/// Carries a step out in a transaction. Should it have been done although its end was not heard of, the next one begins
/// after it.
async fn carry_out(database: &Database, step: Step) -> Result<u64, StoreError> {
    let mut retry = Retry::default();
    loop {
        let error = match attempt(database, step).await {
            Ok(removed) => return Ok(removed),
            Err(error) => error,
        };
        if !error::trouble(&error).may_be_tried_again() || !retry.rest().await {
            return Err(error::read_error(&error));
        }
    }
}

async fn attempt(database: &Database, step: Step) -> Result<u64, sqlx::Error> {
    let mut open = Open::begin(database, "BEGIN").await?;
    let removed = match remove(&mut open, step).await {
        Ok(removed) => removed,
        Err(error) => {
            open.roll_back().await;
            return Err(error);
        }
    };
    open.commit().await?;
    Ok(removed)
}

async fn remove(open: &mut Open, step: Step) -> Result<u64, sqlx::Error> {
    let connection = open.connection()?;
    let is_mysql = connection.dialect.is_mysql();
    let table = outbox(step.topic);
    let removed = match step.topic.retention() {
        Retention::None => {
            let sql = format!("DELETE FROM \"{table}\" WHERE \"position\" <= ?");
            connection.execute(&sql, &[step.to.into()]).await?
        }
        Retention::NewestOfKey => {
            let same = "earlier.\"aggregateid\" = later.\"aggregateid\" AND earlier.\"position\" < later.\"position\"";
            let range = "later.\"position\" > ? AND later.\"position\" <= ?";
            let sql = if is_mysql {
                let index = outbox_index(step.topic);
                format!(
                    "DELETE earlier FROM \"{table}\" AS later \
                     STRAIGHT_JOIN \"{table}\" AS earlier FORCE INDEX (\"{index}\") ON {same} WHERE {range}"
                )
            } else {
                format!(
                    "DELETE FROM \"{table}\" AS earlier USING \"{table}\" AS later WHERE {same} AND {range}"
                )
            };
            connection.execute(&sql, &[step.from.into(), step.to.into()]).await?
        }
    };
    let insert = "INSERT INTO \"outbox_trimmed\" (\"topic\", \"position\", \"latest_us\") VALUES (?, ?, ?)";
    let greatest =
        |column: &str, new: &str| format!("\"{column}\" = GREATEST(outbox_trimmed.\"{column}\", {new})");
    let sql = if is_mysql {
        let (position, latest) =
            (greatest("position", "VALUES(\"position\")"), greatest("latest_us", "VALUES(\"latest_us\")"));
        format!("{insert} ON DUPLICATE KEY UPDATE {position}, {latest}")
    } else {
        let (position, latest) =
            (greatest("position", "excluded.\"position\""), greatest("latest_us", "excluded.\"latest_us\""));
        format!("{insert} ON CONFLICT (\"topic\") DO UPDATE SET {position}, {latest}")
    };
    connection.execute(&sql, &[step.topic.name().into(), step.to.into(), step.latest_us.into()]).await?;
    Ok(removed.rows)
}

/// Forgets answers and commits from before a time; how many answers.
pub async fn prune(database: &Database, before_us: i64) -> Result<u64, StoreError> {
    let mut forgotten = 0;
    for (table, key) in [("answers", "key"), ("commits", "id")] {
        let sql = database.dialect.delete_some(table, key, "\"at_us\" < ?", PRUNE_STEP);
        loop {
            let gone = database.write(&sql, &[before_us.into()]).await?.rows;
            forgotten += if table == "answers" { gone } else { 0 };
            if gone < PRUNE_STEP as u64 {
                break;
            }
        }
    }
    Ok(forgotten)
}
