//! The compose file, as Docker Compose reads it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
};

use engines::tools;
use serde_json::Value;

use crate::{USER, assert_has_version, documents, roles, root, run, settings, texts};

/// Jobs that end before the services start.
const JOBS: [&str; 4] = ["migrate", "topics", "keys", "share-keys"];
/// Each keeps what it has in a volume of its own.
const WITH_DATA: [&str; 11] = [
    "kafka",
    "zookeeper",
    "kafka-zookeeper",
    "mongo",
    "mysql",
    "cockroach",
    "postgres",
    "mailpit",
    "prometheus",
    "alertmanager",
    "grafana",
];

fn compose(directory: &Path) -> Option<Command> {
    let program = engines::wanted("docker-compose", tools::need("docker-compose", "docker-compose"))?;
    let mut command = Command::new(program);
    // Nothing of the environment that the test runs in gets into it.
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", directory);
    command.current_dir(root().join("deploy"));
    Some(command)
}

/// The configuration with these files, everything in it.
fn config(files: &[&str]) -> Option<Value> {
    let directory = tempfile::tempdir().unwrap();
    let env = directory.path().join("env");
    run(Command::new(root().join("deploy/make-env")).arg(&env)).unwrap();
    let mut command = compose(directory.path())?;
    command.arg("--env-file").arg(&env);
    for file in files {
        command.args(["--file", file]);
    }
    let printed = run(command.args(["--profile", "zookeeper", "config"])).unwrap();
    assert_eq!(settings::unknown(&printed), Vec::<String>::new());
    documents(&printed).pop()
}

fn services(config: &Value) -> BTreeMap<&str, &Value> {
    config["services"].as_object().unwrap().iter().map(|(name, service)| (name.as_str(), service)).collect()
}

fn runs_the_program(service: &Value) -> bool {
    service["image"].as_str().unwrap().starts_with("boxoffice:")
}

#[test]
fn every_role_engine_and_job_is_there() {
    let Some(config) = config(&["compose.yaml"]) else { return };
    let there: BTreeSet<&str> = services(&config).into_keys().collect();
    let expected: BTreeSet<&str> = roles().into_iter().chain(JOBS).chain(WITH_DATA).collect();
    assert_eq!(there, expected);
    for role in roles() {
        assert_eq!(texts(&services(&config)[role]["command"]), ["serve", role]);
    }
}

