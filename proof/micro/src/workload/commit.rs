//! What the ticket service writes for bookings, into a SQLite file: a commit of 32 that are placed, with their
//! facts, and one in which they are booked, with the consumer's position. The thread that writes counts too.

use std::sync::Arc;

use bus::{Fact, FactId, Memo, Partition, Position, Topic};
use domain::{BookingId, facts::Published, ticket::Booking};
use kit::Environment;
use sqlite::{Options, SqliteStore};
use store::{Advance, Change, Commit, CommitId, Row, Store};
use ticket::TicketRow;

use super::{BATCH, Round};
use crate::world::{self, NOW};

struct Writing {
    store: SqliteStore<TicketRow>,
    environment: Environment,
    pending: Booking,
    booked: Booking,
    consumed: Position,
}

pub fn start() -> anyhow::Result<Round> {
    let directory = tempfile::tempdir()?;
    let options = Options { topics: ticket::PUBLISHES.to_vec() };
    let mut writing = Writing {
        store: SqliteStore::open(&directory.path().join("ticket.db"), options)?,
        environment: world::environment(),
        pending: world::pending()?,
        booked: world::booked()?,
        consumed: Position::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    Ok(Box::new(move || {
        let _kept_until_the_end = &directory;
        runtime.block_on(writing.round())
    }))
}

impl Writing {
    async fn round(&mut self) -> anyhow::Result<()> {
        let ids: Vec<BookingId> =
            (0..BATCH).map(|_| BookingId::from_bits(self.environment.id().as_u128())).collect();
        let mut place = Commit::new(CommitId(self.environment.id()), NOW.micros());
        for id in &ids {
            let pending = TicketRow::from(Booking { id: *id, ..self.pending.clone() });
            place.changes.push(Change::new(pending.key(), 0, Some(pending)));
            place.facts.push(Arc::new(self.placed(*id)?));
        }
        self.store.commit(place).await?;
        let mut book = Commit::new(CommitId(self.environment.id()), NOW.micros());
        for id in &ids {
            let before = Arc::new(TicketRow::from(Booking { id: *id, ..self.pending.clone() }));
            let booked = Arc::new(TicketRow::from(Booking { id: *id, ..self.booked.clone() }));
            let change = Change { key: booked.key(), expected: 1, row: Some(booked), before: Some(before) };
            book.changes.push(change);
        }
        let partition = Partition { topic: Topic::TicketStatusEvent, name: "event".to_owned() };
        let to = Position(self.consumed.0 + BATCH);
        book.advances.push(Advance { partition, from: self.consumed, to });
        self.consumed = to;
        self.store.commit(book).await?;
        Ok(())
    }

    fn placed(&self, id: BookingId) -> anyhow::Result<Fact> {
        let published = Published::from(world::placed(id));
        Ok(Fact {
            id: FactId(self.environment.id()),
            source: TicketRow::SERVICE,
            kind: published.kind().to_owned(),
            topic: Topic::TicketEvent,
            key: published.key(),
            time_us: NOW.micros(),
            traceparent: None,
            payload: published.payload()?,
            memo: Memo::default(),
        })
    }
}
