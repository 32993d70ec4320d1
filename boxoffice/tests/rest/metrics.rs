//! The figures: what `/metrics` shows is what `docs/metrics.md` says, and is true.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::{Path, PathBuf},
};

use crate::fixture::{Actor, Sketch, Stage, actor::GOOD_CARD, eventually, json, play};
use kit::metrics::Described;

/// Set in the environment, the page is written instead of compared.
const UPDATE: &str = "UPDATE_METRICS";
/// What an id, an address or a name would have in it.
const TELLTALE: [&str; 2] = ["@", "019"];
/// Ends of the series of one histogram.
const OF_HISTOGRAM: [&str; 3] = ["_bucket", "_sum", "_count"];

const INTRODUCTION: &str = "\
# Figures

What `/metrics` shows, in the OpenMetrics format. A test writes this page from the registry \
(`UPDATE_METRICS=1 cargo test -p boxoffice --test rest metrics`) and fails when it is not current.

Counters begin at 0 with the process. Gauges of what is in the stores are looked up in the background every few \
seconds, within bounds: `boxoffice_looks_failed_total` grows when that fails. Several replicas of a service look at \
the same store, so take `max` of its gauges, and `sum` of counters. No label has an id, an address or a name.

**Must be 0:** `boxoffice_oversold_events`, `boxoffice_broken_bookings_total`, `boxoffice_consumer_partitions_lost`.

Dashboards are in [`deploy/grafana`](../deploy/grafana), rules and alerts in [`deploy/prometheus`](../deploy/prometheus).

| figure | kind | told apart by | what it is |
| --- | --- | --- | --- |
";

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md")
}

#[test]
fn the_page_of_figures_is_current() {
    play(async |stage| {
        let Some(mut described) = stage.described_metrics() else { return };
        described.sort_unstable();
        let mut text = INTRODUCTION.to_owned();
        for Described { name, kind, labels, help } in described {
            let labels = labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
            writeln!(text, "| `{name}` | {kind} | {labels} | {help} |").unwrap();
        }
        if std::env::var_os(UPDATE).is_some() {
            std::fs::write(page(), &text).unwrap();
        }
        let written = std::fs::read_to_string(page()).unwrap_or_default();
        assert!(written == text, "docs/metrics.md is not current: run this test with {UPDATE}=1");
    });
}

#[test]
fn names_follow_the_conventions_of_prometheus() {
    play(async |stage| {
        for Described { name, kind, labels, help } in stage.described_metrics().unwrap_or_default() {
            assert!(name.starts_with("boxoffice_"), "{name}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
            let is_plain = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            assert!(is_plain(name) && labels.iter().all(|label| is_plain(label)), "{name} {labels:?}");
            assert!(!name.contains("_ms") && !name.contains("_kb"), "{name}: base units only");
            assert!(help.len() > 10 && !help.contains('|') && !help.ends_with('.'), "{name}: {help}");
        }
    });
}

#[test]
fn what_is_shown_is_what_the_registry_describes() {
    play(async |stage| {
        let Some(described) = stage.described_metrics() else { return };
        let olga = a_sale(stage).await;
        let answer = olga.get("/metrics").await;
        let text = answer.text();
        let described: BTreeMap<_, _> =
            described.into_iter().map(|described| (described.name, described)).collect();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, _) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let whole = OF_HISTOGRAM.iter().find_map(|end| described.get(name.strip_suffix(end)?));
            let known = described.get(name).or(whole).unwrap_or_else(|| panic!("nobody described {name}"));
            let shown: BTreeSet<_> =
                labels.split("\",").filter_map(|label| label.split_once('=')).map(|(name, _)| name).collect();
            let expected: BTreeSet<_> = known.labels.iter().copied().collect();
            let shown: BTreeSet<_> = shown.into_iter().filter(|label| *label != "le").collect();
            assert_eq!(shown, expected, "{line}");
            for telltale in TELLTALE {
                assert!(!labels.contains(telltale), "a label names somebody: {line}");
            }
        }
    });
}

