//! `proxy-cache`: answers are kept for a while and given again (RFC 9111, as far as Kong goes).

mod stored;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{body::Body, response::Response};
use http::{HeaderName, HeaderValue, header};
use http_body_util::{BodyExt, Limited};
use kong::{Field, schema::Type};
use quick_cache::sync::Cache;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::plugin::{BadConfig, Definition, Exchange, Flow, Plugin, Resources, read};
use stored::{BySize, Stored};

/// See the module.
pub const DEFINITION: Definition = Definition {
    name: "proxy-cache",
    priority: 100,
    about: "Keeps answers for a while and gives them again.",
    fields,
    make,
};

/// What one configuration keeps at most, in bytes.
const MAX_CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// The longest answer that is kept, in bytes.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// About how many answers a cache is made for.
const EXPECTED_ANSWERS: usize = 1_000;
const STATUS: HeaderName = HeaderName::from_static("x-cache-status");

fn fields() -> Vec<Field> {
    let integers = |name, about| Field::new(name, Type::Array(Box::new(Type::Integer)), about);
    vec![
        integers("response_code", "the statuses that are kept").required().default(json!([200, 301, 404])),
        Field::texts("request_method", "the methods whose answers are kept")
            .required()
            .default(json!(["GET", "HEAD"]))
            .one_of(&["GET", "HEAD"]),
        Field::texts("content_type", "the types that are kept, without parameters")
            .required()
            .default(json!(["text/plain", "application/json"])),
        Field::integer("cache_ttl", "how long they are kept, in seconds")
            .default(300)
            .between(1.0, 31_536_000.0),
        Field::text("strategy", "where they are kept").required().default("memory").one_of(&["memory"]),
        Field::boolean("cache_control", "whether Cache-Control is heeded").required().default(false),
        Field::boolean("ignore_uri_case", "whether paths in other case are the same").default(false),
        Field::integer("storage_ttl", "not used: what is old is of no use"),
        Field::texts("vary_headers", "headers that make another answer"),
        Field::texts("vary_query_params", "the only parameters that make another answer; left out, all do"),
        Field::record(
            "memory",
            vec![
                Field::text("dictionary_name", "not used: each configuration has its own")
                    .default("kong_db_cache"),
            ],
            "where it is kept",
        ),
        Field::record(
            "response_headers",
            vec![
                Field::boolean("X-Cache-Status", "whether clients are told").default(true),
                Field::boolean("X-Cache-Key", "not told").default(false),
                Field::boolean("age", "whether clients are told how old it is").default(true),
            ],
            "what clients are told",
        ),
    ]
}

#[derive(Deserialize)]
struct Config {
    response_code: Vec<u16>,
    request_method: Vec<String>,
    content_type: Vec<String>,
    cache_ttl: Option<u64>,
    cache_control: bool,
    ignore_uri_case: Option<bool>,
    vary_headers: Option<Vec<String>>,
    vary_query_params: Option<Vec<String>>,
    response_headers: Told,
}

#[derive(Deserialize)]
struct Told {
    #[serde(rename = "X-Cache-Status")]
    status: Option<bool>,
    age: Option<bool>,
}

struct ProxyCache {
    config: Config,
    answers: Cache<String, Arc<Stored>, BySize>,
}

/// What became of a request here.
#[derive(Clone)]
enum Found {
    /// It was answered from what is kept.
    Hit,
    /// It may be kept under this key.
    Miss(String),
    /// It is none of this plugin's business.
    Bypass,
}

fn make(config: &Value, _: &Resources) -> Result<Arc<dyn Plugin>, BadConfig> {
    let config: Config = read(config)?;
    let answers = Cache::with_weighter(EXPECTED_ANSWERS, MAX_CACHE_BYTES, BySize);
    Ok(Arc::new(ProxyCache { config, answers }))
}

impl ProxyCache {
    /// Who may see an answer is part of its key; who is not recognised here but may be by the upstream gets none.
    fn key(&self, exchange: &Exchange) -> Option<String> {
        let is_kept = self.config.request_method.iter().any(|method| method == exchange.method.as_str());
        let is_somebodys = exchange.headers.contains_key(header::AUTHORIZATION)
            || exchange.headers.contains_key(header::COOKIE);
        if !is_kept
            || (is_somebodys && exchange.consumer.is_none())
            || exchange.headers.contains_key(header::RANGE)
        {
            return None;
        }
        if self.config.cache_control && has_directive(&exchange.headers, &["no-store", "no-cache"]) {
            return None;
        }
        let consumer = exchange.consumer.as_ref().map(|consumer| consumer.id).unwrap_or_default();
        let mut path = exchange.uri.path().to_owned();
        if self.config.ignore_uri_case == Some(true) {
            path.make_ascii_lowercase();
        }
        // Each part with its length, so that no two requests have one key.
        let mut key = format!("{} {consumer} {}", exchange.method, exchange.route.id);
        let mut push = |part: &str| key.push_str(&format!(" {}:{part}", part.len()));
        push(&path);
        push(exchange.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default());
        match &self.config.vary_query_params {
            None => push(exchange.uri.query().unwrap_or_default()),
            Some(names) => names.iter().for_each(|name| {
                super::query::values(exchange.uri.query(), name).for_each(|value| push(&value));
                push(name);
            }),
        }
        let usual = [header::ACCEPT.as_str(), header::ACCEPT_ENCODING.as_str()].map(str::to_owned);
        for name in self.config.vary_headers.iter().flatten().chain(&usual) {
            exchange
                .headers
                .get_all(name)
                .iter()
                .for_each(|value| push(&String::from_utf8_lossy(value.as_bytes())));
            push(name);
        }
        Some(key)
    }

