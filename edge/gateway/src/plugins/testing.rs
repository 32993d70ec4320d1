//! What the tests of plugins have in common: a request on its way, and plugins as a configuration makes them.

use std::sync::Arc;

use axum::body::Body;
use http::{HeaderMap, HeaderValue, Method, Uri};
use kit::Environment;
use kong::{Config, Entity, Kind, schema};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    builtin,
    entity::{self, Route, Service},
    plugin::{Definition, Exchange, Flow, Plugin, Resources},
};

/// A GET on its way to the built-in service.
pub(crate) fn exchange(target: &str) -> Exchange {
    let config = Arc::new(builtin::config());
    let route: Route = entity::read(config.by_key(Kind::Routes, builtin::NAME).unwrap()).unwrap();
    let service: Service = entity::read(config.by_key(Kind::Services, builtin::NAME).unwrap()).unwrap();
    Exchange {
        method: Method::GET,
        uri: target.parse::<Uri>().unwrap(),
        headers: HeaderMap::new(),
        body: Body::empty(),
        metadata: HeaderMap::new(),
        client: None,
        scheme: "http",
        route: Arc::new(route),
        service: Some(Arc::new(service)),
        consumer: None,
        credential: None,
        claims: None,
        config,
        environment: Environment::system(),
        request_id: HeaderValue::from_static("request"),
        traceparent: HeaderValue::from_static("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        target: None,
        values: http::Extensions::new(),
        way: None,
        transcoder: None,
        upstream_took: None,
    }
}

fn checked(definition: &Definition, config: Value) -> Value {
    let Value::Object(config) = config else { unreachable!("a configuration is a record") };
    Value::Object(schema::check(&(definition.fields)(), config).unwrap())
}

fn resources() -> Resources {
    Resources { environment: Environment::system(), figures: Arc::default() }
}

/// A plugin with a configuration, defaults filled in.
pub(crate) fn made(definition: &Definition, config: Value) -> Arc<dyn Plugin> {
    (definition.make)(&checked(definition, config), &resources()).unwrap()
}

/// The field for which a configuration is refused that fits the schema.
pub(crate) fn refused(definition: &Definition, config: Value) -> String {
    (definition.make)(&checked(definition, config), &resources()).err().unwrap().field
}

/// The status of the answer, if the plugin answered.
pub(crate) fn status_of(flow: Flow) -> Option<u16> {
    match flow {
        Flow::Continue => None,
        Flow::Answer(answer) => Some(answer.status().as_u16()),
    }
}

/// Adds the consumer `ada` with something of hers.
pub(crate) fn with_consumer(exchange: &mut Exchange, kind: Kind, fields: Value) -> Entity {
    let (ada, own) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let mut config = Config::clone(&exchange.config);
    config.put(Kind::Consumers, ada, Arc::new(json!({"id": ada, "username": "ada", "custom_id": null})));
    let mut fields = fields;
    fields["id"] = json!(own);
    fields["consumer"] = json!({ "id": ada });
    config.put(kind, own, Arc::new(fields));
    let consumer = config.get(Kind::Consumers, ada).unwrap().clone();
    exchange.config = Arc::new(config);
    consumer
}
