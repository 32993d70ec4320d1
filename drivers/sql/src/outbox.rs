//! Appending to the outbox: the positions of facts, and the facts.

use std::sync::Arc;

use bus::{Fact, Position, Topic};

use crate::{
    database::Connection,
    dialect::Dialect,
    insert::{Insert, NewColumn},
    schema::outbox,
    transaction::{Refused, insert},
    values::{Batch, Cell, Kind},
};

/// The latest moment that every server can keep, in microseconds since 1970: the year 9999.
const LATEST_TIMESTAMP_US: i64 = 253_402_300_799_999_999;

/// The newest positions of the topics that a commit has facts of.
pub type Heads = Vec<(Topic, Position)>;

/// Takes new positions; the newest of each topic, in the same order as everybody takes them.
pub async fn take_positions(connection: &mut Connection, facts: &[Arc<Fact>]) -> Result<Heads, Refused> {
    let mut heads = Heads::new();
    for topic in Topic::ALL {
        let count = facts.iter().filter(|fact| fact.topic == topic).count() as i64;
        if count > 0 {
            let newest = take_some(connection, topic, count).await?;
            heads.push((topic, Position(newest.cast_unsigned())));
        }
    }
    Ok(heads)
}

async fn take_some(connection: &mut Connection, topic: Topic, count: i64) -> Result<i64, Refused> {
    let missing = || Refused::Failed(format!("there is no head of {}", topic.name()));
    let update = "UPDATE \"outbox_heads\" SET \"position\" = \"position\" + ? WHERE \"topic\" = ?";
    let binds = [count.into(), topic.name().into()];
    let found = if connection.dialect.is_mysql() {
        // It could be told by LAST_INSERT_ID in the same statement, but not where the table has a trigger.
        connection.execute(update, &binds).await?;
        let select = "SELECT \"position\" FROM \"outbox_heads\" WHERE \"topic\" = ?";
        connection.fetch(select, &[topic.name().into()]).await?
    } else {
        connection.fetch(&format!("{update} RETURNING \"position\""), &binds).await?
    };
    let newest = found.first().ok_or_else(missing)?.int(0);
    newest.map_err(|error| Refused::Failed(error.to_string()))
}

/// Writes facts with the positions that were taken for them.
pub async fn write_facts(
    connection: &mut Connection,
    facts: &[Arc<Fact>],
    heads: &Heads,
) -> Result<(), Refused> {
    for (topic, newest) in heads {
        let facts: Vec<&Arc<Fact>> = facts.iter().filter(|fact| fact.topic == *topic).collect();
        let first = newest.0.cast_signed() - facts.len() as i64 + 1;
        let mut batch = Batch::new(FACT.map(|(_, kind)| kind));
        for (position, fact) in (first..).zip(facts) {
            let is_kept = |time_us: &i64| (0..=LATEST_TIMESTAMP_US).contains(time_us);
            batch.push([
                position.into(),
                fact.id.0.to_string().into(),
                topic.name().into(),
                fact.key.as_str().into(),
                fact.kind.as_str().into(),
                fact.source.into(),
                fact.time_us.into(),
                Some(fact.time_us).filter(is_kept).map_or(Cell::Null, Cell::Int),
                fact.traceparent.as_deref().into(),
                fact.payload.as_str().into(),
            ]);
        }
        insert(connection, &insert_facts(connection.dialect, *topic), &batch).await?;
    }
    Ok(())
}

/// What a fact has.
const FACT: [(&str, Kind); 10] = [
    ("position", Kind::Int),
    ("id", Kind::Text),
    ("aggregatetype", Kind::Text),
    ("aggregateid", Kind::Text),
    ("type", Kind::Text),
    ("source", Kind::Text),
    ("time_us", Kind::Int),
    ("timestamp", Kind::Int),
    ("traceparent", Kind::Text),
    ("payload", Kind::Long),
];

fn insert_facts(dialect: Dialect, topic: Topic) -> Insert {
    let (uuid, timestamp) = (dialect.to_uuid("?"), dialect.to_timestamp("?"));
    let columns = FACT.map(|(name, kind)| match name {
        "id" => NewColumn { name, kind, value: &uuid },
        "timestamp" => NewColumn { name, kind, value: &timestamp },
        _ => NewColumn::plain((name, kind)),
    });
    Insert::new(dialect, &outbox(topic), &columns, None)
}
