//! The calls: one set for all kinds of entities.

use axum::response::Response;
use http::Method;
use kong::{Change, Config, Entity, Kind, Refusal, Write};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Shared,
    answer::{Failure, json_answer, nothing},
    body::{self, Sent},
    file, info, list,
    paths::{Call, Parent},
};

/// Carries out a call.
///
/// # Errors
/// Why it has no result.
pub(crate) async fn carry_out(
    shared: &Shared,
    method: &Method,
    call: Call,
    query: &str,
    sent: Sent,
) -> Result<Response, Failure> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    match call {
        Call::Collection(kind, parent) if reads => list::page(shared, kind, parent.as_ref(), query),
        Call::Collection(kind, parent) if *method == Method::POST => create(shared, kind, parent, sent).await,
        Call::Collection(..) => Err(Failure::Method("GET, HEAD, OPTIONS, POST")),
        Call::One(kind, id, _, _) if reads => {
            let config = shared.state.config();
            let entity = id.and_then(|id| config.get(kind, id)).ok_or(Refusal::NotFound)?;
            Ok(json_answer(200, &entity.fields))
        }
        Call::One(kind, id, _, parent) if *method == Method::PATCH => {
            update(shared, kind, id.ok_or(Refusal::NotFound)?, parent, sent).await
        }
        Call::One(kind, id, name, parent) if *method == Method::PUT => {
            replace(shared, kind, (id, name), parent, sent).await
        }
        Call::One(kind, id, _, _) if *method == Method::DELETE => remove(shared, kind, id).await,
        Call::One(..) => Err(Failure::Method("DELETE, GET, HEAD, OPTIONS, PATCH, PUT")),
        Call::Validate(kind) if *method == Method::POST => validate(shared, kind, sent),
        Call::Validate(_) => Err(Failure::Method("OPTIONS, POST")),
        Call::SetHealth(upstream, target, health) if matches!(*method, Method::PUT | Method::POST) => {
            match shared.health.set(upstream, target, health) {
                true => Ok(nothing()),
                false => Err(Refusal::NotFound.into()),
            }
        }
        Call::SetHealth(..) => Err(Failure::Method("OPTIONS, POST, PUT")),
        Call::Config if *method == Method::POST => file::load(shared, query, sent).await,
        Call::Config if reads => file::dump(shared),
        Call::Config => Err(Failure::Method("GET, HEAD, OPTIONS, POST")),
        other if reads => info::page(shared, other, query),
        _ => Err(Failure::Method("GET, HEAD, OPTIONS")),
    }
}

/// The id of what a drafted change is about, with its fields, as the answer says them.
fn drafted(change: Change) -> (Vec<Change>, Value) {
    let fields = change.2.as_deref().cloned().unwrap_or_default();
    (vec![change], fields)
}

fn placed(mut fields: kong::Body, parent: Option<&Parent>) -> kong::Body {
    if let Some(parent) = parent {
        fields.insert(parent.field.to_owned(), json!({ "id": parent.id }));
    }
    fields
}

async fn create(
    shared: &Shared,
    kind: Kind,
    parent: Option<Parent>,
    sent: Sent,
) -> Result<Response, Failure> {
    let plugins = shared.state.plugins();
    let fields = placed(body::entity(sent, kind, plugins, None)?, parent.as_ref());
    let created = shared.state.change(|config| {
        let change = config.draft(kind, Write::Create, fields.clone(), shared.state.given(), plugins)?;
        Ok(drafted(change))
    });
    Ok(json_answer(201, &created.await?))
}

async fn update(
    shared: &Shared,
    kind: Kind,
    id: Uuid,
    parent: Option<Parent>,
    sent: Sent,
) -> Result<Response, Failure> {
    let plugins = shared.state.plugins();
    let config = shared.state.config();
    let name = config.get(kind, id).and_then(|entity| entity.text("name").map(str::to_owned));
    let fields = placed(body::entity(sent, kind, plugins, name.as_deref())?, parent.as_ref());
    let updated = shared.state.change(|config| {
        let change = config.draft(kind, Write::Update(id), fields.clone(), shared.state.given(), plugins)?;
        Ok(drafted(change))
    });
    Ok(json_answer(200, &updated.await?))
}

/// PUT by an id that is not there makes the entity with it; by a name, with a fresh id and that name.
async fn replace(
    shared: &Shared,
    kind: Kind,
    (id, name): (Option<Uuid>, String),
    parent: Option<Parent>,
    sent: Sent,
) -> Result<Response, Failure> {
    let plugins = shared.state.plugins();
    let mut fields = placed(body::entity(sent, kind, plugins, None)?, parent.as_ref());
    let named = Uuid::try_parse(&name).ok();
    if named.is_none()
        && let Some(key) = kind.definition().key
    {
        fields.entry(key).or_insert(Value::String(name.clone()));
    }
    let id = id.or(named).unwrap_or_else(|| shared.state.given().id);
    let replaced = shared.state.change(|config| {
        let change = config.draft(kind, Write::Replace(id), fields.clone(), shared.state.given(), plugins)?;
        Ok(drafted(change))
    });
    Ok(json_answer(200, &replaced.await?))
}

/// What is not there is removed already.
async fn remove(shared: &Shared, kind: Kind, id: Option<Uuid>) -> Result<Response, Failure> {
    if let Some(id) = id {
        let gone = shared.state.change(|config| match config.get(kind, id) {
            Some(_) => Ok((config.removal(kind, id)?, ())),
            None => Ok((Vec::new(), ())),
        });
        gone.await?;
    }
    Ok(nothing())
}

fn validate(shared: &Shared, kind: Kind, sent: Sent) -> Result<Response, Failure> {
    let plugins = shared.state.plugins();
    let mut fields = body::entity(sent, kind, plugins, None)?;
    let id = fields.remove("id").and_then(|id| Uuid::try_parse(id.as_str()?).ok());
    let write = Write::Replace(id.unwrap_or_else(|| shared.state.given().id));
    // What it refers to may not be there yet, and what has its name now may be gone by then: only the schema counts.
    let config = without_references(&shared.state.config(), kind, &fields);
    config.draft(kind, write, fields, shared.state.given(), plugins)?;
    Ok(json_answer(200, &json!({ "message": "schema validation successful" })))
}

/// A configuration that has what the fields refer to, and nothing else.
fn without_references(config: &Config, kind: Kind, fields: &kong::Body) -> Config {
    let mut needed = Config::default();
    for (field, parent) in kind.definition().parents {
        let named = fields.get(*field).and_then(|value| value.get("id")).and_then(Value::as_str);
        if let Some(id) = named.and_then(|id| Uuid::try_parse(id).ok()) {
            let known = config.get(*parent, id).map(|entity: &Entity| entity.fields.clone());
            needed.put(*parent, id, known.unwrap_or_default());
        }
    }
    needed
}
