//! The language that Kong describes its entities and plugins in, as far as they use it: it checks a JSON value, fills
//! in what was left out, and shows itself at `/schemas/...`.

use serde_json::{Map, Value, json};

use crate::error::FieldErrors;

/// The longest text of a field, in bytes. Certificates and proto descriptions are the longest.
pub const MAX_TEXT_BYTES: usize = 256 * 1024;
/// The most elements of an array, a set or a map.
pub const MAX_ELEMENTS: usize = 1_000;

/// What a field holds.
#[derive(Debug, Clone)]
pub enum Type {
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A list.
    Array(Box<Type>),
    /// A list in which nothing occurs twice.
    Set(Box<Type>),
    /// Texts, each with a value.
    Map(Box<Type>),
    /// Fields of its own.
    Record(Vec<Field>),
    /// Another entity, as `{"id": ...}`; the name of its collection.
    Foreign(&'static str),
}

/// A rule on a text that a type alone does not say. The error is what a person reads.
pub type Rule = fn(&str) -> Result<(), String>;

/// A field of an entity, of a record, or of a plugin's configuration.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Type,
    /// It cannot be null.
    pub required: bool,
    /// What it is when it is left out.
    pub default: Option<Value>,
    /// The only values; empty is any. Of an array or a set, of its elements.
    pub one_of: &'static [&'static str],
    /// The smallest and the largest number.
    pub between: Option<(f64, f64)>,
    /// A further rule on the text, or on each element's text.
    pub rule: Option<Rule>,
    /// For people: what it is for.
    pub about: &'static str,
}

impl Field {
    /// A field that may be left out and is null then.
    #[must_use]
    pub fn new(name: &'static str, kind: Type, about: &'static str) -> Self {
        Self { name, kind, required: false, default: None, one_of: &[], between: None, rule: None, about }
    }

    /// A text.
    #[must_use]
    pub fn text(name: &'static str, about: &'static str) -> Self {
        Self::new(name, Type::Text, about)
    }

    /// A whole number.
    #[must_use]
    pub fn integer(name: &'static str, about: &'static str) -> Self {
        Self::new(name, Type::Integer, about)
    }

    /// A number.
    #[must_use]
    pub fn number(name: &'static str, about: &'static str) -> Self {
        Self::new(name, Type::Number, about)
    }

    /// True or false.
    #[must_use]
    pub fn boolean(name: &'static str, about: &'static str) -> Self {
        Self::new(name, Type::Boolean, about)
    }

    /// A list of texts.
    #[must_use]
    pub fn texts(name: &'static str, about: &'static str) -> Self {
        Self::new(name, Type::Array(Box::new(Type::Text)), about)
    }

    /// A record.
    #[must_use]
    pub fn record(name: &'static str, fields: Vec<Field>, about: &'static str) -> Self {
        Self::new(name, Type::Record(fields), about).required()
    }

