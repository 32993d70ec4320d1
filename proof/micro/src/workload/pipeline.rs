//! Bookings through the real machines, pipelines and consumers of both services, in batches of 32, on stores
//! and logs in memory. Nothing waits: every future of a memory store is ready.

use std::sync::Arc;

use anyhow::{Context, ensure};
use bus::{Partition, Topic};
use domain::ticket::BookingStatus;
use event::EventMachine;
use futures_util::FutureExt;
use kit::{
    Consumer, Environment, Item, Machine, Pipeline, Request,
    consumer::Progress,
    pipeline::{Done, Outcome},
};
use store::Row;
use ticket::{Actor, TicketCommand, TicketMachine, TicketReply, TicketRow, decisions::Decisions};

use super::{BATCH, Round};
use crate::world::{self, BUYER, EVENT, stores::Stores};

struct Services {
    environment: Environment,
    tickets: Pipeline<TicketMachine>,
    /// The event service, which hears of bookings.
    seats: Consumer<EventMachine>,
    /// The ticket service, which hears of their seats.
    outcomes: Consumer<TicketMachine>,
    stores: Stores,
}

pub fn start() -> anyhow::Result<Round> {
    let environment = world::environment();
    let stores = Stores::new(&environment)?;
    let machine = Arc::new(TicketMachine::new(Arc::new(Decisions::default())));
    let tickets = Pipeline::new(machine, Arc::new(stores.ticket.clone()), environment.clone());
    let machine = Arc::new(EventMachine::new(domain::event::seats::HOLD_SECONDS));
    let events = Pipeline::new(machine, Arc::new(stores.event.clone()), environment.clone());
    let mut known = consumer(&tickets, Topic::UpsertData, "event", &stores);
    ensure!(matches!(step(&mut known)?, Progress::Moved(_)), "the ticket service does not hear of the event");
    let mut services = Services {
        seats: consumer(&events, Topic::TicketEvent, "ticket", &stores),
        outcomes: consumer(&tickets, Topic::TicketStatusEvent, "event", &stores),
        environment,
        tickets,
        stores,
    };
    Ok(Box::new(move || services.round()))
}

impl Services {
    fn round(&mut self) -> anyhow::Result<()> {
        let items: Vec<_> = (0..BATCH).map(|_| self.place()).collect();
        let outcomes = ready(self.tickets.run(&items))?;
        ensure!(
            matches!(step(&mut self.seats)?, Progress::Moved(_)),
            "the event service hears of no booking"
        );
        ensure!(
            matches!(step(&mut self.outcomes)?, Progress::Moved(_)),
            "the ticket service hears of no seats"
        );
        let last = outcomes.last().context("there is an outcome for each")?;
        self.is_booked(last)
    }

    fn place(&self) -> Item<TicketCommand> {
        let id = domain::BookingId::from_bits(self.environment.id().as_u128());
        let actor = Actor { user_id: BUYER, is_admin: false };
        let command = TicketCommand::Own(actor, id, EVENT, world::place(id));
        Item::Request(Request { command, idempotency: None, traceparent: None })
    }

    fn is_booked(&self, placed: &Outcome<TicketReply>) -> anyhow::Result<()> {
        let Ok(Done::Answered { reply: TicketReply::Booking(placed), .. }) = placed else {
            anyhow::bail!("a booking is not placed: {placed:?}");
        };
        match self.stores.ticket.row(&store::Key::new("booking", placed.id.0)).as_deref() {
            Some(TicketRow::Booking(booking)) if booking.status == BookingStatus::Booked => Ok(()),
            other => anyhow::bail!("a booking is not booked: {other:?}"),
        }
    }
}

fn consumer<M: Machine>(
    pipeline: &Pipeline<M>,
    topic: Topic,
    producer: &str,
    stores: &Stores,
) -> Consumer<M> {
    let partition = Partition { topic, name: producer.to_owned() };
    let store = Arc::clone(pipeline.store());
    Consumer::new(partition, stores.log(), store, Arc::new(pipeline.clone()))
}

fn step<M: Machine>(consumer: &mut Consumer<M>) -> anyhow::Result<Progress> {
    ready(consumer.step())?.with_context(|| format!("a consumer of {} failed", M::Row::SERVICE))
}

fn ready<T>(future: impl Future<Output = T>) -> anyhow::Result<T> {
    future.now_or_never().context("a memory store is not ready")
}
