//! One service as the simulator runs it: a store that stays, and two replicas that come and go.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use bus::{LogError, Partition, Position, Record};
use futures_util::FutureExt;
use kit::{
    Consumer, Environment, Item, Machine, Pipeline,
    consumer::{ConsumeError, Progress},
    pipeline::{Delivered, Done, NotDone, Outcome},
};
use store::{Parked, Store};

use crate::{
    faults::{Faults, Marker},
    log::SimLog,
    store::SimStore,
};

/// How many processes of each service there are.
pub const REPLICAS: usize = 2;
/// The partition name of facts that are delivered out of turn: no consumer has it, so that delivering
/// them moves no position and takes nothing back that is parked.
const OUT_OF_TURN: &str = "out-of-turn";

/// Polls a future that can never wait, once. `None` when its process has died meanwhile.
///
/// # Panics
/// When it waits and nothing has died: then something real was awaited, and the simulator is wrong.
pub fn poll<T>(faults: &Faults, future: impl Future<Output = T>) -> Option<T> {
    let ready = future.now_or_never();
    if ready.is_none() {
        assert!(faults.take_crash(), "a simulated future is not ready");
    }
    ready
}

type Shared<T> = Arc<Mutex<T>>;

struct Replica<M: Machine> {
    pipeline: Pipeline<M>,
    consumers: Vec<Shared<Consumer<M>>>,
}

/// One service.
pub struct Node<M: Machine> {
    /// Its name.
    pub name: &'static str,
    /// Its store.
    pub store: Arc<SimStore<M::Row>>,
    /// What it consumes.
    pub log: Arc<SimLog>,
    /// The partitions that it consumes.
    pub partitions: Vec<Partition>,
    faults: Arc<Faults>,
    machine: fn(i64) -> M,
    hold_seconds: i64,
    environments: Vec<Environment>,
    replicas: Vec<Replica<M>>,
    /// Which replica each partition is given to.
    owners: Vec<usize>,
}

/// What a node is made of.
pub struct Parts<M: Machine> {
    /// Its name.
    pub name: &'static str,
    /// Its store.
    pub store: Arc<SimStore<M::Row>>,
    /// What it consumes.
    pub log: Arc<SimLog>,
    /// The faults.
    pub faults: Arc<Faults>,
    /// Makes the behaviour of a new process.
    pub machine: fn(i64) -> M,
    /// How long seats are held.
    pub hold_seconds: i64,
    /// The clock and ids of each replica.
    pub environments: Vec<Environment>,
}

impl<M: Machine> Node<M> {
    /// Starts all replicas.
    #[must_use]
    pub fn new(parts: Parts<M>) -> Self {
        let Parts { name, store, log, faults, machine, hold_seconds, environments } = parts;
        let partitions = log.all_partitions();
        let owners = vec![0; partitions.len()];
        let mut node = Self {
            name,
            store,
            log,
            partitions,
            faults,
            machine,
            hold_seconds,
            environments,
            replicas: Vec::new(),
            owners,
        };
        node.replicas = (0..REPLICAS).map(|index| node.start(index)).collect();
        node
    }

    fn start(&self, index: usize) -> Replica<M> {
        let store: Arc<dyn Store<M::Row>> = self.store.clone();
        let machine = Arc::new((self.machine)(self.hold_seconds));
        let pipeline = Pipeline::new(machine, Arc::clone(&store), self.environments[index].clone());
        let consumers = self.partitions.iter().map(|partition| self.consumer(partition, &pipeline)).collect();
        Replica { pipeline, consumers }
    }

    fn consumer(&self, partition: &Partition, pipeline: &Pipeline<M>) -> Shared<Consumer<M>> {
        let (log, sink) = (self.log.clone(), Arc::new(pipeline.clone()));
        Arc::new(Mutex::new(Consumer::new(partition.clone(), log, Arc::clone(pipeline.store()), sink)))
    }

    /// The pipeline of a replica.
    #[must_use]
    pub fn pipeline(&self, index: usize) -> &Pipeline<M> {
        &self.replicas[index].pipeline
    }

    /// The clock and ids of a replica.
    #[must_use]
    pub fn environment(&self, index: usize) -> &Environment {
        &self.environments[index]
    }

    /// Does a batch. `None` when the replica died; it is started again.
    pub fn run(&mut self, index: usize, items: &[Item<M::Command>]) -> Option<Vec<Outcome<M::Reply>>> {
        let done = poll(&self.faults, self.replicas[index].pipeline.run(items));
        self.store.stand_down();
        if done.is_none() {
            self.restart(index);
        }
        done
    }

    /// Lets another replica do a batch before one of the coming calls to the store. What came of it
    /// is put where it is said to be.
    pub fn race_batch(
        &self,
        calls: u64,
        index: usize,
        items: Vec<Item<M::Command>>,
        outcomes: Shared<Option<Vec<Outcome<M::Reply>>>>,
    ) {
        let (rival, faults) = (self.replicas[index].pipeline.clone(), Arc::clone(&self.faults));
        let act = move || {
            let done = poll(&faults, rival.run(&items));
            *outcomes.lock().unwrap_or_else(PoisonError::into_inner) = done;
        };
        self.store.lie_in_wait(calls, Box::new(act));
    }

