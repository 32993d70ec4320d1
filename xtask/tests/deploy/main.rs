//! What is in `deploy/` is read by the tools that it is for, and is as safe as it says.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod chart;
mod compose;
mod debezium;
mod settings;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// The services of the program; the gateway and the pages are in front of them.
const SERVICES: [&str; 6] = ["user", "event", "ticket", "feedback", "notification", "analytics"];
/// What the program runs as.
const USER: u64 = 65_532;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn roles() -> Vec<&'static str> {
    SERVICES.into_iter().chain(["gateway", "web"]).collect()
}

/// What a command prints, or what it says when it fails.
fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// The documents of a YAML text.
fn documents(yaml: &str) -> Vec<Value> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(yaml).unwrap();
    documents.into_iter().filter(|document| !document.is_null()).collect()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap_or_else(|| panic!("{list} is a list"))
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect()
}

/// An image has a version, and it is not whatever is newest.
fn assert_has_version(image: &str) {
    let tag = image.rsplit('/').next().unwrap().split_once(':').map(|(_, tag)| tag);
    assert!(
        tag.is_some_and(|tag| tag != "latest" && tag.contains(|letter: char| letter.is_ascii_digit())),
        "{image}"
    );
}
