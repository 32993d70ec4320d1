//! A real browser, driven by WebDriver (<https://www.w3.org/TR/webdriver2/>). What a story needs of it are a dozen
//! commands, each one request. The crates that speak it are not used: one changes how the whole program writes JSON in
//! tests (`serde_json/preserve_order`), the other comes under a licence that `deny.toml` does not allow.
//!
//! An element that is looked for is waited for: what a page becomes is said as a selector, and nothing else waits.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

/// How long an element may take to appear; a machine that is busy with other tests is slow.
const PATIENCE: Duration = Duration::from_secs(20);
/// The name that WebDriver has for the reference of an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// The most presses of Tab until something must have the focus.
const MAX_TABS: usize = 80;

/// Keys as WebDriver writes them.
pub mod key {
    pub const TAB: &str = "\u{E004}";
    pub const ENTER: &str = "\u{E007}";
    pub const SPACE: &str = " ";
}

/// Whether pages may run scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scripts {
    On,
    /// As somebody has it who chose so in the settings of the browser.
    Off,
}

/// A browser with one window; its driver ends it.
pub struct Browser {
    client: reqwest::Client,
    session: String,
    site: String,
}

impl Browser {
    /// Starts one that looks at a site.
    pub async fn start(driver: &str, site: &str, scripts: Scripts) -> Self {
        // Containers have no namespaces for the sandbox and little shared memory.
        let mut arguments =
            vec!["--headless=new", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"];
        if rustix::process::geteuid().is_root() {
            arguments.push("--no-sandbox");
        }
        let blocked = 2;
        let preferences = match scripts {
            Scripts::On => json!({}),
            Scripts::Off => json!({"profile.managed_default_content_settings.javascript": blocked}),
        };
        let options = json!({"args": arguments, "prefs": preferences});
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "timeouts": {"implicit": PATIENCE.as_millis() as u64},
        }}});
        let mut browser = Self {
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            session: driver.to_owned(),
            site: site.to_owned(),
        };
        let made = browser.command(Method::POST, "/session", wanted).await.unwrap();
        browser.session = format!("{driver}/session/{}", made["sessionId"].as_str().unwrap());
        browser
    }

    async fn command(&self, method: Method, path: &str, body: Value) -> Result<Value, String> {
        let request = self.client.request(method, format!("{}{path}", self.session));
        let request = if body.is_null() { request } else { request.json(&body) };
        let response = request.send().await.unwrap();
        let is_done = response.status().is_success();
        let mut answer: Value = response.json().await.unwrap();
        if is_done { Ok(answer["value"].take()) } else { Err(answer["value"]["message"].to_string()) }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        match self.command(Method::POST, path, body).await {
            Ok(value) => value,
            Err(why) => panic!("{path}: {why}\n{}", self.state().await),
        }
    }

    async fn get(&self, path: &str) -> Value {
        self.command(Method::GET, path, Value::Null).await.unwrap()
    }

    /// What there is to see, for the message of a test that fails.
    async fn state(&self) -> String {
        let source = self.command(Method::GET, "/source", Value::Null).await;
        let source = source.map_or_else(|why| why, |source| source.as_str().unwrap_or_default().to_owned());
        let address = self.command(Method::GET, "/url", Value::Null).await;
        format!("at {address:?}: {source}")
    }

    /// Goes to a path of the site.
    pub async fn open(&self, path: &str) {
        self.post("/url", json!({"url": format!("{}{path}", self.site)})).await;
    }

    pub async fn reload(&self) {
        self.post("/refresh", json!({})).await;
    }

    /// Where it is, as a path of the site.
    pub async fn path(&self) -> String {
        let url = self.get("/url").await;
        url.as_str().unwrap().strip_prefix(&self.site).unwrap().to_owned()
    }

    /// The first element of a selector, as soon as there is one.
    async fn element(&self, selector: &str) -> String {
        let found = self.post("/element", json!({"using": "css selector", "value": selector})).await;
        format!("/element/{}", found[ELEMENT].as_str().unwrap())
    }

    /// Waits until there is such an element.
    pub async fn see(&self, selector: &str) {
        self.element(selector).await;
    }

    /// Presses an element, as a pointer does: it must be in sight and nothing may cover it.
    pub async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        self.post(&format!("{element}/click"), json!({})).await;
    }

    /// Types into a field instead of what is there.
    pub async fn fill(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        self.post(&format!("{element}/clear"), json!({})).await;
        self.post(&format!("{element}/value"), json!({"text": text})).await;
    }

    /// Types into a field key by key, where clearing it is no use, such as one for a time.
    pub async fn type_into(&self, selector: &str, keys: &str) {
        let element = self.element(selector).await;
        self.post(&format!("{element}/value"), json!({"text": keys})).await;
    }

    /// The words of an element that can be seen.
    pub async fn text(&self, selector: &str) -> String {
        let element = self.element(selector).await;
        self.get(&format!("{element}/text")).await.as_str().unwrap().to_owned()
    }

    /// An attribute of an element; none where it does not have it.
    pub async fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        let element = self.element(selector).await;
        self.get(&format!("{element}/attribute/{name}")).await.as_str().map(str::to_owned)
    }

    /// Width and height of an element, in pixels.
    pub async fn size(&self, selector: &str) -> (f64, f64) {
        let element = self.element(selector).await;
        let rectangle = self.get(&format!("{element}/rect")).await;
        (rectangle["width"].as_f64().unwrap(), rectangle["height"].as_f64().unwrap())
    }

    /// Presses and lets go of keys, wherever the focus is.
    pub async fn press(&self, keys: &str) {
        let of = |key: char, kind: &str| json!({"type": kind, "value": key.to_string()});
        let actions: Vec<Value> =
            keys.chars().flat_map(|key| [of(key, "keyDown"), of(key, "keyUp")]).collect();
        self.post("/actions", json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}))
            .await;
    }

    /// Presses Tab until an element has the focus, which must then be visible.
    pub async fn tab_to(&self, selector: &str) {
        for _ in 0..MAX_TABS {
            self.press(key::TAB).await;
            let script = format!(
                "const at = document.activeElement; return at.matches({}) && at.matches(':focus-visible')",
                json!(selector)
            );
            if self.evaluate(&script).await == true {
                return;
            }
        }
        panic!("{MAX_TABS} presses of Tab do not lead to {selector}\n{}", self.state().await);
    }

    /// What a script on the page returns.
    pub async fn evaluate(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({"script": script, "args": []})).await
    }

    /// What a promise on the page becomes.
    pub async fn resolve(&self, promise: &str) -> Value {
        let script = format!("const done = arguments[0]; ({promise}).then(done, why => done(String(why)))");
        self.post("/execute/async", json!({"script": script, "args": []})).await
    }

    /// Waits until a promise on the page becomes true.
    pub async fn until(&self, promise: &str) {
        let until = Instant::now() + PATIENCE;
        while self.resolve(promise).await != true {
            assert!(Instant::now() < until, "{promise} stays false\n{}", self.state().await);
        }
    }

    /// Loads a path again and again until there is such an element.
    pub async fn open_until(&self, path: &str, selector: &str) {
        let until = Instant::now() + PATIENCE;
        let script = format!("return document.querySelector({}) !== null", json!(selector));
        loop {
            self.open(path).await;
            if self.evaluate(&script).await == true {
                return;
            }
            assert!(Instant::now() < until, "no {selector}\n{}", self.state().await);
        }
    }

    /// A command of the browser's own protocol (<https://chromedevtools.github.io/devtools-protocol>).
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.post("/goog/cdp/execute", json!({"cmd": command, "params": parameters})).await
    }
}
