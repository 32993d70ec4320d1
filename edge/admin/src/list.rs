//! Lists, page by page.

use axum::response::Response;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use kong::{Entity, Kind, Refusal};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Shared,
    answer::{Failure, json_answer},
    paths::Parent,
};

/// The entities of a page when nothing is asked for.
const DEFAULT_SIZE: usize = 100;
/// The most entities of a page.
const MAX_SIZE: usize = 1_000;
/// The most tags of a filter.
const MAX_TAGS: usize = 5;

/// What a list is asked for.
#[derive(Debug, Default)]
struct Asked {
    size: Option<usize>,
    from: Option<Uuid>,
    tags: Option<Tags>,
}

#[derive(Debug)]
enum Tags {
    All(Vec<String>),
    Any(Vec<String>),
}

/// The entities of a kind, or those of a parent. What is built in is listed only by its tag.
pub(crate) fn page(
    shared: &Shared,
    kind: Kind,
    parent: Option<&Parent>,
    query: &str,
) -> Result<Response, Failure> {
    let asked = Asked::of(query)?;
    let config = shared.state.config();
    let matching = config
        .from(kind, asked.from.unwrap_or_default())
        .filter(|entity| parent.is_none_or(|parent| entity.foreign(parent.field) == Some(parent.id)))
        .filter(|entity| match &asked.tags {
            Some(tags) => tags.are_on(entity),
            // Clients that keep a gateway as a file says would remove what the file does not have, and cannot.
            None => !entity.is_built_in(),
        });
    let path = match parent {
        None => format!("/{}", kind.definition().name),
        Some(parent) => {
            format!("/{}/{}/{}", parent.kind.definition().name, parent.id, kind.definition().nested)
        }
    };
    let size = asked.size.unwrap_or(DEFAULT_SIZE);
    let mut data: Vec<&Entity> = matching.take(size + 1).collect();
    // The first of the next page.
    let next = (data.len() > size).then(|| data.pop()).flatten();
    let data: Vec<&Value> = data.into_iter().map(|entity| &*entity.fields).collect();
    let Some(next) = next else {
        return Ok(json_answer(200, &json!({ "data": data, "next": null })));
    };
    let offset = BASE64_URL_SAFE_NO_PAD.encode(next.id.as_bytes());
    let mut link = format!("{path}?offset={offset}");
    if let Some(size) = asked.size {
        link += &format!("&size={size}");
    }
    if let Some(tags) = &asked.tags {
        link += &format!("&tags={tags}");
    }
    Ok(json_answer(200, &json!({ "data": data, "next": link, "offset": offset })))
}

impl Asked {
    fn of(query: &str) -> Result<Self, Refusal> {
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(query).map_err(|error| Refusal::field("query", error.to_string()))?;
        let mut asked = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "size" => {
                    let size = value.parse().ok().filter(|size| (1..=MAX_SIZE).contains(size));
                    let why = format!("must be a number between 1 and {MAX_SIZE}");
                    asked.size = Some(size.ok_or_else(|| Refusal::field("size", why))?);
                }
                "offset" => {
                    let bytes = BASE64_URL_SAFE_NO_PAD.decode(&value).ok();
                    let id = bytes.and_then(|bytes| Uuid::from_slice(&bytes).ok());
                    asked.from = Some(id.ok_or(Refusal::Offset(value))?);
                }
                "tags" => asked.tags = Some(Tags::of(&value)?),
                // As Kong, which ignores what it does not know.
                _ => {}
            }
        }
        Ok(asked)
    }
}

impl Tags {
    fn of(text: &str) -> Result<Self, Refusal> {
        let wrong = |why: String| Refusal::field("tags", why);
        let (is_all, is_any) = (text.contains(','), text.contains('/'));
        if is_all && is_any {
            return Err(wrong("invalid filter syntax: use , for all or / for any, not both".to_owned()));
        }
        let tags: Vec<String> = text.split([',', '/']).map(str::to_owned).collect();
        if tags.len() > MAX_TAGS || tags.iter().any(String::is_empty) {
            return Err(wrong(format!("between 1 and {MAX_TAGS} tags can be asked for")));
        }
        Ok(if is_any { Self::Any(tags) } else { Self::All(tags) })
    }

    fn are_on(&self, entity: &Entity) -> bool {
        let has = |tag: &String| entity.texts("tags").any(|known| known == tag);
        match self {
            Self::All(tags) => tags.iter().all(has),
            Self::Any(tags) => tags.iter().any(has),
        }
    }
}

impl std::fmt::Display for Tags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All(tags) => f.write_str(&tags.join(",")),
            Self::Any(tags) => f.write_str(&tags.join("/")),
        }
    }
}
