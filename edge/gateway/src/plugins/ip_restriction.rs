//! `ip-restriction`: only some addresses, or all but some.

use std::{net::IpAddr, sync::Arc};

use async_trait::async_trait;
use http::StatusCode;
use ipnet::IpNet;
use kong::Field;
use serde::Deserialize;
use serde_json::Value;

use crate::plugin::{BadConfig, Definition, Exchange, Flow, Plugin, Resources, answer, read};

/// See the module.
pub const DEFINITION: Definition = Definition {
    name: "ip-restriction",
    priority: 990,
    about: "Lets only some addresses in, or all but some.",
    fields,
    make,
};

fn fields() -> Vec<Field> {
    vec![
        Field::texts("allow", "addresses, or networks such as 10.0.0.0/8, that are let in"),
        Field::texts("deny", "those that are not"),
        Field::integer("status", "the status of a refusal").between(400.0, 599.0),
        Field::text("message", "its message"),
    ]
}

#[derive(Deserialize)]
struct Config {
    allow: Option<Vec<String>>,
    deny: Option<Vec<String>>,
    status: Option<u16>,
    message: Option<String>,
}

struct IpRestriction {
    allow: Vec<IpNet>,
    deny: Vec<IpNet>,
    status: StatusCode,
    message: Option<String>,
}

fn make(config: &Value, _: &Resources) -> Result<Arc<dyn Plugin>, BadConfig> {
    let config: Config = read(config)?;
    let allow = networks("allow", config.allow)?;
    let deny = networks("deny", config.deny)?;
    if allow.is_empty() && deny.is_empty() {
        return Err(BadConfig::new("allow", "or deny is needed"));
    }
    let status = config.status.and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.unwrap_or(StatusCode::FORBIDDEN);
    Ok(Arc::new(IpRestriction { allow, deny, status, message: config.message }))
}

fn networks(field: &str, texts: Option<Vec<String>>) -> Result<Vec<IpNet>, BadConfig> {
    let read = |text: String| {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        address
            .or_else(|_| text.parse())
            .map_err(|_| BadConfig::new(field, format!("{text} is no address or network")))
    };
    texts.unwrap_or_default().into_iter().map(read).collect()
}

#[async_trait]
impl Plugin for IpRestriction {
    async fn access(&self, exchange: &mut Exchange) -> Flow {
        // IPv4 in the form of IPv6 is the same address.
        let client = exchange.client.map(|client| client.to_canonical());
        let is_in = |networks: &[IpNet]| {
            client.is_some_and(|client| networks.iter().any(|network| network.contains(&client)))
        };
        // Calls within the process have no address; rules about addresses do not let them in.
        if is_in(&self.deny) || (!self.allow.is_empty() && !is_in(&self.allow)) {
            let usual = || match client {
                Some(client) => format!("IP address not allowed: {client}"),
                None => "IP address not allowed".to_owned(),
            };
            let message = self.message.clone().unwrap_or_else(usual);
            return Flow::Answer(answer(self.status, &message));
        }
        Flow::Continue
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plugins::testing::{exchange, made, refused, status_of};

    async fn status(config: Value, client: &str) -> Option<u16> {
        let mut asked = exchange("/");
        asked.client = client.parse().ok();
        status_of(made(&DEFINITION, config).access(&mut asked).await)
    }

    #[tokio::test]
    async fn networks_decide() {
        let allow = json!({"allow": ["10.0.0.0/8", "::1"]});
        assert_eq!(status(allow.clone(), "10.1.2.3").await, None);
        assert_eq!(status(allow.clone(), "::ffff:10.1.2.3").await, None);
        assert_eq!(status(allow.clone(), "11.1.2.3").await, Some(403));
        assert_eq!(status(allow, "nowhere").await, Some(403));
        let deny = json!({"deny": ["192.168.1.1"], "status": 404});
        assert_eq!(status(deny.clone(), "192.168.1.1").await, Some(404));
        assert_eq!(status(deny, "192.168.1.2").await, None);
        assert_eq!(refused(&DEFINITION, json!({"allow": ["10.0.0.0/99"]})), "allow");
    }
}
