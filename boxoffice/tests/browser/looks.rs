//! How pages look: at two widths and in both colours, axe-core finds nothing that bars anybody, nothing moves while a page
//! is loaded, and no page is wider than the screen.
//!
//! `BOXOFFICE_SCREENSHOTS=DIRECTORY` has each page taken as a picture, at three widths and in both colours.

use std::{fs, path::PathBuf};

use base64::{Engine, prelude::BASE64_STANDARD};
use engines::chromium;
use serde_json::{Value, json};

use crate::browser::Browser;

/// A width of the screen, in pixels, and the colours that the system asks for.
type Look = (u32, &'static str);

const HEIGHT: u32 = 900;
const CHECKED: [Look; 2] = [(390, "light"), (1280, "dark")];
const PICTURED: [Look; 6] =
    [(390, "light"), (768, "light"), (1280, "light"), (390, "dark"), (768, "dark"), (1280, "dark")];
/// Notes what moves on a page that is not the answer to a press, from its beginning.
const WATCH: &str = "window.moved = []; new PerformanceObserver(list => { \
    for (const one of list.getEntries()) if (!one.hadRecentInput) \
        window.moved.push(one.value.toFixed(4) + one.sources.map(({ node }) => ' ' + node?.outerHTML?.slice(0, 80))); \
    }).observe({ type: 'layout-shift', buffered: true })";

/// Looks at pages in a browser.
pub struct Looks<'b> {
    browser: &'b Browser,
    axe: String,
    pictures: Option<PathBuf>,
    wrong: Vec<String>,
}

impl<'b> Looks<'b> {
    /// None where axe-core cannot be had, which is said by name.
    pub async fn new(browser: &'b Browser) -> Option<Self> {
        let axe = engines::wanted("axe-core", chromium::axe())?;
        browser.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": WATCH})).await;
        let pictures = std::env::var_os("BOXOFFICE_SCREENSHOTS").map(PathBuf::from);
        Some(Self { browser, axe, pictures, wrong: Vec::new() })
    }

    /// Looks at the page of a path.
    pub async fn at(&mut self, name: &str, path: &str) {
        self.after(name, path, async |_| {}).await;
    }

    /// Looks at what the page of a path becomes.
    pub async fn after(&mut self, name: &str, path: &str, does: impl AsyncFn(&Browser)) {
        for look in CHECKED {
            self.put_on(look).await;
            self.browser.open(path).await;
            does(self.browser).await;
            self.check(&format!("{name} {look:?}")).await;
        }
        let Some(directory) = self.pictures.clone() else { return };
        fs::create_dir_all(&directory).unwrap();
        for look in PICTURED {
            self.put_on(look).await;
            let (width, colours) = look;
            fs::write(directory.join(format!("{name}-{width}-{colours}.png")), self.picture().await).unwrap();
        }
    }

    /// Fails with everything that was found wrong.
    pub fn end(self) {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
    }

    async fn put_on(&self, (width, colours): Look) {
        let size = json!({"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": false});
        self.browser.devtools("Emulation.setDeviceMetricsOverride", size).await;
        let media = json!({"features": [
            {"name": "prefers-color-scheme", "value": colours},
            // Nothing is looked at half way from one colour to another.
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]});
        self.browser.devtools("Emulation.setEmulatedMedia", media).await;
    }

    async fn check(&mut self, name: &str) {
        self.browser.evaluate(&self.axe).await;
        let found = self.browser.resolve("axe.run({ resultTypes: ['violations'] })").await;
        let Some(violations) = found["violations"].as_array() else { panic!("{name}: {found}") };
        for violation in violations {
            for node in violation["nodes"].as_array().unwrap() {
                self.wrong.push(format!("{name}: {} {}", violation["help"], node["failureSummary"]));
                self.wrong.push(format!("    {}", node["html"]));
            }
        }
        for moved in self.browser.evaluate("return window.moved").await.as_array().unwrap() {
            self.wrong.push(format!("{name}: it moves by {moved}"));
        }
        let root = "document.documentElement";
        let over = self.browser.evaluate(&format!("return {root}.scrollWidth - {root}.clientWidth")).await;
        if over.as_i64().is_none_or(|over| over > 0) {
            self.wrong.push(format!("{name}: it is wider than the screen by {over} pixels"));
        }
    }

    async fn picture(&self) -> Vec<u8> {
        let whole = json!({"format": "png", "captureBeyondViewport": true});
        let taken: Value = self.browser.devtools("Page.captureScreenshot", whole).await;
        BASE64_STANDARD.decode(taken["data"].as_str().unwrap()).unwrap()
    }
}
