//! Boxoffice itself as a service and a route of the configuration: `boxoffice`, which answers whatever no other route
//! does. It cannot be changed or removed; plugins may be put on it.

use std::sync::Arc;

use kong::{Config, Kind, config::BUILT_IN, schema};
use serde_json::{Value, json};
use uuid::Uuid;

/// The id of the service.
pub const SERVICE: Uuid = Uuid::from_u128(0xb0c0_ff1c_e000_4000_8000_0000_0000_0001);
/// The id of the route.
pub const ROUTE: Uuid = Uuid::from_u128(0xb0c0_ff1c_e000_4000_8000_0000_0000_0002);
/// The name of both.
pub const NAME: &str = "boxoffice";

/// A configuration with what is built in and nothing else.
#[must_use]
pub fn config() -> Config {
    let mut config = Config::default();
    let service = json!({
        "id": SERVICE, "name": NAME, "protocol": "grpc", "host": "boxoffice.internal", "port": 80,
        "tags": [BUILT_IN], "created_at": 0, "updated_at": 0,
    });
    let route = json!({
        "id": ROUTE, "name": NAME, "protocols": ["http", "https"], "paths": ["/"], "strip_path": false,
        "service": {"id": SERVICE}, "tags": [BUILT_IN], "created_at": 0, "updated_at": 0,
    });
    for (kind, id, fields) in [(Kind::Services, SERVICE, service), (Kind::Routes, ROUTE, route)] {
        let Value::Object(fields) = fields else { continue };
        // They fit their schemas, which a test holds.
        let fields = schema::check(&kind.definition().fields, fields).unwrap_or_default();
        config.put(kind, id, Arc::new(Value::Object(fields)));
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::{self, Route, Service};

    #[test]
    fn what_is_built_in_fits_the_schemas() {
        let config = config();
        let service: Service = entity::read(config.by_key(Kind::Services, NAME).unwrap()).unwrap();
        let route: Route = entity::read(config.by_key(Kind::Routes, NAME).unwrap()).unwrap();
        assert_eq!((service.id, route.id), (SERVICE, ROUTE));
        assert!(config.all(Kind::Routes).all(kong::Entity::is_built_in));
        assert!(config.removal(Kind::Routes, ROUTE).is_err());
    }
}
