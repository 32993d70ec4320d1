//! The plugins of a route, in order, each in the most specific of its configurations.

use std::{cmp::Reverse, sync::Arc};

use axum::response::Response;
use uuid::Uuid;

use crate::{
    builtin,
    entity::{Protocol, Route},
    plugin::{Exchange, Flow, Outcome, Plugin},
};

/// A configured plugin, made once, with where it applies.
#[derive(Clone)]
pub(crate) struct Applied {
    pub name: &'static str,
    pub priority: i32,
    pub service: Option<Uuid>,
    pub route: Option<Uuid>,
    pub consumer: Option<Uuid>,
    pub protocols: Vec<Protocol>,
    pub plugin: Arc<dyn Plugin>,
}

/// Plugins that decide who somebody is. Boxoffice finds that out itself: such a plugin for everything is meant for what
/// stands beside it, and would only shut its sign-in. Put on the service `boxoffice`, it works there too.
const IDENTIFYING: [&str; 4] = ["jwt", "key-auth", "acl", "kong-jwt2header"];

impl Applied {
    /// It is on nothing in particular.
    fn is_everywhere(&self) -> bool {
        self.service.is_none() && self.route.is_none() && self.consumer.is_none()
    }

    /// Kong's precedence: the greater wins.
    fn precedence(&self) -> u8 {
        match (self.consumer.is_some(), self.route.is_some(), self.service.is_some()) {
            (true, true, true) => 7,
            (true, true, false) => 6,
            (true, false, true) => 5,
            (false, true, true) => 4,
            (true, false, false) => 3,
            (false, true, false) => 2,
            (false, false, true) => 1,
            (false, false, false) => 0,
        }
    }
}

/// The plugins of one route. Which configuration of a plugin counts may depend on the consumer, who is known only
/// once a plugin has recognised them.
#[derive(Default)]
pub(crate) struct Chain {
    slots: Box<[Slot]>,
}

struct Slot {
    /// By precedence; the first that fits the consumer counts.
    variants: Vec<(Option<Uuid>, Arc<dyn Plugin>)>,
}

impl Slot {
    fn plugin(&self, exchange: &Exchange) -> Option<Arc<dyn Plugin>> {
        let consumer = exchange.consumer.as_ref().map(|consumer| consumer.id);
        let mut fitting = self.variants.iter().filter(|(only, _)| only.is_none() || *only == consumer);
        fitting.next().map(|(_, plugin)| Arc::clone(plugin))
    }
}

impl Chain {
    /// Picks what applies to a route of a service.
    pub fn of(all: &[Applied], route: &Route, service: Option<Uuid>) -> Self {
        let mut fitting: Vec<&Applied> = all
            .iter()
            .filter(|one| one.route.is_none_or(|only| only == route.id))
            .filter(|one| one.service.is_none() || one.service == service)
            .filter(|one| {
                route.id != builtin::ROUTE || !one.is_everywhere() || !IDENTIFYING.contains(&one.name)
            })
            .filter(|one| one.protocols.iter().any(|protocol| route.protocols.contains(protocol)))
            .collect();
        fitting.sort_by_key(|one| (Reverse(one.priority), one.name, Reverse(one.precedence())));
        let same_plugin = fitting.chunk_by(|one, next| one.name == next.name);
        let slots = same_plugin.map(|variants| Slot {
            variants: variants.iter().map(|one| (one.consumer, Arc::clone(&one.plugin))).collect(),
        });
        Self { slots: slots.collect() }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Before the upstream; an answer ends it.
    pub async fn access(&self, exchange: &mut Exchange) -> Flow {
        for slot in &self.slots {
            let Some(plugin) = slot.plugin(exchange) else { continue };
            if let Flow::Answer(answer) = plugin.access(exchange).await {
                return Flow::Answer(answer);
            }
        }
        Flow::Continue
    }

    /// On the answer.
    pub async fn response(&self, exchange: &mut Exchange, answer: &mut Response) {
        for slot in &self.slots {
            if let Some(plugin) = slot.plugin(exchange) {
                plugin.response(exchange, answer).await;
            }
        }
    }

    /// After the answer.
    pub fn log(&self, exchange: &Exchange, outcome: &Outcome) {
        for slot in &self.slots {
            if let Some(plugin) = slot.plugin(exchange) {
                plugin.log(exchange, outcome);
            }
        }
    }
}
