//! Prometheus reads the running program, its rules are evaluated, and an alert reaches who is to be told.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Json, Router, extract::State, routing::post};
use engines::prometheus::{self, Alertmanager, Prometheus};
use serde_json::Value;

use crate::support::{Home, Visitor};

/// The longest that anything may take; a machine that is busy with other tests is slow.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(200);

type Told = Arc<Mutex<Vec<Value>>>;

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_reads_the_figures_and_an_alert_is_delivered() {
    if !prometheus::is_here() {
        return;
    }
    let home = Home::new();
    let running = home.up();
    let told = Told::default();
    let receiver = listen(Arc::clone(&told)).await;
    let alerts = Alertmanager::start(home.directory(), &alertmanager(receiver)).unwrap();
    let target = running.url.strip_prefix("http://").unwrap().to_owned();
    let server = Prometheus::start(home.directory(), &configuration(&home, &target, alerts.port)).unwrap();

    is(&server, r#"up{job="boxoffice"}"#, "1");
    let vera = Visitor::register(&running.url, "vera").await;
    let sale = vera.publish(5, 0).await;
    vera.book(&sale, "one").await;
    vera.book(&sale, "two").await;
    is(&server, r#"boxoffice_bookings_total{status="BOOKED"}"#, "2");
    is(&server, "boxoffice_tickets_sold_total", "2");
    is(&server, "boxoffice_oversold_events", "0");
    is(&server, r#"boxoffice_seats{state="sold"}"#, "2");
    is(
        &server,
        r#"sum(boxoffice_rpc_requests_total{service="ticket", rpc="CreateBooking", code="OK"})"#,
        "2",
    );
    // A rule that is made of others.
    is(&server, r#"boxoffice:consumer_facts_behind:max{service="event", topic="ticket-event"}"#, "0");
    assert!(told.lock().unwrap().is_empty(), "nothing is wrong: {told:?}");

    running.stop();
    let page = eventually("an alert is delivered", || {
        let told = told.lock().unwrap();
        let mut alerts = told.iter().flat_map(|message| message["alerts"].as_array().into_iter().flatten());
        alerts.find(|alert| alert["labels"]["alertname"] == "BoxofficeDown").cloned()
    });
    assert_eq!(page["labels"]["severity"], "page");
    assert_eq!(page["status"], "firing");
    assert_eq!(page["annotations"]["summary"], format!("{target} does not answer"));
}

/// Waits until an expression has this value.
fn is(server: &Prometheus, expression: &str, value: &str) {
    let what = format!("{expression} is {value}");
    eventually(&what, || {
        let answer = server.query(expression).unwrap();
        let values: Vec<_> = answer.lines().filter_map(|line| line.split(" => ").nth(1)).collect();
        // Another time stands behind each value.
        let as_expected = |shown: &&str| shown.split_whitespace().next() == Some(value);
        (values.len() == 1 && values.iter().all(as_expected)).then_some(())
    });
}

fn eventually<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "it never came about: {what}");
        // The receiver of alerts runs meanwhile.
        tokio::task::block_in_place(|| std::thread::sleep(LOOK_EVERY));
    }
}

/// Who is told; kept until the test ends.
async fn listen(told: Told) -> SocketAddr {
    let note =
        async |State(told): State<Told>, Json(message): Json<Value>| told.lock().unwrap().push(message);
    let router = Router::new().route("/pages", post(note)).route("/tickets", post(note)).with_state(told);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name)
}

/// The configuration that is shipped, told at once and here.
fn alertmanager(receiver: SocketAddr) -> String {
    let shipped = fs::read_to_string(deploy("alertmanager/alertmanager.yml")).unwrap();
    let here = shipped.replace("alert-receiver:8080", &receiver.to_string());
    assert_ne!(here, shipped);
    here.replace("group_wait: 30s", "group_wait: 1s").replace("group_wait: 10s", "group_wait: 1s")
}

/// Scrapes one target each second, with the rules that are shipped. Alerts do not wait.
fn configuration(home: &Home, target: &str, alertmanager: u16) -> String {
    for name in ["recording.yml", "alerts.yml"] {
        let rules = fs::read_to_string(deploy("prometheus/rules").join(name)).unwrap();
        let at_once = rules.lines().filter(|line| !line.trim_start().starts_with("for:"));
        home.write(name, &at_once.collect::<Vec<_>>().join("\n"));
    }
    format!(
        "global:\n  scrape_interval: 1s\n  evaluation_interval: 1s\n\
         rule_files: [recording.yml, alerts.yml]\n\
         alerting:\n  alertmanagers:\n  - static_configs:\n    - targets: ['127.0.0.1:{alertmanager}']\n\
         scrape_configs:\n- job_name: boxoffice\n  static_configs:\n  - targets: ['{target}']\n"
    )
}
