//! Rules over several fields of an entity.

use serde_json::{Map, Value};

use crate::{Kind, PluginSchemas, Refusal};

type Fields = Map<String, Value>;

/// Holds an entity against the rules of its kind.
pub(crate) fn entity(kind: Kind, fields: &Fields, plugins: &dyn PluginSchemas) -> Result<(), Refusal> {
    match kind {
        Kind::Services => service(fields),
        Kind::Routes => route(fields),
        Kind::Consumers => consumer(fields),
        Kind::JwtSecrets => jwt_secret(fields),
        Kind::Upstreams => upstream(fields),
        Kind::Plugins => plugin(fields, plugins),
        _ => Ok(()),
    }
}

fn refuse<T>(why: &str) -> Result<T, Refusal> {
    Err(Refusal::field("@entity", Value::Array(vec![why.into()])))
}

fn text<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    fields.get(name).and_then(Value::as_str)
}

fn has(fields: &Fields, name: &str) -> bool {
    match fields.get(name) {
        None | Some(Value::Null) => false,
        Some(Value::Array(values)) => !values.is_empty(),
        Some(Value::Object(values)) => !values.is_empty(),
        Some(_) => true,
    }
}

fn service(fields: &Fields) -> Result<(), Refusal> {
    let is_grpc = matches!(text(fields, "protocol"), Some("grpc" | "grpcs"));
    if is_grpc && has(fields, "path") {
        return Err(Refusal::field("path", "value must be null"));
    }
    Ok(())
}

fn route(fields: &Fields) -> Result<(), Refusal> {
    let speaks = |protocol| {
        fields
            .get("protocols")
            .and_then(Value::as_array)
            .is_some_and(|all| all.contains(&Value::from(protocol)))
    };
    let by_request = ["methods", "hosts", "headers", "paths"].iter().any(|name| has(fields, name));
    let by_tls = !speaks("http") && !speaks("grpc") && has(fields, "snis");
    if !by_request && !by_tls {
        return refuse("must set one of 'methods', 'hosts', 'headers', 'paths' when 'protocols' is 'http'");
    }
    let status = fields.get("https_redirect_status_code").and_then(Value::as_i64);
    if !matches!(status, Some(426 | 301 | 302 | 307 | 308)) {
        return Err(Refusal::field("https_redirect_status_code", "expected one of: 426, 301, 302, 307, 308"));
    }
    Ok(())
}

fn consumer(fields: &Fields) -> Result<(), Refusal> {
    if has(fields, "username") || has(fields, "custom_id") {
        return Ok(());
    }
    refuse("at least one of these fields must be non-empty: 'custom_id', 'username'")
}

fn jwt_secret(fields: &Fields) -> Result<(), Refusal> {
    let is_shared = text(fields, "algorithm").is_some_and(|algorithm| algorithm.starts_with("HS"));
    if !is_shared && !has(fields, "rsa_public_key") {
        return Err(Refusal::field("rsa_public_key", "required field missing"));
    }
    Ok(())
}

fn upstream(fields: &Fields) -> Result<(), Refusal> {
    let needs =
        [("header", "hash_on_header"), ("cookie", "hash_on_cookie"), ("query_arg", "hash_on_query_arg")];
    for (value, field) in needs {
        if text(fields, "hash_on") == Some(value) && !has(fields, field) {
            return Err(Refusal::field(field, "required field missing"));
        }
    }
    if text(fields, "hash_on") == Some("none") && text(fields, "hash_fallback") != Some("none") {
        return Err(Refusal::field("hash_fallback", "expected one of: none"));
    }
    Ok(())
}

fn plugin(fields: &Fields, plugins: &dyn PluginSchemas) -> Result<(), Refusal> {
    let name = text(fields, "name").unwrap_or_default();
    let config = fields.get("config").unwrap_or(&Value::Null);
    plugins.check(name, config).map_err(|(field, why)| {
        let inner = Value::Object(Map::from_iter([(field, why.into())]));
        Refusal::field("config", inner)
    })
}
