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
use kong::{Config, Entity, Kind};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    builtin,
    chain::{Applied, Chain},
    entity::{self, PluginEntity, Route, Service},
    plugin::{Plugin, Resources},
    plugins,
    router::Router,
};

/// Where requests of a route go, and what happens to them on their way.
pub(crate) struct Plan {
    pub route: Arc<Route>,
    pub service: Option<Arc<Service>>,
    pub chain: Chain,
}

/// A configuration that is served.
pub struct Snapshot {
    /// What it was made from.
    pub config: Arc<Config>,
    pub(crate) router: Router<Plan>,
    /// Of Boxoffice itself.
    pub(crate) built_in: Arc<Plan>,
    /// By entity, to carry over what stays the same.
    made: HashMap<Uuid, Made>,
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
        let mut router = Router::default();
        let mut built_in = None;
        for entity in config.all(Kind::Routes) {
            let plan = match plan(config, entity, &applied) {
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
        let built_in = built_in.unwrap_or_else(|| bare_built_in(&applied));
        (Self { config: Arc::clone(config), router, built_in, made }, troubles)
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

/// None where the route's service is switched off.
fn plan(config: &Config, entity: &Entity, applied: &[Applied]) -> Result<Option<Plan>, String> {
    let route: Route = entity::read(entity).map_err(|error| error.to_string())?;
    let service = match route.service.and_then(|service| config.get(Kind::Services, service.id)) {
        Some(service) => Some(entity::read::<Service>(service).map_err(|error| error.to_string())?),
        None => None,
    };
    if service.as_ref().is_some_and(|service| !service.enabled) {
        return Ok(None);
    }
    let chain = Chain::of(applied, &route, service.as_ref().map(|service| service.id));
    Ok(Some(Plan { route: Arc::new(route), service: service.map(Arc::new), chain }))
}

/// For a configuration without what is built in, such as an empty one.
fn bare_built_in(applied: &[Applied]) -> Arc<Plan> {
    let config = builtin::config();
    let route = config.get(Kind::Routes, builtin::ROUTE);
    let plan = route.map(|route| plan(&config, route, applied));
    match plan {
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

    fn building(&self) -> MutexGuard<'_, ()> {
        // Nothing is left half done: the next snapshot replaces the other as a whole.
        self.building.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
