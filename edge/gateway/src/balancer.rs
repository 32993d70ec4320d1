//! The way to what stands behind a service: its targets, found by DNS, watched, chosen, and asked again elsewhere
//! where that is safe.
//!
//! ```text
//!   call --> choose (algorithm, health, breaker) --> connection --> answer
//!               ^                                       |
//!               '------ not taken up, or idempotent ----'   within retries, and within the budget
//! ```

mod active;
mod budget;
mod choose;
mod connect;
mod discovery;
mod endpoint;
mod tls;
mod way;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use kit::breaker::State;
use tokio::sync::watch;
use uuid::Uuid;

use crate::entity::{Algorithm, CheckType, Upstream};
use budget::Budget;
use choose::Choice;
pub(crate) use choose::hash_of;
use connect::Dialogue;
use discovery::{Place, Places};
pub(crate) use endpoint::{Endpoint, Running};
pub(crate) use way::{Answered, Call, CallBody, NoAnswer, Way};

/// How long a call waits until a name has been looked up for the first time.
const FIRST_LOOK_UP: Duration = Duration::from_secs(2);

/// A target as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TargetRule {
    /// None for the host of a service.
    pub id: Option<Uuid>,
    /// Host or address, and perhaps port.
    pub target: String,
    pub weight: u32,
}

/// What a balancer is made from. Equal rules share one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rules {
    /// None for a service whose host is no upstream.
    pub upstream: Option<Arc<Upstream>>,
    pub targets: Vec<TargetRule>,
    /// For targets that say none.
    pub port: u16,
}

/// See the module.
pub(crate) struct Balancer {
    rules: Rules,
    choice: ArcSwap<Choice>,
    /// What each target stands for now, or why it cannot be found.
    found: Mutex<BTreeMap<String, Result<Vec<Place>, String>>>,
    looked_up: watch::Sender<bool>,
    turn: AtomicUsize,
    budget: Budget,
}

impl Balancer {
    /// Begins to look its targets up and to check them. What is known of the endpoints of the one before is kept.
    /// Must be called within a Tokio runtime.
    pub fn start(rules: Rules, before: Option<&Self>) -> Arc<Self> {
        let mut found = BTreeMap::new();
        let mut names = Vec::new();
        for rule in &rules.targets {
            match discovery::as_it_stands(&rule.target, rules.port) {
                Some(Places { places, .. }) => {
                    found.insert(rule.target.clone(), Ok(places));
                }
                None => names.push(rule.target.clone()),
            }
        }
        let known = before.map(|before| before.endpoints()).unwrap_or_default();
        if let Some(before) = before {
            // What is known of a name is good until it is looked up anew.
            let before = before.found.lock().unwrap_or_else(PoisonError::into_inner);
            let kept = names.iter().filter_map(|name| Some((name.clone(), before.get(name)?.clone())));
            found.extend(kept);
        }
        let is_whole = names.iter().all(|name| found.contains_key(name));
        let balancer = Arc::new(Self {
            choice: ArcSwap::default(),
            found: Mutex::new(found),
            looked_up: watch::Sender::new(is_whole),
            turn: AtomicUsize::new(0),
            budget: Budget::default(),
            rules,
        });
        balancer.rebuild(&known);
        for name in names {
            tokio::spawn(look_up(Arc::downgrade(&balancer), name));
        }
        if let Some(upstream) = &balancer.rules.upstream
            && active::is_on(&upstream.healthchecks.active)
        {
            tokio::spawn(active::run(Arc::downgrade(&balancer), Arc::clone(upstream)));
        }
        balancer
    }

    /// What it was made from.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The endpoints as they are now.
    pub fn endpoints(&self) -> Vec<Arc<Endpoint>> {
        self.choice.load().endpoints.clone()
    }

