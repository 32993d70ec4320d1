//! `cors`: pages of other origins may call (the Fetch standard, section 3.2).

use std::sync::Arc;

use async_trait::async_trait;
use axum::{body::Body, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use kong::Field;
use regex::Regex;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::plugin::{BadConfig, Definition, Exchange, Flow, Plugin, Resources, read};

/// See the module.
pub const DEFINITION: Definition = Definition {
    name: "cors",
    priority: 2_000,
    about: "Lets pages of other origins call, and answers their preflight requests.",
    fields,
    make,
};

const METHODS: &[&str] = &["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT"];
const PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");

fn fields() -> Vec<Field> {
    vec![
        Field::texts("origins", "origins, or regular expressions of them; `*` is any"),
        Field::texts("methods", "the methods that they may use").default(json!(METHODS)).one_of(METHODS),
        Field::texts("headers", "the headers that they may send; left out, those that they ask for"),
        Field::texts("exposed_headers", "the headers that they may read"),
        Field::boolean("credentials", "whether cookies are sent along").required().default(false),
        Field::number("max_age", "how long a preflight answer is good, in seconds").between(0.0, 86_400.0),
        Field::boolean("preflight_continue", "whether preflight requests go on to the upstream")
            .required()
            .default(false),
        Field::boolean("private_network", "whether public pages may call this private network")
            .required()
            .default(false),
        Field::boolean("allow_origin_absent", "whether answers without an Origin say the origin too")
            .required()
            .default(true),
    ]
}

#[derive(Deserialize)]
struct Config {
    origins: Option<Vec<String>>,
    methods: Option<Vec<String>>,
    headers: Option<Vec<String>>,
    exposed_headers: Option<Vec<String>>,
    credentials: bool,
    max_age: Option<f64>,
    preflight_continue: bool,
    private_network: bool,
    allow_origin_absent: bool,
}

enum Origin {
    Exactly(String),
    Like(Regex),
}

struct Cors {
    /// None is any.
    origins: Option<Vec<Origin>>,
    /// What answers say where one origin alone may call.
    only: Option<HeaderValue>,
    methods: HeaderValue,
    headers: Option<HeaderValue>,
    exposed: Option<HeaderValue>,
    config: Config,
}

fn make(config: &Value, _: &Resources) -> Result<Arc<dyn Plugin>, BadConfig> {
    let config: Config = read(config)?;
    let listed = config.origins.clone().unwrap_or_default();
    let is_any = listed.is_empty() || listed.iter().any(|origin| origin == "*");
    if is_any && config.credentials {
        // Kong mirrors any origin then, which gives every page the user's session.
        return Err(BadConfig::new("credentials", "need origins by name, not `*`"));
    }
    let origins = match is_any {
        true => None,
        false => Some(listed.iter().map(|origin| parsed(origin)).collect::<Result<Vec<_>, _>>()?),
    };
    let only = match listed.as_slice() {
        [one] if !is_any && matches!(parsed(one)?, Origin::Exactly(_)) => HeaderValue::from_str(one).ok(),
        _ => None,
    };
    let joined = |field: &str, texts: &Option<Vec<String>>| match texts {
        None => Ok(None),
        Some(texts) => HeaderValue::from_str(&texts.join(","))
            .map(Some)
            .map_err(|_| BadConfig::new(field, "has a name that no header can have")),
    };
    let methods = joined("methods", &config.methods)?.unwrap_or(HeaderValue::from_static("GET,HEAD"));
    let headers = joined("headers", &config.headers)?;
    let exposed = joined("exposed_headers", &config.exposed_headers)?;
    Ok(Arc::new(Cors { origins, only, methods, headers, exposed, config }))
}

fn parsed(origin: &str) -> Result<Origin, BadConfig> {
    let is_plain = origin.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:/[]".contains(&b));
    if is_plain {
        return Ok(Origin::Exactly(origin.to_ascii_lowercase()));
    }
    let pattern = regex::RegexBuilder::new(&format!("^(?:{origin})$"))
        .size_limit(kong::rules::MAX_REGEX_BYTES)
        .case_insensitive(true)
        .build();
    pattern.map(Origin::Like).map_err(|error| BadConfig::new("origins", error.to_string()))
}

/// The origin that a request came from.
#[derive(Clone)]
struct Asked {
    origin: Option<HeaderValue>,
    requested: Option<HeaderValue>,
}

impl Cors {
    fn allows(&self, origin: &HeaderValue) -> bool {
        let Some(origins) = &self.origins else { return true };
        let Ok(sent) = origin.to_str() else { return false };
        let sent = sent.to_ascii_lowercase();
        // An origin has no path; what looks like one is made up to fit a pattern.
        if host_of(&sent).contains(['/', '?', '#', '@', '\\']) {
            return false;
        }
        origins.iter().any(|origin| match origin {
            Origin::Exactly(known) => *known == sent || host_of(&sent) == *known,
            Origin::Like(pattern) => pattern.is_match(&sent),
        })
    }

    /// Says who may read the answer; false when this origin may not.
    fn put_origin(&self, headers: &mut HeaderMap, origin: Option<&HeaderValue>) -> bool {
        let any = HeaderValue::from_static("*");
        let (said, varies) = match (&self.origins, origin) {
            (None, None) if !self.config.allow_origin_absent => return false,
            (None, _) => (any, false),
            (Some(_), Some(origin)) if self.allows(origin) => (origin.clone(), true),
            (Some(_), None) if self.config.allow_origin_absent => match &self.only {
                Some(only) => (only.clone(), true),
                None => return false,
            },
            (Some(_), _) => {
                headers.append(header::VARY, HeaderValue::from_static("Origin"));
                return false;
            }
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, said);
        if varies {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
        if self.config.credentials {
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        true
    }

    fn preflight(&self, exchange: &Exchange) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::OK;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        if !self.put_origin(headers, exchange.headers.get(header::ORIGIN)) {
            return response;
        }
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
        let wanted = exchange.headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
        if let Some(allowed) = self.headers.as_ref().or(wanted) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed.clone());
        }
        if let Some(seconds) = self.config.max_age {
            let seconds = HeaderValue::from_str(&format!("{seconds:.0}"));
            headers.extend(seconds.ok().map(|seconds| (header::ACCESS_CONTROL_MAX_AGE, seconds)));
        }
        if self.config.private_network && exchange.headers.contains_key(PRIVATE_NETWORK) {
            headers.insert(ALLOW_PRIVATE_NETWORK, HeaderValue::from_static("true"));
        }
        response
    }
}

