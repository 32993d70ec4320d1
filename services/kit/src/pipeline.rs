//! The commit pipeline (group commit): one read, decisions in order, one commit, and only then answers.
//!
//! ```text
//!   requests   --\                  +--------- one batch ---------+
//!                 >--> bounded queue | load -> decide* -> commit   | --> answers
//!   deliveries --/                  +-----------------------------+
//! ```
//!
//! What arrives while a commit runs is the next batch, so the cost of a commit is shared by more the
//! more there is to do, and at low load nothing waits.

mod cache;
mod commit;
mod items;
mod load;
mod traced;

use std::sync::Arc;

use bus::Record;
use domain::{
    Refusal, RefusalKind, Time,
    facts::Published,
    planted::{Defect, planted},
};
use store::{Advance, Answer, AnswerKey, Commit, CommitId, Parked, ParkedChange, Store, StoreError};

use cache::RowCache;
use load::Trust;
use traced::Traced;

pub use items::{Delivered, Delivery, Done, Idempotency, Item, NotDone, Outcome, Request};

use crate::{
    clock::Environment,
    machine::{Machine, View, Written},
    trace::trace_id_of,
};

/// How often a batch is decided again after somebody else was first.
const MAX_STALE_RETRIES: usize = 8;

/// A service's behaviour on its store.
pub struct Pipeline<M: Machine> {
    machine: Arc<M>,
    store: Arc<dyn Store<M::Row>>,
    environment: Environment,
    cache: Arc<RowCache<M::Row>>,
}

impl<M: Machine> Clone for Pipeline<M> {
    fn clone(&self) -> Self {
        Self {
            machine: Arc::clone(&self.machine),
            store: Arc::clone(&self.store),
            environment: self.environment.clone(),
            cache: Arc::clone(&self.cache),
        }
    }
}

/// What a fact asks for: nothing, where it does not matter here; an error, where it cannot be read.
type Heard<M> = Result<Option<<M as Machine>::Command>, String>;

/// A batch that is being decided.
struct Batch<M: Machine> {
    view: View<M::Row>,
    /// The answers that are stored already, and then those that this batch gives.
    answers: Vec<(AnswerKey, Answer)>,
    stored_answers: usize,
    advances: Vec<Advance>,
    parked: Vec<ParkedChange>,
    /// Empty where nobody collects spans.
    traced: Vec<Traced>,
}