    /// Why a target cannot be found, if so.
    pub fn trouble(&self, target: &str) -> Option<String> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.get(target)?.as_ref().err().cloned()
    }

    fn note_found(&self, name: &str, places: Result<Vec<Place>, String>) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        match (found.get(name), &places) {
            // DNS that is away for a moment takes nothing away.
            (Some(Ok(_)), Err(why)) => {
                tracing::warn!(name, why, "a target cannot be looked up; its addresses stay");
                return;
            }
            (Some(known), new) if known == new => return,
            _ => {}
        }
        found.insert(name.to_owned(), places);
        let is_whole = self.rules.targets.iter().all(|rule| found.contains_key(&rule.target));
        drop(found);
        self.rebuild(&self.endpoints());
        if is_whole {
            self.looked_up.send_replace(true);
        }
    }

    fn rebuild(&self, known: &[Arc<Endpoint>]) {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let mut endpoints = Vec::new();
        for rule in &self.rules.targets {
            let Some(Ok(places)) = found.get(&rule.target) else { continue };
            // The weight of a target is shared by its addresses.
            let whole: u32 = places.iter().map(|place| place.weight).sum();
            for place in places {
                let share = u64::from(rule.weight) * u64::from(place.weight) * 100 / u64::from(whole.max(1));
                let weight = u32::try_from(share).unwrap_or(u32::MAX);
                let before = known.iter().find(|one| one.address == place.address && one.name == rule.target);
                let endpoint =
                    Endpoint::new(place.address, rule.id, &rule.target, weight, before.map(AsRef::as_ref));
                endpoints.push(Arc::new(endpoint));
            }
        }
        let algorithm =
            self.rules.upstream.as_ref().map_or(Algorithm::RoundRobin, |upstream| upstream.algorithm);
        self.choice.store(Arc::new(Choice::of(endpoints, algorithm)));
    }

    /// Begins a call at an endpoint; none where nobody can take it.
    async fn pick(&self, hash: Option<u64>, tried: &[Arc<Endpoint>]) -> Option<Running> {
        if !*self.looked_up.borrow() {
            let mut looked_up = self.looked_up.subscribe();
            let _ = tokio::time::timeout(FIRST_LOOK_UP, looked_up.wait_for(|is_whole| *is_whole)).await;
        }
        let choice = self.choice.load();
        if self.is_below_threshold(&choice) {
            return None;
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let algorithm =
            self.rules.upstream.as_ref().map_or(Algorithm::RoundRobin, |upstream| upstream.algorithm);
        // Between the look and the admission another call may have taken the place of a trial.
        for again in 0..=choice.endpoints.len() {
            let turn = turn.wrapping_add(again);
            let picked = match (algorithm, hash) {
                (Algorithm::LeastConnections, _) => choice.least_busy(turn, tried),
                (Algorithm::ConsistentHashing, Some(hash)) => choice.by_hash(hash, tried),
                (Algorithm::ConsistentHashing, None) => choice.by_hash(hash_of(&turn), tried),
                (Algorithm::RoundRobin, _) => choice.in_turn(turn, tried),
            };
            if let Some(running) = picked?.admit() {
                return Some(running);
            }
        }
        None
    }

    fn is_below_threshold(&self, choice: &Choice) -> bool {
        let threshold = self.rules.upstream.as_ref().map_or(0.0, |upstream| upstream.healthchecks.threshold);
        if threshold <= 0.0 {
            return false;
        }
        let weight = |fit: bool| -> f64 {
            choice
                .endpoints
                .iter()
                .filter(|one| !fit || one.is_healthy())
                .map(|one| f64::from(one.weight))
                .sum()
        };
        weight(true) * 100.0 < weight(false) * threshold
    }

    /// How active checks speak to endpoints.
    fn check_dialogue(&self, kind: CheckType) -> Dialogue {
        let is_grpc = matches!(kind, CheckType::Grpc | CheckType::Grpcs);
        let is_secure = matches!(kind, CheckType::Https | CheckType::Grpcs);
        let name = self.rules.upstream.as_ref().map(|upstream| {
            let checks = &upstream.healthchecks.active;
            (
                checks.https_sni.clone().unwrap_or_else(|| upstream.name.clone()),
                checks.https_verify_certificate,
            )
        });
        match name.filter(|_| is_secure) {
            None => Dialogue { is_grpc, tls: None },
            Some((name, verify)) => tls::check_dialogue(&name, is_grpc, verify),
        }
    }

    /// How a target is, in Kong's words, and its breaker.
    pub fn health(&self, rule: &TargetRule) -> (&'static str, State) {
        let endpoints = self.endpoints();
        let own: Vec<_> = endpoints.iter().filter(|one| one.target == rule.id).collect();
        let breaker = own.iter().map(|one| one.breaker());
        // The worst of its addresses.
        let breaker = breaker.max_by_key(|state| match state {
            State::Closed => 0,
            State::HalfOpen => 1,
            State::Open => 2,
        });
        let health = if self.trouble(&rule.target).is_some() || own.is_empty() {
            "DNS_ERROR"
        } else if !own.iter().all(|one| one.is_healthy()) {
            "UNHEALTHY"
        } else if self.rules.upstream.as_ref().is_some_and(|upstream| is_watched(upstream)) {
            "HEALTHY"
        } else {
            "HEALTHCHECKS_OFF"
        };
        (health, breaker.unwrap_or(State::Closed))
    }

    /// Takes a target as well, or not.
    pub fn set_healthy(&self, target: Uuid, healthy: bool) -> bool {
        let endpoints = self.endpoints();
        let mut own = endpoints.iter().filter(|one| one.target == Some(target)).peekable();
        let is_known = own.peek().is_some();
        own.for_each(|one| one.set_healthy(healthy));
        is_known
    }
}

/// Whether anything may change a target's health.
fn is_watched(upstream: &Upstream) -> bool {
    let (active, passive) = (&upstream.healthchecks.active, &upstream.healthchecks.passive.unhealthy);
    active::is_on(active) || passive.tcp_failures > 0 || passive.timeouts > 0 || passive.http_failures > 0
}

async fn look_up(balancer: Weak<Balancer>, name: String) {
    loop {
        let Some(port) = balancer.upgrade().map(|balancer| balancer.rules.port) else { return };
        let (places, good_for) = match discovery::look_up(&name, port).await {
            Ok(Places { places, good_for }) => (Ok(places), good_for),
            Err(why) => (Err(why), Some(discovery::RETRY_AFTER)),
        };
        let Some(alive) = balancer.upgrade() else { return };
        alive.note_found(&name, places);
        drop(alive);
        let Some(good_for) = good_for else { return };
        tokio::time::sleep(good_for).await;
    }
}

#[cfg(test)]
mod tests;