    fn ttl(&self, answer: &Response) -> Option<Duration> {
        let headers = answer.headers();
        let media_type =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        let is_kept = self.config.response_code.contains(&answer.status().as_u16())
            && self
                .config
                .content_type
                .iter()
                .any(|known| known.split(';').next().is_some_and(|it| it.trim() == essence))
            && !headers.contains_key(header::SET_COOKIE)
            && headers.get_all(header::VARY).iter().all(|vary| vary != "*");
        if !is_kept || has_directive(headers, &["no-store", "private"]) && self.config.cache_control {
            return None;
        }
        let said = max_age(headers).filter(|_| self.config.cache_control);
        let seconds = said.or(self.config.cache_ttl).unwrap_or(0);
        Some(Duration::from_secs(seconds)).filter(|ttl| !ttl.is_zero())
    }

    fn tell(&self, answer: &mut Response, status: &'static str) {
        if self.config.response_headers.status != Some(false) {
            answer.headers_mut().insert(STATUS, HeaderValue::from_static(status));
        }
    }
}

fn directives(headers: &http::HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

fn has_directive(headers: &http::HeaderMap, names: &[&str]) -> bool {
    directives(headers).any(|directive| names.iter().any(|name| directive.eq_ignore_ascii_case(name)))
}

fn max_age(headers: &http::HeaderMap) -> Option<u64> {
    let of = |name| directives(headers).find_map(|directive| directive.strip_prefix(name)?.parse().ok());
    of("s-maxage=").or_else(|| of("max-age="))
}

#[async_trait]
impl Plugin for ProxyCache {
    async fn access(&self, exchange: &mut Exchange) -> Flow {
        let Some(key) = self.key(exchange) else {
            exchange.values.insert(Found::Bypass);
            return Flow::Continue;
        };
        let now_us = exchange.environment.now().micros();
        if let Some(stored) = self.answers.get(&key).filter(|stored| now_us < stored.until_us) {
            exchange.values.insert(Found::Hit);
            let mut answer = stored.answer();
            if self.config.response_headers.age != Some(false) {
                let age_s = (now_us - stored.since_us).max(0) / 1_000_000;
                answer.headers_mut().insert(header::AGE, HeaderValue::from(age_s));
            }
            self.tell(&mut answer, "Hit");
            return Flow::Answer(answer);
        }
        exchange.values.insert(Found::Miss(key));
        Flow::Continue
    }

    async fn response(&self, exchange: &mut Exchange, answer: &mut Response) {
        let key = match exchange.values.get::<Found>() {
            Some(Found::Miss(key)) => key.clone(),
            Some(Found::Hit) | None => return,
            Some(Found::Bypass) => return self.tell(answer, "Bypass"),
        };
        self.tell(answer, "Miss");
        let length = axum::body::HttpBody::size_hint(answer.body()).upper();
        let is_short = length.is_some_and(|length| length <= MAX_ANSWER_BYTES as u64);
        let Some(ttl) = self.ttl(answer).filter(|_| is_short) else { return };
        let body = Limited::new(std::mem::take(answer.body_mut()), MAX_ANSWER_BYTES).collect().await;
        let Ok(bytes) = body.map(http_body_util::Collected::to_bytes) else { return };
        let now_us = exchange.environment.now().micros();
        self.answers.insert(key, Arc::new(Stored::of(answer, bytes.clone(), now_us, ttl)));
        *answer.body_mut() = Body::from(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::{exchange, made, status_of};

    async fn answered(
        plugin: &Arc<dyn Plugin>,
        mut asked: Exchange,
        answer: &'static str,
    ) -> (String, String) {
        let mut response = match plugin.access(&mut asked).await {
            Flow::Answer(answer) => answer,
            Flow::Continue => {
                let mut response = Response::new(Body::from(answer));
                response
                    .headers_mut()
                    .insert("content-type", HeaderValue::from_static("text/plain; charset=utf-8"));
                response
            }
        };
        plugin.response(&mut asked, &mut response).await;
        let status = response.headers()["x-cache-status"].to_str().unwrap().to_owned();
        let body = std::mem::take(response.body_mut()).collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_second_answer_is_the_first() {
        let plugin = made(&DEFINITION, json!({}));
        let of = |status: &str, body: &str| (status.to_owned(), body.to_owned());
        assert_eq!(answered(&plugin, exchange("/a"), "one").await, of("Miss", "one"));
        assert_eq!(answered(&plugin, exchange("/a"), "two").await, of("Hit", "one"));
        assert_eq!(answered(&plugin, exchange("/a?x=1"), "three").await, of("Miss", "three"));
    }

    #[tokio::test]
    async fn what_is_somebodys_own_is_not_kept() {
        let plugin = made(&DEFINITION, json!({}));
        for _ in 0..2 {
            let mut asked = exchange("/a");
            asked.headers.insert("authorization", HeaderValue::from_static("Bearer x"));
            assert_eq!(answered(&plugin, asked, "mine").await.0, "Bypass");
        }
        assert_eq!(status_of(plugin.access(&mut exchange("/a")).await), None);
    }
}
