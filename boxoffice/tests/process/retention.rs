//! Facts that every service has processed go from the outboxes; the platform goes on, and audits clean.

use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::support::{Home, Sale, Visitor};

/// How long the program may take to notice that facts may go.
const TRIM_TIMEOUT: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(50);

#[tokio::test]
async fn facts_of_the_last_days_are_kept_by_default() {
    let home = Home::new();
    let running = home.up();
    let visitor = Visitor::register(&running.url, "vera").await;
    sell(&visitor, 3).await;
    running.stop();
    let running = home.up();
    // Long enough for a trim to have happened, if it was going to.
    tokio::time::sleep(Duration::from_secs(2)).await;
    running.stop();
    assert_eq!(facts(&home, "ticket", "ticket_event"), 3);
    assert_eq!(facts(&home, "event", "ticket_status_event"), 3);
}

#[tokio::test]
async fn a_trimmed_platform_restarts_goes_on_and_audits_clean() {
    let home = Home::new();
    home.write("boxoffice.toml", "keep_facts_days = 0\n");
    let running = home.up();
    let visitor = Visitor::register(&running.url, "vera").await;
    let (sale, bookings) = sell(&visitor, 3).await;
    running.stop();

    let running = home.up();
    trimmed(&home).await;
    let visitor = visitor.sign_in(&running.url).await;
    visitor.book(&sale, "another").await;
    assert_eq!(visitor.sold(&sale).await, 4);
    // A booking whose facts are gone is cancelled like any other.
    let cancel = format!("/v1/bookings/{}:cancel", bookings[0]);
    let (status, cancelled) = visitor.post(&cancel, &serde_json::json!({})).await;
    assert_eq!((status.as_u16(), &cancelled["status"]), (200, &"CANCELLED".into()), "{cancelled}");
    running.stop();
    let audited = home.audit().succeeded();
    assert!(audited.out.contains("audit clean: 1 events, 4 bookings, 3 of them BOOKED"), "{audited:?}");

    // The positions go on where they were, also when almost nothing is left.
    let running = home.up();
    trimmed(&home).await;
    visitor.sign_in(&running.url).await.book(&sale, "one more").await;
    running.stop();
    let audited = home.audit().succeeded();
    assert!(audited.out.contains("5 bookings, 4 of them BOOKED"), "{audited:?}");
}

#[tokio::test]
async fn a_store_that_is_older_than_what_is_kept_is_named_and_skips_nothing() {
    let home = Home::new();
    home.write("boxoffice.toml", "keep_facts_days = 0\n");
    home.up().stop();
    let old = std::fs::read(home.data().join("analytics.db")).unwrap();
    let running = home.up();
    let visitor = Visitor::register(&running.url, "vera").await;
    let (sale, _) = sell(&visitor, 3).await;
    running.stop();
    let running = home.up();
    trimmed(&home).await;
    running.stop();
    std::fs::write(home.data().join("analytics.db"), old).unwrap();

    let said = "the facts of ticket-event/ticket up to 2 are no longer kept, and this reader is only at 0";
    let audited = home.audit();
    assert_eq!(audited.code, Some(1), "{audited:?}");
    assert!(audited.out.contains(&format!("VIOLATION: analytics: {said}")), "{audited:?}");

    // Selling goes on, and analytics stays where it is.
    let running = home.up();
    let until = Instant::now() + TRIM_TIMEOUT;
    while !running.err().contains(said) {
        assert!(Instant::now() < until, "does not say so: {}", running.err());
        tokio::time::sleep(LOOK_EVERY).await;
    }
    visitor.sign_in(&running.url).await.book(&sale, "another").await;
    running.stop();
    let positions = open(&home, "analytics");
    let sql = "SELECT count(*) FROM positions WHERE topic = 'ticket-event'";
    let moved: i64 = positions.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(moved, 0);
}

async fn sell(visitor: &Visitor, count: u32) -> (Sale, Vec<String>) {
    let sale = visitor.publish(10, 0).await;
    let mut bookings = Vec::new();
    for number in 0..count {
        let booking = visitor.book(&sale, &number.to_string()).await;
        bookings.push(booking["id"].as_str().unwrap().to_owned());
    }
    (sale, bookings)
}

/// Waits until the newest fact is the only one that is left of each topic of the saga.
async fn trimmed(home: &Home) {
    let until = Instant::now() + TRIM_TIMEOUT;
    while facts(home, "ticket", "ticket_event") > 1 || facts(home, "event", "ticket_status_event") > 1 {
        assert!(Instant::now() < until, "the outboxes are not trimmed");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    assert!(facts(home, "event", "upsert_data") >= 1, "the newest fact of each event stays");
}

fn facts(home: &Home, service: &str, topic: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM outbox_{topic}");
    open(home, service).query_row(&sql, [], |row| row.get(0)).unwrap()
}

fn open(home: &Home, service: &str) -> Connection {
    let path = home.data().join(format!("{service}.db"));
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}