#[test]
fn the_program_is_confined() {
    let Some(config) = config(&["compose.yaml"]) else { return };
    for (name, service) in services(&config).into_iter().filter(|(_, service)| runs_the_program(service)) {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["user"], format!("{USER}:{USER}"), "{name}");
        assert_eq!(texts(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(texts(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        if roles().contains(&name) {
            assert!(service["mem_limit"].is_string() && service["pids_limit"].is_u64(), "{name}");
            assert_eq!(texts(&service["healthcheck"]["test"])[1..3], ["/boxoffice", "health"], "{name}");
        }
    }
}

#[test]
fn only_the_gateway_and_the_pages_are_published_and_only_on_loopback() {
    let Some(config) = config(&["compose.yaml"]) else { return };
    for (name, service) in services(&config) {
        // What has a fixed name or port on the host cannot be scaled.
        assert!(service["container_name"].is_null(), "{name}");
        let ports = service.get("ports").map(texts).unwrap_or_default();
        match name {
            "gateway" => assert_eq!(ports, ["127.0.0.1:8000:8000/tcp"]),
            "web" => assert_eq!(ports, ["127.0.0.1:8080:8000/tcp"]),
            _ => assert!(ports.is_empty(), "{name}: {ports:?}"),
        }
    }
    assert_eq!(config["networks"]["inside"]["internal"], true);
}

#[test]
fn what_looks_on_is_published_on_request_and_only_on_loopback() {
    let Some(config) = config(&["compose.yaml", "compose.pages.yaml"]) else { return };
    let published: Vec<&str> = services(&config)
        .values()
        .flat_map(|service| service.get("ports").map(texts).unwrap_or_default())
        .collect();
    assert_eq!(published.len(), 6);
    assert!(published.iter().all(|port| port.starts_with("127.0.0.1:")), "{published:?}");
}

#[test]
fn everything_starts_in_order_and_says_when_it_is_ready() {
    let Some(config) = config(&["compose.yaml"]) else { return };
    let services = services(&config);
    for (name, service) in &services {
        if !JOBS.contains(name) {
            assert!(service["healthcheck"]["test"].is_array(), "{name} says when it is ready");
        }
        for (needed, how) in service["depends_on"].as_object().into_iter().flatten() {
            let expected = if JOBS.contains(&needed.as_str()) {
                "service_completed_successfully"
            } else {
                "service_healthy"
            };
            assert_eq!(how["condition"], expected, "{name} needs {needed}");
        }
    }
    let needed = |name: &str| -> BTreeSet<&str> {
        services[name]["depends_on"].as_object().unwrap().keys().map(String::as_str).collect()
    };
    assert_eq!(needed("migrate"), BTreeSet::from(["mongo", "mysql", "cockroach", "postgres"]));
    assert_eq!(needed("topics"), BTreeSet::from(["kafka"]));
    for service in crate::SERVICES {
        assert_eq!(needed(service), BTreeSet::from(["migrate", "topics", "share-keys"]), "{service}");
    }
    for front in ["gateway", "web"] {
        assert_eq!(needed(front), BTreeSet::from(crate::SERVICES), "{front}");
    }
}

#[test]
fn what_must_not_be_lost_is_in_a_volume_and_every_volume_is_used() {
    let Some(config) = config(&["compose.yaml"]) else { return };
    let declared: BTreeSet<&str> =
        config["volumes"].as_object().unwrap().keys().map(String::as_str).collect();
    let mut used = BTreeSet::new();
    for (name, service) in services(&config) {
        let mounted = service.get("volumes").map(texts).unwrap_or_default();
        let sources: Vec<&str> = mounted.iter().map(|mount| mount.split(':').next().unwrap()).collect();
        if WITH_DATA.contains(&name) {
            assert!(sources.contains(&name), "{name} has a volume of its own: {sources:?}");
        }
        for source in sources {
            if source.starts_with('/') {
                assert!(Path::new(source).exists(), "{name} mounts {source}, which is not there");
            } else {
                used.insert(source.to_owned());
            }
        }
    }
    assert_eq!(declared, used.iter().map(String::as_str).collect());
}

#[test]
fn a_private_key_is_where_it_is_needed_and_nowhere_else() {
    let Some(config) = config(&["compose.yaml"]) else { return };
    let volumes = [("keys-user", "user"), ("keys-ticket", "ticket"), ("keys-web", "web"), ("keys", "keys")];
    for (volume, expected) in volumes {
        let with = services(&config).into_iter().filter(|(_, service)| {
            let mounts = service.get("volumes").map(texts).unwrap_or_default();
            mounts.iter().any(|mount| mount.split(':').next() == Some(volume))
        });
        let names: BTreeSet<&str> = with.map(|(name, _)| name).collect();
        assert_eq!(names, BTreeSet::from([expected, "share-keys"]), "{volume}");
    }
}

#[test]
fn every_image_has_its_version() {
    let Some(config) = config(&["compose.yaml"]) else { return };
    for service in services(&config).values() {
        assert_has_version(service["image"].as_str().unwrap());
    }
}

#[test]
fn there_is_no_password_without_make_env() {
    let directory = tempfile::tempdir().unwrap();
    let Some(mut command) = compose(directory.path()) else { return };
    let empty = directory.path().join("empty");
    fs::write(&empty, "").unwrap();
    let error =
        run(command.arg("--env-file").arg(&empty).args(["--file", "compose.yaml", "config"])).unwrap_err();
    assert!(error.contains("run deploy/make-env"), "{error}");
    // Every password in the file is a reference.
    let file = fs::read_to_string(root().join("deploy/compose.yaml")).unwrap();
    for line in file.lines().filter(|line| line.contains("PASSWORD") && !line.contains("test:")) {
        assert!(line.contains("PASSWORD:?run deploy/make-env}"), "{line}");
    }
}

#[test]
fn passwords_differ_are_private_and_are_never_replaced() {
    let (directory, make) = (tempfile::tempdir().unwrap(), root().join("deploy/make-env"));
    let read = |name: &str| {
        let file = directory.path().join(name);
        run(Command::new(&make).arg(&file)).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        fs::read_to_string(file).unwrap()
    };
    let (one, other) = (read("one"), read("other"));
    let lines = one.lines().chain(other.lines()).filter_map(|line| line.split_once("_PASSWORD="));
    let passwords: Vec<&str> = lines.map(|(_, password)| password).collect();
    assert!(passwords.iter().all(|password| password.len() == 48), "{passwords:?}");
    assert_eq!(passwords.iter().collect::<BTreeSet<_>>().len(), 20);
    let error = run(Command::new(&make).arg(directory.path().join("one"))).unwrap_err();
    assert!(error.contains("nothing was changed"), "{error}");
    assert_eq!(fs::read_to_string(directory.path().join("one")).unwrap(), one);
}
