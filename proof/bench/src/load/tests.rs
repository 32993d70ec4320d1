use std::io::{Read, Write};

use hyper::StatusCode;
use serde_json::{Map, Value};

use super::*;
use crate::{
    cli::Cli,
    client::{Answer, Call},
};

fn schedule(pace: Pace, attempts: u64) -> Schedule {
    let plan = Plan { connections: 1, time: Duration::from_secs(2), pace, attempts };
    Schedule { plan, start: Instant::now(), next: Cell::new(0) }
}

#[test]
fn an_open_loop_fixes_its_instants_before_the_run() {
    let schedule = schedule(Pace::Open { per_second: 4 }, u64::MAX);
    let taken: Vec<_> = std::iter::from_fn(|| schedule.take()).collect();
    let due: Vec<_> = taken.iter().map(|(_, due)| (due.unwrap() - schedule.start).as_millis()).collect();
    assert_eq!(due, [0, 250, 500, 750, 1_000, 1_250, 1_500, 1_750]);
    assert_eq!(schedule.unsent(), 0);
}

#[test]
fn what_was_due_and_not_sent_is_known() {
    let schedule = schedule(Pace::Open { per_second: 100 }, 150);
    schedule.take().unwrap();
    assert_eq!(schedule.unsent(), 149);
}

#[test]
fn a_closed_loop_ends_with_its_attempts() {
    let schedule = schedule(Pace::Closed, 3);
    let taken: Vec<_> = std::iter::from_fn(|| schedule.take()).collect();
    assert_eq!(taken, [(0, None), (1, None), (2, None)]);
}

#[test]
fn only_decided_answers_have_a_latency() {
    let mut tally = Tally::new().unwrap();
    for outcome in [Outcome::Booked, Outcome::Rejected, Outcome::Other, Outcome::Failed] {
        tally.count(outcome, Duration::from_millis(3));
    }
    assert_eq!((tally.latency.len(), tally.errors()), (2, 1));
}

/// Every answer is a booking.
struct Always;

impl Scenario for Always {
    const NAME: &str = "always";

    async fn set_up(_: &Target, _: &Cli) -> anyhow::Result<Self> {
        Ok(Self)
    }

    fn call(&self, _: u64) -> Call {
        Call::get("/").unwrap()
    }

    fn judge(&self, _: u64, answer: &Answer) -> Outcome {
        if answer.status == StatusCode::OK { Outcome::Booked } else { Outcome::Failed }
    }

    async fn check(&mut self, _: &Tally) -> anyhow::Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn details(&self) -> Map<String, Value> {
        Map::new()
    }
}

/// Answers each request on one connection at once, but for a stall at one of them; its address.
fn server(stall_at: usize, stall: Duration, answers: usize) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut received = Vec::new();
        for number in 0..answers {
            while !received.ends_with(b"\r\n\r\n") {
                let mut part = [0; 1_024];
                match stream.read(&mut part) {
                    Ok(0) | Err(_) => return,
                    Ok(length) => received.extend(&part[..length]),
                }
            }
            received.clear();
            if number == stall_at {
                std::thread::sleep(stall);
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
        }
    });
    url
}

async fn drive_with_a_stall(pace: Pace) -> Tally {
    let target = Target::parse(&server(20, Duration::from_millis(300), usize::MAX)).await.unwrap();
    let plan = Plan { connections: 1, time: Duration::from_millis(600), pace, attempts: 120 };
    drive(&Always, &target, &plan).await.unwrap()
}

/// How many answers took longer than a machine that is merely busy explains.
fn slow(tally: &Tally) -> u64 {
    tally.latency.count_between(50_000, MAX_LATENCY_US)
}

#[tokio::test]
async fn a_stall_counts_for_every_request_that_it_made_late() {
    let tally = drive_with_a_stall(Pace::Open { per_second: 200 }).await;
    assert!(slow(&tally) >= 30, "{} of {} were slow", slow(&tally), tally.latency.len());
    assert!(tally.errors() == 0 && tally.booked >= 60, "{} booked", tally.booked);
}

#[tokio::test]
async fn a_closed_loop_sees_a_stall_once() {
    let tally = drive_with_a_stall(Pace::Closed).await;
    assert!((1..10).contains(&slow(&tally)), "{} were slow", slow(&tally));
    assert_eq!(tally.booked, 120);
}

#[tokio::test]
async fn a_server_that_goes_away_is_an_error_and_not_an_answer() {
    let target = Target::parse(&server(usize::MAX, Duration::ZERO, 10)).await.unwrap();
    let plan = Plan { connections: 1, time: Duration::from_secs(2), pace: Pace::Closed, attempts: 15 };
    let tally = drive(&Always, &target, &plan).await.unwrap();
    assert_eq!((tally.booked, tally.unknown), (10, 5), "{:?}", tally.described);
}
