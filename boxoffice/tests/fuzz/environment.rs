//! The configuration by the environment: `BOXOFFICE_*` with what is nearly right. An environment is of a process, so each
//! input is read by one of its own: this program again, as [`reads`].

use std::{
    collections::BTreeMap,
    ffi::OsString,
    os::unix::ffi::OsStringExt as _,
    process::{Command, Output},
    sync::LazyLock,
};

use boxoffice::{
    config::{Config, Flags, FleetFlags, ListenFlags},
    serve::{Role, StoreUrl, without_secrets},
};
use proptest::{prelude::*, sample::Index};

use crate::{config, mutation::mutated};

/// Says to [`reads`] that it is the process of an input.
const ASKED: &str = "FUZZ_READS_ENVIRONMENT";
/// A setting that takes any text.
const ANY_TEXT: &str = "BOXOFFICE_MAIL_FROM";
/// Settings whose values are nobody else's business.
const SECRET: [&str; 5] = ["_TOKEN", "STORE_URL", "SMTP_URL", "LOG_URL", "PRIVATE_KEY"];
/// What is in those of the samples that are secret, and in nothing else.
const PASSWORD: &str = "password-of";

const SAMPLES: [&str; 16] = [
    "127.0.0.1:8000",
    "[::1]:0",
    "0.0.0.0:65535",
    "https://tickets.example.org",
    "info,kit=debug",
    "json",
    "0.25",
    "15",
    "3650",
    "off",
    "./data",
    "ada@example.org,ben@example.org",
    "Boxoffice <boxoffice@localhost>",
    "smtps://user:password-of-mail@mail.example.org",
    "postgres://user:password-of-base@127.0.0.1:5432/boxoffice_{service}?sslmode=require",
    "kafka://127.0.0.1:9092,127.0.0.1:9093",
];

/// Every variable that there is, as the template of the configuration names them.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let template = boxoffice::config::template();
    let words = template.split('`').filter(|word| word.starts_with("BOXOFFICE_"));
    let mut names: Vec<String> = words.map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
});

type Given = BTreeMap<String, OsString>;

/// Some variables with changed samples. No variable can hold a NUL.
fn given() -> impl Strategy<Value = Given> {
    let samples = SAMPLES.iter().map(|sample| sample.as_bytes().to_vec()).collect();
    let variable = (any::<Index>(), mutated(samples)).prop_map(|(name, mut bytes)| {
        bytes.retain(|byte| *byte != 0);
        (name.get(NAMES.as_slice()).clone(), OsString::from_vec(bytes))
    });
    prop::collection::vec(variable, 1..4).prop_map(|variables| variables.into_iter().collect())
}

/// Reads the configuration in a process that has these variables and no others.
fn read(given: &Given) -> Output {
    let directory = tempfile::tempdir().unwrap();
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "environment::reads", "--nocapture"])
        .current_dir(&directory)
        .env_clear()
        .env(ASKED, "1")
        .envs(given)
        .output()
        .unwrap()
}

/// What it said of each way of reading: `taken ...` or `refused ...`, one line for each.
fn said(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .filter(|line| line.starts_with("taken ") || line.starts_with("refused "))
        .map(str::to_owned)
        .collect()
}

#[test]
#[ignore = "the process of an input"]
fn reads() {
    if std::env::var_os(ASKED).is_none() {
        return;
    }
    // The line that it begins on has the name of the test.
    println!();
    let alone = Config::read(&Flags::default(), None);
    let fleet = Config::read_fleet(None, &FleetFlags::default(), &ListenFlags::default());
    for read in [alone, fleet.and_then(with_databases)] {
        match read {
            Err(error) => println!("refused {:?}", format!("{error:#}")),
            Ok(config) => println!("taken {:?} {config:?}", config.mail_from),
        }
    }
}

/// As a service that starts looks at it next.
fn with_databases(config: Config) -> anyhow::Result<Config> {
    for role in Role::SERVICES {
        let url = config.fleet.store_url_of(role).map(|(setting, url)| StoreUrl::parse(setting, &url));
        if let Some(url) = url.transpose()? {
            println!("of {role}: {url}");
        }
    }
    Ok(config)
}

fn text(given: &Given, name: &str) -> Option<String> {
    given.get(name)?.clone().into_string().ok()
}

/// The names by which an error may call a variable: its own, or the setting's.
fn names(variable: &str) -> [String; 3] {
    let setting = |prefix| variable.trim_start_matches(prefix).to_lowercase();
    [variable.to_owned(), setting("BOXOFFICE_"), setting("BOXOFFICE_GATEWAY_")]
}

#[test]
fn what_is_right_is_taken_and_what_is_wrong_is_named() {
    assert!(NAMES.len() > 20, "{:?}", *NAMES);
    let given = |name: &str, value: &str| Given::from([(name.to_owned(), value.into())]);
    assert!(
        said(&read(&given(ANY_TEXT, "Ada <ada@example.org>")))[0]
            .starts_with("taken \"Ada <ada@example.org>\"")
    );
    assert!(said(&read(&given("BOXOFFICE_LISTEN", "127.0.0.1:8000")))[1].starts_with("taken "));
    for wrong in ["127.0.0.1", "localhost:8000", "127.0.0.1:65536"] {
        let said = said(&read(&given("BOXOFFICE_LISTEN", wrong)));
        assert!(
            said.iter().all(|line| line.starts_with("refused ") && line.contains("BOXOFFICE_LISTEN")),
            "{said:?}"
        );
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn environment(given in given()) {
        let output = read(&given);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        prop_assert!(output.status.success(), "{given:?}: {errors}");
        let said = said(&output);
        prop_assert_eq!(said.len(), 2, "{:?}: {:?}", given, said);
        for line in &said {
            if let Some(refused) = line.strip_prefix("refused ") {
                let is_named = given.keys().flat_map(|name| names(name)).any(|name| refused.contains(&name));
                prop_assert!(is_named, "{given:?}: {refused}");
            } else if let Some(text) = text(&given, ANY_TEXT) {
                prop_assert!(line.starts_with(&format!("taken {text:?} ")), "{given:?}: {line}");
            }
        }
        let secrets = given.iter().filter(|(name, _)| SECRET.iter().any(|secret| name.ends_with(secret)));
        for (name, value) in secrets {
            // Who puts the same text elsewhere, tells it there.
            let is_alone = given.values().filter(|other| *other == value).count() == 1;
            let is_told = value.to_str().is_some_and(|value| value.contains(PASSWORD) && format!("{said:?} {errors}").contains(value));
            prop_assert!(!is_alone || !is_told, "{name} is told: {said:?}, {errors}");
        }
    }

    #[test]
    fn a_url_is_shown_without_its_password(
        user in "[a-z]{0,4}", password in "[a-z:/?#@%=&]{1,9}", host in "[a-z]{1,4}(:[0-9]{1,4})?", rest in "(/[a-z]{0,4}([?#][a-z=@]{0,6})?)?",
    ) {
        let shown = without_secrets(&format!("mysql://{user}:{password}@{host}{rest}"));
        let path = rest.split(['?', '#']).next().unwrap();
        prop_assert!(shown == format!("mysql://{host}{path}") || shown == "mysql://", "{shown}");
    }
}
