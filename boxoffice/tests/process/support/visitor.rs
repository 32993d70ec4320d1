//! People who use a running platform over HTTP.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const TIMEOUT: Duration = Duration::from_secs(30);
/// The longest that a service may take to hear of what another one did.
const HEAR_TIMEOUT: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Somebody with an account.
#[derive(Clone)]
pub struct Visitor {
    pub email: String,
    pub password: String,
    pub access_token: String,
    pub refresh_token: String,
    client: reqwest::Client,
    url: String,
}

/// An event on sale.
#[derive(Debug, Clone)]
pub struct Sale {
    pub event_id: String,
    pub ticket_type_id: String,
}

impl Visitor {
    /// Registers and signs in.
    pub async fn register(url: &str, name: &str) -> Self {
        let email = format!("{name}@visitor.example");
        let visitor = Self::known(url, &email, &format!("the password of {name}"));
        let account = json!({ "name": name, "email": visitor.email, "password": visitor.password });
        let (status, body) = visitor.post("/v1/auth/register", &account).await;
        assert_eq!(status, 201, "{body}");
        visitor.sign_in(url).await
    }

    /// Somebody who has an account already, not signed in.
    pub fn known(url: &str, email: &str, password: &str) -> Self {
        let client = reqwest::Client::builder().timeout(TIMEOUT).build().unwrap();
        let (email, password, url) = (email.to_owned(), password.to_owned(), url.to_owned());
        Self { email, password, access_token: String::new(), refresh_token: String::new(), client, url }
    }

    /// The same person, signed in at a platform that may have moved.
    pub async fn sign_in(&self, url: &str) -> Self {
        let mut visitor = Self::known(url, &self.email, &self.password);
        let login = json!({ "email": self.email, "password": self.password });
        let (status, body) = visitor.post("/v1/auth/login", &login).await;
        assert_eq!(status, 200, "{body}");
        visitor.access_token = body["access_token"].as_str().unwrap().to_owned();
        visitor.refresh_token = body["refresh_token"].as_str().unwrap().to_owned();
        visitor
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        if self.access_token.is_empty() { request } else { request.bearer_auth(&self.access_token) }
    }

    pub async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        read(self.request(Method::POST, path).json(body)).await.unwrap()
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        read(self.request(Method::GET, path)).await.unwrap()
    }

    /// Gets what must be there.
    pub async fn see(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Publishes an event with one ticket type.
    pub async fn publish(&self, seats: u32, price_minor: i64) -> Sale {
        self.publish_at("2099-06-01T18:00:00Z", seats, price_minor).await
    }

    /// As [`Visitor::publish`], of an event that goes on right now.
    pub async fn publish_running(&self, seats: u32, price_minor: i64) -> Sale {
        self.publish_at("2020-06-01T18:00:00Z", seats, price_minor).await
    }

    async fn publish_at(&self, starts_at: &str, seats: u32, price_minor: i64) -> Sale {
        let event = json!({
            "title": "On sale", "starts_at": starts_at, "ends_at": "2099-06-01T22:00:00Z",
            "time_zone": "UTC", "venue": { "name": "Arena", "city": "Leiden", "country": "Netherlands" },
            "ticket_types": [{
                "name": "Admission", "quantity": seats, "price": { "currency": "EUR", "minor": price_minor },
            }],
        });
        let (status, event) = self.post("/v1/events", &event).await;
        assert_eq!(status, 201, "{event}");
        let event_id = event["id"].as_str().unwrap().to_owned();
        let (status, published) = self.post(&format!("/v1/events/{event_id}:publish"), &json!({})).await;
        assert_eq!(status, 200, "{published}");
        let ticket_type_id = event["ticket_types"][0]["id"].as_str().unwrap().to_owned();
        Sale { event_id, ticket_type_id }
    }

    /// Books one place and waits for the decision. Without an answer it is an error.
    pub async fn try_book(&self, sale: &Sale, key: &str) -> reqwest::Result<(StatusCode, Value)> {
        read(self.booking(sale, key).header("Prefer", "wait=10")).await
    }

    /// As [`Visitor::try_book`], without waiting.
    pub async fn try_place(&self, sale: &Sale, key: &str) -> reqwest::Result<(StatusCode, Value)> {
        read(self.booking(sale, key)).await
    }

    /// Posts; without an answer it is an error.
    pub async fn try_post(&self, path: &str, body: &Value) -> reqwest::Result<(StatusCode, Value)> {
        read(self.request(Method::POST, path).json(body)).await
    }

    /// Gets; without an answer it is an error.
    pub async fn try_get(&self, path: &str) -> reqwest::Result<(StatusCode, Value)> {
        read(self.request(Method::GET, path)).await
    }

    /// Waits until a booking has a status; none when there is no answer any more.
    pub async fn try_settled(&self, id: &str, status: &str) -> Option<Value> {
        let until = Instant::now() + HEAR_TIMEOUT;
        loop {
            let (_, booking) = self.try_get(&format!("/v1/bookings/{id}")).await.ok()?;
            if booking["status"] == status {
                return Some(booking);
            }
            assert!(Instant::now() < until, "is not {status}: {booking}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn booking(&self, sale: &Sale, key: &str) -> reqwest::RequestBuilder {
        let lines = json!([{ "ticket_type_id": sale.ticket_type_id, "quantity": 1 }]);
        let body = json!({ "event_id": sale.event_id, "lines": lines });
        self.request(Method::POST, "/v1/bookings").header("Idempotency-Key", key).json(&body)
    }

    /// Books one place, which must be decided at once.
    pub async fn book(&self, sale: &Sale, key: &str) -> Value {
        let (status, booking) = self.try_book(sale, key).await.unwrap();
        assert_eq!(status, 201, "{booking}");
        booking
    }

    /// How many places of a sale are sold.
    pub async fn sold(&self, sale: &Sale) -> u64 {
        let figures = self.see(&format!("/v1/events/{}/availability", sale.event_id)).await;
        figures["ticket_types"][0]["sold"].as_u64().unwrap()
    }

    /// Waits until a booking has been decided.
    pub async fn settled(&self, id: &str) -> Value {
        let until = Instant::now() + HEAR_TIMEOUT;
        loop {
            let booking = self.see(&format!("/v1/bookings/{id}")).await;
            if booking["status"] != "PENDING" {
                return booking;
            }
            assert!(Instant::now() < until, "is still PENDING: {booking}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Every item of a list, page by page.
    pub async fn list(&self, path: &str, items: &str) -> Vec<Value> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let (mut all, mut token) = (Vec::new(), String::new());
        loop {
            let page = self.see(&format!("{path}{separator}page_size=100&page_token={token}")).await;
            all.extend(page[items].as_array().unwrap().iter().cloned());
            token = page["next_page_token"].as_str().unwrap().to_owned();
            if token.is_empty() {
                return all;
            }
        }
    }
}

async fn read(request: reqwest::RequestBuilder) -> reqwest::Result<(StatusCode, Value)> {
    let response = request.send().await?;
    let status = response.status();
    let bytes = response.bytes().await?;
    Ok((status, serde_json::from_slice(&bytes).unwrap_or_default()))
}
