//! A configuration made ready to serve: never changed, only replaced. A request goes by one snapshot from its
//! beginning to its end, so no change of the configuration is seen half way, and none loses a request.
//!
//! ```text
//!   kong::Config --build--> Snapshot { router, plans: (route, service, chain, balancer) } --swap--> Live
//!                              ^ plugins and balancers whose entities stay as they are are carried over
//! ```

mod build;
mod live;

use std::{collections::HashMap, sync::Arc};

use kong::{Config, Entity, Kind};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    balancer::{Balancer, Rules, Way},
    builtin,
    chain::Chain,
    entity::{Route, Service},
    places::{Limiter, Places},
    plugin::{Plugin, Resources},
    router::Router,
    server::Certificates,
};
use build::{apply, bare_built_in, plan, serve};
pub use live::Live;

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
