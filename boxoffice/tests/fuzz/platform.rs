//! A platform in this process with something on it, asked without sockets.

use std::sync::{Arc, LazyLock};

use axum::body::Body;
use boxoffice::{config::Config, platform::Platform};
use bus::Fact;
use domain::{Time, UserId};
use http::{Request, Response, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// A hash that costs next to nothing.
const CHEAP: user::Cost = user::Cost { memory_kib: 8, passes: 1, lanes: 1 };

/// The platform of all targets, and somebody who organises and books.
pub struct Here {
    pub platform: Platform,
    pub token: String,
    /// When the token was made; it is not valid for long.
    pub started: Time,
    user_id: Option<UserId>,
    pub event_id: String,
    pub ticket_type_id: String,
    pub booking_id: String,
    pub ticket_id: String,
    pub code: String,
    facts: Vec<Arc<Fact>>,
    runtime: Runtime,
    _directory: TempDir,
}

pub static HERE: LazyLock<Here> = LazyLock::new(Here::set_up);

/// The body of `POST /v1/events`.
pub fn event() -> Value {
    json!({
        "title": "Concert", "description": "Two\nlines", "starts_at": "2099-06-01T18:00:00Z", "ends_at": "2099-06-01T22:00:00+00:00",
        "time_zone": "Europe/Berlin", "venue": {"name": "Hall", "address": "Main Street 1", "city": "Berlin", "country": "Germany"},
        "categories": ["music", "brass"], "image_url": "https://example.org/a.png", "capacity": 50, "publish": true,
        "ticket_types": [{
            "name": "Standing", "quantity": 40, "price": {"currency": "EUR", "minor": 0}, "max_per_booking": 5,
            "sales_start": "2020-01-01T00:00:00Z", "hidden": false,
        }],
    })
}

impl Here {
    fn set_up() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let config = Config::for_data_dir(directory.path().to_owned()).unwrap();
        let platform = runtime.block_on(Platform::start_with(&config, CHEAP)).unwrap();
        let none = String::new;
        let mut here = Self {
            platform,
            token: none(),
            started: Time::from_micros(0),
            user_id: None,
            event_id: none(),
            ticket_type_id: none(),
            booking_id: none(),
            ticket_id: none(),
            code: none(),
            facts: Vec::new(),
            runtime,
            _directory: directory,
        };
        here.play();
        here
    }

    /// Fills the stores and the log with what happens to an event.
    fn play(&mut self) {
        let account = json!({"name": "Ada", "email": "ada@example.org", "password": "correct horse", "birth_year": 1990});
        self.must("POST", "/v1/auth/register", &account);
        let login = json!({"email": "ada@example.org", "password": "correct horse"});
        self.token = text(&self.must("POST", "/v1/auth/login", &login)["access_token"]);
        self.started = self.platform.environment.now();
        self.user_id = Some(self.platform.signer.verifier().verify(&self.token, self.started).unwrap().sub);
        let made = self.must("POST", "/v1/events", &event());
        self.event_id = text(&made["id"]);
        self.ticket_type_id = text(&made["ticket_types"][0]["id"]);
        let order = json!({"event_id": self.event_id, "lines": [{"ticket_type_id": self.ticket_type_id, "quantity": 2}]});
        let cancelled = self.must("POST", "/v1/bookings", &order);
        self.must("POST", &format!("/v1/bookings/{}:cancel", text(&cancelled["id"])), &json!({}));
        let booked = self.must("POST", "/v1/bookings", &order);
        self.booking_id = text(&booked["id"]);
        self.ticket_id = text(&booked["tickets"][0]["id"]);
        let ticket = self.must("GET", &format!("/v1/tickets/{}", self.ticket_id), &Value::Null);
        self.code = text(&ticket["code"]);
        self.facts = self.read_facts();
    }

    fn must(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(method, path, body.to_string().into_bytes()).unwrap();
        assert!(status < 300, "{method} {path}: {status} {}", String::from_utf8_lossy(&answer));
        serde_json::from_slice(&answer).unwrap()
    }

    /// The status and the body of an answer; none where no client could send the request.
    pub fn ask(&self, method: &str, path: &str, body: Vec<u8>) -> Option<(u16, Vec<u8>)> {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(header::CONTENT_TYPE, "application/json").header("prefer", "wait=20");
        if let Some(user_id) = self.user_id {
            let (environment, roles) = (&self.platform.environment, [kit::identity::Role::User]);
            let token = self.platform.signer.sign(user_id, &roles, environment.id(), environment.now());
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.unwrap()));
        }
        let body = if method == "GET" { Body::empty() } else { Body::from(body) };
        let request = request.body(body).ok()?;
        let gateway = self.platform.gateway.clone();
        Some(self.runtime.block_on(async {
            let answer: Response<Body> = gateway.oneshot(request).await.unwrap();
            let status = answer.status().as_u16();
            // A stream has no end to wait for.
            let is_stream =
                answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
            let bytes = if is_stream {
                Vec::new()
            } else {
                answer.into_body().collect().await.unwrap().to_bytes().to_vec()
            };
            (status, bytes)
        }))
    }

    /// Every fact that was on the log when the platform had just been filled.
    pub fn facts(&self) -> Vec<Arc<Fact>> {
        self.facts.clone()
    }

    fn read_facts(&self) -> Vec<Arc<Fact>> {
        let log = self.platform.stores.log();
        self.block_on(async {
            let mut found = Vec::new();
            for partition in bus::Topic::ALL.iter().flat_map(|topic| log.partitions(*topic)) {
                let batch = log.read(&partition, bus::Position::default(), 1_000).await.unwrap();
                found.extend(batch.records.into_iter().map(|record| record.fact));
            }
            found
        })
    }

    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