impl<M: Machine> Pipeline<M> {
    /// A pipeline of a machine on a store.
    #[must_use]
    pub fn new(machine: Arc<M>, store: Arc<dyn Store<M::Row>>, environment: Environment) -> Self {
        let cache = Arc::new(RowCache::new(store.is_sole_writer()));
        Self { machine, store, environment, cache }
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store<M::Row>> {
        &self.store
    }

    /// The machine.
    #[must_use]
    pub fn machine(&self) -> &Arc<M> {
        &self.machine
    }

    /// The clock and the ids.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Does a batch and gives an outcome for each item, in order.
    pub async fn run(&self, items: &[Item<M::Command>]) -> Vec<Outcome<M::Reply>> {
        for trust in [Trust::WhatIsKnown, Trust::OnlyTheStore] {
            if let Some(outcomes) = self.run_together(items, trust).await {
                return outcomes;
            }
        }
        // Somebody else was first: one by one, an item that is always late harms no other.
        let mut outcomes = Vec::with_capacity(items.len());
        for item in items {
            outcomes.push(self.run_alone(item).await);
        }
        outcomes
    }

    async fn run_alone(&self, item: &Item<M::Command>) -> Outcome<M::Reply> {
        for _ in 0..MAX_STALE_RETRIES {
            if let Item::Delivery(delivery) = item
                && !planted(Defect::ZombieNotFenced)
            {
                let position = self.store.position(&delivery.partition).await.map_err(unavailable)?;
                if position != delivery.from {
                    return Err(NotDone::Fenced(position));
                }
            }
            if let Some(mut outcomes) =
                self.run_together(std::slice::from_ref(item), Trust::OnlyTheStore).await
                && let Some(outcome) = outcomes.pop()
            {
                return outcome;
            }
        }
        Err(NotDone::Unavailable("somebody else was always first".to_owned()))
    }

    /// One attempt; `None` when it was decided on what is no longer so, and nothing was done.
    async fn run_together(&self, items: &[Item<M::Command>], trust: Trust) -> Option<Vec<Outcome<M::Reply>>> {
        // Each fact is read once, for what it needs and for what it does.
        let heard: Vec<Vec<Heard<M>>> = items.iter().map(|item| self.hear_all(item)).collect();
        let mut batch = match self.load(items, &heard, trust).await {
            Ok(batch) => batch,
            Err(error) => return Some(items.iter().map(|_| Err(unavailable(error.clone()))).collect()),
        };
        let now = self.environment.now();
        let outcomes: Vec<_> =
            items.iter().zip(&heard).map(|(item, heard)| self.decide(&mut batch, item, heard, now)).collect();
        if batch.view.rests_on_assumption() {
            return None;
        }
        let traced = std::mem::take(&mut batch.traced);
        let committed = self.commit(batch, now).await;
        // What is decided again has its spans again.
        if !traced.is_empty() && !matches!(committed, Ok(false)) {
            self.end_traced(traced, items.len(), &committed);
        }
        match committed {
            Ok(true) => Some(outcomes),
            Ok(false) => None,
            Err(why) => Some(
                outcomes
                    .into_iter()
                    // A refusal needs no commit: it stands.
                    .map(|outcome| match outcome {
                        Err(NotDone::Refused(refusal)) => Err(NotDone::Refused(refusal)),
                        _ => Err(why.clone()),
                    })
                    .collect(),
            ),
        }
    }

    /// What the facts of an item ask for, in their order.
    fn hear_all(&self, item: &Item<M::Command>) -> Vec<Heard<M>> {
        match item {
            Item::Request(_) => Vec::new(),
            Item::Delivery(delivery) => delivery.records.iter().map(|record| self.hear(record)).collect(),
            Item::Redrive(parked) => parked.iter().map(|parked| self.hear(&parked.record)).collect(),
        }
    }

    fn hear(&self, record: &Record) -> Heard<M> {
        let fact = &record.fact;
        let published = fact.memo.get_or_read(|| Published::read(&fact.kind, &fact.payload));
        match published.as_ref() {
            Ok(published) => Ok(self.machine.hear_fact(published, fact)),
            Err(why) => Err(why.clone()),
        }
    }

    fn decide(
        &self,
        batch: &mut Batch<M>,
        item: &Item<M::Command>,
        heard: &[Heard<M>],
        now: Time,
    ) -> Outcome<M::Reply> {
        match item {
            Item::Request(request) => self.answer(batch, request, now),
            Item::Delivery(delivery) => Ok(Done::Delivered(self.deliver(batch, delivery, heard, now))),
            Item::Redrive(parked) => Ok(Done::Delivered(self.redrive(batch, parked, heard, now))),
        }
    }

    fn answer(&self, batch: &mut Batch<M>, request: &Request<M::Command>, now: Time) -> Outcome<M::Reply> {
        let ignored = planted(Defect::IdempotencyKeyIgnored);
        let idempotency = request.idempotency.as_ref().filter(|_| !ignored);
        if let Some(idempotency) = idempotency
            && let Some((_, known)) = batch.answers.iter().find(|(key, _)| *key == idempotency.key)
        {
            return replay::<M>(idempotency, known);
        }
        let traceparent = request.traceparent.as_deref();
        let span = self.trace_request(&mut batch.traced, traceparent);
        let reply = self.carry_out(batch, &request.command, span.as_deref().or(traceparent), now)?;
        if let Some(idempotency) = idempotency {
            let body = serde_json::to_string(&reply).map_err(|e| NotDone::Unavailable(e.to_string()))?;
            let answer = Answer { fingerprint: idempotency.fingerprint.clone(), body, at_us: now.micros() };
            if !planted(Defect::AnswerNotStored) {
                batch.answers.push((idempotency.key.clone(), answer));
            }
        }
        Ok(Done::Answered { reply, replayed: false })
    }

    fn carry_out(
        &self,
        batch: &mut Batch<M>,
        command: &M::Command,
        traceparent: Option<&str>,
        now: Time,
    ) -> Result<M::Reply, NotDone> {
        match self.machine.decide(&mut batch.view, command, now) {
            Ok(reply) => match batch.view.keep(&self.environment, now, traceparent) {
                Ok(()) => Ok(reply),
                Err(error) => {
                    batch.view.discard();
                    Err(NotDone::Unavailable(error.to_string()))
                }
            },
            Err(refusal) => {
                batch.view.discard();
                Err(NotDone::Refused(refusal))
            }
        }
    }

    /// Processes records in order, up to the first that cannot be.
    fn deliver(&self, batch: &mut Batch<M>, delivery: &Delivery, heard: &[Heard<M>], now: Time) -> Delivered {
        let mut delivered = Delivered { to: delivery.from, ..Delivered::default() };
        for (index, (record, heard)) in delivery.records.iter().zip(heard).enumerate() {
            let key = &record.fact.key;
            let is_blocked = delivery.blocked.contains(key) || delivered.newly_blocked.contains(key);
            let reason = match (&delivery.park_first, index) {
                (Some(reason), 0) => Some(reason.clone()),
                _ if is_blocked && !planted(Defect::ParkedKeyNotBlocked) => {
                    Some("behind a parked fact of the same key".to_owned())
                }
                _ => None,
            };
            if let Some(reason) = reason {
                if !planted(Defect::PoisonSkipped) {
                    batch.park(delivery, record, reason, now);
                    delivered.newly_blocked.insert(key.clone());
                }
            } else if let Err(reason) = self.process(batch, record, heard, now) {
                delivered.poison = Some((record.position, reason));
                break;
            }
            delivered.to = record.position;
        }
        if delivered.poison.is_none() || planted(Defect::PositionTooFar) {
            delivered.to = delivered.to.max(delivery.to);
        }
        if delivered.to != delivery.from && !delivery.records.is_empty() {
            let advance =
                Advance { partition: delivery.partition.clone(), from: delivery.from, to: delivered.to };
            batch.advances.push(advance);
        }
        delivered
    }

    fn redrive(&self, batch: &mut Batch<M>, parked: &[Parked], heard: &[Heard<M>], now: Time) -> Delivered {
        let mut delivered = Delivered::default();
        for (parked, heard) in parked.iter().zip(heard) {
            if let Err(reason) = self.process(batch, &parked.record, heard, now) {
                delivered.poison = Some((parked.record.position, reason));
                if !planted(Defect::UnparkedUndone) {
                    break;
                }
            }
            batch.parked.push(ParkedChange::Unpark(parked.partition.clone(), parked.record.position));
        }
        delivered
    }

    fn process(
        &self,
        batch: &mut Batch<M>,
        record: &Record,
        heard: &Heard<M>,
        now: Time,
    ) -> Result<(), String> {
        let Some(command) = heard.as_ref().map_err(Clone::clone)? else { return Ok(()) };
        let traceparent = record.fact.traceparent.as_deref();
        let span = self.trace_fact(&mut batch.traced, &record.fact);
        match self.carry_out(batch, command, span.as_deref().or(traceparent), now) {
            Ok(_) => Ok(()),
            Err(NotDone::Refused(refusal)) => Err(format!("{}: {}", refusal.code, refusal.detail)),
            Err(other) => Err(format!("{other:?}")),
        }
    }
}

impl<M: Machine> Batch<M> {
    fn into_commit(mut self, id: CommitId, now: Time) -> Commit<M::Row> {
        let Written { changes, facts, forgotten } = self.view.into_written();
        let answers = self.answers.split_off(self.stored_answers);
        Commit {
            changes,
            forgotten,
            facts,
            answers,
            advances: self.advances,
            parked: self.parked,
            ..Commit::new(id, now.micros())
        }
    }

