//! What operators and organisers bring as files: CSV, the configuration, Kong's declarative file.

use kong::{Given, PluginSchemas as _, declarative};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{config, mutation::mutated_text, platform::HERE};

const CSV: &str = "name,start_date,end_date,city,country,online,url,categories,places,price,currency,time_zone\n\
    RustConf,2099-09-01,2099-09-03,Berlin,Germany,false,https://example.org,rust;web,100,12.50,EUR,Europe/Berlin\n\
    \"Quoted, \"\"name\"\"\",2099-10-01,,Bern,Switzerland,true,,,5,0,,\n";

const KONG: &str = r#"
_format_version: "3.0"
services:
- name: shop
  url: http://127.0.0.1:9/base
  retries: 3
  tags: [a, b]
  routes:
  - name: shop
    paths: [/shop, "~/s(?<id>[0-9]+)$"]
    methods: [GET, POST]
    hosts: ["*.example.org"]
    headers: {x-version: ["1"]}
    strip_path: true
  plugins:
  - name: rate-limiting
    config: {minute: 5, policy: local}
  - name: cors
    config: {origins: ["https://example.org"]}
upstreams:
- name: pool
  algorithm: round-robin
  healthchecks: {passive: {unhealthy: {http_failures: 3}}}
  targets:
  - target: 127.0.0.1:9
    weight: 50
consumers:
- username: ada
  keyauth_credentials: [{key: secret}]
plugins:
- name: request-termination
  enabled: false
  config: {status_code: 418, message: no}
"#;

/// The template with every default in force.
fn settings() -> String {
    let lines = boxoffice::config::template();
    let is_setting = |line: &&str| {
        line.starts_with('[') || line.starts_with('#') && line.contains(" = ") && !line.starts_with("# ")
    };
    lines.lines().filter(is_setting).map(|line| format!("{}\n", line.trim_start_matches('#'))).collect()
}

fn given() -> Given {
    Given {
        id: uuid::Uuid::from_bytes(HERE.platform.environment.random::<16>()),
        secret: "s".repeat(32),
        now_s: 1_800_000_000,
    }
}

#[test]
fn the_samples_are_right() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("boxoffice.toml");
    let text = settings();
    assert!(text.lines().count() > 10, "{text}");
    std::fs::write(&file, text).unwrap();
    let read = boxoffice::config::Config::read(&flags(&file), None);
    assert!(read.is_ok(), "{read:?}");
    let live = HERE.platform.gateway.live();
    let body = declarative::parse(KONG).unwrap();
    let loaded = declarative::load(body, &kong::Config::default(), &live.schemas(), &mut given);
    assert!(loaded.is_ok(), "{:?}", loaded.err());
    assert!(!live.schemas().names().is_empty());
}

fn flags(file: &std::path::Path) -> boxoffice::config::Flags {
    boxoffice::config::Flags { data_dir: None, config: Some(file.to_owned()) }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn csv_of_events(csv in mutated_text(&[CSV.to_owned()])) {
        let body = json!({"csv": csv}).to_string();
        let Some((status, answer)) = HERE.ask("POST", "/v1/events:import", body.into_bytes()) else { return Ok(()) };
        let said: Value = serde_json::from_slice(&answer).unwrap();
        prop_assert!(status == 200 || status == 400, "{status} {said}");
        for bad in said["bad"].as_array().into_iter().flatten() {
            prop_assert!(bad["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{said}");
        }
    }

    #[test]
    fn configuration(text in mutated_text(&[settings()])) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("boxoffice.toml");
        std::fs::write(&file, &text).unwrap();
        if let Err(error) = boxoffice::config::Config::read(&flags(&file), None) {
            let said = error.to_string();
            prop_assert!(!said.is_empty());
        }
    }

    #[test]
    fn declarative_file(text in mutated_text(&[KONG.to_owned()])) {
        let live = HERE.platform.gateway.live();
        let Ok(body) = declarative::parse(&text) else { return Ok(()) };
        let base = kong::Config::default();
        match declarative::load(body, &base, &live.schemas(), &mut given) {
            Err(refusal) => prop_assert!((400..500).contains(&refusal.status()), "{refusal:?}"),
            Ok(loaded) => {
                // What was taken can be written down and read again.
                let dumped = declarative::dump(&loaded).to_string();
                let again = declarative::load(declarative::parse(&dumped).unwrap(), &base, &live.schemas(), &mut given);
                prop_assert!(again.is_ok(), "{dumped}: {:?}", again.err());
            }
        }
    }
}
