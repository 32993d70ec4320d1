//! What `request-transformer` and `response-transformer` have in common: steps on headers, on the query and on JSON, in
//! Kong's order: remove, rename, replace, add, append.

use http::{HeaderMap, HeaderName, HeaderValue};
use kong::{Field, schema::Type};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::plugin::BadConfig;

/// The longest JSON body that is changed, in bytes; longer ones pass as they are.
pub(crate) const MAX_JSON_BYTES: usize = 1024 * 1024;

/// Pairs of one step, as `name:value`, or names alone.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Step {
    #[serde(default)]
    pub headers: Vec<String>,
    #[serde(default)]
    pub querystring: Vec<String>,
    /// Of a request.
    #[serde(default)]
    pub body: Vec<String>,
    /// Of an answer.
    #[serde(default)]
    pub json: Vec<String>,
    #[serde(default)]
    pub uri: Option<String>,
}

/// A step as a field of a configuration.
pub(crate) fn step(name: &'static str, parts: &[&'static str], has_uri: HasUri) -> Field {
    let list = |part: &&'static str| {
        Field::new(part, Type::Array(Box::new(Type::Text)), "").required().default(json!([]))
    };
    let mut fields: Vec<Field> = parts.iter().map(list).collect();
    if has_uri == HasUri::Yes {
        fields.push(Field::text("uri", "the path that the upstream is asked for"));
    }
    Field::record(name, fields, "what is done, as `name:value`")
}

/// Whether a step can replace the path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum HasUri {
    Yes,
    No,
}

/// A step that was read: names with what is done to them.
#[derive(Debug)]
pub(crate) enum Change<T> {
    Remove(T),
    Rename(T, T),
    /// Only what is there.
    Replace(T, String),
    /// Only what is not there.
    Add(T, String),
    Append(T, String),
}

fn pair<'p>(field: &str, text: &'p str) -> Result<(&'p str, &'p str), BadConfig> {
    let pair = text.split_once(':').filter(|(name, _)| !name.is_empty());
    let (name, value) =
        pair.ok_or_else(|| BadConfig::new(field, format!("{text} is not of the form name:value")))?;
    if value.contains("$(") {
        return Err(BadConfig::new(field, "templates such as $(...) are not supported"));
    }
    Ok((name, value.trim_start()))
}

/// Reads the lists of the five steps for one part; `read` makes a name of a text.
pub(crate) fn changes<T>(
    lists: [(&'static str, &[String]); 5],
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<Change<T>>, BadConfig> {
    let mut changes = Vec::new();
    for (field, texts) in lists {
        let name =
            |text: &str| read(text).ok_or_else(|| BadConfig::new(field, format!("{text} is no name here")));
        for text in texts {
            changes.push(match field {
                "remove" => Change::Remove(name(text)?),
                "rename" => {
                    let (from, to) = pair(field, text)?;
                    Change::Rename(name(from)?, name(to)?)
                }
                _ => {
                    let (key, value) = pair(field, text)?;
                    let (key, value) = (name(key)?, value.to_owned());
                    match field {
                        "replace" => Change::Replace(key, value),
                        "add" => Change::Add(key, value),
                        _ => Change::Append(key, value),
                    }
                }
            });
        }
    }
    Ok(changes)
}

/// A header that may be changed: those that say how a message is framed may not.
pub(crate) fn header_name(text: &str) -> Option<HeaderName> {
    let name = HeaderName::try_from(text).ok()?;
    let framing = ["content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"];
    (!framing.contains(&name.as_str())).then_some(name)
}

/// Changes headers. A value that no header can have is left out.
pub(crate) fn headers(changes: &[Change<HeaderName>], headers: &mut HeaderMap) {
    for change in changes {
        let value = |text: &str| HeaderValue::from_str(text).ok();
        match change {
            Change::Remove(name) => {
                headers.remove(name);
            }
            Change::Rename(from, to) => {
                let values: Vec<HeaderValue> = headers.get_all(from).iter().cloned().collect();
                headers.remove(from);
                headers.extend(values.into_iter().map(|value| (to.clone(), value)));
            }
            Change::Replace(name, text) if headers.contains_key(name) => {
                if let Some(value) = value(text) {
                    headers.insert(name, value);
                }
            }
            Change::Add(name, text) if !headers.contains_key(name) => {
                if let Some(value) = value(text) {
                    headers.insert(name, value);
                }
            }
            Change::Append(name, text) => {
                if let Some(value) = value(text) {
                    headers.append(name, value);
                }
            }
            Change::Replace(..) | Change::Add(..) => {}
        }
    }
}

/// Changes the pairs of a query or of a form.
pub(crate) fn pairs(changes: &[Change<String>], pairs: &mut Vec<(String, String)>) {
    for change in changes {
        let has = |pairs: &Vec<(String, String)>, name: &String| pairs.iter().any(|(known, _)| known == name);
        match change {
            Change::Remove(name) => pairs.retain(|(known, _)| known != name),
            Change::Rename(from, to) => {
                pairs
                    .iter_mut()
                    .filter(|(known, _)| known == from)
                    .for_each(|(known, _)| known.clone_from(to));
            }
            Change::Replace(name, value) => {
                pairs
                    .iter_mut()
                    .filter(|(known, _)| known == name)
                    .for_each(|(_, old)| old.clone_from(value));
            }
            Change::Add(name, value) if !has(pairs, name) => pairs.push((name.clone(), value.clone())),
            Change::Add(..) => {}
            Change::Append(name, value) => pairs.push((name.clone(), value.clone())),
        }
    }
}

/// Changes the top level of a JSON object.
pub(crate) fn fields(changes: &[Change<String>], fields: &mut Map<String, Value>) {
    for change in changes {
        match change {
            Change::Remove(name) => {
                fields.remove(name);
            }
            Change::Rename(from, to) => {
                if let Some(value) = fields.remove(from) {
                    fields.insert(to.clone(), value);
                }
            }
            Change::Replace(name, value) if fields.contains_key(name) => {
                fields.insert(name.clone(), value.clone().into());
            }
            Change::Add(name, value) if !fields.contains_key(name) => {
                fields.insert(name.clone(), value.clone().into());
            }
            Change::Append(name, value) => {
                let value = Value::from(value.clone());
                let new = match fields.remove(name) {
                    None => Value::Array(vec![value]),
                    Some(Value::Array(mut values)) => {
                        values.push(value);
                        Value::Array(values)
                    }
                    Some(first) => Value::Array(vec![first, value]),
                };
                fields.insert(name.clone(), new);
            }
            Change::Replace(..) | Change::Add(..) => {}
        }
    }
}
