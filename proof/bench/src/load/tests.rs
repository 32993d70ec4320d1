use std::io::{Read, Write};

use super::*;
use crate::http::Call;

/// Every answer counts.
struct Always;

impl Scenario for Always {
    type Options = ();

    const NAME: &str = "always";
    const KINDS: &[&str] = &["answer"];

    async fn set_up(_: &Target, (): &()) -> anyhow::Result<Self> {
        Ok(Self)
    }

    async fn attempt(&self, _: u64, connection: &mut Connection) -> anyhow::Result<Outcome> {
        let answer = connection.call(&Call::get("/")).await?;
        Ok(if answer.status == 200 { Outcome::Done(0) } else { Outcome::refused(&answer) })
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

fn plan(pace: Pace, milliseconds: u64, attempts: u64) -> Plan {
    let (time, long) = (Duration::from_millis(milliseconds), Duration::from_secs(60));
    Plan { connections: 1, time, pace, attempts, patience: long, lateness: long, server: None }
}

async fn drive_with_a_stall(pace: Pace) -> Tally {
    let target = Target::parse(&server(20, Duration::from_millis(300), usize::MAX)).await.unwrap();
    drive(&Always, &target, &plan(pace, 600, 120)).await.unwrap()
}

/// How many answers took longer than a machine that is merely busy explains.
fn slow(tally: &Tally) -> u64 {
    tally.done[0].latency.count_between(50_000, tally::MAX_LATENCY_US)
}

#[tokio::test]
async fn a_stall_counts_for_every_request_that_it_made_late() {
    let tally = drive_with_a_stall(Pace::Open { per_second: 200 }).await;
    assert!(slow(&tally) >= 30, "{} of {} were slow", slow(&tally), tally.done());
    assert!(tally.errors() == 0 && tally.done() >= 60, "{} answered", tally.done());
}

#[tokio::test]
async fn a_closed_loop_sees_a_stall_once() {
    let tally = drive_with_a_stall(Pace::Closed).await;
    assert!((1..10).contains(&slow(&tally)), "{} were slow", slow(&tally));
    assert_eq!(tally.done(), 120);
}

#[tokio::test]
async fn a_server_that_goes_away_is_an_error_and_not_an_answer() {
    let target = Target::parse(&server(usize::MAX, Duration::ZERO, 10)).await.unwrap();
    let tally = drive(&Always, &target, &plan(Pace::Closed, 2_000, 15)).await.unwrap();
    assert_eq!((tally.done(), tally.broken), (10, 5), "{:?}", tally.described);
}

#[tokio::test]
async fn a_client_hangs_up_when_its_patience_ends() {
    let target = Target::parse(&server(0, Duration::from_secs(5), 1)).await.unwrap();
    let patience = Duration::from_millis(50);
    let plan = Plan { patience, ..plan(Pace::Closed, 2_000, 1) };
    let tally = drive(&Always, &target, &plan).await.unwrap();
    assert_eq!((tally.gave_up, tally.unknown()), (1, 1));
    assert!(tally.took < Duration::from_secs(2), "{:?}", tally.took);
}
