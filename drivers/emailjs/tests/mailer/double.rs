//! EmailJS as its documentation describes it: it checks each request and answers as it would.
//!
//! Sources: <https://www.emailjs.com/docs/rest-api/send/> (fields, content type, rate, answers) and
//! <https://www.emailjs.com/docs/user-guide/dynamic-variables-templates/> (50 kb of variables, braces).

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    routing::post,
};
use emailjs::Settings;
use serde_json::{Map, Value};

pub const PUBLIC_KEY: &str = "public-key-7";
pub const PRIVATE_KEY: &str = "private-key-9";
const FIELDS: [&str; 5] = ["service_id", "template_id", "user_id", "accessToken", "template_params"];
const MAX_VARIABLES_BYTES: usize = 50 * 1024;
const BETWEEN_REQUESTS: Duration = Duration::from_secs(1);

/// What it takes and what it has taken.
#[derive(Default)]
struct Account {
    /// Answered instead of looking at the next requests, first to last.
    planned: Vec<(u16, &'static str)>,
    last: Option<Instant>,
    /// The template parameters of each mail that was taken.
    taken: Vec<Map<String, Value>>,
    /// What was wrong with requests, in its own words.
    refused: Vec<String>,
}

pub struct EmailJs {
    pub url: String,
    account: Arc<Mutex<Account>>,
}

impl EmailJs {
    pub async fn start() -> Self {
        Self::answering(&[]).await
    }

    /// One that answers the first requests as planned.
    pub async fn answering(planned: &[(u16, &'static str)]) -> Self {
        let account = Account { planned: planned.to_vec(), ..Account::default() };
        let account = Arc::new(Mutex::new(account));
        let router = Router::new().route("/api/v1.0/email/send", post(send)).with_state(Arc::clone(&account));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api/v1.0/email/send", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, account }
    }

    pub fn settings(&self) -> Settings {
        Settings {
            service_id: "service_1".to_owned(),
            template_id: "template_1".to_owned(),
            public_key: PUBLIC_KEY.to_owned(),
            private_key: PRIVATE_KEY.to_owned(),
            url: Some(self.url.clone()),
        }
    }

    pub fn taken(&self) -> Vec<Map<String, Value>> {
        self.account.lock().unwrap().taken.clone()
    }

    pub fn refused(&self) -> Vec<String> {
        self.account.lock().unwrap().refused.clone()
    }
}

async fn send(
    State(account): State<Arc<Mutex<Account>>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, [(header::HeaderName, &'static str); 1], String) {
    let mut account = account.lock().unwrap();
    let (code, text) = account.answer(&headers, &body);
    if code != 200 {
        account.refused.push(format!("{code} {text}"));
    }
    let pause = if code == 429 { "2" } else { "0" };
    (StatusCode::from_u16(code).unwrap(), [(header::RETRY_AFTER, pause)], text)
}

impl Account {
    fn answer(&mut self, headers: &HeaderMap, body: &[u8]) -> (u16, String) {
        let now = Instant::now();
        let is_early = self.last.is_some_and(|last| now.duration_since(last) < BETWEEN_REQUESTS);
        self.last = Some(now);
        if is_early {
            return (429, "Too Many Requests".to_owned());
        }
        if !self.planned.is_empty() {
            let (code, text) = self.planned.remove(0);
            return (code, text.to_owned());
        }
        match checked(headers, body) {
            Ok(params) => {
                self.taken.push(params);
                (200, "OK".to_owned())
            }
            Err(refusal) => refusal,
        }
    }
}

/// The parameters of a request that is as documented.
fn checked(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, (u16, String)> {
    let bad = |text: &str| (400, text.to_owned());
    if headers.get(header::CONTENT_TYPE).is_none_or(|value| value != "application/json") {
        return Err(bad("The content type must be application/json"));
    }
    let Ok(Value::Object(mut body)) = serde_json::from_slice(body) else { return Err(bad("Bad request")) };
    if let Some(unknown) = body.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(bad(&format!("The parameter {unknown} is not documented")));
    }
    for name in ["service_id", "template_id", "user_id"] {
        if body.get(name).and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(bad(&format!("The {name} parameter is required")));
        }
    }
    if body["user_id"] != PUBLIC_KEY {
        return Err((404, "Account not found".to_owned()));
    }
    if body.get("accessToken").is_none_or(|token| token != PRIVATE_KEY) {
        return Err((403, "The private key is missing or wrong".to_owned()));
    }
    if body["service_id"] != "service_1" || body["template_id"] != "template_1" {
        return Err(bad("The service or template ID not found"));
    }
    let Some(Value::Object(params)) = body.remove("template_params") else {
        return Err(bad("The template_params parameter is an object"));
    };
    let texts: Option<Vec<&str>> = params.values().map(Value::as_str).collect();
    let Some(texts) = texts else { return Err((422, "One or more variables are corrupted".to_owned())) };
    if texts.iter().map(|text| text.len()).sum::<usize>() > MAX_VARIABLES_BYTES {
        return Err((413, "Variables size limit exceeded".to_owned()));
    }
    // The template's fields, as the description of the crate has them.
    let to = params.get("to_email").and_then(Value::as_str).unwrap_or_default();
    match to {
        "" => Err((422, "The recipients address is empty".to_owned())),
        to if !to.contains('@') => Err((422, format!("The recipients address is corrupted: {to}"))),
        _ => Ok(params),
    }
}
