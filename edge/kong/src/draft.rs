//! From what a client sends to an entity that may be put into the configuration.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{Change, Config, Kind, PluginSchemas, Refusal, check, config::MAX_ENTITIES, schema};

/// The fields that a client sends.
pub type Body = Map<String, Value>;

/// How a client writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// A new entity.
    Create,
    /// The whole of an entity, new or not; by this id.
    Replace(Uuid),
    /// Some fields of the entity with this id.
    Update(Uuid),
}

/// What an entity gets that its client does not say.
#[derive(Debug, Clone)]
pub struct Given {
    /// The id of a new one.
    pub id: Uuid,
    /// A secret, for credentials without one.
    pub secret: String,
    /// Now, in seconds since 1970 UTC.
    pub now_s: i64,
}

impl Config {
    /// Checks what a client sends; what is to be put.
    ///
    /// # Errors
    /// What is wrong with it, by field.
    pub fn draft(
        &self,
        kind: Kind,
        write: Write,
        body: Body,
        given: Given,
        plugins: &dyn PluginSchemas,
    ) -> Result<Change, Refusal> {
        let existing = match write {
            Write::Create => None,
            Write::Replace(id) => self.get(kind, id),
            Write::Update(id) => Some(self.get(kind, id).ok_or(Refusal::NotFound)?),
        };
        if let Some(built_in) = existing.filter(|entity| entity.is_built_in()) {
            return Err(Refusal::BuiltIn(built_in.text("name").unwrap_or_default().to_owned()));
        }
        if existing.is_none() && self.count(kind) >= MAX_ENTITIES {
            return Err(Refusal::field("id", format!("there may be {MAX_ENTITIES} of them at most")));
        }
        let body = shorthands(kind, body)?;
        let mut fields = match (write, existing) {
            (Write::Update(_), Some(entity)) => merged((*entity.fields).clone(), body),
            _ => body,
        };
        let created = existing.and_then(|entity| entity.integer("created_at"));
        let id = match write {
            Write::Create => own_id(&fields)?.unwrap_or(given.id),
            Write::Replace(id) | Write::Update(id) => id,
        };
        if write == Write::Create && self.get(kind, id).is_some() {
            return Err(Refusal::Unique("id".to_owned(), id.to_string()));
        }
        fields.insert("id".to_owned(), id.to_string().into());
        // decK writes the time of its file's entity; what is there already stays.
        let sent = fields.get("created_at").and_then(Value::as_i64);
        fields.insert("created_at".to_owned(), created.or(sent).unwrap_or(given.now_s).into());
        fields.insert("updated_at".to_owned(), given.now_s.into());
        give_secrets(kind, &mut fields, &given.secret);
        self.resolve(kind, &mut fields)?;
        let fields = schema::check(&kind.definition().fields_with(&mut fields, plugins)?, fields)
            .map_err(Refusal::Schema)?;
        check::entity(kind, &fields, plugins)?;
        self.is_single(kind, id, &fields)?;
        Ok((kind, id, Some(Arc::new(Value::Object(fields)))))
    }

    /// Foreign fields by name become foreign fields by id, and each must be there.
    fn resolve(&self, kind: Kind, fields: &mut Body) -> Result<(), Refusal> {
        for field in &kind.definition().fields {
            let schema::Type::Foreign(collection) = field.kind else { continue };
            let Some(target) = Kind::of_collection(collection) else { continue };
            let sent = match fields.get(field.name) {
                None | Some(Value::Null) => continue,
                // A form says `service.id=...`, and a name stands for itself.
                Some(Value::String(name)) => name.clone(),
                Some(value) => {
                    let named = [Some("id"), Some("name"), target.definition().key].into_iter().flatten();
                    let mut named = named.filter_map(|name| value.get(name)?.as_str());
                    match named.next() {
                        Some(name) => name.to_owned(),
                        None => continue,
                    }
                }
            };
            let found = self.find(target, &sent);
            let found = found.ok_or_else(|| Refusal::ForeignKey(collection, sent.clone()))?;
            fields.insert(field.name.to_owned(), json!({ "id": found.id }));
        }
        Ok(())
    }

    /// No other entity has its key, or is the same in another way.
    fn is_single(&self, kind: Kind, id: Uuid, fields: &Body) -> Result<(), Refusal> {
        if let Some(key) = kind.definition().key
            && let Some(value) = fields.get(key).and_then(Value::as_str)
            && self.by_key(kind, value).is_some_and(|other| other.id != id)
        {
            return Err(Refusal::Unique(key.to_owned(), value.to_owned()));
        }
        let same: &[&str] = match kind {
            Kind::Consumers if !fields["custom_id"].is_null() => &["custom_id"],
            Kind::Acls => &["consumer", "group"],
            Kind::Plugins => &["name", "service", "route", "consumer"],
            _ => return Ok(()),
        };
        let mut others = self.all(kind).filter(|other| other.id != id);
        match others.any(|other| same.iter().all(|name| other.fields.get(name) == fields.get(*name))) {
            false => Ok(()),
            true => {
                let values: Vec<String> = same.iter().map(|name| shown(&fields[*name])).collect();
                Err(Refusal::Unique(same.join(", "), values.join(", ")))
            }
        }
    }
}