    /// Facts as something to be done out of turn.
    #[must_use]
    pub fn out_of_turn(&self, partition: usize, after: Position, most: usize) -> Item<M::Command> {
        let partition = &self.partitions[partition];
        let copy = |record| Parked {
            partition: Partition { topic: partition.topic, name: OUT_OF_TURN.to_owned() },
            record,
            reason: String::new(),
            at_us: 0,
        };
        Item::Redrive(self.log.truth(partition, after, most).into_iter().map(copy).collect())
    }
}

/// One service, whatever its rows are.
pub trait Service {
    /// Its name.
    fn name(&self) -> &'static str;
    /// What it consumes.
    fn log(&self) -> &Arc<SimLog>;
    /// The partitions that it consumes.
    fn partitions(&self) -> &[Partition];
    /// Where the store says that the consumer of a partition is.
    fn position(&self, partition: usize) -> Position;
    /// How many facts are parked.
    fn parked(&self) -> usize;
    /// The replica that a partition is given to.
    fn owner(&self, partition: usize) -> usize;
    /// Gives a partition to another replica, which begins where the store says.
    fn rebalance(&mut self, partition: usize);
    /// Ends a replica and starts it again; what it had in memory is gone.
    fn restart(&mut self, replica: usize);
    /// Steps a consumer once. `None` when the replica died or the step failed.
    fn step(&mut self, replica: usize, partition: usize) -> Option<Progress>;
    /// Tries the parked facts of a partition again.
    fn redrive(&mut self, replica: usize, partition: usize);
    /// Lets the consumer of another replica step before one of the coming calls to the store.
    fn race_consumer(&self, calls: u64, replica: usize, partition: usize);
    /// Delivers facts out of their turn: the facts, and why it failed, should it have.
    fn deliver(&mut self, partition: usize, after: Position, most: usize) -> (Vec<Record>, Option<String>);
}

impl<M: Machine> Service for Node<M> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn log(&self) -> &Arc<SimLog> {
        &self.log
    }

    fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    fn position(&self, partition: usize) -> Position {
        let position = self.store.inner().position(&self.partitions[partition]).now_or_never();
        position.expect("a memory store is always ready").expect("a memory store can be read")
    }

    fn parked(&self) -> usize {
        let parked = self.store.inner().parked().now_or_never();
        parked.expect("a memory store is always ready").expect("a memory store can be read").len()
    }

    fn owner(&self, partition: usize) -> usize {
        self.owners[partition]
    }

    fn rebalance(&mut self, partition: usize) {
        let owner = (self.owners[partition] + 1) % REPLICAS;
        self.owners[partition] = owner;
        let fresh = self.consumer(&self.partitions[partition], &self.replicas[owner].pipeline);
        self.replicas[owner].consumers[partition] = fresh;
    }

    fn restart(&mut self, replica: usize) {
        self.replicas[replica] = self.start(replica);
    }

    fn step(&mut self, replica: usize, partition: usize) -> Option<Progress> {
        let consumer = Arc::clone(&self.replicas[replica].consumers[partition]);
        let stepped = step_consumer(&self.faults, &consumer);
        self.store.stand_down();
        if stepped.is_none() {
            self.restart(replica);
        }
        stepped.flatten()
    }

    fn redrive(&mut self, replica: usize, partition: usize) {
        let consumer = Arc::clone(&self.replicas[replica].consumers[partition]);
        let mut consumer = consumer.lock().unwrap_or_else(PoisonError::into_inner);
        let redriven = poll(&self.faults, consumer.redrive());
        self.store.stand_down();
        if redriven.is_none() {
            self.restart(replica);
        }
    }

    fn race_consumer(&self, calls: u64, replica: usize, partition: usize) {
        let rival = Arc::clone(&self.replicas[replica].consumers[partition]);
        let faults = Arc::clone(&self.faults);
        let act = move || {
            step_consumer(&faults, &rival);
        };
        self.store.lie_in_wait(calls, Box::new(act));
    }

    fn deliver(&mut self, partition: usize, after: Position, most: usize) -> (Vec<Record>, Option<String>) {
        let item = self.out_of_turn(partition, after, most);
        let outcome = self.run(0, std::slice::from_ref(&item)).and_then(|mut outcomes| outcomes.pop());
        let Item::Redrive(copies) = item else { return (Vec::new(), None) };
        let failed = match outcome {
            Some(Ok(Done::Delivered(Delivered { poison: None, .. }))) => None,
            other => Some(format!("{:?}", other.map(|outcome| outcome.map(|_| "stuck")))),
        };
        (copies.into_iter().map(|copy| copy.record).collect(), failed)
    }
}

/// Steps a consumer. The outer `None` is its death, the inner one a failure.
fn step_consumer<M: Machine>(faults: &Faults, consumer: &Mutex<Consumer<M>>) -> Option<Option<Progress>> {
    let mut consumer = consumer.lock().unwrap_or_else(PoisonError::into_inner);
    match poll(faults, consumer.step())? {
        Ok(progress) => Some(Some(progress)),
        Err(ConsumeError::NotDone(NotDone::Fenced(_))) => {
            faults.mark(Marker::Fenced);
            Some(None)
        }
        Err(ConsumeError::Log(LogError::Trimmed { .. })) => {
            faults.mark(Marker::ReadTooLate);
            Some(None)
        }
        Err(_) => Some(None),
    }
}
