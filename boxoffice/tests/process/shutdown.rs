//! Stopping: what was taken in is answered, and nothing is done that is not answered.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Home, Running, Sale, Visitor};

/// A test card whose payment is not answered for some seconds.
const SLOW_CARD: &str = "4000000000000044";
const SLOW_PAYMENTS: usize = 4;
const BUYERS_AT_ONCE: usize = 32;

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_answers_every_request_that_was_taken_in() {
    is_drained_by(Signal::TERM).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigint_answers_every_request_that_was_taken_in() {
    is_drained_by(Signal::INT).await;
}

/// Slow payments are certainly under way when the signal comes; bookings are at every stage.
async fn is_drained_by(signal: Signal) {
    let home = Home::new();
    let mut running = home.up();
    let visitor = Visitor::register(&running.url, "vera").await;
    let paid = visitor.publish(100, 2_000).await;
    let free = visitor.publish(100_000, 0).await;
    let payments = start_payments(&visitor, &paid).await;
    let buyers = start_buyers(&visitor, &free);
    tokio::time::sleep(Duration::from_millis(700)).await;

    running.signal(signal);
    let mut answered = 0;
    for buyer in buyers {
        answered += buyer.await.unwrap();
    }
    for payment in payments {
        let (status, body) = payment.await.unwrap().expect("a payment that was taken in is answered");
        assert!(status.is_success(), "{status} {body}");
    }
    assert_eq!(running.wait().code(), Some(0), "{}", running.err());
    assert!(!running.err().contains("did not finish in time"), "{}", running.err());

    home.audit().succeeded();
    let sold = sold_after_restart(&home, &visitor, &free).await;
    assert!(answered > 0, "some bookings were answered");
    assert_eq!(sold, answered, "each booking was answered, and each answered booking is there");
}

type Answers = tokio::task::JoinHandle<reqwest::Result<(reqwest::StatusCode, Value)>>;

/// Payments that are sure to be running, because their bookings say so.
async fn start_payments(visitor: &Visitor, sale: &Sale) -> Vec<Answers> {
    let mut started = Vec::new();
    for number in 0..SLOW_PAYMENTS {
        let booking = visitor.book(sale, &format!("slow-{number}")).await;
        let id = booking["id"].as_str().unwrap().to_owned();
        let pay = visitor.request(reqwest::Method::POST, &format!("/v1/bookings/{id}:pay"));
        let pay = pay.json(&json!({ "payment_method": SLOW_CARD }));
        started.push(tokio::spawn(async move {
            let response = pay.send().await?;
            Ok((response.status(), response.json().await?))
        }));
        while visitor.see(&format!("/v1/bookings/{id}")).await["payments"] == json!([]) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    started
}

/// Buyers who book until the platform no longer takes their requests; each says how many were BOOKED.
fn start_buyers(visitor: &Visitor, sale: &Sale) -> Vec<tokio::task::JoinHandle<u64>> {
    let buyer = |number: usize| {
        let (visitor, sale) = (visitor.clone(), sale.clone());
        tokio::spawn(async move {
            let mut booked = 0;
            while let Ok((status, booking)) = visitor.try_book(&sale, &format!("b-{number}-{booked}")).await {
                assert_eq!((status.as_u16(), &booking["status"]), (201, &json!("BOOKED")), "{booking}");
                booked += 1;
            }
            booked
        })
    };
    (0..BUYERS_AT_ONCE).map(buyer).collect()
}

async fn sold_after_restart(home: &Home, visitor: &Visitor, sale: &Sale) -> u64 {
    let running: Running = home.up();
    let sold = Visitor::known(&running.url, &visitor.email, "").sold(sale).await;
    running.stop();
    sold
}

#[tokio::test]
async fn idle_connections_do_not_hold_up_the_stop() {
    let home = Home::new();
    let mut running = home.up();
    let address = running.url.strip_prefix("http://").unwrap().to_owned();
    // One that never said anything, and one that is kept alive after an answer.
    let silent = std::net::TcpStream::connect(&address).unwrap();
    let visitor = Visitor::known(&running.url, "", "");
    visitor.see("/healthz").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let start = std::time::Instant::now();
    running.signal(Signal::TERM);
    assert_eq!(running.wait().code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(5), "stopped after {:?}", start.elapsed());
    drop(silent);
}
