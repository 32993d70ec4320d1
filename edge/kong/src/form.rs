//! Forms, as people and scripts send them with curl: names with dots and brackets become records and lists, and texts
//! become what the schema has at their place.

use serde_json::{Map, Value};

use crate::schema::{Field, MAX_ELEMENTS, Type};

/// The deepest name, in steps.
const MAX_STEPS: usize = 8;

/// Puts the pairs of a form together: `config.proto=a`, `paths[]=/a`, `paths[1]=/b`.
///
/// # Errors
/// The name that cannot be read.
pub fn gather(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Map<String, Value>, String> {
    let mut body = Value::Object(Map::new());
    for (name, value) in pairs {
        let steps = steps(&name).ok_or_else(|| name.clone())?;
        put(&mut body, &steps, value).ok_or(name)?;
    }
    match body {
        Value::Object(body) => Ok(body),
        _ => Ok(Map::new()),
    }
}

enum Step<'n> {
    Name(&'n str),
    /// `[]`: one more.
    Next,
    /// `[n]`, counted from 1.
    At(usize),
}

fn steps(name: &str) -> Option<Vec<Step<'_>>> {
    let mut steps = Vec::new();
    for part in name.split('.') {
        let (name, mut rest) = part.find('[').map_or((part, ""), |at| part.split_at(at));
        if name.is_empty() {
            return None;
        }
        steps.push(Step::Name(name));
        while let Some(inner) = rest.strip_prefix('[') {
            let (index, after) = inner.split_once(']')?;
            steps.push(match index {
                "" => Step::Next,
                index => match index.parse() {
                    Ok(at) if (1..=MAX_ELEMENTS).contains(&at) => Step::At(at),
                    Ok(_) => return None,
                    Err(_) => Step::Name(index),
                },
            });
            rest = after;
        }
    }
    (steps.len() <= MAX_STEPS).then_some(steps)
}

fn put(place: &mut Value, steps: &[Step<'_>], text: String) -> Option<()> {
    let Some((step, rest)) = steps.split_first() else {
        // The same name twice is a list.
        *place = match place.take() {
            Value::Null => text.into(),
            Value::Array(mut values) => {
                values.push(text.into());
                Value::Array(values)
            }
            first => Value::Array(vec![first, text.into()]),
        };
        return Some(());
    };
    if place.is_null() {
        *place = match step {
            Step::Name(_) => Value::Object(Map::new()),
            Step::Next | Step::At(_) => Value::Array(Vec::new()),
        };
    }
    let inner = match (step, place) {
        (Step::Name(name), Value::Object(fields)) => fields.entry(*name).or_insert(Value::Null),
        (Step::Next, Value::Array(values)) => {
            values.push(Value::Null);
            values.last_mut()?
        }
        (Step::At(at), Value::Array(values)) => {
            if values.len() < *at {
                values.resize(*at, Value::Null);
            }
            &mut values[*at - 1]
        }
        _ => return None,
    };
    put(inner, rest, text)
}

/// Turns the texts of a form into what the schema has at their place. What does not fit stays a text, which the
/// schema then refuses by name.
#[must_use]
pub fn typed(fields: &[Field], mut body: Map<String, Value>) -> Map<String, Value> {
    for field in fields {
        if let Some(value) = body.remove(field.name) {
            body.insert(field.name.to_owned(), typed_as(&field.kind, value));
        }
    }
    body
}

fn typed_as(kind: &Type, value: Value) -> Value {
    match (kind, value) {
        // An empty field of a form says that there is none.
        (_, Value::String(text)) if text.is_empty() => Value::Null,
        (Type::Integer, Value::String(text)) => text.parse::<i64>().map_or(Value::String(text), Value::from),
        (Type::Number, Value::String(text)) => text.parse::<f64>().map_or(Value::String(text), Value::from),
        (Type::Boolean, Value::String(text)) => match text.as_str() {
            "true" => true.into(),
            "false" => false.into(),
            _ => text.into(),
        },
        (Type::Array(element) | Type::Set(element), Value::Array(values)) => {
            values.into_iter().map(|value| typed_as(element, value)).collect()
        }
        (Type::Array(element) | Type::Set(element), Value::String(text)) => {
            text.split(',').map(|part| typed_as(element, part.trim().into())).collect()
        }
        (Type::Map(element), Value::Object(values)) => {
            Value::Object(values.into_iter().map(|(name, value)| (name, typed_as(element, value))).collect())
        }
        (Type::Record(fields), Value::Object(values)) => Value::Object(typed(fields, values)),
        (_, value) => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn gathered(pairs: &[(&str, &str)]) -> Result<Value, String> {
        gather(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))).map(Value::Object)
    }

    #[test]
    fn names_with_dots_and_brackets_become_records_and_lists() {
        let pairs = [
            ("name", "a"),
            ("paths[]", "/a"),
            ("paths[]", "/b"),
            ("config.proto", "x"),
            ("config.add.headers[1]", "h:v"),
        ];
        let expected = json!({"name": "a", "paths": ["/a", "/b"], "config": {"proto": "x", "add": {"headers": ["h:v"]}}});
        assert_eq!(gathered(&pairs), Ok(expected));
        assert_eq!(gathered(&[("hosts", "a"), ("hosts", "b")]), Ok(json!({"hosts": ["a", "b"]})));
        for wrong in ["", ".a", "a..b", "a[0]", "a[1", "a.b.c.d.e.f.g.h.i"] {
            assert_eq!(gathered(&[(wrong, "x")]), Err(wrong.to_owned()));
        }
        assert_eq!(gathered(&[("a", "x"), ("a.b", "y")]), Err("a.b".to_owned()));
    }

    #[test]
    fn texts_become_what_the_schema_has() {
        let fields = [
            Field::integer("port", ""),
            Field::boolean("on", ""),
            Field::texts("methods", ""),
            Field::record("config", vec![Field::number("rate", "")], ""),
        ];
        let body =
            gathered(&[("port", "80"), ("on", "true"), ("methods", "GET,PUT"), ("config.rate", "0.5")]);
        let Ok(Value::Object(body)) = body else { unreachable!() };
        let expected = json!({"port": 80, "on": true, "methods": ["GET", "PUT"], "config": {"rate": 0.5}});
        assert_eq!(Value::Object(typed(&fields, body)), expected);
    }
}
