//! The whole configuration as one file: `_format_version: "3.0"`, as YAML or JSON, entities at the top or inside the
//! one that they belong to.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    Config, Kind, PluginSchemas, Refusal, Write,
    draft::{Body, Given},
};

/// The longest file, in bytes.
pub const MAX_FILE_BYTES: usize = 16 * 1024 * 1024;

/// Reads a file as YAML, of which JSON is a part.
///
/// # Errors
/// When it is neither, or of another version.
pub fn parse(text: &str) -> Result<Body, Refusal> {
    let wrong = |why: String| Refusal::field("config", why);
    let value: Value = serde_yaml_ng::from_str(text)
        .map_err(|error| wrong(format!("failed parsing declarative configuration: {error}")))?;
    let Value::Object(file) = value else {
        return Err(wrong("expected an object".to_owned()));
    };
    match file.get("_format_version").and_then(Value::as_str) {
        Some("1.1" | "2.1" | "3.0") => Ok(file),
        Some(_) => Err(Refusal::field("_format_version", "expected one of: 1.1, 2.1, 3.0")),
        None => Err(Refusal::field("_format_version", "required field missing")),
    }
}

/// What fills in ids, secrets and times.
pub type Source<'s> = &'s mut dyn FnMut() -> Given;

/// Reads what [`parse`] gave into a configuration that has what is built in and nothing else.
///
/// # Errors
/// What is wrong with the first entity that is.
pub fn load(
    mut file: Body,
    base: &Config,
    plugins: &dyn PluginSchemas,
    given: Source<'_>,
) -> Result<Config, Refusal> {
    for name in ["_format_version", "_transform", "_comment", "_info", "_workspace"] {
        file.remove(name);
    }
    let mut config = base.clone();
    let mut waiting: Vec<(Kind, Body)> = Vec::new();
    for kind in Kind::ALL {
        for body in entities(&mut file, kind.definition().name)? {
            flatten(kind, body, given, &mut waiting)?;
        }
    }
    if let Some(name) = file.keys().next() {
        return Err(Refusal::field(name, "unknown field"));
    }
    waiting.sort_by_key(|(kind, _)| *kind);
    for (kind, body) in waiting {
        let id = body.get("id").and_then(Value::as_str).and_then(|id| Uuid::try_parse(id).ok());
        let write = id.map_or(Write::Create, Write::Replace);
        let change = config.draft(kind, write, body, given(), plugins)?;
        config.apply(&[change]);
    }
    Ok(config)
}

fn entities(from: &mut Body, name: &str) -> Result<Vec<Body>, Refusal> {
    let wrong = || Refusal::field(name, "expected an array of records");
    match from.remove(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(values)) => {
            let bodies = values.into_iter().map(|value| match value {
                Value::Object(body) => Ok(body),
                _ => Err(wrong()),
            });
            bodies.collect()
        }
        Some(_) => Err(wrong()),
    }
}

/// Takes an entity apart from those that are written inside it.
fn flatten(
    kind: Kind,
    mut body: Body,
    given: Source<'_>,
    into: &mut Vec<(Kind, Body)>,
) -> Result<(), Refusal> {
    let mut children = Vec::new();
    for child in Kind::ALL {
        let field = child.definition().parents.iter().find(|(_, parent)| *parent == kind);
        if let Some((field, _)) = field {
            for inner in entities(&mut body, child.definition().name)? {
                children.push((child, *field, inner));
            }
        }
    }
    if !children.is_empty() && body.get("id").is_none_or(Value::is_null) {
        body.insert("id".to_owned(), given().id.to_string().into());
    }
    let id = body.get("id").cloned();
    into.push((kind, body));
    for (child, field, mut inner) in children {
        inner.insert(field.to_owned(), json!({ "id": id }));
        flatten(child, inner, given, into)?;
    }
    Ok(())
}

/// Writes a configuration, without what is built in, so that [`load`] makes it anew.
#[must_use]
pub fn dump(config: &Config) -> Value {
    let mut file = Map::from_iter([
        ("_format_version".to_owned(), "3.0".into()),
        ("_transform".to_owned(), false.into()),
    ]);
    for kind in Kind::ALL {
        let entities = config.all(kind).filter(|entity| !entity.is_built_in());
        let entities: Vec<Value> = entities.map(|entity| without_nulls(&entity.fields)).collect();
        if !entities.is_empty() {
            file.insert(kind.definition().name.to_owned(), entities.into());
        }
    }
    Value::Object(file)
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        other => other.clone(),
    }
}
