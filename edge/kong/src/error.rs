//! What Kong answers when something cannot be done: a number, a name, a message and, for bad input, the fields.

use serde_json::{Map, Value, json};

/// By field, what is wrong with it; of a record, its fields again.
pub type FieldErrors = Map<String, Value>;

/// Why a change of the configuration is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It does not fit the schema of its entity.
    #[error("{}", violation(.0))]
    Schema(FieldErrors),
    /// It refers to an entity that is not there: the field, and what it says.
    #[error("the foreign key '{{id=\"{1}\"}}' does not reference an existing '{0}' entity.")]
    ForeignKey(&'static str, String),
    /// Another entity has the same value: the field, and the value.
    #[error("UNIQUE violation detected on '{{{0}=\"{1}\"}}'")]
    Unique(String, String),
    /// An offset of a list that nobody gave out.
    #[error("'{0}' is not a valid offset: bad base64 encoding")]
    Offset(String),
    /// There is no such thing.
    #[error("Not found")]
    NotFound,
    /// It belongs to the program and stays as it is.
    #[error("{0} is built in and cannot be changed; give it plugins, or add routes of your own")]
    BuiltIn(String),
}

impl Refusal {
    /// One field is wrong.
    #[must_use]
    pub fn field(name: &str, why: impl Into<Value>) -> Self {
        Self::Schema(Map::from_iter([(name.to_owned(), why.into())]))
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Schema(_) | Self::ForeignKey(..) | Self::Offset(_) => 400,
            Self::BuiltIn(_) => 403,
            Self::NotFound => 404,
            Self::Unique(..) => 409,
        }
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> Value {
        let message = self.to_string();
        let (code, name, fields) = match self {
            Self::NotFound | Self::BuiltIn(_) => return json!({ "message": message }),
            Self::Schema(fields) => (2, "schema violation", Value::Object(fields.clone())),
            Self::ForeignKey(entity, id) => (4, "invalid foreign key", json!({ *entity: { "id": id } })),
            Self::Unique(field, value) => (5, "unique constraint violation", json!({ field: value })),
            Self::Offset(offset) => (7, "invalid offset", json!({ "offset": offset })),
        };
        json!({ "code": code, "name": name, "message": message, "fields": fields })
    }
}

/// `schema violation (name: required field missing)`, as Kong says it.
fn violation(fields: &FieldErrors) -> String {
    let mut parts = Vec::new();
    gather("", &Value::Object(fields.clone()), &mut parts);
    match parts.len() {
        1 => format!("schema violation ({})", parts.concat()),
        count => format!("{count} schema violations ({})", parts.join("; ")),
    }
}

fn gather(path: &str, error: &Value, parts: &mut Vec<String>) {
    match error {
        Value::Object(fields) => {
            for (name, error) in fields {
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                gather(&inner, error, parts);
            }
        }
        Value::Array(elements) => {
            for (index, error) in elements.iter().enumerate().filter(|(_, error)| !error.is_null()) {
                gather(&format!("{path}.{}", index + 1), error, parts);
            }
        }
        Value::String(why) if path == "@entity" => parts.push(why.clone()),
        Value::String(why) => parts.push(format!("{path}: {why}")),
        other => parts.push(format!("{path}: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_several_violations_read_as_kongs() {
        let one = Refusal::field("name", "required field missing");
        assert_eq!(one.to_string(), "schema violation (name: required field missing)");
        let errors = json!({"a": "is wrong", "config": {"b": ["", null]}, "list": [null, "is bad"]});
        let Value::Object(errors) = errors else { unreachable!() };
        let text = Refusal::Schema(errors).to_string();
        assert_eq!(text, "3 schema violations (a: is wrong; config.b.1: ; list.2: is bad)");
    }

    #[test]
    fn a_taken_name_is_a_conflict() {
        let taken = Refusal::Unique("name".to_owned(), "a".to_owned());
        assert_eq!((taken.status(), taken.body()["code"].as_i64()), (409, Some(5)));
        assert_eq!(taken.body()["message"], "UNIQUE violation detected on '{name=\"a\"}'");
    }
}
