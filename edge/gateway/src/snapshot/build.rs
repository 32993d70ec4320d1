//! The parts of a snapshot: each is made from its entity, or carried over from the snapshot before.

use std::{collections::HashMap, sync::Arc};

use kong::{Config, Entity, Kind};
use serde_json::Value;
use uuid::Uuid;

use super::{Made, Plan, Served, Snapshot};
use crate::{
    balancer::{Balancer, Rules, TargetRule, Way},
    builtin,
    chain::{Applied, Chain},
    entity::{self, PluginEntity, Route, Service, Target, Upstream},
    places::{Places, Priority},
    plugin::Resources,
    plugins,
};

/// Kong's port of targets that say none.
const DEFAULT_TARGET_PORT: u16 = 8_000;

/// Makes a plugin, or takes the one that was made from the same.
pub(super) fn apply(
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
pub(super) fn serve(config: &Config, entity: &Entity, before: Option<&Snapshot>) -> Result<Served, String> {
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
pub(super) fn plan(
    entity: &Entity,
    applied: &[Applied],
    ways: &HashMap<Uuid, Served>,
) -> Result<Option<Plan>, String> {
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
pub(super) fn bare_built_in(applied: &[Applied]) -> Arc<Plan> {
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
