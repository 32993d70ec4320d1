//! A platform that listens, who uses it, and the browsers that they have.

use std::net::{Ipv4Addr, SocketAddr};

use boxoffice::{config::Config, platform::Platform, server::Front};
use engines::{chromium::Chromedriver, process::free_port};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::browser::{Browser, Scripts};

/// A hash that costs next to nothing: these tests are not about guessing passwords.
const CHEAP: user::Cost = user::Cost { memory_kib: 8, passes: 1, lanes: 1 };
/// The password of everybody.
pub const PASSWORD: &str = "correct horse";
/// Who is an administrator.
pub const ADMIN: &str = "admin@example.org";

/// Plays a story on a fresh platform, in a browser. Where there is none, that is said by name.
pub fn play(story: impl AsyncFnOnce(&mut House)) {
    let directory = tempfile::tempdir().unwrap();
    let started = Chromedriver::start(directory.path());
    let Some(driver) = engines::wanted("Chromium", started) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut config = Config::for_data_dir(directory.path().join("data")).unwrap();
        // A network that comes back has the same address.
        config.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port().unwrap()));
        config.admin_emails = vec![ADMIN.to_owned()];
        let platform = Platform::start_with(&config, CHEAP).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut house = House { platform, config, driver, client, network: None };
        house.connect().await;
        story(&mut house).await;
        // Streams that pages still listen to end.
        house.platform.drain.cancel();
        house.cut().await;
        house.platform.stop().await;
    });
}

/// A running platform.
pub struct House {
    platform: Platform,
    config: Config,
    driver: Chromedriver,
    client: reqwest::Client,
    network: Option<(CancellationToken, JoinHandle<()>)>,
}

/// Somebody with an account.
pub struct Account {
    pub email: String,
    pub token: String,
}

impl House {
    /// Listens.
    pub async fn connect(&mut self) {
        let front = Front::bind(&self.config).await.unwrap();
        let (live, site, stop) =
            (self.platform.gateway.live(), self.platform.site(), CancellationToken::new());
        let serving = tokio::spawn(front.serve(live, move |peer| site.for_peer(peer), stop.clone()));
        self.network = Some((stop, serving));
    }

    /// Nobody reaches the platform any more.
    pub async fn cut(&mut self) {
        let (stop, serving) = self.network.take().unwrap();
        stop.cancel();
        serving.await.unwrap();
    }

    fn url(&self) -> String {
        format!("http://{}", self.config.listen)
    }

    pub async fn browser(&self, scripts: Scripts) -> Browser {
        Browser::start(&self.driver.url(), &self.url(), scripts).await
    }

    /// A browser in which somebody is signed in.
    pub async fn browser_of(&self, account: &Account) -> Browser {
        let browser = self.browser(Scripts::On).await;
        browser.open("/log-in").await;
        browser.fill("#email", &account.email).await;
        browser.fill("#password", PASSWORD).await;
        browser.click("#log-in button").await;
        browser.see("[data-notice=logged-in]").await;
        browser
    }

    /// Opens an account over REST.
    pub async fn account(&self, name: &str) -> Account {
        let email = format!("{}@example.org", name.to_lowercase());
        let account = json!({
            "name": name, "email": email, "password": PASSWORD, "gender": "FEMALE", "birth_year": 1990,
        });
        self.post("/v1/auth/register", "", &account).await;
        let tokens = self.post("/v1/auth/login", "", &json!({"email": email, "password": PASSWORD})).await;
        Account { email, token: tokens["access_token"].as_str().unwrap().to_owned() }
    }

    /// Puts an event on sale over REST; its id.
    pub async fn event(&self, organiser: &Account, wanted: Value) -> String {
        let mut event = json!({
            "title": "Village Brass", "starts_at": "2099-05-01T18:00:00Z", "ends_at": "2099-05-01T21:00:00Z",
            "time_zone": "Europe/Berlin", "venue": {"name": "Hall", "city": "Berlin", "country": "Germany"},
            "ticket_types": [{"name": "Regular", "price": {"currency": "EUR", "minor": 2500}, "quantity": 10}],
            "publish": true,
        });
        for (field, value) in wanted.as_object().unwrap() {
            event[field] = value.clone();
        }
        let made = self.post("/v1/events", &organiser.token, &event).await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// Books over REST, and pays where it costs something; the booking.
    pub async fn book(&self, buyer: &Account, event_id: &str, quantity: u32) -> Value {
        let booking = self.hold(buyer, event_id, quantity).await;
        if booking["status"] == "BOOKED" {
            return booking;
        }
        let path = format!("/v1/bookings/{}:pay", booking["id"].as_str().unwrap());
        self.post(&path, &buyer.token, &json!({"payment_method": "4242424242424242"})).await
    }

    /// Books places of the first kind over REST; the booking.
    pub async fn hold(&self, buyer: &Account, event_id: &str, quantity: u32) -> Value {
        let event = self.get(&format!("/v1/events/{event_id}"), &buyer.token).await;
        let lines = json!([{"ticket_type_id": event["ticket_types"][0]["id"], "quantity": quantity}]);
        self.post("/v1/bookings", &buyer.token, &json!({"event_id": event_id, "lines": lines})).await
    }

    /// The signed code of the first ticket of a booking.
    pub async fn code(&self, buyer: &Account, booking: &Value) -> String {
        let ticket = booking["tickets"][0]["id"].as_str().unwrap();
        let ticket = self.get(&format!("/v1/tickets/{ticket}"), &buyer.token).await;
        ticket["code"].as_str().unwrap().to_owned()
    }

    pub async fn get(&self, path: &str, token: &str) -> Value {
        self.rest(Method::GET, path, token, None).await
    }

    pub async fn post(&self, path: &str, token: &str, body: &Value) -> Value {
        self.rest(Method::POST, path, token, Some(body)).await
    }

    async fn rest(&self, method: Method, path: &str, token: &str, body: Option<&Value>) -> Value {
        let mut request =
            self.client.request(method, format!("{}{path}", self.url())).header("Prefer", "wait=10");
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let answer: Value = response.json().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {answer}");
        answer
    }
}