    /// It cannot be null.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// What it is when it is left out.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.default = Some(value.into());
        self
    }

    /// The only values.
    #[must_use]
    pub fn one_of(mut self, values: &'static [&'static str]) -> Self {
        self.one_of = values;
        self
    }

    /// The smallest and the largest number.
    #[must_use]
    pub fn between(mut self, least: f64, most: f64) -> Self {
        self.between = Some((least, most));
        self
    }

    /// A further rule on its text.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rule = Some(rule);
        self
    }

    /// Checks a value; what it is afterwards, with defaults.
    fn check(&self, value: Value) -> Result<Value, Value> {
        if value.is_null() {
            return match self.required {
                true => Err("required field missing".into()),
                false => Ok(Value::Null),
            };
        }
        self.check_as(&self.kind, value)
    }

    fn check_as(&self, kind: &Type, value: Value) -> Result<Value, Value> {
        match (kind, value) {
            (Type::Text, Value::String(text)) => self.check_text(text),
            (Type::Text, _) => Err("expected a string".into()),
            (Type::Integer, value) => match value.as_i64() {
                Some(number) => self.check_number(number as f64, value),
                None => Err("expected an integer".into()),
            },
            (Type::Number, value) => match value.as_f64() {
                Some(number) => self.check_number(number, value),
                None => Err("expected a number".into()),
            },
            (Type::Boolean, value @ Value::Bool(_)) => Ok(value),
            (Type::Boolean, _) => Err("expected a boolean".into()),
            (Type::Array(element) | Type::Set(element), Value::Array(values)) => {
                self.check_list(matches!(kind, Type::Set(_)), element, values)
            }
            (Type::Array(_), _) => Err("expected an array".into()),
            (Type::Set(_), _) => Err("expected a set".into()),
            (Type::Map(element), Value::Object(values)) => self.check_map(element, values),
            (Type::Map(_), _) => Err("expected a map".into()),
            (Type::Record(fields), Value::Object(values)) => {
                check(fields, values).map(Value::Object).map_err(Value::Object)
            }
            (Type::Record(_), _) => Err("expected a record".into()),
            (Type::Foreign(_), value) => match value.get("id").or(value.get("name")) {
                Some(Value::String(_)) => Ok(value),
                _ => Err("expected a record with an id".into()),
            },
        }
    }

    fn check_text(&self, text: String) -> Result<Value, Value> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(format!("length must be at most {MAX_TEXT_BYTES}").into());
        }
        if text.is_empty() {
            return Err("length must be at least 1".into());
        }
        if !self.one_of.is_empty() && !self.one_of.contains(&text.as_str()) {
            return Err(format!("expected one of: {}", self.one_of.join(", ")).into());
        }
        match self.rule.map_or(Ok(()), |rule| rule(&text)) {
            Ok(()) => Ok(Value::String(text)),
            Err(why) => Err(why.into()),
        }
    }

    fn check_number(&self, number: f64, value: Value) -> Result<Value, Value> {
        match self.between {
            Some((least, most)) if number < least || number > most => {
                Err(format!("value should be between {least} and {most}").into())
            }
            _ => Ok(value),
        }
    }

    fn check_list(&self, is_set: bool, element: &Type, values: Vec<Value>) -> Result<Value, Value> {
        if values.len() > MAX_ELEMENTS {
            return Err(format!("length must be at most {MAX_ELEMENTS}").into());
        }
        let (mut checked, mut errors) = (Vec::with_capacity(values.len()), Vec::new());
        for value in values {
            match self.check_as(element, value) {
                Ok(value) if is_set && checked.contains(&value) => {}
                Ok(value) => {
                    checked.push(value);
                    if !errors.is_empty() {
                        errors.push(Value::Null);
                    }
                }
                Err(error) => {
                    errors.resize(checked.len(), Value::Null);
                    errors.push(error);
                }
            }
        }
        if errors.is_empty() { Ok(Value::Array(checked)) } else { Err(Value::Array(errors)) }
    }

    fn check_map(&self, element: &Type, values: Map<String, Value>) -> Result<Value, Value> {
        if values.len() > MAX_ELEMENTS {
            return Err(format!("length must be at most {MAX_ELEMENTS}").into());
        }
        let (mut checked, mut errors) = (Map::new(), Map::new());
        for (name, value) in values {
            match self.check_as(element, value) {
                Ok(value) => checked.insert(name, value),
                Err(error) => errors.insert(name, error),
            };
        }
        if errors.is_empty() { Ok(Value::Object(checked)) } else { Err(Value::Object(errors)) }
    }

    /// As Kong shows it at `/schemas/...`.
    fn shown(&self) -> Value {
        let mut shown = shown_type(&self.kind, self.one_of);
        if self.required {
            shown.insert("required".to_owned(), true.into());
        }
        if let Some(default) = &self.default {
            shown.insert("default".to_owned(), default.clone());
        }
        if let Some((least, most)) = self.between {
            shown.insert("between".to_owned(), json!([least, most]));
        }
        json!({ self.name: shown })
    }
}

