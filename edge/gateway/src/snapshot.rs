//! A configuration made ready to serve: never changed, only replaced. A request goes by one snapshot from its
//! beginning to its end, so no change of the configuration is seen half way, and none loses a request.
//!
//! ```text
//!   kong::Config --build--> Snapshot { router, plans: (route, service, chain, balancer) } --swap--> Live
//!                              ^ plugins and balancers whose entities stay as they are are carried over
//! ```

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arc_swap::{ArcSwap, Guard};
use kit::breaker::State;
use kong::{Config, Entity, Health, Kind, TargetHealth, TargetsHealth};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    balancer::{Balancer, Rules, TargetRule, Way},
    builtin,
    chain::{Applied, Chain},
    entity::{self, PluginEntity, Route, Service, Target, Upstream},
    places::{Limiter, Places, Priority},
    plugin::{Plugin, Resources},
    plugins,
    router::Router,
    server::Certificates,
    targets,
};

/// Kong's port of targets that say none.
const DEFAULT_TARGET_PORT: u16 = 8_000;

/// Where requests of a route go, and what happens to them on their way.
pub(crate) struct Plan {
    pub route: Arc<Route>,
    pub service: Option<Arc<Service>>,
    pub chain: Chain,
    /// The way to the service.
    pub way: Option<Arc<Way>>,
    /// How many requests are carried out at a time.
    pub places: Places,
}

/// A configuration that is served.
pub struct Snapshot {
    /// What it was made from.
    pub config: Arc<Config>,
    pub(crate) router: Router<Plan>,
    /// Of Boxoffice itself.
    pub(crate) built_in: Arc<Plan>,
    pub(crate) certificates: Certificates,
    /// By entity, to carry over what stays the same.
    made: HashMap<Uuid, Made>,
    ways: HashMap<Uuid, Served>,
}

/// A service that is served, and what it was made from.
#[derive(Clone)]
struct Served {
    fields: Arc<Value>,
    service: Arc<Service>,
    way: Option<Arc<Way>>,
    limiter: Arc<Limiter>,
}

/// A plugin and what it was made from.
struct Made {
    config: Value,
    plugin: Arc<dyn Plugin>,
}

/// Something of a configuration that cannot be served. The rest is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The collection, such as `plugins`.
    pub collection: &'static str,
    /// The entity.
    pub id: Uuid,
    /// Why.
    pub why: String,
}

impl Snapshot {
    fn build(config: &Arc<Config>, resources: &Resources, before: Option<&Self>) -> (Self, Vec<Trouble>) {
        let mut troubles = Vec::new();
        let mut made = HashMap::new();
        let mut applied = Vec::new();
        for entity in config.all(Kind::Plugins) {
            let known = before.and_then(|before| before.made.get(&entity.id));
            match apply(entity, resources, known) {
                Ok(Some((one, config))) => {
                    made.insert(entity.id, Made { config, plugin: Arc::clone(&one.plugin) });
                    applied.push(one);
                }
                Ok(None) => {}
                Err(why) => troubles.push(trouble(entity, why)),
            }
        }
        let mut ways = HashMap::new();
        for entity in config.all(Kind::Services) {
            match serve(config, entity, before) {
                Ok(served) => {
                    ways.insert(entity.id, served);
                }
                Err(why) => troubles.push(trouble(entity, why)),
            }
        }
        let mut router = Router::default();
        let mut built_in = None;
        for entity in config.all(Kind::Routes) {
            let plan = match plan(entity, &applied, &ways) {
                Ok(Some(plan)) => Arc::new(plan),
                Ok(None) => continue,
                Err(why) => {
                    troubles.push(trouble(entity, why));
                    continue;
                }
            };
            if entity.id == builtin::ROUTE {
                built_in = Some(plan);
            } else if let Err(bad) = router.add(&plan.route, &plan) {
                troubles.push(trouble(entity, bad.to_string()));
            }
        }
        router.finish();
        let certificates = Certificates::of(config, |entity, why| troubles.push(trouble(entity, why)));
        let built_in = built_in.unwrap_or_else(|| bare_built_in(&applied));
        (Self { config: Arc::clone(config), router, built_in, certificates, made, ways }, troubles)
    }
}

fn trouble(entity: &Entity, why: String) -> Trouble {
    Trouble { collection: entity.kind.definition().name, id: entity.id, why }
}

/// Makes a plugin, or takes the one that was made from the same.
fn apply(
    entity: &Entity,
    resources: &Resources,
    known: Option<&Made>,
) -> Result<Option<(Applied, Value)>, String> {
    let read: PluginEntity = entity::read(entity).map_err(|error| error.to_string())?;
    if !read.enabled {
        return Ok(None);
    }
    let Some(definition) = plugins::definition(&read.name) else {
        return Err(format!("there is no plugin {}", read.name));
    };
    let plugin = match known.filter(|known| known.config == read.config) {
        Some(known) => Arc::clone(&known.plugin),
        None => (definition.make)(&read.config, resources).map_err(|bad| bad.to_string())?,
    };
    let applied = Applied {
        name: definition.name,
        priority: definition.priority,
        service: read.service.map(|reference| reference.id),
        route: read.route.map(|reference| reference.id),
        consumer: read.consumer.map(|reference| reference.id),
        protocols: read.protocols,
        plugin,
    };
    Ok(Some((applied, read.config)))
}

