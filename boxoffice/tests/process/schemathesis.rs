//! Requests made from the OpenAPI document, by anybody: no answer is a 5xx, and each is what the document says.

use std::{path::PathBuf, process::Command};

use engines::tools;

use crate::support::{Home, Running, Visitor};

/// Requests for each operation and phase; `BOXOFFICE_SCHEMATHESIS_EXAMPLES` asks for more.
const EXAMPLES: &str = "8";
/// Who deletes their account in the middle has no token for the rest; a stream does not end.
const LEFT_OUT: &str = "^/v1/users/me$|:stream$";
/// The document says types, not every rule of the domain, so requests that fit it may be refused.
const UNCHECKED: &str = "positive_data_acceptance";

fn program() -> Option<PathBuf> {
    let program =
        tools::downloaded("Schemathesis", "schemathesis/bin/schemathesis", "pip install schemathesis");
    engines::wanted("Schemathesis", program)
}

/// Runs all phases with a fixed seed, so that two runs make the same requests.
fn run(program: &PathBuf, home: &Home, running: &Running, token: Option<&str>) {
    let examples = std::env::var("BOXOFFICE_SCHEMATHESIS_EXAMPLES");
    let mut command = Command::new(program);
    command.args(["run", &format!("{}/openapi.json", running.url), "--no-color", "--seed", "1"]);
    command.args(["--max-examples", examples.as_deref().unwrap_or(EXAMPLES)]);
    command.args(["--exclude-path-regex", LEFT_OUT, "--exclude-checks", UNCHECKED]);
    command.args(["--generation-database", "none"]);
    if let Some(token) = token {
        command.args(["--header", &format!("Authorization: Bearer {token}")]);
    }
    let output = command.current_dir(home.directory()).env("HOME", home.directory()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("Test cases"), "{said}");
    assert!(!running.err().contains("panicked"), "{}", running.err());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_to_anonymous_and_to_a_buyer_is_as_documented() {
    let Some(program) = program() else { return };
    let home = Home::new();
    let running = home.up();
    let organiser = Visitor::register(&running.url, "organiser").await;
    organiser.publish(10, 0).await;
    let buyer = Visitor::register(&running.url, "buyer").await;
    for token in [None, Some(buyer.access_token.as_str())] {
        run(&program, &home, &running, token);
    }
    running.stop();
    home.audit().succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_to_an_organiser_and_to_an_admin_is_as_documented() {
    let Some(program) = program() else { return };
    let home = Home::new();
    home.write("boxoffice.toml", "admin_emails = [\"admin@visitor.example\"]\n");
    let running = home.up();
    let organiser = Visitor::register(&running.url, "organiser").await;
    let sale = organiser.publish(10, 500).await;
    organiser.book(&sale, "one").await;
    let admin = Visitor::register(&running.url, "admin").await;
    for token in [&organiser.access_token, &admin.access_token] {
        run(&program, &home, &running, Some(token));
    }
    running.stop();
    home.audit().succeeded();
}
