//! Requests through everything: the gateway, the ticket service and its pipeline, the event service that hears
//! of the booking, and back. 32 at a time, as under load; stores and logs in memory, on one thread.

use std::sync::Arc;

use kit::{Guard, Observer, Runtime, Transport, identity::Signer};
use ticket::{Simulator, TicketKey};

use super::{BATCH, Round};
use crate::world::{
    self,
    rest::{Rest, single_thread},
    stores::Stores,
};

pub fn start() -> anyhow::Result<Round> {
    let environment = world::environment();
    let stores = Stores::new(&environment)?;
    let key = Signer::generate()?;
    let signer = Signer::from_pkcs8(&key)?;
    let ticket_key = TicketKey::from_pkcs8(&key).map_err(|_| anyhow::anyhow!("the key is none"))?;
    let guard = Guard::new(signer.verifier(), environment.clone());
    let threads = single_thread()?;
    let tickets = {
        let _in_runtime = threads.enter();
        let (runtime, log) = (Runtime::new(), stores.log());
        // Nobody calls the event service here; what it hears is what counts.
        let hold_seconds = domain::event::seats::HOLD_SECONDS;
        drop(event::start(&runtime, Arc::new(stores.event.clone()), &log, environment.clone(), hold_seconds));
        let provider = Arc::new(Simulator::default());
        let store = Arc::new(stores.ticket.clone());
        let tickets = ticket::start(&runtime, store, &log, environment.clone(), ticket_key, provider);
        let observer = Observer::new(&runtime.metrics, environment.clone());
        Transport::local(observer.watch(guard.protect(tickets)))
    };
    let mut rest = Rest::on(threads, tickets, guard, &signer, environment)?;
    Ok(Box::new(move || rest.book(BATCH)))
}
