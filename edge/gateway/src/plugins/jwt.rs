//! `jwt`: whoever sends a token that a consumer's credential signed is that consumer (RFC 7519, RFC 8725).

mod keys;
mod token;

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, header::WWW_AUTHENTICATE};
use kong::{Field, Kind};
use quick_cache::sync::Cache;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::plugin::{BadConfig, Definition, Exchange, Flow, Plugin, Resources, answer, json_answer, read};

use super::recognised;
use keys::{KeyError, Remote};
use token::Token;

/// See the module.
pub const DEFINITION: Definition = Definition {
    name: "jwt",
    priority: 1_450,
    about: "Verifies signed tokens and recognises the consumer whose credential signed them.",
    fields,
    make,
};

/// The longest token, in bytes.
const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// So many verified tokens are remembered, of those that are no longer than this, in bytes: clients send one again and
/// again, and a signature costs more than all else that a call takes here.
const REMEMBERED_TOKENS: usize = 4_096;
const MAX_REMEMBERED_BYTES: usize = 2 * 1024;

fn fields() -> Vec<Field> {
    vec![
        Field::texts("header_names", "the headers that a token may be in, behind `Bearer`")
            .default(json!(["authorization"])),
        Field::texts("uri_param_names", "the query parameters that it may be in").default(json!(["jwt"])),
        Field::texts("cookie_names", "the cookies that it may be in").default(json!([])),
        Field::text(
            "key_claim_name",
            "the claim, or field of the token's header, that says the credential's key",
        )
        .default("iss"),
        Field::boolean("secret_is_base64", "whether credentials' secrets are base64")
            .required()
            .default(false),
        Field::texts("claims_to_verify", "which times are checked").one_of(&["exp", "nbf"]),
        Field::number("maximum_expiration", "how far `exp` may be ahead, in seconds; 0 is any")
            .default(0)
            .between(0.0, 31_536_000.0),
        Field::text("anonymous", "the consumer, by id or username, of those without a token"),
        Field::boolean("run_on_preflight", "whether OPTIONS needs a token too").required().default(true),
        Field::text("realm", "the realm of the challenge"),
        Field::text(
            "jwks_uri",
            "where public keys are fetched (RFC 7517); tokens signed by one need no credential",
        ),
        Field::text("jwks_issuer", "what `iss` of such a token must be"),
    ]
}

#[derive(Debug, Deserialize)]
struct Config {
    header_names: Option<Vec<String>>,
    uri_param_names: Option<Vec<String>>,
    cookie_names: Option<Vec<String>>,
    key_claim_name: Option<String>,
    secret_is_base64: bool,
    claims_to_verify: Option<BTreeSet<String>>,
    maximum_expiration: Option<f64>,
    anonymous: Option<String>,
    run_on_preflight: bool,
    realm: Option<String>,
    jwks_uri: Option<String>,
    jwks_issuer: Option<String>,
}

struct Jwt {
    config: Config,
    remote: Option<Remote>,
    verified: Cache<String, Verified>,
}

/// A token whose signature is good.
#[derive(Clone)]
struct Verified {
    token: Arc<Token>,
    /// The credential that it is good by. One that was changed since has other fields.
    by: Arc<Value>,
}

fn make(config: &Value, resources: &Resources) -> Result<Arc<dyn Plugin>, BadConfig> {
    let config: Config = read(config)?;
    if config.maximum_expiration.is_some_and(|seconds| seconds > 0.0) && !config.verifies("exp") {
        return Err(BadConfig::new("maximum_expiration", "needs exp in claims_to_verify"));
    }
    let remote = match (&config.jwks_uri, &config.jwks_issuer) {
        (None, _) => None,
        (Some(_), None) => return Err(BadConfig::new("jwks_issuer", "is needed with jwks_uri")),
        (Some(uri), Some(_)) => Some(Remote::new(uri, resources.environment.clone())?),
    };
    Ok(Arc::new(Jwt { config, remote, verified: Cache::new(REMEMBERED_TOKENS) }))
}

/// Why a request is not let in.
enum Refused {
    /// There is no token.
    None,
    /// There is one, and this is wrong with it.
    Bad(&'static str),
    /// No credential has its key; the claim that names it.
    Unknown(String),
    /// A time of it is wrong: the claim, and how.
    Time(&'static str, &'static str),
}

impl Config {
    fn verifies(&self, claim: &str) -> bool {
        self.claims_to_verify.as_ref().is_some_and(|claims| claims.contains(claim))
    }

    fn key_claim(&self) -> &str {
        self.key_claim_name.as_deref().unwrap_or("iss")
    }

    /// The times of a token, in seconds.
    fn check_times(&self, token: &Token, now_s: f64) -> Result<(), Refused> {
        let time = |claim: &'static str| match token.claims.get(claim).map(Value::as_f64) {
            Some(Some(seconds)) => Ok(seconds),
            _ => Err(Refused::Time(claim, "must be a number")),
        };
        if self.verifies("exp") {
            let ends = time("exp")?;
            if ends <= now_s {
                return Err(Refused::Time("exp", "token expired"));
            }
            let most = self.maximum_expiration.unwrap_or(0.0);
            if most > 0.0 && ends > now_s + most {
                return Err(Refused::Time("exp", "exceeds maximum allowed expiration"));
            }
        }
        if self.verifies("nbf") && time("nbf")? > now_s {
            return Err(Refused::Time("nbf", "token not valid yet"));
        }
        Ok(())
    }
}

