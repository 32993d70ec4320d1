//! `boxoffice audit`: clean after use, and not to be fooled.

use rusqlite::Connection;

use crate::support::{Home, Sale, Visitor};

#[tokio::test]
async fn a_fresh_directory_and_a_used_one_are_clean() {
    let home = Home::new();
    home.up().stop();
    let fresh = home.audit().succeeded();
    assert!(fresh.out.contains("audit clean: 0 events, 0 bookings"), "{fresh:?}");

    sell_three(&home).await;
    let used = home.audit().succeeded();
    assert!(used.out.contains("audit clean: 1 events, 3 bookings, 2 of them BOOKED"), "{used:?}");
    // An audit changes nothing, so it can be repeated.
    assert_eq!(home.audit().succeeded().out, used.out);
}

#[tokio::test]
async fn a_directory_in_use_is_not_audited() {
    let home = Home::new();
    let running = home.up();
    home.audit().refused(&[&home.data_arg(), "in use by a running Boxoffice", "stop it first"]);
    running.stop();
}

#[test]
fn a_directory_of_something_else_is_not_audited() {
    let home = Home::new();
    home.audit().refused(&[&home.data_arg(), "is not a data directory of Boxoffice"]);
    assert!(!home.data().exists(), "an audit makes nothing");
}

#[tokio::test]
async fn a_tampered_row_is_named() {
    let home = Home::new();
    let (sale, booking) = sell_three(&home).await;
    let event = format!("event {}", sale.event_id);
    let booking_row = format!("booking {booking}");
    for (database, change, named) in [
        ("event.db", "UPDATE inventory SET state = json_set(state, '$.stocks[0].sold', 1)", &event),
        ("event.db", "UPDATE inventory SET state = json_set(state, '$.stocks[0].sold', 3)", &event),
        ("ticket.db", "UPDATE booking SET state = json_set(state, '$.status', 'REJECTED')", &booking_row),
        ("ticket.db", "UPDATE booking SET state = json_set(state, '$.tickets', json('[]'))", &booking_row),
        ("ticket.db", "DELETE FROM booking", &booking_row),
        ("event.db", "DELETE FROM hold", &booking_row),
    ] {
        let undo = tamper(&home, database, change);
        let found = home.audit();
        assert_eq!(found.code, Some(1), "{change}: {found:?}");
        let is_named = found.out.lines().any(|line| line.starts_with("VIOLATION") && line.contains(named));
        assert!(is_named, "{change} does not name {named}: {found:?}");
        undo();
    }
    home.audit().succeeded();
}

#[tokio::test]
async fn a_database_that_is_none_is_named() {
    let home = Home::new();
    home.up().stop();
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(home.data().join(format!("ticket.db{end}")));
    }
    std::fs::write(home.data().join("ticket.db"), "this is not a database, whatever its name says").unwrap();
    home.audit().refused(&["ticket.db"]);
    let data = home.data_arg();
    home.run(&["up", "--listen", "127.0.0.1:0", "--data-dir", &data]).refused(&["ticket.db"]);
}

/// Two places, three buyers: the sale and a booking that is BOOKED.
async fn sell_three(home: &Home) -> (Sale, String) {
    let running = home.up();
    let visitor = Visitor::register(&running.url, "vera").await;
    let sale = visitor.publish(2, 0).await;
    let first = visitor.book(&sale, "1").await;
    let second = visitor.book(&sale, "2").await;
    let third = visitor.book(&sale, "3").await;
    let statuses = [&first, &second, &third].map(|booking| booking["status"].as_str().unwrap());
    assert_eq!(statuses, ["BOOKED", "BOOKED", "REJECTED"]);
    running.stop();
    (sale, first["id"].as_str().unwrap().to_owned())
}

/// Changes a database; the answer puts it back.
fn tamper(home: &Home, database: &str, change: &str) -> impl FnOnce() {
    let path = home.data().join(database);
    let connection = Connection::open(&path).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let whole: Vec<u8> = std::fs::read(&path).unwrap();
    assert!(connection.execute(change, []).unwrap() > 0, "{change} changes nothing");
    drop(connection);
    move || {
        for end in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", path.display()));
        }
        std::fs::write(&path, whole).unwrap();
    }
}
