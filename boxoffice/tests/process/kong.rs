//! The gateway as Kong's users know it: configured by their scripts and by decK, for services that are not ours.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use engines::tools;
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::support::{Home, Running};

/// A service in another language; ended with the test.
struct Library {
    address: String,
    child: Child,
}

impl Library {
    fn start(python: &Path) -> Self {
        let mut command = Command::new(python);
        command.arg(file("library.py")).env("PYTHONDONTWRITEBYTECODE", "1").stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { address: format!("127.0.0.1:{}", line.trim()), child }
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/process/kong").join(name)
}

/// Where Kong's Admin API listens, as the program says.
fn admin_of(running: &Running) -> String {
    let printed = running.out();
    let line = printed.lines().find_map(|line| line.trim().strip_prefix("gateway admin"));
    line.unwrap().split_whitespace().next().unwrap().to_owned()
}

fn ran(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

fn python() -> Option<PathBuf> {
    let hint = "pip install grpcio grpcio-tools googleapis-common-protos";
    engines::wanted("grpcio", tools::downloaded("grpcio", "grpcio/bin/python", hint))
}

fn deck() -> Option<PathBuf> {
    engines::wanted("decK", tools::downloaded("decK", "deck/deck", ".ci/engines/deck"))
}

/// A token of the reading room.
fn token(claims: &Value) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({"alg": "HS256", "typ": "JWT"})), part(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"a-secret-that-is-shared-with-the-reading-room");
    let signature = hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

fn good_token() -> String {
    token(&json!({"iss": "reading-room", "sub": "ada", "exp": 4_102_444_800_u64}))
}

async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    (status, response.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_for_kong_puts_rest_before_a_service_in_another_language() {
    let Some(python) = python() else { return };
    let (home, library) = (Home::new(), Library::start(&python));
    let running = home.up();
    let mut script = Command::new("sh");
    script.arg(file("configure.sh")).env("KONG", admin_of(&running));
    script.env("LIBRARY", &library.address).env("PROTO", file("library.proto"));
    let (is_configured, said) = ran(&mut script);
    assert!(is_configured, "{said}");

    let client = Client::new();
    let get = |path: &str| client.get(format!("{}{path}", running.url)).bearer_auth(good_token());
    let (status, book) = read(get("/library/shelves/north/books/7").send().await.unwrap()).await;
    assert_eq!((status, &book["title"], &book["caller"]), (200, &json!("on north"), &json!("ada")));
    assert_eq!((&book["kind"], &book["copies"]["paper"]), (&json!("NOVEL"), &json!(2)));
    assert_eq!(book["printed_at"], "2026-11-26T10:00:00Z");
    let forged = get("/library/books/7").header("X-Kong-JWT-Claim-sub", "root");
    assert_eq!(read(forged.send().await.unwrap()).await.1["caller"], "ada");
    let (status, titles) =
        read(get("/library/titles?kinds=NOVEL&kinds=POEMS&limit=2").send().await.unwrap()).await;
    assert_eq!((status, titles), (200, json!(["NOVEL", "POEMS"])));

    let post = |path: &str, body: Value| {
        client.post(format!("{}{path}", running.url)).bearer_auth(good_token()).json(&body)
    };
    let (status, added) =
        read(post("/library/shelves/north/books", json!({"id": 9, "on_shelf": true})).send().await.unwrap())
            .await;
    assert_eq!((status, &added["on_shelf"]), (200, &json!(true)));
    let (status, lent) =
        read(post("/library/books/9:lend", json!({"reader": "grace"})).send().await.unwrap()).await;
    assert_eq!((status, &lent["lent_to"]), (200, &json!("grace")));
    let stream = get("/library/following?limit=3").send().await.unwrap().text().await.unwrap();
    assert_eq!(stream.lines().filter(|line| !line.is_empty()).count(), 3, "{stream}");

    assert_eq!(get("/library/books/404").send().await.unwrap().status(), 404);
    let refused = [
        client.get(format!("{}/library/books/7", running.url)),
        client
            .get(format!("{}/library/books/7", running.url))
            .bearer_auth(token(&json!({"iss": "reading-room", "exp": 1}))),
        client
            .get(format!("{}/library/books/7", running.url))
            .bearer_auth(token(&json!({"iss": "elsewhere"}))),
    ];
    for request in refused {
        assert_eq!(request.send().await.unwrap().status(), 401);
    }
    // Boxoffice itself is there as before, and finds out by itself who calls.
    assert_eq!(client.get(format!("{}/v1/events", running.url)).send().await.unwrap().status(), 200);
    running.stop();
}

const FILE: &str = r#"
_format_version: "3.0"
services:
- name: library
  url: http://127.0.0.1:9/base
  tags: [reading]
  routes:
  - name: library
    paths: [/library]
    plugins:
    - name: rate-limiting
      config: {minute: 5, policy: local}
  plugins:
  - name: jwt
    config: {key_claim_name: kid}
consumers:
- username: ada
  jwt_secrets:
  - {key: issuer, secret: abcdef, algorithm: HS256}
  keyauth_credentials:
  - key: opens
  acls:
  - group: staff
upstreams:
- name: shelves.example
  targets:
  - {target: "127.0.0.1:8080", weight: 50}
plugins:
- name: correlation-id
  config: {header_name: X-Corr}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn deck_keeps_the_gateway_as_its_file_says() {
    let Some(deck) = deck() else { return };
    let home = Home::new();
    let mut running = home.up();
    let file = home.write("kong.yaml", FILE).display().to_string();
    let dumped = home.path("dumped.yaml").display().to_string();
    let call = |running: &Running, arguments: &[&str]| {
        let mut command = Command::new(&deck);
        command.args(["--analytics=false", "--kong-addr", &admin_of(running), "gateway"]).args(arguments);
        ran(command.env("HOME", home.directory()))
    };
    let (is_well, said) = call(&running, &["ping"]);
    assert!(is_well && said.contains("Successfully connected"), "{said}");
    let (is_well, said) = call(&running, &["sync", &file]);
    assert!(is_well && said.contains("Created: 11") && said.contains("Deleted: 0"), "{said}");
    for _ in 0..2 {
        let (is_same, said) = call(&running, &["diff", &file, "--non-zero-exit-code"]);
        assert!(is_same, "{said}");
        // The same after a restart.
        running.stop();
        running = home.up();
    }
    let (is_well, said) = call(&running, &["dump", "--output-file", &dumped, "--yes"]);
    assert!(is_well, "{said}");
    let (is_same, said) = call(&running, &["diff", &dumped, "--non-zero-exit-code"]);
    assert!(is_same, "{said}");
    let empty = home.write("empty.yaml", "_format_version: \"3.0\"\n").display().to_string();
    let (is_well, said) = call(&running, &["sync", &empty]);
    assert!(is_well && said.contains("Created: 0"), "{said}");
    running.stop();
}
