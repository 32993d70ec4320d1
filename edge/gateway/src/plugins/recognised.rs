//! What plugins that recognise a consumer have in common: what the upstream is told, and who is nobody in particular.

use http::{HeaderName, HeaderValue};
use kong::{Entity, Kind};

use crate::plugin::Exchange;

const ID: HeaderName = HeaderName::from_static("x-consumer-id");
const USERNAME: HeaderName = HeaderName::from_static("x-consumer-username");
const CUSTOM_ID: HeaderName = HeaderName::from_static("x-consumer-custom-id");
const CREDENTIAL: HeaderName = HeaderName::from_static("x-credential-identifier");
const ANONYMOUS: HeaderName = HeaderName::from_static("x-anonymous-consumer");

/// Removes what only this gateway may say, also where nobody is recognised.
pub(crate) fn strip(exchange: &mut Exchange) {
    for name in [ID, USERNAME, CUSTOM_ID, CREDENTIAL, ANONYMOUS] {
        exchange.headers.remove(name);
    }
}

/// Notes the consumer of a credential, and tells the upstream.
pub(crate) fn consumer(exchange: &mut Exchange, consumer: Entity, credential: Entity) {
    tell(exchange, &consumer);
    let key = credential.text("key").filter(|_| credential.kind == Kind::JwtSecrets).map(str::to_owned);
    // A key that is sent as it is would be a secret in the upstream's log.
    let shown = key.unwrap_or_else(|| credential.id.to_string());
    set(exchange, CREDENTIAL, &shown);
    exchange.consumer = Some(consumer);
    exchange.credential = Some(credential);
}

/// Lets somebody in as the consumer for those without a credential: by id or username.
pub(crate) fn anonymous(exchange: &mut Exchange, name: &str) -> bool {
    let config = exchange.config.clone();
    let Some(consumer) = config.find(Kind::Consumers, name) else { return false };
    tell(exchange, consumer);
    set(exchange, ANONYMOUS, "true");
    exchange.consumer = Some(consumer.clone());
    true
}

fn tell(exchange: &mut Exchange, consumer: &Entity) {
    set(exchange, ID, &consumer.id.to_string());
    for (name, field) in [(USERNAME, "username"), (CUSTOM_ID, "custom_id")] {
        if let Some(text) = consumer.text(field).map(str::to_owned) {
            set(exchange, name, &text);
        }
    }
}

fn set(exchange: &mut Exchange, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) {
        exchange.metadata.insert(name, value);
    }
}