/// Kong takes a bare host for any scheme of it.
fn host_of(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, host)| host)
}

#[async_trait]
impl Plugin for Cors {
    async fn access(&self, exchange: &mut Exchange) -> Flow {
        let origin = exchange.headers.get(header::ORIGIN).cloned();
        let requested = exchange.headers.get(header::ACCESS_CONTROL_REQUEST_METHOD).cloned();
        let is_preflight = exchange.method == Method::OPTIONS && origin.is_some() && requested.is_some();
        if is_preflight && !self.config.preflight_continue {
            exchange.values.insert(Asked { origin, requested });
            return Flow::Answer(self.preflight(exchange));
        }
        exchange.values.insert(Asked { origin, requested: None });
        Flow::Continue
    }

    async fn response(&self, exchange: &mut Exchange, answer: &mut Response) {
        let asked = exchange.values.get::<Asked>();
        if asked.is_some_and(|asked| asked.requested.is_some()) {
            return;
        }
        let origin = asked.and_then(|asked| asked.origin.clone());
        let headers = answer.headers_mut();
        if self.put_origin(headers, origin.as_ref())
            && let Some(exposed) = &self.exposed
        {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::{exchange, made, refused};

    async fn asked(config: Value, method: Method, origin: &'static str) -> Response {
        let plugin = made(&DEFINITION, config);
        let mut asked = exchange("/");
        asked.method = method.clone();
        asked.headers.insert("origin", HeaderValue::from_static(origin));
        if method == Method::OPTIONS {
            asked.headers.insert("access-control-request-method", HeaderValue::from_static("PUT"));
            asked.headers.insert("access-control-request-headers", HeaderValue::from_static("x-a"));
        }
        let mut answer = match plugin.access(&mut asked).await {
            Flow::Answer(answer) => answer,
            Flow::Continue => Response::new(Body::empty()),
        };
        plugin.response(&mut asked, &mut answer).await;
        answer
    }

    fn said(answer: &Response, name: &str) -> Option<String> {
        answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    }

    #[tokio::test]
    async fn a_known_origin_may_read_and_another_may_not() {
        let config =
            json!({"origins": ["https://shop.example", "https://.*\\.example\\.org"], "credentials": true});
        for known in ["https://shop.example", "https://a.example.org"] {
            let answer = asked(config.clone(), Method::GET, known).await;
            assert_eq!(said(&answer, "access-control-allow-origin").as_deref(), Some(known));
            assert_eq!(said(&answer, "access-control-allow-credentials").as_deref(), Some("true"));
            assert_eq!(said(&answer, "vary").as_deref(), Some("Origin"));
        }
        for other in ["https://shop.example.evil", "https://evil.example/?a.example.org", "null"] {
            let answer = asked(config.clone(), Method::GET, other).await;
            assert_eq!(said(&answer, "access-control-allow-origin"), None, "{other}");
        }
    }

    #[tokio::test]
    async fn a_preflight_is_answered() {
        let answer = asked(json!({"max_age": 60}), Method::OPTIONS, "https://shop.example").await;
        assert_eq!(said(&answer, "access-control-allow-origin").as_deref(), Some("*"));
        assert_eq!(said(&answer, "access-control-allow-headers").as_deref(), Some("x-a"));
        assert_eq!(said(&answer, "access-control-max-age").as_deref(), Some("60"));
        assert!(said(&answer, "access-control-allow-methods").is_some_and(|methods| methods.contains("PUT")));
    }

    #[test]
    fn any_origin_with_credentials_is_refused() {
        assert_eq!(refused(&DEFINITION, json!({"credentials": true})), "credentials");
        assert_eq!(refused(&DEFINITION, json!({"origins": ["("]})), "origins");
    }
}