    fn park(&mut self, delivery: &Delivery, record: &Record, reason: String, now: Time) {
        let fact = &record.fact;
        // The reason may quote what the fact says of somebody; it is kept in the store.
        tracing::error_span!("fact", trace_id = trace_id_of(fact.traceparent.as_deref())).in_scope(
            || tracing::error!(partition = %delivery.partition, kind = fact.kind, id = %fact.id.0, "a fact is parked"),
        );
        self.parked.push(ParkedChange::Park(Parked {
            partition: delivery.partition.clone(),
            record: record.clone(),
            reason,
            at_us: now.micros(),
        }));
    }
}

fn replay<M: Machine>(idempotency: &Idempotency, known: &Answer) -> Outcome<M::Reply> {
    if known.fingerprint != idempotency.fingerprint && !planted(Defect::BodyNotCompared) {
        return Err(NotDone::Refused(Refusal::new(
            RefusalKind::KeyReused,
            "idempotency_key_reused",
            "the Idempotency-Key was used for a request with another body: use a fresh key",
        )));
    }
    let reply = serde_json::from_str(&known.body).map_err(|e| NotDone::Unavailable(e.to_string()))?;
    Ok(Done::Answered { reply, replayed: true })
}

fn unavailable(error: StoreError) -> NotDone {
    NotDone::Unavailable(error.to_string())
}
