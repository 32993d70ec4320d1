//! Trimming the outbox: what goes is found by a reader, and removed by the writer in small steps.

use bus::{Position, Retention, Topic};
use rusqlite::{Connection, OptionalExtension as _};
use store::StoreError;

use crate::{error::read_error, schema::outbox};

/// How many facts one transaction removes or passes over, so that no commit waits long behind it.
const TRIM_STEP: i64 = 2_000;

/// One step: the facts of a topic after a position, up to another.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Of which topic.
    pub topic: Topic,
    from: i64,
    to: i64,
    latest_us: i64,
}

impl Step {
    /// Up to where the topic is trimmed once it is done.
    pub fn end(&self) -> Position {
        Position(self.to.cast_unsigned())
    }
}

/// What was trimmed of a topic.
pub struct Trimmed {
    /// Up to here.
    pub up_to: Position,
    /// The latest time of a fact that was removed or passed over.
    pub latest_us: i64,
}

/// What was trimmed of a topic; none when nothing was yet.
pub fn trimmed(connection: &Connection, topic: Topic) -> rusqlite::Result<Option<Trimmed>> {
    let sql = "SELECT position, latest_us FROM trimmed WHERE topic = ?1";
    let read = |row: &rusqlite::Row<'_>| {
        let position: i64 = row.get(0)?;
        Ok(Trimmed { up_to: Position(position.cast_unsigned()), latest_us: row.get(1)? })
    };
    connection.prepare_cached(sql)?.query_row([topic.name()], read).optional()
}

/// The next step of a trim; none when nothing more may go.
pub fn next_step(
    connection: &Connection,
    topic: Topic,
    up_to: Position,
    before_us: i64,
) -> Result<Option<Step>, StoreError> {
    find(connection, topic, up_to, before_us).map_err(read_error)
}

fn find(
    connection: &Connection,
    topic: Topic,
    up_to: Position,
    before_us: i64,
) -> rusqlite::Result<Option<Step>> {
    let table = outbox(topic);
    let from = trimmed(connection, topic)?.map_or(0, |trimmed| trimmed.up_to.0.cast_signed());
    let mut up_to = i64::try_from(up_to.0).unwrap_or(i64::MAX);
    if topic.retention() == Retention::None {
        let mut select = connection.prepare_cached(&format!("SELECT max(seq) FROM {table}"))?;
        let newest: Option<i64> = select.query_row([], |row| row.get(0))?;
        // The newest stays, so that no position is given twice.
        up_to = up_to.min(newest.unwrap_or_default() - 1);
    }
    let sql = format!(
        "SELECT seq, time_us FROM {table} WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT {TRIM_STEP}"
    );
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query((from, up_to))?;
    let mut step = Step { topic, from, to: from, latest_us: i64::MIN };
    while let Some(row) = rows.next()? {
        let time_us: i64 = row.get(1)?;
        if time_us >= before_us {
            break;
        }
        step.to = row.get(0)?;
        step.latest_us = step.latest_us.max(time_us);
    }
    Ok((step.to > from).then_some(step))
}

/// Carries a step out, inside an open transaction; how many facts went.
pub fn carry_out(connection: &Connection, step: Step) -> rusqlite::Result<usize> {
    let table = outbox(step.topic);
    let removed = match step.topic.retention() {
        Retention::None => {
            let sql = format!("DELETE FROM {table} WHERE seq <= ?1");
            connection.prepare_cached(&sql)?.execute([step.to])?
        }
        Retention::NewestOfKey => {
            let sql = format!(
                "DELETE FROM {table} WHERE seq IN (SELECT earlier.seq FROM {table} AS later \
                 JOIN {table} AS earlier ON earlier.key = later.key AND earlier.seq < later.seq \
                 WHERE later.seq > ?1 AND later.seq <= ?2)"
            );
            connection.prepare_cached(&sql)?.execute((step.from, step.to))?
        }
    };
    let sql = "INSERT INTO trimmed (topic, position, latest_us) VALUES (?1, ?2, ?3) ON CONFLICT (topic) \
               DO UPDATE SET position = max(position, ?2), latest_us = max(latest_us, ?3)";
    connection.prepare_cached(sql)?.execute((step.topic.name(), step.to, step.latest_us))?;
    Ok(removed)
}
