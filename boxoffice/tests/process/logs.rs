//! The log for machines: one JSON object to a line, findable by the trace id that a client is told.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Home, Running, Visitor};

const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

#[tokio::test]
async fn what_goes_wrong_long_after_a_request_is_found_by_its_trace_id() {
    let home = Home::new();
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let data = home.data_arg();
    let mut command = home.command(&["up", "--listen", "127.0.0.1:0", "--data-dir", &data]);
    // Nobody takes the mail, so the courier complains.
    command.env("BOXOFFICE_SMTP_URL", format!("smtp://{nowhere}")).env("BOXOFFICE_LOG_FORMAT", "json");
    let mut running = Running::start(command);
    let vera = Visitor::register(&running.url, "vera-vandermeer").await;
    let sale = vera.publish(5, 0).await;
    let lines = json!([{ "ticket_type_id": sale.ticket_type_id, "quantity": 1 }]);
    let body = json!({ "event_id": sale.event_id, "lines": lines });
    let answer = vera.request(Method::POST, "/v1/bookings").header("Prefer", "wait=10").json(&body);
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let trace_id = answer.headers()["traceparent"].to_str().unwrap()[3..35].to_owned();

    let until = Instant::now() + PATIENCE;
    let complaint = loop {
        let log = running.err();
        let mut objects = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        if let Some(found) = objects.find(|line| line["message"] == "a mail was not taken") {
            break found;
        }
        assert!(Instant::now() < until, "nobody complains: {log}");
        tokio::time::sleep(LOOK_EVERY).await;
    };
    assert_eq!(complaint["span"]["trace_id"], trace_id, "{complaint}");
    assert_eq!(complaint["level"], "WARN");
    running.signal(rustix::process::Signal::TERM);
    assert!(running.wait().success());
    for line in running.err().lines().filter(|line| !line.starts_with("Stopping")) {
        let object: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        assert!(object["timestamp"].is_string() && object["message"].is_string(), "{line}");
        for personal in ["vera-vandermeer", "visitor.example"] {
            assert!(!line.contains(personal), "the log names somebody: {line}");
        }
    }
}
