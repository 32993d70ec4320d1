//! The connectors of Debezium: what they read, and what the router for MongoDB makes of it. The router for tables is
//! tested with a running connector, in `drivers/kafka`.

use std::{collections::BTreeMap, fs};

use serde_json::Value;

use crate::root;

fn connectors() -> BTreeMap<String, BTreeMap<String, String>> {
    let files = fs::read_dir(root().join("deploy/debezium")).unwrap().map(|entry| entry.unwrap().path());
    let connectors = files.filter(|file| file.extension().is_some_and(|ending| ending == "json"));
    let read = |file: std::path::PathBuf| {
        let settings: BTreeMap<String, String> =
            serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        (file.file_stem().unwrap().to_str().unwrap().to_owned(), settings)
    };
    connectors.map(read).collect()
}

#[test]
fn a_connector_reads_the_outbox_of_one_service_and_knows_no_password() {
    let connectors = connectors();
    let names: Vec<&str> = connectors.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["event-mongodb", "feedback-postgres", "ticket-mariadb", "ticket-mysql", "user-mongodb"]
    );
    for (name, settings) in &connectors {
        let service = name.split('-').next().unwrap();
        assert_eq!(settings["topic.prefix"], service);
        for (setting, value) in settings.iter().filter(|(setting, _)| {
            setting.ends_with("password")
                || setting.ends_with("user")
                || setting.ends_with("connection.string")
        }) {
            let expected = format!("${{env:{}_CDC_", service.to_uppercase());
            assert!(value.starts_with(&expected), "{name}: {setting}={value}");
        }
        // Facts are in tables of topics; others that begin alike have no facts, and stop the router.
        let captured =
            settings.get("table.include.list").or(settings.get("collection.include.list")).unwrap();
        assert!(captured.ends_with(r"\.outbox_.*_(event|data)"), "{name}: {captured}");
        assert_eq!(settings["transforms.outbox.route.topic.replacement"], "${routedByValue}");
        for converter in ["key.converter", "value.converter", "header.converter"] {
            assert_eq!(settings[converter], "org.apache.kafka.connect.storage.StringConverter", "{name}");
        }
    }
}

/// A document of the outbox, as the store on MongoDB writes it.
fn document(traceparent: &Value) -> String {
    let document = serde_json::json!({
        "_id": "00000000000000000007",
        "id": "01980000-0000-7000-8000-000000000001",
        "aggregatetype": "visit-event",
        "aggregateid": "event-1",
        "type": "event.visited",
        "source": "event",
        "payload": "{\"title\":\"Käthchen\"}",
        "time_us": {"$numberLong": "1800000000123456"},
        "traceparent": traceparent,
    });
    document.to_string()
}

#[test]
fn a_document_becomes_the_record_that_the_relay_would_publish() {
    if engines::or_not_tested("Debezium", engines::debezium::jars()).is_none() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let connector = &connectors()["event-mongodb"];
    let router: String = connector
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix("transforms.outbox.")?, value)))
        .filter(|(name, _)| *name != "type")
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    let route = |document: &str, operation: &str| {
        engines::debezium::route_document(directory.path(), &router, document, operation)
    };
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let record = |traceparent: &str| {
        vec![
            "topic=visit-event".to_owned(),
            "key=event-1".to_owned(),
            "value={\"title\":\"Käthchen\"}".to_owned(),
            "id=01980000-0000-7000-8000-000000000001".to_owned(),
            "ce_id=01980000-0000-7000-8000-000000000001".to_owned(),
            "ce_type=event.visited".to_owned(),
            "ce_source=event".to_owned(),
            "ce_time=1800000000123456".to_owned(),
            format!("traceparent={traceparent}"),
        ]
    };
    assert_eq!(route(&document(&trace.into()), "c").unwrap(), record(trace));
    assert_eq!(route(&document(&Value::Null), "c").unwrap(), record("null"));
    assert_eq!(route(&document(&Value::Null), "d").unwrap(), Vec::<String>::new(), "what goes is no fact");
    // The store must write the field even when there is no trace.
    let without =
        document(&Value::Null).replace(",\"traceparent\":null", "").replace("\"traceparent\":null,", "");
    assert!(!without.contains("traceparent"));
    assert!(route(&without, "c").unwrap_err().to_string().contains("traceparent is not a valid field name"));
}