fn shown_type(kind: &Type, one_of: &[&str]) -> Map<String, Value> {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    let name = match kind {
        Type::Text => "string",
        Type::Integer => "integer",
        Type::Number => "number",
        Type::Boolean => "boolean",
        Type::Array(_) => "array",
        Type::Set(_) => "set",
        Type::Map(_) => "map",
        Type::Record(_) => "record",
        Type::Foreign(_) => "foreign",
    };
    put("type", name.into());
    match kind {
        Type::Array(element) | Type::Set(element) => {
            put("elements", Value::Object(shown_type(element, one_of)));
        }
        Type::Map(element) => {
            put("keys", json!({"type": "string"}));
            put("values", Value::Object(shown_type(element, one_of)));
        }
        Type::Record(fields) => {
            put("fields", fields.iter().map(Field::shown).collect());
        }
        Type::Foreign(reference) => {
            put("reference", (*reference).into());
        }
        _ if !one_of.is_empty() => {
            put("one_of", json!(one_of));
        }
        _ => {}
    }
    shown
}

/// Checks the values of some fields: what they are afterwards, with defaults, or what is wrong with each.
///
/// # Errors
/// By field, in the form of Kong's `fields`.
pub fn check(fields: &[Field], mut values: Map<String, Value>) -> Result<Map<String, Value>, FieldErrors> {
    let (mut checked, mut errors) = (Map::new(), FieldErrors::new());
    for field in fields {
        let value = match values.remove(field.name) {
            Some(value) => value,
            None => left_out(field),
        };
        match field.check(value) {
            Ok(value) => checked.insert(field.name.to_owned(), value),
            Err(error) => errors.insert(field.name.to_owned(), error),
        };
    }
    for (name, _) in values {
        errors.insert(name, "unknown field".into());
    }
    if errors.is_empty() { Ok(checked) } else { Err(errors) }
}

/// A required record that was left out has its fields' defaults.
fn left_out(field: &Field) -> Value {
    match (&field.default, &field.kind) {
        (Some(default), _) => default.clone(),
        (None, Type::Record(_)) if field.required => Value::Object(Map::new()),
        _ => Value::Null,
    }
}

/// What `/schemas/{entity}` and `/schemas/plugins/{name}` answer.
#[must_use]
pub fn shown(fields: &[Field]) -> Value {
    json!({ "fields": fields.iter().map(Field::shown).collect::<Value>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Vec<Field> {
        vec![
            Field::text("name", "").required(),
            Field::integer("port", "").default(80).between(0.0, 65_535.0),
            Field::texts("methods", "").one_of(&["GET", "PUT"]),
            Field::record("checks", vec![Field::boolean("on", "").default(false)], ""),
            Field::new("tags", Type::Set(Box::new(Type::Text)), ""),
        ]
    }

    fn checked(value: Value) -> Result<Value, Value> {
        let Value::Object(values) = value else { unreachable!() };
        check(&fields(), values).map(Value::Object).map_err(Value::Object)
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let whole = checked(json!({"name": "a", "tags": ["x", "x", "y"]}));
        let expected =
            json!({"name": "a", "port": 80, "methods": null, "checks": {"on": false}, "tags": ["x", "y"]});
        assert_eq!(whole, Ok(expected));
    }

    #[test]
    fn each_wrong_field_is_named() {
        let wrong = json!({"port": 70_000, "methods": ["GET", "EAT"], "checks": {"on": 1}, "colour": "red"});
        let errors = json!({
            "name": "required field missing",
            "port": "value should be between 0 and 65535",
            "methods": [null, "expected one of: GET, PUT"],
            "checks": {"on": "expected a boolean"},
            "colour": "unknown field",
        });
        assert_eq!(checked(wrong), Err(errors));
    }

    #[test]
    fn it_shows_itself_as_kong_does() {
        let shown = shown(&fields());
        assert_eq!(shown["fields"][0], json!({"name": {"type": "string", "required": true}}));
        assert_eq!(
            shown["fields"][2]["methods"]["elements"],
            json!({"type": "string", "one_of": ["GET", "PUT"]})
        );
        assert_eq!(shown["fields"][3]["checks"]["fields"][0]["on"]["default"], json!(false));
    }
}
