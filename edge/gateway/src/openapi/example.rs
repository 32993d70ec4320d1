//! A value for each type, so that a reader sees what a request looks like. By the name of a field, as people would fill it
//! in, and by its type; nothing here is for one call.

use serde_json::{Map, Value, json};

use crate::model::{Field, Model, Type};

/// Messages inside messages are shown to this depth: one may hold itself.
const MAX_DEPTH: usize = 6;
const ID: &str = "0198c0de-0000-7000-8000-000000000000";

/// The example of a value under a name.
pub(crate) fn value(model: &Model, name: &str, holds: &Type) -> Value {
    of(model, name, holds, 0)
}

/// The example of an object.
pub(crate) fn object(model: &Model, fields: &[Field]) -> Value {
    fields_of(model, fields, 0)
}

fn fields_of(model: &Model, fields: &[Field], depth: usize) -> Value {
    let shown = fields.iter().filter(|field| depth < MAX_DEPTH || !field.optional);
    let pairs = shown.map(|field| (field.name.clone(), of(model, &field.name, &field.holds, depth)));
    Value::Object(pairs.collect::<Map<_, _>>())
}

fn of(model: &Model, name: &str, holds: &Type, depth: usize) -> Value {
    match holds {
        Type::Integer(_) => json!(number(name)),
        Type::Number(_) => json!(4.5),
        Type::Bool => json!(true),
        Type::String("date-time") => json!("2031-06-20T18:00:00Z"),
        Type::String("byte") => json!("AAE="),
        Type::String(_) => json!(text(name)),
        Type::Enum(values) => json!(values.first().map(|(name, _)| name)),
        Type::Any => json!({}),
        Type::List(_) | Type::Map(_) if depth >= MAX_DEPTH => {
            if matches!(holds, Type::List(_)) {
                json!([])
            } else {
                json!({})
            }
        }
        Type::List(one) => json!([of(model, singular(name), one, depth + 1)]),
        Type::Map(one) => json!({ "key": of(model, name, one, depth + 1) }),
        Type::Message(message) => {
            let fields = model.messages.get(message).map(|message| message.fields.as_slice());
            fields_of(model, fields.unwrap_or_default(), depth + 1)
        }
    }
}

fn singular(name: &str) -> &str {
    name.strip_suffix('s').unwrap_or(name)
}

fn number(name: &str) -> i64 {
    match name {
        "minor" => 1_250,
        "birth_year" => 1_990,
        "rating" => 5,
        "page_size" => 20,
        "capacity" => 100,
        _ => 2,
    }
}

fn text(name: &str) -> &'static str {
    match name {
        "email" | "to" => "ada@example.org",
        "password" | "current_password" => "correct horse battery",
        "name" | "attendee_name" => "Ada",
        "title" | "q" | "subject" => "Village Brass",
        "description" | "comment" | "text" => "Loud and lovely.",
        "city" => "Oberdorf",
        "country" => "Germany",
        "time_zone" => "Europe/Berlin",
        "currency" => "EUR",
        "category" | "categorie" => "music",
        "payment_method" => "4242424242424242",
        "promo_code" => "BRASS10",
        "date" => "2031-06-20",
        name if name == "id" || name.ends_with("_id") => ID,
        name if name.ends_with("_url") => "https://example.org/",
        name if name.ends_with("token") => "eyJ",
        _ => "text",
    }
}
