//! What a path of the Admin API is about.

use kong::{Config, Entity, Kind, Refusal};
use uuid::Uuid;

/// What a path is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Call {
    /// `/`.
    Root,
    /// `/status`.
    Status,
    /// `/metrics`.
    Metrics,
    /// `/endpoints`.
    Endpoints,
    /// `/config`.
    Config,
    /// `/tags`, or those with one tag.
    Tags(Option<String>),
    /// `/plugins/enabled`.
    EnabledPlugins,
    /// `/schemas/{entity}`.
    Schema(Kind),
    /// `/schemas/plugins/{name}`.
    PluginSchema(String),
    /// `/schemas/{entity}/validate`.
    Validate(Kind),
    /// `/services`, or `/services/{name}/routes` with the parent that its entities have.
    Collection(Kind, Option<Parent>),
    /// `/services/{name}`; none when it is not there. A name that is no id is kept for PUT.
    One(Kind, Option<Uuid>, String, Option<Parent>),
    /// `/upstreams/{name}/health`.
    UpstreamHealth(Uuid),
    /// `/upstreams/{name}/targets/{target}/healthy` and `unhealthy`.
    SetHealth(Uuid, Uuid, kong::Health),
}

/// The entity in front in a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parent {
    /// The foreign field that its children name it in.
    pub field: &'static str,
    /// Its id.
    pub id: Uuid,
    /// Its kind.
    pub kind: Kind,
}

impl Call {
    /// Reads a path.
    ///
    /// # Errors
    /// When there is no such path, or an entity in front in it is not there.
    pub fn of(config: &Config, path: &str) -> Result<Self, Refusal> {
        let segments: Result<Vec<String>, Refusal> =
            path.split('/').filter(|segment| !segment.is_empty()).map(decoded).collect();
        let segments = segments?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            [] => Ok(Self::Root),
            ["status"] => Ok(Self::Status),
            ["metrics"] => Ok(Self::Metrics),
            ["endpoints"] => Ok(Self::Endpoints),
            ["config"] => Ok(Self::Config),
            ["tags"] => Ok(Self::Tags(None)),
            ["tags", tag] => Ok(Self::Tags(Some((*tag).to_owned()))),
            ["plugins", "enabled"] => Ok(Self::EnabledPlugins),
            ["schemas", "plugins", name] => match *name {
                "validate" => Ok(Self::Validate(Kind::Plugins)),
                name => Ok(Self::PluginSchema(name.to_owned())),
            },
            ["schemas", entity] => Kind::of_collection(entity).map(Self::Schema).ok_or(Refusal::NotFound),
            ["schemas", entity, "validate"] => {
                Kind::of_collection(entity).map(Self::Validate).ok_or(Refusal::NotFound)
            }
            [collection, rest @ ..] => {
                let kind = Kind::of_collection(collection).or_else(|| top_level(collection));
                below(config, kind.ok_or(Refusal::NotFound)?, None, rest)
            }
        }
    }
}

/// Credentials have names of their own at the top.
fn top_level(name: &str) -> Option<Kind> {
    match name {
        "jwts" => Some(Kind::JwtSecrets),
        "key-auths" => Some(Kind::KeyAuths),
        _ => None,
    }
}

/// What follows a collection: an entity of it, or something below that.
fn below(config: &Config, kind: Kind, parent: Option<Parent>, rest: &[&str]) -> Result<Call, Refusal> {
    let Some((name, rest)) = rest.split_first() else {
        return Ok(Call::Collection(kind, parent));
    };
    let found = find(config, kind, name, parent.as_ref());
    let Some((next, rest)) = rest.split_first() else {
        return Ok(Call::One(kind, found.map(|entity| entity.id), (*name).to_owned(), parent));
    };
    let found = found.ok_or(Refusal::NotFound)?;
    match (kind, *next, rest) {
        (Kind::Upstreams, "health", []) => return Ok(Call::UpstreamHealth(found.id)),
        (Kind::Targets, "healthy" | "unhealthy", []) => {
            let upstream = found.foreign("upstream").ok_or(Refusal::NotFound)?;
            let health = if *next == "healthy" { kong::Health::Healthy } else { kong::Health::Unhealthy };
            return Ok(Call::SetHealth(upstream, found.id, health));
        }
        // All targets, as old clients ask for them.
        (Kind::Upstreams, "targets", ["all"]) => {
            let parent = Parent { field: "upstream", id: found.id, kind };
            return Ok(Call::Collection(Kind::Targets, Some(parent)));
        }
        _ => {}
    }
    if let Some(child) = child(kind, next) {
        let field = child.definition().parents.iter().find(|(_, parent)| *parent == kind);
        let (field, _) = field.ok_or(Refusal::NotFound)?;
        return below(config, child, Some(Parent { field, id: found.id, kind }), rest);
    }
    // `/routes/{name}/service` is the service itself.
    let up = kind.definition().parents.iter().find(|(field, _)| field == next);
    let (field, up) = up.filter(|_| rest.is_empty()).ok_or(Refusal::NotFound)?;
    let id = found.foreign(field).ok_or(Refusal::NotFound)?;
    Ok(Call::One(*up, Some(id), id.to_string(), None))
}

/// The kind that is below another under this name.
fn child(parent: Kind, name: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| {
        let definition = kind.definition();
        definition.nested == name && definition.parents.iter().any(|(_, above)| *above == parent)
    })
}

/// An entity by id, key, or what else it is called in paths; below a parent only that parent's.
fn find<'c>(config: &'c Config, kind: Kind, name: &str, parent: Option<&Parent>) -> Option<&'c Entity> {
    let by_text = |field: &'static str| {
        let mut all = config.all(kind).filter(|entity| belongs(entity, parent));
        all.find(move |entity| entity.text(field) == Some(name))
    };
    let found = config.find(kind, name).filter(|entity| belongs(entity, parent));
    found.or_else(|| match kind {
        Kind::Targets => by_text("target"),
        Kind::Acls => by_text("group"),
        Kind::Consumers => by_text("custom_id"),
        _ => None,
    })
}

fn belongs(entity: &Entity, parent: Option<&Parent>) -> bool {
    parent.is_none_or(|parent| entity.foreign(parent.field) == Some(parent.id))
}

fn decoded(segment: &str) -> Result<String, Refusal> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
            let (Some(high), Some(low)) = (digit(), digit()) else { return Err(Refusal::NotFound) };
            bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_| Refusal::NotFound)
}