#[test]
fn the_figures_of_a_sale_are_true() {
    play(async |stage| {
        // The figures of a fleet are with each of its processes.
        if stage.described_metrics().is_none() {
            return;
        }
        let olga = a_sale(stage).await;
        eventually("the figures of the background looks", async || {
            let figures = Figures::read(&olga).await;
            let all = [
                // The door sold 3 free places and 2 paid ones; one wish was refused, one booking cancelled.
                (r#"boxoffice_bookings_total{status="PENDING"}"#, 3.0),
                (r#"boxoffice_bookings_total{status="BOOKED"}"#, 2.0),
                (r#"boxoffice_bookings_total{status="REJECTED"}"#, 1.0),
                (r#"boxoffice_bookings_total{status="CANCELLED"}"#, 1.0),
                ("boxoffice_saga_duration_seconds_count", 3.0),
                ("boxoffice_tickets_sold_total", 5.0),
                ("boxoffice_tickets_cancelled_total", 3.0),
                (r#"boxoffice_gross_total{currency="EUR"}"#, 25.0),
                (r#"boxoffice_payments_total{outcome="captured"}"#, 1.0),
                (r#"boxoffice_mails_total{outcome="sent"}"#, 4.0),
                (r#"boxoffice_logins_total{outcome="ok"}"#, 1.0),
                (r#"boxoffice_logins_total{outcome="wrong_credentials"}"#, 1.0),
                (r#"boxoffice_rpc_requests_total{service="ticket",rpc="CreateBooking",code="OK"}"#, 3.0),
                (r#"boxoffice_seats{state="sold"}"#, 2.0),
                (r#"boxoffice_seats{state="held"}"#, 0.0),
                (r#"boxoffice_seats{state="free"}"#, 6.0),
                (r#"boxoffice_events{status="PUBLISHED"}"#, 2.0),
                ("boxoffice_oversold_events", 0.0),
                ("boxoffice_broken_bookings_total", 0.0),
                (r#"boxoffice_parked_facts{service="event"}"#, 0.0),
                (r#"boxoffice_consumer_facts_behind{service="event",topic="ticket-event"}"#, 0.0),
                (r#"boxoffice_consumer_partitions_lost{service="event",topic="ticket-event"}"#, 0.0),
            ];
            let wrong = all.into_iter().find(|(series, value)| figures.of(series) != Some(*value));
            if let Some((series, value)) = wrong {
                println!("{series} is {:?}, not {value}", figures.of(series));
            }
            wrong.is_none().then_some(())
        })
        .await;
        let figures = Figures::read(&olga).await;
        assert!(figures.of(r#"boxoffice_commit_duration_seconds_sum{service="ticket"}"#).unwrap() > 0.0);
        assert!(figures.of(r#"boxoffice_database_bytes{service="ticket"}"#).unwrap() > 0.0);
    });
}

/// A sale with everything in it: free and paid, sold out, cancelled, a wrong password.
async fn a_sale(stage: &Stage) -> Actor {
    let olga = stage.organiser().await;
    olga.logs_in("not the password").await.expect(401);
    let free = olga.publishes(Sketch::new("Free").free("Standing", 4)).await;
    let paid = olga.publishes(Sketch::new("Paid").priced("Seated", 1_250, 4)).await;
    let booked = olga.books(&free, 3).await;
    assert_eq!(olga.books(&free, 2).await["status"], "REJECTED");
    let held = olga.books(&paid, 2).await;
    let pay = format!("/v1/bookings/{}:pay", held["id"].as_str().unwrap());
    olga.post(&pay, json!({"payment_method": GOOD_CARD})).await.expect(200);
    let cancel = format!("/v1/bookings/{}:cancel", booked["id"].as_str().unwrap());
    olga.post(&cancel, json!({})).await.expect(200);
    stage.caught_up().await;
    olga
}

/// `/metrics` by series.
struct Figures(BTreeMap<String, f64>);

impl Figures {
    async fn read(actor: &Actor) -> Self {
        let answer = actor.get("/metrics").await;
        let text = answer.text();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let split = lines.filter_map(|line| line.rsplit_once(' '));
        Self(split.map(|(series, value)| (series.to_owned(), value.parse().unwrap())).collect())
    }

    fn of(&self, series: &str) -> Option<f64> {
        self.0.get(series).copied()
    }
}
