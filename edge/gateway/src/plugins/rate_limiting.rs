//! `rate-limiting`: so many requests in a second, a minute, an hour, a day, a month or a year, each counted from the
//! beginning of its window, as Kong counts them.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use axum::response::Response;
use hashlink::LruCache;
use http::{HeaderName, HeaderValue, StatusCode, header::RETRY_AFTER};
use kong::Field;
use serde::Deserialize;
use serde_json::Value;

use crate::plugin::{BadConfig, Definition, Exchange, Flow, Plugin, Resources, answer, read};

/// See the module.
pub const DEFINITION: Definition = Definition {
    name: "rate-limiting",
    priority: 910,
    about: "Refuses requests beyond so many in a time.",
    fields,
    make,
};

/// So many callers are counted at a time; who was not heard of for longest is forgotten first.
const MAX_CALLERS: usize = 100_000;
/// The longest name of a caller, in bytes; a longer header is cut.
const MAX_NAME_BYTES: usize = 256;
/// The windows: name, what headers say, and length in seconds. Months and years are of the calendar, near enough.
const WINDOWS: [(&str, &str, i64); 6] = [
    ("second", "Second", 1),
    ("minute", "Minute", 60),
    ("hour", "Hour", 3_600),
    ("day", "Day", 86_400),
    ("month", "Month", 2_592_000),
    ("year", "Year", 31_536_000),
];

fn fields() -> Vec<Field> {
    let windows = WINDOWS.map(|(name, ..)| Field::number(name, "how many in one").between(1.0, 1e12));
    let more = [
        Field::text("limit_by", "what is counted by itself").default("consumer").one_of(&[
            "consumer",
            "credential",
            "ip",
            "service",
            "header",
            "path",
            "consumer-group",
        ]),
        Field::text("header_name", "the header of `header`"),
        Field::text("path", "the path of `path`"),
        Field::text("policy", "`local`: each node counts by itself").default("local").one_of(&["local"]),
        Field::boolean("fault_tolerant", "not used: counting here cannot fail").required().default(true),
        Field::boolean("hide_client_headers", "whether clients are not told").required().default(false),
        Field::number("error_code", "the status of a refusal").default(429).between(400.0, 599.0),
        Field::text("error_message", "its message").default("API rate limit exceeded"),
        Field::number("sync_rate", "not used: nothing is shared").default(-1),
    ];
    windows.into_iter().chain(more).collect()
}

#[derive(Deserialize)]
struct Config {
    limit_by: Option<String>,
    header_name: Option<String>,
    path: Option<String>,
    hide_client_headers: bool,
    error_code: Option<f64>,
    error_message: Option<String>,
}

/// One limit.
struct Limit {
    window_s: i64,
    most: u64,
    limit_header: HeaderName,
    remaining_header: HeaderName,
}

/// What one caller has done: the number of the window, and how many in it, for each limit.
type Counts = Vec<(i64, u64)>;

struct RateLimiting {
    config: Config,
    limits: Vec<Limit>,
    status: StatusCode,
    callers: Mutex<LruCache<String, Counts>>,
}

/// What the client is told.
#[derive(Clone)]
struct Told(Vec<(HeaderName, HeaderValue)>);

fn make(config: &Value, _: &Resources) -> Result<Arc<dyn Plugin>, BadConfig> {
    let limits = limits(config)?;
    let config: Config = read(config)?;
    let by = config.limit_by.as_deref().unwrap_or("consumer");
    if by == "header" && config.header_name.as_deref().is_none_or(|name| HeaderName::try_from(name).is_err())
    {
        return Err(BadConfig::new("header_name", "is needed with limit_by header"));
    }
    if by == "path" && config.path.is_none() {
        return Err(BadConfig::new("path", "is needed with limit_by path"));
    }
    if by == "consumer-group" {
        return Err(BadConfig::new("limit_by", "there are no consumer groups here"));
    }
    let status = config.error_code.map_or(429, |code| code as u16);
    let status = StatusCode::from_u16(status).map_err(|_| BadConfig::new("error_code", "is no status"))?;
    let callers = Mutex::new(LruCache::new(MAX_CALLERS));
    Ok(Arc::new(RateLimiting { config, limits, status, callers }))
}

fn limits(config: &Value) -> Result<Vec<Limit>, BadConfig> {
    let mut limits: Vec<Limit> = Vec::new();
    for (name, shown, window_s) in WINDOWS {
        let Some(most) = config.get(name).and_then(Value::as_f64) else { continue };
        if limits.last().is_some_and(|shorter| shorter.most as f64 > most) {
            return Err(BadConfig::new(name, "is less than the limit of a shorter time"));
        }
        let header =
            |kind: &str| HeaderName::try_from(format!("x-ratelimit-{kind}-{}", shown.to_ascii_lowercase()));
        let (Ok(limit_header), Ok(remaining_header)) = (header("limit"), header("remaining")) else {
            continue;
        };
        limits.push(Limit { window_s, most: most as u64, limit_header, remaining_header });
    }
    match limits.is_empty() {
        true => Err(BadConfig::new("second", "or another time is needed: minute, hour, day, month, year")),
        false => Ok(limits),
    }
}

