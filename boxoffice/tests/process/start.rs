//! `boxoffice up`: ready in seconds, alone on its directory and its port.

use std::time::{Duration, Instant};

use crate::support::{Home, Ran, Visitor};

/// A busy machine and an unoptimised program take longer than a user would wait.
const SECONDS: Duration = Duration::from_secs(10);

#[tokio::test]
async fn up_prints_its_url_and_is_ready_within_seconds() {
    let home = Home::new();
    let start = Instant::now();
    let running = home.up();
    let anonymous = Visitor::known(&running.url, "", "");
    for path in ["/healthz", "/readyz", "/openapi.json", "/v1/events"] {
        let (status, body) = anonymous.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
    }
    assert!(start.elapsed() < SECONDS, "ready after {:?}", start.elapsed());
    let printed = running.out();
    let port: u16 = running.url.rsplit_once(':').unwrap().1.parse().unwrap();
    assert!(port > 0 && printed.starts_with(&format!("Boxoffice is ready at http://127.0.0.1:{port}\n")));
    for part in ["/docs", &home.data_arg(), "mail"] {
        assert!(printed.contains(part), "does not say {part}: {printed}");
    }
    running.stop();
}

#[tokio::test]
async fn a_second_up_on_the_same_directory_is_refused() {
    let home = Home::new();
    let running = home.up();
    let data = home.data_arg();
    home.run(&["up", "--listen", "127.0.0.1:0", "--data-dir", &data]).refused(&[
        &data,
        "in use by a running Boxoffice",
        "--data-dir",
    ]);
    // The first one is not disturbed.
    Visitor::known(&running.url, "", "").see("/readyz").await;
    running.stop();
}

#[tokio::test]
async fn a_port_in_use_is_named_with_the_way_out() {
    let home = Home::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = home.data_arg();
    home.run(&["up", "--listen", &address, "--data-dir", &data]).refused(&[
        &address,
        "is another program using it",
        "--listen",
    ]);
    assert!(!home.data().exists(), "nothing is made when the program cannot start");
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let home = Home::new();
    let file = home.write("file", "not a directory").display().to_string();
    home.run(&["up", "--listen", "127.0.0.1:0", "--data-dir", &file]).refused(&[&file]);
}

#[tokio::test]
async fn what_was_sold_is_there_after_a_restart() {
    let home = Home::new();
    let running = home.up();
    let visitor = Visitor::register(&running.url, "vera").await;
    let sale = visitor.publish(10, 0).await;
    let booked = visitor.book(&sale, "first").await;
    running.stop();

    let running = home.up();
    // The key that signs tokens is kept, so nobody is signed out by a restart.
    let mut back = Visitor::known(&running.url, &visitor.email, &visitor.password);
    back.access_token.clone_from(&visitor.access_token);
    let path = format!("/v1/bookings/{}", booked["id"].as_str().unwrap());
    assert_eq!(back.see(&path).await["status"], "BOOKED");
    assert_eq!(back.sold(&sale).await, 1);
    // So is the answer to a request.
    assert_eq!(back.book(&sale, "first").await["id"], booked["id"]);
    running.stop();
}

#[tokio::test]
async fn a_demo_can_be_signed_in_to_and_started_again() {
    let home = Home::new();
    let first = home.up_with(&["--demo"]);
    let accounts = demo_accounts(&first.out());
    let events = Visitor::known(&first.url, "", "").list("/v1/events", "events").await;
    assert!(events.len() >= 5, "{} sample events", events.len());
    first.stop();

    let second = home.up_with(&["--demo"]);
    assert_eq!(demo_accounts(&second.out()), accounts, "the same accounts and password");
    let (organizer, buyer, password) = accounts;
    let organizer = Visitor::known(&second.url, &organizer, &password).sign_in(&second.url).await;
    let own = organizer.list("/v1/events?organizer_id=me", "events").await;
    assert_eq!(own.len(), events.len(), "a second start adds nothing");
    Visitor::known(&second.url, &buyer, &password).sign_in(&second.url).await;
    second.stop();
    home.audit().succeeded();
}

/// Organiser, buyer and password as they are printed.
fn demo_accounts(printed: &str) -> (String, String, String) {
    let line = printed.lines().find_map(|line| line.trim().strip_prefix("demo accounts"));
    let (accounts, password) = line.unwrap().trim().split_once(", password ").unwrap();
    let (organizer, buyer) = accounts.split_once(" and ").unwrap();
    (organizer.to_owned(), buyer.to_owned(), password.to_owned())
}

#[tokio::test]
async fn an_admin_is_made_on_a_stopped_platform() {
    let home = Home::new();
    let data = home.data_arg();
    let running = home.up();
    let visitor = Visitor::register(&running.url, "ada").await;
    home.run(&["grant-admin", &visitor.email, "--data-dir", &data])
        .refused(&["in use by a running Boxoffice"]);
    running.stop();

    home.run(&["grant-admin", "nobody@visitor.example", "--data-dir", &data]).refused(&["nobody@"]);
    let Ran { out, .. } = home.run(&["grant-admin", &visitor.email, "--data-dir", &data]).succeeded();
    assert!(out.contains(&visitor.email), "{out}");
    let running = home.up();
    let me = visitor.sign_in(&running.url).await.see("/v1/users/me").await;
    assert!(me["roles"].as_array().unwrap().contains(&"ADMIN".into()), "{me}");
    running.stop();
}