/// Begins to serve a service, or goes on as before.
fn serve(config: &Config, entity: &Entity, before: Option<&Snapshot>) -> Result<Served, String> {
    let service: Service = entity::read(entity).map_err(|error| error.to_string())?;
    let known = before.and_then(|before| before.ways.get(&entity.id));
    let limiter = known.map(|known| Arc::clone(&known.limiter)).unwrap_or_default();
    if entity.id == builtin::SERVICE {
        let service = Arc::new(service);
        return Ok(Served { fields: Arc::clone(&entity.fields), service, way: None, limiter });
    }
    let rules = rules(config, &service)?;
    let known_way = known.and_then(|known| known.way.as_ref());
    let balancer = match known_way.map(|way| way.balancer()) {
        Some(balancer) if *balancer.rules() == rules => Arc::clone(balancer),
        balancer => {
            shared(before, &rules).unwrap_or_else(|| Balancer::start(rules, balancer.map(AsRef::as_ref)))
        }
    };
    let is_same = |known: &&Served| {
        let same_authorities =
            before.is_some_and(|before| authorities(&before.config) == authorities(config));
        known.fields == entity.fields && (same_authorities || service.ca_certificates.is_none())
    };
    let way = match known.filter(is_same).and(known_way) {
        Some(way) if Arc::ptr_eq(way.balancer(), &balancer) => Arc::clone(way),
        _ => Arc::new(Way::new(&service, balancer, config)?),
    };
    Ok(Served { fields: Arc::clone(&entity.fields), service: Arc::new(service), way: Some(way), limiter })
}

/// Services of one upstream share what is known of its targets.
fn shared(before: Option<&Snapshot>, rules: &Rules) -> Option<Arc<Balancer>> {
    let ways = before?.ways.values().filter_map(|served| served.way.as_ref());
    ways.map(|way| way.balancer()).find(|balancer| balancer.rules() == rules).cloned()
}

fn authorities(config: &Config) -> Vec<&Entity> {
    config.all(Kind::CaCertificates).collect()
}

/// What stands behind a service: the targets of the upstream that its host names, or the host itself.
fn rules(config: &Config, service: &Service) -> Result<Rules, String> {
    let Some(entity) = config.by_key(Kind::Upstreams, &service.host) else {
        let target = format!("{}:{}", service.host, service.port);
        let targets = vec![TargetRule { id: None, target, weight: 100 }];
        return Ok(Rules { upstream: None, targets, port: service.port });
    };
    let upstream: Upstream = entity::read(entity).map_err(|error| error.to_string())?;
    let mut targets = Vec::new();
    for target in config.of(Kind::Targets, "upstream", entity.id) {
        let target: Target = entity::read(target).map_err(|error| error.to_string())?;
        targets.push(TargetRule { id: Some(target.id), target: target.target, weight: target.weight });
    }
    Ok(Rules { upstream: Some(Arc::new(upstream)), targets, port: DEFAULT_TARGET_PORT })
}

/// None where the route's service is switched off, or cannot be served.
fn plan(entity: &Entity, applied: &[Applied], ways: &HashMap<Uuid, Served>) -> Result<Option<Plan>, String> {
    let route: Route = entity::read(entity).map_err(|error| error.to_string())?;
    let served = route.service.map(|service| ways.get(&service.id));
    let served = match served {
        Some(None) => return Ok(None),
        Some(Some(served)) if !served.service.enabled => return Ok(None),
        served => served.flatten(),
    };
    let chain = Chain::of(applied, &route, route.service.map(|service| service.id));
    let priority = Priority::of_tags(route.tags.as_deref().unwrap_or_default());
    let limiter = served.map(|served| Arc::clone(&served.limiter)).unwrap_or_default();
    Ok(Some(Plan {
        route: Arc::new(route),
        service: served.map(|served| Arc::clone(&served.service)),
        chain,
        way: served.and_then(|served| served.way.clone()),
        places: Places { priority, limiter },
    }))
}

/// For a configuration without what is built in, such as an empty one.
fn bare_built_in(applied: &[Applied]) -> Arc<Plan> {
    let config = builtin::config();
    let ways = config.all(Kind::Services).filter_map(|service| {
        let served = serve(&config, service, None).ok()?;
        Some((service.id, served))
    });
    let ways = ways.collect();
    let route = config.get(Kind::Routes, builtin::ROUTE);
    match route.map(|route| plan(route, applied, &ways)) {
        Some(Ok(Some(plan))) => Arc::new(plan),
        // What is built in can be read, which a test holds.
        _ => unreachable!("what is built in cannot be read"),
    }
}

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

impl Snapshot {
    fn balancers_of(&self, upstream: Uuid) -> impl Iterator<Item = &Arc<Balancer>> {
        let ways = self.ways.values().filter_map(|served| served.way.as_ref());
        let is_meant = move |rules: &Rules| rules.upstream.as_ref().is_some_and(|known| known.id == upstream);
        ways.map(|way| way.balancer()).filter(move |balancer| is_meant(balancer.rules()))
    }

    fn balancer_of(&self, upstream: Uuid) -> Option<&Arc<Balancer>> {
        self.balancers_of(upstream).next()
    }
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}
