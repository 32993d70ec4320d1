//! `key-auth`: whoever sends a consumer's key is that consumer.

use std::sync::Arc;

use async_trait::async_trait;
use axum::response::Response;
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header::WWW_AUTHENTICATE};
use kong::{Entity, Field, Kind};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{query, recognised};
use crate::plugin::{BadConfig, Definition, Exchange, Flow, Plugin, Resources, answer, read};

/// See the module.
pub const DEFINITION: Definition = Definition {
    name: "key-auth",
    priority: 1_250,
    about: "Recognises consumers by a key in a header or in the query.",
    fields,
    make,
};

fn fields() -> Vec<Field> {
    vec![
        Field::texts("key_names", "the names of the header or parameter")
            .required()
            .default(json!(["apikey"])),
        Field::boolean("key_in_header", "whether it may be a header").required().default(true),
        Field::boolean("key_in_query", "whether it may be a query parameter").required().default(true),
        Field::boolean("key_in_body", "not supported: the body is not read before somebody is let in")
            .required()
            .default(false),
        Field::boolean("hide_credentials", "whether the upstream does not see the key")
            .required()
            .default(false),
        Field::text("anonymous", "the consumer, by id or username, of those without a key"),
        Field::boolean("run_on_preflight", "whether OPTIONS needs a key too").required().default(true),
        Field::text("realm", "the realm of the challenge"),
    ]
}

#[derive(Deserialize)]
struct Config {
    key_names: Vec<String>,
    key_in_header: bool,
    key_in_query: bool,
    key_in_body: bool,
    hide_credentials: bool,
    anonymous: Option<String>,
    run_on_preflight: bool,
    realm: Option<String>,
}

struct KeyAuth {
    config: Config,
    challenge: HeaderValue,
}

fn make(config: &Value, _: &Resources) -> Result<Arc<dyn Plugin>, BadConfig> {
    let config: Config = read(config)?;
    if config.key_in_body {
        return Err(BadConfig::new("key_in_body", "is not supported; send the key as a header"));
    }
    for name in &config.key_names {
        HeaderName::try_from(name)
            .map_err(|_| BadConfig::new("key_names", format!("{name} is no header name")))?;
    }
    let realm = config.realm.as_deref().map_or("Key".to_owned(), |realm| format!("Key realm=\"{realm}\""));
    let challenge =
        HeaderValue::from_str(&realm).map_err(|_| BadConfig::new("realm", "is no header value"))?;
    Ok(Arc::new(KeyAuth { config, challenge }))
}

impl KeyAuth {
    fn sent(&self, exchange: &Exchange) -> Option<String> {
        let in_header = |name: &String| {
            let value = exchange.headers.get(name).filter(|_| self.config.key_in_header)?;
            value.to_str().ok().map(str::to_owned)
        };
        let in_query = |name: &String| match self.config.key_in_query {
            true => query::values(exchange.uri.query(), name).next(),
            false => None,
        };
        self.config.key_names.iter().find_map(|name| in_header(name).or_else(|| in_query(name)))
    }

    fn hide(&self, exchange: &mut Exchange) {
        for name in &self.config.key_names {
            exchange.headers.remove(name);
            if let Some(asked) = exchange.uri.query() {
                let kept = query::without(asked, name).map_or(String::new(), |query| format!("?{query}"));
                let path = format!("{}{kept}", exchange.uri.path());
                exchange.uri = Uri::try_from(path).unwrap_or_else(|_| exchange.uri.clone());
            }
        }
    }

    fn recognise(&self, exchange: &mut Exchange) -> Result<(), &'static str> {
        let key = self.sent(exchange).ok_or("No API key found in request")?;
        let config = Arc::clone(&exchange.config);
        let credential =
            config.by_key(Kind::KeyAuths, &key).filter(|credential| is_good(credential, exchange));
        let credential = credential.ok_or("Unauthorized")?;
        let consumer = credential.foreign("consumer").and_then(|id| config.get(Kind::Consumers, id));
        let consumer = consumer.ok_or("Unauthorized")?.clone();
        if self.config.hide_credentials {
            self.hide(exchange);
        }
        recognised::consumer(exchange, consumer, credential.clone());
        Ok(())
    }

    fn refusal(&self, why: &str) -> Response {
        let mut response = answer(StatusCode::UNAUTHORIZED, why);
        response.headers_mut().insert(WWW_AUTHENTICATE, self.challenge.clone());
        response
    }
}

/// Until its time is over.
fn is_good(credential: &Entity, exchange: &Exchange) -> bool {
    let now_s = exchange.environment.now().micros() / 1_000_000;
    let made_s = credential.integer("created_at").unwrap_or(0);
    credential.integer("ttl").is_none_or(|ttl_s| now_s < made_s.saturating_add(ttl_s))
}

#[async_trait]
impl Plugin for KeyAuth {
    async fn access(&self, exchange: &mut Exchange) -> Flow {
        recognised::strip(exchange);
        if exchange.method == Method::OPTIONS && !self.config.run_on_preflight {
            return Flow::Continue;
        }
        if self.config.anonymous.is_some() && exchange.credential.is_some() {
            return Flow::Continue;
        }
        let Err(why) = self.recognise(exchange) else { return Flow::Continue };
        match &self.config.anonymous {
            Some(name) if recognised::anonymous(exchange, name) => Flow::Continue,
            _ => Flow::Answer(self.refusal(why)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::{exchange, made, status_of, with_consumer};

    #[tokio::test]
    async fn a_key_lets_its_consumer_in_and_may_be_hidden() {
        let plugin = made(&DEFINITION, json!({"hide_credentials": true}));
        let mut asked = exchange("/?a=1&apikey=opens&b=2");
        with_consumer(&mut asked, Kind::KeyAuths, json!({"key": "opens"}));
        assert_eq!(status_of(plugin.access(&mut asked).await), None);
        assert_eq!(asked.uri, "/?a=1&b=2");
        assert_eq!(asked.metadata["x-consumer-username"], "ada");
        assert_ne!(asked.metadata["x-credential-identifier"], "opens");
    }

    #[tokio::test]
    async fn a_wrong_or_old_key_does_not() {
        let plugin = made(&DEFINITION, json!({}));
        let mut nothing = exchange("/");
        assert_eq!(status_of(plugin.access(&mut nothing).await), Some(401));
        let mut wrong = exchange("/");
        with_consumer(&mut wrong, Kind::KeyAuths, json!({"key": "opens"}));
        wrong.headers.insert("apikey", HeaderValue::from_static("Opens"));
        assert_eq!(status_of(plugin.access(&mut wrong).await), Some(401));
        let mut old = exchange("/");
        with_consumer(&mut old, Kind::KeyAuths, json!({"key": "opens", "ttl": 10, "created_at": 1}));
        old.headers.insert("apikey", HeaderValue::from_static("opens"));
        assert_eq!(status_of(plugin.access(&mut old).await), Some(401));
    }
}
