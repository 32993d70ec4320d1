//! A browser without scripts: it keeps cookies, fills forms in, and follows where answers lead.

use std::{collections::BTreeMap, net::SocketAddr};

use axum::body::Body;
use boxoffice::{config::Config, platform::Platform, site::Site};
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

/// A hash that costs next to nothing: these tests are not about guessing passwords.
const CHEAP: user::Cost = user::Cost { memory_kib: 8, passes: 1, lanes: 1 };
/// The password of everybody.
const PASSWORD: &str = "correct horse";

/// Plays a story on a fresh platform.
pub fn play(story: impl AsyncFnOnce(&House)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    runtime.block_on(async {
        let house = House::set_up(&dir).await;
        story(&house).await;
        house.platform.stop().await;
    });
}

/// A running platform.
pub struct House {
    platform: Platform,
}

impl House {
    async fn set_up(dir: &TempDir) -> Self {
        let mut config = Config::for_data_dir(dir.path().to_owned()).unwrap();
        config.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { platform: Platform::start_with(&config, CHEAP).await.unwrap() }
    }

    /// Somebody who comes for the first time.
    pub fn visitor(&self) -> Browser {
        Browser { site: self.platform.site(), cookies: BTreeMap::new(), language: "en" }
    }

    /// Somebody with an account, signed in.
    pub async fn somebody(&self, name: &str) -> Browser {
        let mut browser = self.visitor();
        let page = browser.get("/sign-up").await;
        let email = format!("{}@example.org", name.to_lowercase());
        let filled = [("name", name), ("email", email.as_str()), ("password", PASSWORD)];
        let answer = browser.send(&page.form("sign-up").with(&filled)).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        browser
    }

    /// Makes an event over REST, by an organiser of its own, and puts it on sale; its id.
    pub async fn event(&self, wanted: Value) -> String {
        let visitor = self.visitor();
        let email = format!("{}@organisers.example", self.platform.environment.id());
        let account = json!({"name": "Olga", "email": email, "password": PASSWORD});
        visitor.post_json("/v1/auth/register", None, &account).await;
        let login = json!({"email": email, "password": PASSWORD});
        let tokens = visitor.post_json("/v1/auth/login", None, &login).await;
        let token = tokens["access_token"].as_str().unwrap().to_owned();
        let mut event = json!({
            "title": "Concert", "starts_at": "2099-05-01T18:00:00Z", "ends_at": "2099-05-01T21:00:00Z",
            "time_zone": "Europe/Berlin", "venue": {"name": "Hall", "city": "Berlin", "country": "Germany"},
            "ticket_types": [{"name": "Regular", "price": {"currency": "EUR", "minor": 2500}, "quantity": 10}],
            "publish": true,
        });
        for (field, value) in wanted.as_object().unwrap() {
            event[field] = value.clone();
        }
        let made = visitor.post_json("/v1/events", Some(&token), &event).await;
        made["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    }
}

/// A browser.
pub struct Browser {
    site: Site,
    pub cookies: BTreeMap<String, String>,
    pub language: &'static str,
}

impl Browser {
    pub async fn get(&mut self, path: &str) -> Page {
        self.request(Method::GET, path, String::new(), HeaderMap::new()).await
    }

    /// Sends a form as a browser does from a page of ours.
    pub async fn send(&mut self, form: &Form) -> Page {
        let from_here =
            [("host", "here.example"), ("origin", "http://here.example"), ("sec-fetch-site", "same-origin")];
        self.send_from(form, &from_here).await
    }

    /// Sends a form with other headers.
    pub async fn send_from(&mut self, form: &Form, headers: &[(&'static str, &'static str)]) -> Page {
        let mut all: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap()))
            .collect();
        all.insert(header::CONTENT_TYPE, "application/x-www-form-urlencoded".parse().unwrap());
        let body = serde_urlencoded(&form.fields);
        match form.method.as_str() {
            "get" => self.get(&format!("{}?{body}", form.action)).await,
            _ => self.request(Method::POST, &form.action, body, all).await,
        }
    }

    /// Sends a form and follows where the answer leads.
    pub async fn send_and_follow(&mut self, form: &Form) -> Page {
        let answer = self.send(form).await;
        self.follow(answer).await
    }

    /// Follows where an answer leads, until there is a page.
    pub async fn follow(&mut self, mut page: Page) -> Page {
        while let Some(next) = page.location() {
            page = self.get(&next).await;
        }
        page
    }

    pub async fn request(&mut self, method: Method, path: &str, body: String, headers: HeaderMap) -> Page {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(header::ACCEPT, "text/html").header(header::ACCEPT_LANGUAGE, self.language);
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let mut request = request.body(Body::from(body)).unwrap();
        request.headers_mut().extend(headers);
        let response = self.site.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        for line in head.headers.get_all(header::SET_COOKIE) {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Page { status: head.status, headers: head.headers, text }
    }

    async fn post_json(&self, path: &str, token: Option<&str>, body: &Value) -> Value {
        let mut request =
            Request::builder().method("POST").uri(path).header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let response = self.site.clone().oneshot(request.body(Body::from(body.to_string())).unwrap()).await;
        let bytes = response.unwrap().into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&bytes).unwrap()
    }
}

fn serde_urlencoded(fields: &[(String, String)]) -> String {
    let encode = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        text.bytes()
            .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect::<String>()
    };
    fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}

/// What a browser was answered.
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Page {
    pub fn location(&self) -> Option<String> {
        self.headers.get(header::LOCATION).map(|location| location.to_str().unwrap().to_owned())
    }

    pub fn has(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    pub fn must_have(&self, text: &str) {
        assert!(self.has(text), "no {text} in {}", self.text);
    }

    /// The form with an id, with what is filled in already.
    pub fn form(&self, id: &str) -> Form {
        let mark = format!("id=\"{id}\"");
        let form =
            self.text.split("<form").skip(1).find(|form| form.split('>').next().unwrap().contains(&mark));
        let form = form.unwrap_or_else(|| panic!("no form {id} in {}", self.text));
        let form = form.split("</form>").next().unwrap();
        let fields = form.split("<input").skip(1).filter_map(|input| {
            let tag = input.split('>').next().unwrap();
            let kind = attribute(tag, "type").unwrap_or_default();
            let is_sent = !matches!(kind.as_str(), "checkbox" | "radio") || tag.contains(" checked");
            is_sent.then(|| (attribute(tag, "name").unwrap(), attribute(tag, "value").unwrap_or_default()))
        });
        Form {
            method: attribute(form, "method").unwrap(),
            action: attribute(form, "action").unwrap(),
            fields: fields.collect(),
        }
    }

    /// The value of the first attribute of that name.
    pub fn attribute(&self, name: &str) -> String {
        attribute(&self.text, name).unwrap_or_else(|| panic!("no {name} in {}", self.text))
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let value = rest.split('"').next()?;
    Some(value.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\""))
}

/// A form that is being filled in.
#[derive(Clone)]
pub struct Form {
    method: String,
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl Form {
    /// With values for some fields.
    pub fn with(mut self, values: &[(&str, &str)]) -> Self {
        for (name, value) in values {
            self.fields.retain(|(known, _)| known != name);
            self.fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        self
    }

    /// Without a field.
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }
}
