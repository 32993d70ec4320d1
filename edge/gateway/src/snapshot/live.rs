//! The snapshot that is served: replaced as a whole, and asked how its targets are.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwap, Guard};
use kit::breaker::State;
use kong::{Config, Health, TargetHealth, TargetsHealth};
use uuid::Uuid;

use super::{Snapshot, Trouble};
use crate::{balancer::Balancer, builtin, plugin::Resources, plugins, targets};

/// The snapshot that is served now.
pub struct Live {
    current: ArcSwap<Snapshot>,
    resources: Resources,
    /// Held while the next one is built.
    building: Mutex<()>,
}

impl Live {
    /// Begins with Boxoffice alone.
    #[must_use]
    pub fn new(resources: Resources) -> Self {
        let (first, _) = Snapshot::build(&Arc::new(builtin::config()), &resources, None);
        Self { current: ArcSwap::from_pointee(first), resources, building: Mutex::new(()) }
    }

    /// The schemas of the plugins that can be served.
    #[must_use]
    pub fn schemas(&self) -> plugins::Schemas {
        plugins::Schemas(self.resources.clone())
    }

    /// The snapshot to go by.
    pub fn snapshot(&self) -> Guard<Arc<Snapshot>> {
        self.current.load()
    }

    /// Serves another configuration from the next request on. Requests that run go on by the one that they began
    /// with. What cannot be served is told, and everything else is.
    pub fn serve(&self, config: &Arc<Config>) -> Vec<Trouble> {
        let _building = self.building();
        let before = self.current.load_full();
        let (next, troubles) = Snapshot::build(config, &self.resources, Some(&before));
        for trouble in &troubles {
            let Trouble { collection, id, why } = trouble;
            tracing::error!(collection, %id, why, "this part of the configuration cannot be served");
        }
        self.current.store(Arc::new(next));
        troubles
    }

    /// How targets are, in the text format of Prometheus.
    pub(crate) fn figures(&self) -> String {
        let snapshot = self.current.load();
        let mut seen: Vec<&Arc<Balancer>> = Vec::new();
        for served in snapshot.ways.values() {
            let balancer = served.way.as_ref().map(|way| way.balancer());
            seen.extend(balancer.filter(|one| !seen.iter().any(|other| Arc::ptr_eq(one, other))));
        }
        let named = seen.iter().map(|balancer| {
            let upstream = balancer.rules().upstream.as_ref().map(|upstream| upstream.name.clone());
            (upstream.unwrap_or_default(), balancer.as_ref())
        });
        targets::text(named)
    }

    fn building(&self) -> MutexGuard<'_, ()> {
        // Nothing is left half done: the next snapshot replaces the other as a whole.
        self.building.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TargetsHealth for Live {
    fn of(&self, upstream: Uuid) -> Vec<TargetHealth> {
        let snapshot = self.current.load();
        let Some(balancer) = snapshot.balancer_of(upstream) else { return Vec::new() };
        let known = balancer.rules().targets.iter().filter_map(|rule| {
            let (health, breaker) = balancer.health(rule);
            let breaker = match breaker {
                State::Closed => "closed",
                State::Open => "open",
                State::HalfOpen => "half-open",
            };
            Some(TargetHealth { target: rule.id?, health, breaker })
        });
        known.collect()
    }

    fn set(&self, upstream: Uuid, target: Uuid, health: Health) -> bool {
        let snapshot = self.current.load();
        let balancers = snapshot.balancers_of(upstream);
        // Each of them, as services may differ in how they see the upstream.
        let known: Vec<bool> =
            balancers.map(|balancer| balancer.set_healthy(target, health == Health::Healthy)).collect();
        known.contains(&true)
    }
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}
