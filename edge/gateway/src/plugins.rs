//! The plugins that there are.

pub mod acl;
pub mod correlation_id;
pub mod cors;
pub mod grpc_gateway;
pub mod grpc_status;
pub mod grpc_web;
pub mod ip_restriction;
pub mod jwt;
pub mod key_auth;
pub mod kong_jwt2header;
pub mod opentelemetry;
pub mod prometheus;
pub mod proxy_cache;
pub mod rate_limiting;
pub mod request_size_limiting;
pub mod request_termination;
pub mod request_transformer;
pub mod response_transformer;

#[cfg(test)]
mod page;
mod query;
mod recognised;
#[cfg(test)]
pub(crate) mod testing;
mod transforming;

use std::{collections::BTreeMap, sync::LazyLock};

use kong::{Field, PluginSchemas};
use serde_json::Value;

use crate::plugin::{Definition, Resources};

/// All of them. To add one, see [`crate::plugin`].
const ALL: &[&Definition] = &[
    &acl::DEFINITION,
    &correlation_id::DEFINITION,
    &cors::DEFINITION,
    &grpc_gateway::DEFINITION,
    &grpc_status::DEFINITION,
    &grpc_web::DEFINITION,
    &ip_restriction::DEFINITION,
    &jwt::DEFINITION,
    &key_auth::DEFINITION,
    &kong_jwt2header::DEFINITION,
    &opentelemetry::DEFINITION,
    &prometheus::DEFINITION,
    &proxy_cache::DEFINITION,
    &rate_limiting::DEFINITION,
    &request_size_limiting::DEFINITION,
    &request_termination::DEFINITION,
    &request_transformer::DEFINITION,
    &response_transformer::DEFINITION,
];

static BY_NAME: LazyLock<BTreeMap<&'static str, Known>> = LazyLock::new(|| {
    ALL.iter()
        .map(|definition| (definition.name, Known { definition, fields: (definition.fields)() }))
        .collect()
});

struct Known {
    definition: &'static Definition,
    fields: Vec<Field>,
}

/// A plugin by its name.
#[must_use]
pub fn definition(name: &str) -> Option<&'static Definition> {
    BY_NAME.get(name).map(|known| known.definition)
}

/// The schemas of the plugins, for whoever checks configurations.
#[derive(Clone)]
pub struct Schemas(pub Resources);

impl PluginSchemas for Schemas {
    fn fields(&self, name: &str) -> Option<&[Field]> {
        BY_NAME.get(name).map(|known| known.fields.as_slice())
    }

    fn names(&self) -> Vec<&'static str> {
        BY_NAME.keys().copied().collect()
    }

    fn check(&self, name: &str, config: &Value) -> Result<(), (String, String)> {
        let Some(definition) = definition(name) else { return Ok(()) };
        let made = (definition.make)(config, &self.0);
        made.map(|_| ()).map_err(|bad| (bad.field, bad.why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_and_each_priority_occurs_once() {
        assert_eq!(BY_NAME.len(), ALL.len());
        let mut priorities: Vec<i32> = ALL.iter().map(|definition| definition.priority).collect();
        priorities.sort_unstable();
        priorities.dedup();
        assert_eq!(priorities.len(), ALL.len(), "plugins of one priority have no order");
    }
}
