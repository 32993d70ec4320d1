//! Appending to the outbox: the positions of facts, and the facts.

use std::sync::Arc;

use bus::{Fact, Position, Topic};

use crate::{
    database::Connection,
    schema::outbox,
    transaction::{Refused, kinds, write},
    values::{Batch, Kind},
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
        let mut batch = Batch::new(kinds(&FACT));
        for (position, fact) in (first..).zip(facts) {
            batch.push([
                position.into(),
                fact.id.0.to_string().into(),
                fact.key.as_str().into(),
                fact.kind.as_str().into(),
                fact.payload.as_str().into(),
                fact.source.into(),
                fact.time_us.into(),
                fact.traceparent.as_deref().into(),
            ]);
        }
        let sql = insert_facts(connection, *topic);
        write(connection, &sql, &batch).await?;
    }
    Ok(())
}

/// What a fact has.
const FACT: [(&str, Kind); 8] = [
    ("position", Kind::Int),
    ("id", Kind::Text),
    ("aggregateid", Kind::Text),
    ("type", Kind::Text),
    ("payload", Kind::Long),
    ("source", Kind::Text),
    ("time_us", Kind::Int),
    ("traceparent", Kind::Text),
];

fn insert_facts(connection: &Connection, topic: Topic) -> String {
    let dialect = connection.dialect;
    let micros = "n.\"time_us\"";
    format!(
        "INSERT INTO \"{}\" (\"position\", \"id\", \"aggregatetype\", \"aggregateid\", \"type\", \"payload\", \"source\", \
         \"time_us\", \"timestamp\", \"traceparent\") SELECT n.\"position\", {}, '{}', n.\"aggregateid\", n.\"type\", \
         n.\"payload\", n.\"source\", {micros}, CASE WHEN {micros} BETWEEN 0 AND {LATEST_TIMESTAMP_US} THEN {} END, \
         n.\"traceparent\" FROM {}",
        outbox(topic),
        dialect.to_uuid("n.\"id\""),
        topic.name(),
        dialect.to_timestamp(micros),
        dialect.rows(&FACT)
    )
}