impl Jwt {
    async fn recognise(&self, exchange: &mut Exchange) -> Result<(), Refused> {
        let text = self.sent(exchange)?.ok_or(Refused::None)?;
        let verified = self.verified.get(&text);
        let token = match &verified {
            Some(verified) => Arc::clone(&verified.token),
            None => Arc::new(Token::read(&text).ok_or(Refused::Bad("Bad token; invalid JSON"))?),
        };
        if let Some(remote) = &self.remote
            && token.claims.get("iss").and_then(Value::as_str) == self.config.jwks_issuer.as_deref()
        {
            let key = remote.key(&token).await.map_err(|_: KeyError| Refused::Bad("Invalid signature"))?;
            token.verify(&key).map_err(Refused::Bad)?;
            self.config.check_times(&token, seconds(exchange))?;
            exchange.claims = Some(Arc::clone(&token.claims));
            return Ok(());
        }
        let claim = self.config.key_claim();
        let named = token.claims.get(claim).or_else(|| token.header.get(claim));
        let key = match named {
            Some(Value::String(key)) if !key.is_empty() => key.clone(),
            Some(_) => return Err(Refused::Bad("Invalid key claim in token")),
            None => return Err(Refused::Unknown(format!("No mandatory '{claim}' in claims"))),
        };
        let unknown = || Refused::Unknown(format!("No credentials found for given '{claim}'"));
        let config = Arc::clone(&exchange.config);
        let credential = config.by_key(Kind::JwtSecrets, &key).ok_or_else(unknown)?;
        if !verified.is_some_and(|verified| Arc::ptr_eq(&verified.by, &credential.fields)) {
            let verifying = keys::of_credential(credential, self.config.secret_is_base64);
            token.verify(&verifying.map_err(Refused::Bad)?).map_err(Refused::Bad)?;
            if text.len() <= MAX_REMEMBERED_BYTES {
                let by = Arc::clone(&credential.fields);
                self.verified.insert(text, Verified { token: Arc::clone(&token), by });
            }
        }
        self.config.check_times(&token, seconds(exchange))?;
        let consumer = credential.foreign("consumer").and_then(|id| config.get(Kind::Consumers, id));
        let consumer = consumer.ok_or_else(unknown)?;
        recognised::consumer(exchange, consumer.clone(), credential.clone());
        exchange.claims = Some(Arc::clone(&token.claims));
        Ok(())
    }

    /// The token, wherever it is; the same one in two places is one.
    fn sent(&self, exchange: &Exchange) -> Result<Option<String>, Refused> {
        let mut found = BTreeSet::new();
        let names = |names: &Option<Vec<String>>| names.clone().unwrap_or_default();
        for name in names(&self.config.uri_param_names) {
            found.extend(super::query::values(exchange.uri.query(), &name));
        }
        for name in names(&self.config.cookie_names) {
            found.extend(super::query::cookie(&exchange.headers, &name));
        }
        for name in names(&self.config.header_names) {
            let values = exchange.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
            let bearers = values.filter_map(|value| {
                let (scheme, token) = value.split_once(' ')?;
                scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
            });
            found.extend(bearers);
        }
        found.retain(|token| !token.is_empty());
        if found.len() > 1 {
            return Err(Refused::Bad("Multiple tokens provided"));
        }
        match found.pop_first() {
            Some(token) if token.len() > MAX_TOKEN_BYTES => Err(Refused::Bad("Bad token; it is too long")),
            token => Ok(token),
        }
    }

    fn refusal(&self, refused: &Refused) -> Response {
        let mut response = match refused {
            Refused::None => answer(StatusCode::UNAUTHORIZED, "Unauthorized"),
            Refused::Bad(why) => answer(StatusCode::UNAUTHORIZED, why),
            Refused::Unknown(why) => answer(StatusCode::UNAUTHORIZED, why),
            Refused::Time(claim, why) => json_answer(StatusCode::UNAUTHORIZED, &json!({ *claim: why })),
        };
        let challenge = match (&self.config.realm, refused) {
            (Some(realm), Refused::None) => format!("Bearer realm=\"{realm}\""),
            (Some(realm), _) => format!("Bearer realm=\"{realm}\", error=\"invalid_token\""),
            (None, Refused::None) => "Bearer".to_owned(),
            (None, _) => "Bearer error=\"invalid_token\"".to_owned(),
        };
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

fn seconds(exchange: &Exchange) -> f64 {
    exchange.environment.now().micros() as f64 / 1e6
}

#[async_trait]
impl Plugin for Jwt {
    async fn access(&self, exchange: &mut Exchange) -> Flow {
        recognised::strip(exchange);
        if exchange.method == Method::OPTIONS && !self.config.run_on_preflight {
            return Flow::Continue;
        }
        // Another plugin has recognised somebody, and either will do.
        if self.config.anonymous.is_some() && exchange.credential.is_some() {
            return Flow::Continue;
        }
        let Err(refused) = self.recognise(exchange).await else { return Flow::Continue };
        match &self.config.anonymous {
            Some(name) if recognised::anonymous(exchange, name) => Flow::Continue,
            _ => Flow::Answer(self.refusal(&refused)),
        }
    }
}

#[cfg(test)]
mod tests;
