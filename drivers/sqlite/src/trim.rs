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
}

impl Step {
    /// Up to where the topic is trimmed once it is done.
    pub fn end(&self) -> Position {
        Position(self.to.cast_unsigned())
    }
}

/// Up to where a topic was trimmed.
pub fn trimmed(connection: &Connection, topic: Topic) -> rusqlite::Result<Position> {
    let mut select = connection.prepare_cached("SELECT position FROM trimmed WHERE topic = ?1")?;
    let position: Option<i64> = select.query_row([topic.name()], |row| row.get(0)).optional()?;
    Ok(Position(position.unwrap_or_default().cast_unsigned()))
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
    let from = trimmed(connection, topic)?.0.cast_signed();
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
    let mut to = from;
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(1)? >= before_us {
            break;
        }
        to = row.get(0)?;
    }
    Ok((to > from).then_some(Step { topic, from, to }))
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
    let sql = "INSERT INTO trimmed (topic, position) VALUES (?1, ?2) \
               ON CONFLICT (topic) DO UPDATE SET position = max(position, ?2)";
    connection.prepare_cached(sql)?.execute((step.topic.name(), step.to))?;
    Ok(removed)
}
