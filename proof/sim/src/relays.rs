//! The way of facts where the log is elsewhere: relays publish the outboxes on a log of its own, which may not be
//! reached, may keep a beginning of what it is given, and may not answer.

use std::{
    future::pending,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use bus::{Fact, Log, MemoryLog, ParkedFact, PublishError, Publisher, Topic};
use kit::{
    Environment,
    relay::{self, ParkedRelay, Relay, RelayError, Relayed},
};
use store::{Row, Store};

use crate::{
    crashes::{CrashPoint, Transition},
    faults::{Fault, Faults, Marker},
    node::poll,
    store::SimStore,
    witness::Watcher,
};

/// The log elsewhere, as the relay of one service meets it.
pub struct SimPublisher {
    service: &'static str,
    log: Arc<MemoryLog>,
    faults: Arc<Faults>,
    watcher: Watcher,
    /// What was told to the log in this step of a relay, and is not noted in the store yet.
    unnoted: Mutex<Vec<Transition>>,
}

impl SimPublisher {
    /// Keeps facts; `&self` as the log keeps each at once.
    fn keep(&self, facts: &[Arc<Fact>]) {
        self.log.append(facts);
        let mut witness = self.watcher.witness();
        facts.iter().for_each(|fact| witness.see_published(self.service, fact));
        if self.faults.may_crash() || self.faults.has(Fault::CrashElsewhere) {
            let mut unnoted = self.unnoted.lock().unwrap_or_else(PoisonError::into_inner);
            unnoted.extend(facts.iter().filter_map(|fact| witness.transition(fact)));
        }
    }

    /// What was told to the log since this was asked last.
    fn take_unnoted(&self) -> Vec<Transition> {
        std::mem::take(&mut self.unnoted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn a_beginning<'a>(&self, facts: &'a [Arc<Fact>]) -> &'a [Arc<Fact>] {
        &facts[..self.faults.below(facts.len() as u64 + 1) as usize]
    }
}

#[async_trait]
impl Publisher for SimPublisher {
    async fn publish(&self, _topic: Topic, facts: &[Arc<Fact>]) -> Result<(), PublishError> {
        if self.faults.strikes(Fault::PublishCut) {
            self.keep(self.a_beginning(facts));
            return Err(PublishError::Unavailable("injected".to_owned()));
        }
        if self.faults.strikes(Fault::CrashElsewhere) {
            self.keep(self.a_beginning(facts));
            self.faults.crash();
            pending::<()>().await;
        }
        self.keep(facts);
        match self.faults.strikes(Fault::PublishLate) {
            true => Err(PublishError::Unavailable("injected: done".to_owned())),
            false => Ok(()),
        }
    }

    async fn publish_parked(&self, _parked: &[ParkedFact]) -> Result<(), PublishError> {
        match self.faults.strikes(Fault::PublishCut) {
            true => Err(PublishError::Unavailable("injected".to_owned())),
            false => Ok(()),
        }
    }
}

/// The relays of one service, one set in each replica.
pub struct Relays<R: Row> {
    store: Arc<SimStore<R>>,
    outbox: Arc<MemoryLog>,
    topics: &'static [Topic],
    publisher: Arc<SimPublisher>,
    faults: Arc<Faults>,
    environments: Vec<Environment>,
    replicas: Vec<Vec<Relay<R>>>,
}

/// The relays of one service, whatever its rows are.
pub trait Relaying {
    /// Lets the relays of a replica publish what there is, and mostly say so in the store; whether there was more.
    fn step(&mut self, replica: usize, is_marked: Marked) -> bool;
    /// Removes what is published and older than a time; how many facts.
    fn trim(&self, before_us: i64) -> u64;
}

/// Whether a relay says in the store how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marked {
    /// It does.
    Yes,
    /// Not yet.
    Later,
}

impl<R: Row> Relays<R> {
    /// Starts the relays of each replica, from the outbox of a store to a log.
    #[must_use]
    pub fn new(
        store: &Arc<SimStore<R>>,
        topics: &'static [Topic],
        log: Arc<MemoryLog>,
        faults: &Arc<Faults>,
        watcher: &Watcher,
        environments: Vec<Environment>,
    ) -> Self {
        let (faults, watcher) = (Arc::clone(faults), watcher.clone());
        let publisher = SimPublisher {
            service: R::SERVICE,
            log,
            faults: Arc::clone(&faults),
            watcher,
            unnoted: Mutex::default(),
        };
        let mut relays = Self {
            outbox: store.inner().log(),
            store: Arc::clone(store),
            topics,
            publisher: Arc::new(publisher),
            faults,
            environments,
            replicas: Vec::new(),
        };
        relays.replicas = relays.environments.iter().map(|environment| relays.start(environment)).collect();
        relays
    }

    fn start(&self, environment: &Environment) -> Vec<Relay<R>> {
        let store: Arc<dyn Store<R>> = self.store.clone();
        let partitions = self.topics.iter().flat_map(|topic| self.outbox.partitions(*topic));
        let relay = |partition| {
            Relay::new(partition, self.outbox.clone(), &store, self.publisher.clone(), environment)
        };
        partitions.map(relay).collect()
    }

    async fn step_each(
        relays: &mut [Relay<R>],
        is_marked: Marked,
        publisher: &SimPublisher,
    ) -> Result<bool, RelayError> {
        let mut has_moved = false;
        for relay in relays {
            has_moved |= relay.step().await? != Relayed::Idle;
            if is_marked == Marked::Later {
                continue;
            }
            if let Err(error) = relay.mark().await {
                if let RelayError::Overtaken = error {
                    publisher.faults.mark(Marker::Overtaken);
                }
                return Err(error);
            }
            publisher.take_unnoted();
        }
        Ok(has_moved)
    }
}

impl<R: Row> Relaying for Relays<R> {
    fn step(&mut self, replica: usize, is_marked: Marked) -> bool {
        let relays = &mut self.replicas[replica];
        let stepped = poll(&self.faults, Self::step_each(relays, is_marked, &self.publisher));
        let unnoted = self.publisher.take_unnoted();
        if stepped.is_none() {
            self.faults.count_crash(CrashPoint::Published, &unnoted);
        }
        let told = match stepped {
            Some(_) => {
                let store: Arc<dyn Store<R>> = self.store.clone();
                let parked = ParkedRelay::new(&store, self.publisher.clone(), &self.environments[replica]);
                poll(&self.faults, async { parked.step().await })
            }
            None => None,
        };
        self.store.stand_down();
        if stepped.is_none() || told.is_none() {
            self.replicas[replica] = self.start(&self.environments[replica]);
        }
        !matches!(stepped, Some(Ok(false)))
    }

    fn trim(&self, before_us: i64) -> u64 {
        let store = self.store.inner().as_ref();
        let trimmed = poll(&self.faults, relay::trim(store, self.outbox.as_ref(), self.topics, before_us));
        trimmed.and_then(Result::ok).unwrap_or_default()
    }
}
