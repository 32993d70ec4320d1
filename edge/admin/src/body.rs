//! What a client sends: JSON, a form, or a form in parts, as Kong takes them.

use axum::body::Body;
use http::{HeaderMap, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Limited};
use kong::{Refusal, declarative::MAX_FILE_BYTES, form};
use serde_json::{Map, Value};

/// The longest body but for a declarative file, in bytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;
/// The most fields of a form.
const MAX_FORM_FIELDS: usize = 1_000;

/// A body as it was sent.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// Its fields.
    pub fields: Map<String, Value>,
    /// They are texts, all of them, because it was a form.
    pub is_form: bool,
    /// Its text, where it is neither JSON nor a form.
    pub text: Option<String>,
}

/// Reads a body. Nothing is nothing.
///
/// # Errors
/// When it is too long, or not what its type says.
pub(crate) async fn read(headers: &HeaderMap, body: Body, is_file: bool) -> Result<Sent, BadBody> {
    let limit = if is_file { MAX_FILE_BYTES } else { MAX_BODY_BYTES };
    let collected = Limited::new(body, limit).collect().await;
    let bytes = collected.map_err(|_| BadBody::TooLarge(limit))?.to_bytes();
    if bytes.is_empty() {
        return Ok(Sent::default());
    }
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" => match serde_json::from_slice(&bytes) {
            Ok(Value::Object(fields)) => Ok(Sent { fields, ..Sent::default() }),
            Ok(_) => Err(BadBody::Malformed("expected a JSON object".to_owned())),
            Err(error) => Err(BadBody::Malformed(format!("Cannot parse JSON body: {error}"))),
        },
        "multipart/form-data" => {
            let boundary = multer::parse_boundary(media_type).map_err(BadBody::parts)?;
            gathered(parts(bytes, boundary).await?)
        }
        "application/yaml" | "application/x-yaml" | "text/yaml" | "text/x-yaml" | "text/plain" => {
            let text = String::from_utf8(bytes.to_vec());
            let text = text.map_err(|_| BadBody::Malformed("the body is not UTF-8".to_owned()))?;
            Ok(Sent { text: Some(text), ..Sent::default() })
        }
        // curl's --data says this, also where nothing is said.
        "application/x-www-form-urlencoded" | "" => {
            let pairs: Vec<(String, String)> = url_encoded(&bytes)?;
            gathered(pairs)
        }
        _ => Err(BadBody::MediaType),
    }
}

fn gathered(pairs: Vec<(String, String)>) -> Result<Sent, BadBody> {
    if pairs.len() > MAX_FORM_FIELDS {
        return Err(BadBody::Malformed(format!("a form may have {MAX_FORM_FIELDS} fields at most")));
    }
    let fields = form::gather(pairs);
    let fields =
        fields.map_err(|name| BadBody::Malformed(format!("the field name '{name}' cannot be read")))?;
    Ok(Sent { fields, is_form: true, text: None })
}

fn url_encoded(bytes: &[u8]) -> Result<Vec<(String, String)>, BadBody> {
    serde_urlencoded::from_bytes(bytes).map_err(|error| BadBody::Malformed(error.to_string()))
}

async fn parts(bytes: bytes::Bytes, boundary: String) -> Result<Vec<(String, String)>, BadBody> {
    let stream = futures_util::stream::once(async move { Ok::<_, std::convert::Infallible>(bytes) });
    let mut form = multer::Multipart::new(stream, boundary);
    let mut pairs = Vec::new();
    while let Some(field) = form.next_field().await.map_err(BadBody::parts)? {
        if pairs.len() == MAX_FORM_FIELDS {
            return Err(BadBody::Malformed(format!("a form may have {MAX_FORM_FIELDS} fields at most")));
        }
        let name = field.name().unwrap_or_default().to_owned();
        pairs.push((name, field.text().await.map_err(BadBody::parts)?));
    }
    Ok(pairs)
}

/// A body that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadBody {
    /// It is longer than this.
    #[error("the body may have {0} bytes at most")]
    TooLarge(usize),
    /// It is not what its type says.
    #[error("{0}")]
    Malformed(String),
    /// Its type is not taken.
    #[error("send application/json, application/x-www-form-urlencoded or multipart/form-data")]
    MediaType,
}

impl BadBody {
    fn parts(error: multer::Error) -> Self {
        Self::Malformed(format!("the form cannot be read: {error}"))
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::TooLarge(_) => 413,
            Self::Malformed(_) => 400,
            Self::MediaType => 415,
        }
    }
}

/// The fields of an entity, with the texts of a form turned into what its schema has.
pub(crate) fn entity(
    sent: Sent,
    kind: kong::Kind,
    plugins: &dyn kong::PluginSchemas,
    known_plugin: Option<&str>,
) -> Result<kong::Body, Refusal> {
    if sent.text.is_some() {
        return Err(Refusal::field("@entity", "expected JSON or a form"));
    }
    if !sent.is_form {
        return Ok(sent.fields);
    }
    let mut known = kind.definition().fields.clone();
    if kind == kong::Kind::Plugins {
        let name = sent.fields.get("name").and_then(Value::as_str).or(known_plugin);
        if let Some(config) = name.and_then(|name| plugins.fields(name)) {
            for field in known.iter_mut().filter(|field| field.name == "config") {
                field.kind = kong::schema::Type::Record(config.to_vec());
            }
        }
    }
    Ok(form::typed(&known, sent.fields))
}
