//! What can only be read: the node, its state, schemas, tags, the health of upstreams.

use axum::response::Response;
use http::HeaderValue;
use kong::{Config, Entity, Kind, Refusal, schema};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    KONG_VERSION, Shared,
    answer::{Failure, json_answer},
    paths::Call,
};

/// The type of figures.
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// Answers a call that changes nothing.
pub(crate) fn page(shared: &Shared, call: Call, _query: &str) -> Result<Response, Failure> {
    let config = shared.state.config();
    let plugins = shared.state.plugins();
    if call == Call::Metrics {
        let mut response = Response::new(axum::body::Body::from((shared.figures)()));
        response.headers_mut().insert(http::header::CONTENT_TYPE, OPEN_METRICS);
        return Ok(response);
    }
    let body = match call {
        Call::Root => root(shared),
        Call::Status => json!({
            "database": { "reachable": true },
            "configuration_hash": format!("{:032x}", shared.state.revision()),
            "server": counts(&config),
        }),
        Call::Endpoints => json!({ "data": endpoints() }),
        Call::EnabledPlugins => json!({ "enabled_plugins": plugins.names() }),
        Call::Schema(kind) => schema::shown(&kind.definition().fields),
        Call::PluginSchema(name) => {
            let fields = plugins.fields(&name);
            let fields = fields.ok_or_else(|| no_plugin(&name))?;
            plugin_schema(fields)
        }
        Call::Tags(tag) => json!({ "data": tags(&config, tag.as_deref()), "next": null }),
        Call::UpstreamHealth(id) => upstream_health(shared, &config, id)?,
        _ => return Err(Refusal::NotFound.into()),
    };
    Ok(json_answer(200, &body))
}

fn no_plugin(name: &str) -> Refusal {
    tracing::debug!(name, "a schema of an unknown plugin was asked for");
    Refusal::NotFound
}

fn root(shared: &Shared) -> Value {
    let names = shared.state.plugins().names();
    let available: Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), json!({ "version": KONG_VERSION }))).collect();
    json!({
        "version": KONG_VERSION,
        "edition": "community",
        "tagline": "Boxoffice, speaking Kong's Admin API",
        "node_id": shared.node,
        "plugins": { "available_on_server": available, "enabled_in_cluster": enabled(&shared.state.config()) },
        // Changes are stored, so clients may write.
        "configuration": { "database": "postgres", "router_flavor": "traditional_compatible", "role": "traditional" },
    })
}

fn enabled(config: &Config) -> Vec<&str> {
    let mut names: Vec<&str> = config.all(Kind::Plugins).filter_map(|plugin| plugin.text("name")).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn counts(config: &Config) -> Value {
    let counted =
        Kind::ALL.into_iter().map(|kind| (kind.definition().name.to_owned(), config.count(kind).into()));
    Value::Object(counted.collect())
}

/// As Kong shows a plugin: where it can be, and its configuration.
fn plugin_schema(fields: &[kong::Field]) -> Value {
    let config = schema::shown(fields);
    json!({ "fields": [
        { "protocols": { "type": "set", "required": true, "default": ["grpc", "grpcs", "http", "https"],
            "elements": { "type": "string", "one_of": ["grpc", "grpcs", "http", "https"] } } },
        { "consumer": { "type": "foreign", "reference": "consumers" } },
        { "service": { "type": "foreign", "reference": "services" } },
        { "route": { "type": "foreign", "reference": "routes" } },
        { "config": { "type": "record", "required": true, "fields": config["fields"] } },
    ] })
}

fn tags(config: &Config, tag: Option<&str>) -> Vec<Value> {
    let of = |entity: &Entity| {
        let (name, id) = (entity.kind.definition().name, entity.id);
        let texts: Vec<String> = entity.texts("tags").map(str::to_owned).collect();
        texts.into_iter().map(move |text| (text, name, id))
    };
    let all = Kind::ALL.into_iter().flat_map(|kind| config.all(kind)).flat_map(of);
    let wanted = all.filter(|(text, ..)| tag.is_none_or(|tag| tag == text));
    wanted.map(|(text, name, id)| json!({ "tag": text, "entity_name": name, "entity_id": id })).collect()
}

fn upstream_health(shared: &Shared, config: &Config, upstream: Uuid) -> Result<Value, Failure> {
    config.get(Kind::Upstreams, upstream).ok_or(Refusal::NotFound)?;
    let known = shared.health.of(upstream);
    let data: Vec<Value> = config
        .of(Kind::Targets, "upstream", upstream)
        .map(|target| {
            let health = known.iter().find(|health| health.target == target.id);
            let mut shown = (*target.fields).clone();
            shown["health"] = health.map_or("HEALTHCHECKS_OFF", |health| health.health).into();
            shown["circuit_breaker"] = health.map_or("closed", |health| health.breaker).into();
            shown
        })
        .collect();
    Ok(json!({ "data": data, "next": null, "node_id": shared.node }))
}

fn endpoints() -> Vec<String> {
    let mut paths: Vec<String> =
        ["/", "/config", "/endpoints", "/metrics", "/plugins/enabled", "/status", "/tags", "/tags/{tag}"]
            .map(str::to_owned)
            .into();
    for kind in Kind::ALL {
        let definition = kind.definition();
        paths.push(format!("/{0}", definition.name));
        paths.push(format!("/{0}/{{{0}}}", definition.name));
        paths.push(format!("/schemas/{0}", definition.name));
        for (_, parent) in definition.parents {
            paths.push(format!("/{0}/{{{0}}}/{1}", parent.definition().name, definition.nested));
        }
    }
    paths.push("/schemas/plugins/{name}".to_owned());
    paths.push("/upstreams/{upstreams}/health".to_owned());
    paths.push("/upstreams/{upstreams}/targets/{targets}/healthy".to_owned());
    paths.push("/upstreams/{upstreams}/targets/{targets}/unhealthy".to_owned());
    paths.sort();
    paths
}