impl crate::entity::Definition {
    /// Its fields; of a plugin, with those of its configuration.
    fn fields_with(
        &self,
        fields: &mut Body,
        plugins: &dyn PluginSchemas,
    ) -> Result<Vec<schema::Field>, Refusal> {
        let mut known = self.fields.clone();
        if self.kind == Kind::Plugins {
            let name = fields.get("name").and_then(Value::as_str).unwrap_or_default();
            let Some(config) = plugins.fields(name).filter(|_| !name.is_empty()) else {
                let why = match name {
                    "" => "required field missing".to_owned(),
                    name => {
                        format!("plugin '{name}' not enabled; add it to the 'plugins' configuration property")
                    }
                };
                return Err(Refusal::field("name", why));
            };
            if fields.get("config").is_some_and(Value::is_null) {
                fields.remove("config");
            }
            for field in known.iter_mut().filter(|field| field.name == "config") {
                field.kind = schema::Type::Record(config.to_vec());
            }
        }
        Ok(known)
    }
}

fn own_id(fields: &Body) -> Result<Option<Uuid>, Refusal> {
    match fields.get("id") {
        None | Some(Value::Null) => Ok(None),
        Some(id) => {
            let id = id.as_str().and_then(|id| Uuid::try_parse(id).ok());
            id.map(Some).ok_or_else(|| Refusal::field("id", "expected a valid UUID"))
        }
    }
}

/// Records are merged field by field; everything else is replaced.
fn merged(existing: Value, body: Body) -> Body {
    let mut fields = match existing {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    for (name, value) in body {
        let value = match (fields.remove(&name), value) {
            (Some(Value::Object(old)), Value::Object(new)) if !new.contains_key("id") => {
                Value::Object(merged(Value::Object(old), new))
            }
            (_, value) => value,
        };
        fields.insert(name, value);
    }
    fields
}

/// `url` of a service is protocol, host, port and path in one.
fn shorthands(kind: Kind, mut body: Body) -> Result<Body, Refusal> {
    if kind != Kind::Services {
        return Ok(body);
    }
    let Some(url) = body.remove("url").filter(|url| !url.is_null()) else {
        return Ok(body);
    };
    let parts = url.as_str().and_then(url_parts);
    let (protocol, host, port, path) =
        parts.ok_or_else(|| Refusal::field("url", "expected protocol://host:port/path"))?;
    let usual = if matches!(protocol, "https" | "grpcs") { 443 } else { 80 };
    body.insert("protocol".to_owned(), protocol.into());
    body.insert("host".to_owned(), host.into());
    body.insert("port".to_owned(), port.unwrap_or(usual).into());
    body.insert("path".to_owned(), path.map_or(Value::Null, Value::from));
    Ok(body)
}

fn url_parts(url: &str) -> Option<(&str, &str, Option<u16>, Option<&str>)> {
    let (protocol, rest) = url.split_once("://")?;
    let (authority, path) = match rest.find('/') {
        Some(at) => (&rest[..at], Some(&rest[at..]).filter(|path| *path != "/")),
        None => (rest, None),
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok()?)),
        _ => (authority, None),
    };
    (!host.is_empty() && !host.contains('@')).then_some((protocol, host, port, path))
}

fn give_secrets(kind: Kind, fields: &mut Body, secret: &str) {
    let mut give = |name: &str| {
        if fields.get(name).is_none_or(Value::is_null) {
            fields.insert(name.to_owned(), secret.into());
        }
    };
    match kind {
        Kind::KeyAuths => give("key"),
        Kind::JwtSecrets => {
            // Two halves of one random text, so that who knows the key does not know the secret.
            give("key");
            let algorithm = fields.get("algorithm").and_then(Value::as_str).unwrap_or("HS256").to_owned();
            let half = secret.len() / 2;
            if fields.get("key").and_then(Value::as_str) == Some(secret) {
                fields.insert("key".to_owned(), secret[..half].into());
            }
            if algorithm.starts_with("HS") && fields.get("secret").is_none_or(Value::is_null) {
                fields.insert("secret".to_owned(), secret[half..].into());
            }
        }
        _ => {}
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.get("id").and_then(Value::as_str).unwrap_or("null").to_owned(),
    }
}
