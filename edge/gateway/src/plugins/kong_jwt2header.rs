//! `kong-jwt2header`: the claims of a token as headers, and as metadata of gRPC: `X-Kong-JWT-Claim-sub`.
//!
//! Only claims of a token that was verified (by `jwt`, on the same request) are passed on, and what a client sends under
//! these names never is. The plugin of this name that Kong's users know passes on what it has not verified.

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use kong::Field;
use serde::Deserialize;
use serde_json::Value;

use crate::plugin::{BadConfig, Definition, Exchange, Flow, Plugin, Resources, answer, read};

/// See the module.
pub const DEFINITION: Definition = Definition {
    name: "kong-jwt2header",
    priority: 900,
    about: "Tells the upstream the claims of a verified token, as headers or gRPC metadata.",
    fields,
    make,
};

/// In front of the claim's name; the second is how Boxoffice's own services know them.
const PREFIXES: [&str; 2] = ["x-kong-jwt-claim-", "x-jwt-claim-"];
/// Everything of a client that begins like this is dropped.
const STRIPPED: [&str; 2] = ["x-kong-jwt-", "x-jwt-claim-"];
/// The most claims that are passed on.
const MAX_CLAIMS: usize = 64;
/// The longest claim that is passed on, in bytes.
const MAX_CLAIM_BYTES: usize = 4_096;

fn fields() -> Vec<Field> {
    vec![
        Field::text("strip_claims", "`true`: claims are only there for routing and are not passed on")
            .required()
            .default("false")
            .one_of(&["true", "false"]),
        Field::text("token_required", "`true`: a request without a verified token is refused")
            .required()
            .default("true")
            .one_of(&["true", "false"]),
    ]
}

#[derive(Deserialize)]
struct Config {
    strip_claims: String,
    token_required: String,
}

struct Jwt2Header {
    passes_on: bool,
    is_required: bool,
}

fn make(config: &Value, _: &Resources) -> Result<Arc<dyn Plugin>, BadConfig> {
    let config: Config = read(config)?;
    let (passes_on, is_required) = (config.strip_claims != "true", config.token_required == "true");
    Ok(Arc::new(Jwt2Header { passes_on, is_required }))
}

#[async_trait]
impl Plugin for Jwt2Header {
    async fn access(&self, exchange: &mut Exchange) -> Flow {
        strip(&mut exchange.headers);
        let Some(claims) = exchange.claims.clone() else {
            if self.is_required {
                return Flow::Answer(answer(StatusCode::UNAUTHORIZED, "No valid JWT token found"));
            }
            return Flow::Continue;
        };
        if self.passes_on {
            for (claim, value) in claims.iter().take(MAX_CLAIMS) {
                pass_on(&mut exchange.metadata, claim, value);
            }
        }
        Flow::Continue
    }
}

fn strip(headers: &mut HeaderMap) {
    let forged =
        headers.keys().filter(|name| STRIPPED.iter().any(|prefix| name.as_str().starts_with(prefix)));
    let forged: Vec<HeaderName> = forged.cloned().collect();
    for name in forged {
        headers.remove(name);
    }
}

/// A claim that no header can carry is left out.
fn pass_on(metadata: &mut HeaderMap, claim: &str, value: &Value) {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(values) if values.iter().all(Value::is_string) => {
            values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
        }
        Value::Null => return,
        other => other.to_string(),
    };
    if text.len() > MAX_CLAIM_BYTES {
        return;
    }
    // Metadata is ASCII; what is not is written as JSON writes it.
    let text = if text.is_ascii() { text } else { escaped(&text) };
    for prefix in PREFIXES {
        let name = HeaderName::try_from(format!("{prefix}{claim}"));
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&text)) {
            metadata.insert(name, value);
        }
    }
}

fn escaped(text: &str) -> String {
    let mut units = [0; 2];
    let escape = |c: char| match c.is_ascii() {
        true => c.to_string(),
        false => c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    };
    text.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plugins::testing::{exchange, made, status_of};

    #[tokio::test]
    async fn verified_claims_are_passed_on_and_forged_ones_never() {
        let plugin = made(&DEFINITION, json!({}));
        let mut asked = exchange("/");
        asked.headers.insert("x-kong-jwt-claim-role", HeaderValue::from_static("admin"));
        asked.headers.insert("x-jwt-claim-sub", HeaderValue::from_static("somebody else"));
        let claims =
            json!({"sub": "ada", "level": 3, "roles": ["a", "b"], "name": "Zo\u{eb}", "bad name": "x"});
        asked.claims = claims.as_object().cloned().map(Arc::new);
        assert!(matches!(plugin.access(&mut asked).await, Flow::Continue));
        assert!(asked.headers.is_empty());
        let said = |name: &str| asked.metadata.get(name).and_then(|value| value.to_str().ok());
        assert_eq!(said("x-kong-jwt-claim-sub"), Some("ada"));
        assert_eq!(said("x-jwt-claim-level"), Some("3"));
        assert_eq!(said("x-kong-jwt-claim-roles"), Some("a,b"));
        assert_eq!(said("x-kong-jwt-claim-name"), Some("Zo\\u00eb"));
        assert_eq!(asked.metadata.len(), 8);
    }

    #[tokio::test]
    async fn without_a_token_it_depends() {
        let strict = made(&DEFINITION, json!({}));
        assert_eq!(status_of(strict.access(&mut exchange("/")).await), Some(401));
        let lenient = made(&DEFINITION, json!({"token_required": "false"}));
        let mut asked = exchange("/");
        asked.headers.insert("x-kong-jwt-claim-role", HeaderValue::from_static("admin"));
        assert_eq!(status_of(lenient.access(&mut asked).await), None);
        assert!(asked.headers.is_empty());
    }
}
