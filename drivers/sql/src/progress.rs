//! How far the consumers of a service are, and the facts that they set aside.

use std::collections::BTreeMap;

use bus::Position;
use store::{Advance, ParkedChange};

use crate::{
    database::Connection,
    insert::{Insert, NewColumn},
    transaction::{Refused, insert, kinds, stale, write},
    values::{Batch, Cell, Kind, signed},
};

/// Moves consumers on from where they are. One that was never there is at the start.
pub async fn advance(connection: &mut Connection, advances: &[Advance]) -> Result<(), Refused> {
    let columns =
        [("topic", Kind::Text), ("partition", Kind::Text), ("before", Kind::Int), ("after", Kind::Int)];
    let (mut all, mut first) = (Batch::new(kinds(&columns)), Batch::new(kinds(&columns[..2])));
    for Advance { partition, from, to } in advances {
        let (topic, name) = (Cell::from(partition.topic.name()), Cell::from(partition.name.as_str()));
        if *from == Position::default() {
            first.push([topic.clone(), name.clone()]);
        }
        let (from, to) = (signed(from.0), signed(to.0));
        all.push([topic, name, from.map_err(Refused::Failed)?.into(), to.map_err(Refused::Failed)?.into()]);
    }
    let dialect = connection.dialect;
    let begin = format!(
        "{} \"positions\" (\"topic\", \"partition\", \"position\") SELECT n.\"topic\", n.\"partition\", 0 FROM {}{}",
        dialect.insert_missing(),
        dialect.rows(&columns[..2]),
        dialect.unless_there("\"topic\", \"partition\"")
    );
    write(connection, &begin, &first).await?;
    let move_on = dialect.update_joined(
        "positions",
        &dialect.rows(&columns),
        "t.\"topic\" = n.\"topic\" AND t.\"partition\" = n.\"partition\" AND t.\"position\" = n.\"before\"",
        &[("position", "n.\"after\"".to_owned())],
    );
    if write(connection, &move_on, &all).await? == all.rows() {
        return Ok(());
    }
    stale("a consumer is at another position")
}

/// What a parked fact has, after its key: topic, partition and position.
const PARKED: [(&str, Kind); 12] = [
    ("topic", Kind::Text),
    ("partition", Kind::Text),
    ("position", Kind::Int),
    ("id", Kind::Text),
    ("source", Kind::Text),
    ("type", Kind::Text),
    ("key", Kind::Text),
    ("time_us", Kind::Int),
    ("traceparent", Kind::Text),
    ("payload", Kind::Long),
    ("reason", Kind::Long),
    ("at_us", Kind::Int),
];

/// A fact is parked once, so the last change of each counts.
pub async fn park(connection: &mut Connection, changes: &[ParkedChange]) -> Result<(), Refused> {
    let mut last = BTreeMap::new();
    for change in changes {
        let (partition, position) = match change {
            ParkedChange::Park(parked) => (&parked.partition, parked.record.position),
            ParkedChange::Unpark(partition, position) => (partition, *position),
        };
        last.insert((partition, position), change);
    }
    let (mut gone, mut parks) = (Batch::new(kinds(&PARKED[..3])), Batch::new(kinds(&PARKED)));
    for ((partition, position), change) in last {
        let position = Cell::Int(signed(position.0).map_err(Refused::Failed)?);
        let key = [partition.topic.name().into(), partition.name.as_str().into(), position];
        gone.push(key.clone());
        if let ParkedChange::Park(parked) = change {
            let fact = parked.record.fact.as_ref();
            parks.push(key.into_iter().chain([
                fact.id.0.to_string().into(),
                fact.source.into(),
                fact.kind.as_str().into(),
                fact.key.as_str().into(),
                fact.time_us.into(),
                fact.traceparent.as_deref().into(),
                fact.payload.as_str().into(),
                parked.reason.as_str().into(),
                parked.at_us.into(),
            ]));
        }
    }
    let dialect = connection.dialect;
    let on =
        "t.\"topic\" = n.\"topic\" AND t.\"partition\" = n.\"partition\" AND t.\"position\" = n.\"position\"";
    let remove = dialect.delete_joined("parked", "PRIMARY", &dialect.rows(&PARKED[..3]), on);
    write(connection, &remove, &gone).await?;
    let statement = Insert::new(dialect, "parked", &PARKED.map(NewColumn::plain), None);
    insert(connection, &statement, &parks).await.map(|_| ())
}
