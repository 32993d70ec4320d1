//! `/config`: the whole configuration as one declarative file.

use axum::response::Response;
use kong::{Kind, Refusal, declarative};
use serde_json::{Map, Value, json};

use crate::{
    Shared,
    answer::{Failure, json_answer},
    body::Sent,
};

/// Replaces the configuration by what a file says. `check_hash=1` is taken and means nothing: what is the same
/// changes nothing.
pub(crate) async fn load(shared: &Shared, _query: &str, sent: Sent) -> Result<Response, Failure> {
    let file = match (sent.text, sent.fields.get("config")) {
        (Some(text), _) => declarative::parse(&text)?,
        (None, Some(Value::String(text))) => declarative::parse(text)?,
        (None, _) if sent.fields.is_empty() => {
            return Err(Refusal::field("config", "required field missing").into());
        }
        // The file itself, as JSON.
        (None, _) => declarative::parse(&Value::Object(sent.fields).to_string())?,
    };
    let state = &shared.state;
    let loaded = state.change(|config| {
        let mut given = || state.given();
        let loaded = declarative::load(file.clone(), state.base(), state.plugins(), &mut given)?;
        Ok((config.changes_to(&loaded), loaded))
    });
    let loaded = loaded.await?;
    let mut shown = Map::new();
    for kind in Kind::ALL {
        let all = loaded.all(kind).filter(|entity| !entity.is_built_in());
        let by_id: Map<String, Value> =
            all.map(|entity| (entity.id.to_string(), (*entity.fields).clone())).collect();
        if !by_id.is_empty() {
            shown.insert(kind.definition().name.to_owned(), by_id.into());
        }
    }
    Ok(json_answer(201, &Value::Object(shown)))
}

/// The file that makes this configuration anew. It has the credentials of consumers and the keys of certificates.
pub(crate) fn dump(shared: &Shared) -> Result<Response, Failure> {
    let file = declarative::dump(&shared.state.config());
    // JSON is YAML too.
    let text = serde_json::to_string_pretty(&file).unwrap_or_default();
    Ok(json_answer(200, &json!({ "config": text })))
}
