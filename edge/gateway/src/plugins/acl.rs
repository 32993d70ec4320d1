//! `acl`: only consumers of some groups, or none of some.

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderName, HeaderValue, StatusCode};
use kong::{Field, Kind};
use serde::Deserialize;
use serde_json::Value;

use crate::plugin::{BadConfig, Definition, Exchange, Flow, Plugin, Resources, answer, read};

/// See the module.
pub const DEFINITION: Definition = Definition {
    name: "acl",
    priority: 950,
    about: "Lets only the consumers of some groups in, or all but those.",
    fields,
    make,
};

const GROUPS: HeaderName = HeaderName::from_static("x-consumer-groups");

fn fields() -> Vec<Field> {
    vec![
        Field::texts("allow", "the groups that are let in"),
        Field::texts("deny", "the groups that are not"),
        Field::boolean("hide_groups_header", "whether the upstream is not told the groups")
            .required()
            .default(false),
        Field::boolean("always_use_authenticated_groups", "not used: groups come from `acls` only")
            .required()
            .default(false),
        Field::boolean("include_consumer_groups", "not used: there are no consumer groups")
            .required()
            .default(false),
    ]
}

#[derive(Deserialize)]
struct Acl {
    allow: Option<Vec<String>>,
    deny: Option<Vec<String>>,
    hide_groups_header: bool,
}

fn make(config: &Value, _: &Resources) -> Result<Arc<dyn Plugin>, BadConfig> {
    let config: Acl = read(config)?;
    let has = |groups: &Option<Vec<String>>| groups.as_ref().is_some_and(|groups| !groups.is_empty());
    match (has(&config.allow), has(&config.deny)) {
        (true, true) => Err(BadConfig::new("deny", "cannot be used together with allow")),
        (false, false) => Err(BadConfig::new("allow", "or deny is needed")),
        _ => Ok(Arc::new(config)),
    }
}

#[async_trait]
impl Plugin for Acl {
    async fn access(&self, exchange: &mut Exchange) -> Flow {
        exchange.headers.remove(GROUPS);
        let Some(consumer) = exchange.consumer.as_ref().map(|consumer| consumer.id) else {
            return Flow::Answer(answer(StatusCode::UNAUTHORIZED, "Unauthorized"));
        };
        let config = Arc::clone(&exchange.config);
        let groups: Vec<&str> =
            config.of(Kind::Acls, "consumer", consumer).filter_map(|acl| acl.text("group")).collect();
        let is_in = |wanted: &Vec<String>| wanted.iter().any(|group| groups.contains(&group.as_str()));
        let may = self.allow.as_ref().is_none_or(is_in) && !self.deny.as_ref().is_some_and(is_in);
        if !may {
            return Flow::Answer(answer(StatusCode::FORBIDDEN, "You cannot consume this service"));
        }
        if !self.hide_groups_header
            && let Ok(value) = HeaderValue::from_str(&groups.join(", "))
        {
            exchange.metadata.insert(GROUPS, value);
        }
        Flow::Continue
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plugins::testing::{exchange, made, refused, status_of, with_consumer};

    async fn status(config: Value, group: Option<&str>) -> Option<u16> {
        let mut asked = exchange("/");
        if let Some(group) = group {
            let consumer = with_consumer(&mut asked, Kind::Acls, json!({"group": group}));
            asked.consumer = Some(consumer);
        }
        status_of(made(&DEFINITION, config).access(&mut asked).await)
    }

    #[tokio::test]
    async fn groups_decide() {
        assert_eq!(status(json!({"allow": ["staff"]}), Some("staff")).await, None);
        assert_eq!(status(json!({"allow": ["staff"]}), Some("guests")).await, Some(403));
        assert_eq!(status(json!({"deny": ["guests"]}), Some("guests")).await, Some(403));
        assert_eq!(status(json!({"deny": ["guests"]}), Some("staff")).await, None);
        assert_eq!(status(json!({"deny": ["guests"]}), None).await, Some(401));
        assert_eq!(refused(&DEFINITION, json!({})), "allow");
        assert_eq!(refused(&DEFINITION, json!({"allow": ["a"], "deny": ["b"]})), "deny");
    }
}