impl RateLimiting {
    fn caller(&self, exchange: &Exchange) -> String {
        let ip = || exchange.client.map_or_else(String::new, |client| client.to_canonical().to_string());
        let mut name = match self.config.limit_by.as_deref() {
            Some("ip") => ip(),
            Some("service") => exchange.service.as_ref().map_or_else(ip, |service| service.id.to_string()),
            Some("credential") => {
                exchange.credential.as_ref().map_or_else(ip, |credential| credential.id.to_string())
            }
            Some("header") => {
                let name = self.config.header_name.as_deref().unwrap_or_default();
                let sent = exchange.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
                sent.map_or_else(ip, |sent| format!("header {sent}"))
            }
            Some("path") => match self.config.path.as_deref() == Some(exchange.uri.path()) {
                true => exchange.uri.path().to_owned(),
                false => ip(),
            },
            _ => exchange.consumer.as_ref().map_or_else(ip, |consumer| consumer.id.to_string()),
        };
        if name.len() > MAX_NAME_BYTES {
            let end = (0..=MAX_NAME_BYTES).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
            name.truncate(end);
        }
        name
    }

    /// Counts a request, unless one of the limits is reached. What is left of each, and how long until the first
    /// reached one begins anew.
    fn count(&self, caller: String, now_s: i64) -> (Vec<u64>, Option<i64>) {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = callers.entry(caller).or_insert_with(|| vec![(0, 0); self.limits.len()]);
        for (limit, (window, count)) in self.limits.iter().zip(counts.iter_mut()) {
            let now = now_s.div_euclid(limit.window_s);
            if *window != now {
                (*window, *count) = (now, 0);
            }
        }
        let reached =
            self.limits.iter().zip(counts.iter()).filter(|(limit, (_, count))| *count >= limit.most);
        // The longest one counts: it is the last to begin anew.
        let wait = reached.map(|(limit, _)| limit.window_s - now_s.rem_euclid(limit.window_s)).max();
        if wait.is_none() {
            counts.iter_mut().for_each(|(_, count)| *count += 1);
        }
        let left =
            self.limits.iter().zip(counts.iter()).map(|(limit, (_, count))| limit.most - count).collect();
        (left, wait)
    }

    fn told(&self, left: &[u64], now_s: i64) -> Told {
        let mut headers = Vec::new();
        for (limit, left) in self.limits.iter().zip(left) {
            headers.push((limit.limit_header.clone(), HeaderValue::from(limit.most)));
            headers.push((limit.remaining_header.clone(), HeaderValue::from(*left)));
        }
        // The one that is nearest, in the names that most clients know.
        let nearest = self.limits.iter().zip(left).min_by_key(|(_, left)| **left);
        if let Some((limit, left)) = nearest {
            let reset = limit.window_s - now_s.rem_euclid(limit.window_s);
            headers.push((HeaderName::from_static("ratelimit-limit"), HeaderValue::from(limit.most)));
            headers.push((HeaderName::from_static("ratelimit-remaining"), HeaderValue::from(*left)));
            headers.push((HeaderName::from_static("ratelimit-reset"), HeaderValue::from(reset)));
        }
        Told(headers)
    }
}

#[async_trait]
impl Plugin for RateLimiting {
    async fn access(&self, exchange: &mut Exchange) -> Flow {
        let now_s = exchange.environment.now().micros().div_euclid(1_000_000);
        let (left, wait) = self.count(self.caller(exchange), now_s);
        if !self.config.hide_client_headers {
            exchange.values.insert(self.told(&left, now_s));
        }
        let Some(wait_s) = wait else { return Flow::Continue };
        let message = self.config.error_message.as_deref().unwrap_or("API rate limit exceeded");
        let mut refusal = answer(self.status, message);
        refusal.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait_s));
        Flow::Answer(refusal)
    }

    async fn response(&self, exchange: &mut Exchange, answer: &mut Response) {
        if let Some(Told(headers)) = exchange.values.get() {
            answer.headers_mut().extend(headers.iter().cloned());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plugins::testing::{exchange, made, refused, status_of};

    #[tokio::test]
    async fn each_caller_has_a_limit_and_is_told() {
        // A limit of a year, so that no window ends during the test.
        let plugin = made(&DEFINITION, json!({"year": 2, "limit_by": "header", "header_name": "x-who"}));
        let from = |who: &'static str| {
            let mut asked = exchange("/");
            asked.headers.insert("x-who", HeaderValue::from_static(who));
            asked
        };
        for expected in [None, None, Some(429)] {
            assert_eq!(status_of(plugin.access(&mut from("ada")).await), expected);
        }
        let mut other = from("grace");
        assert_eq!(status_of(plugin.access(&mut other).await), None);
        let mut answer = Response::new(axum::body::Body::empty());
        plugin.response(&mut other, &mut answer).await;
        assert_eq!(answer.headers()["x-ratelimit-limit-year"], "2");
        assert_eq!(answer.headers()["ratelimit-remaining"], "1");
    }

    #[test]
    fn limits_that_make_no_sense_are_refused() {
        assert_eq!(refused(&DEFINITION, json!({})), "second");
        assert_eq!(refused(&DEFINITION, json!({"minute": 10, "hour": 5})), "hour");
        assert_eq!(refused(&DEFINITION, json!({"minute": 1, "limit_by": "header"})), "header_name");
    }
}
