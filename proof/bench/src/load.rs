//! Putting the load on: connections that take numbered requests, and a histogram of their answers.
//!
//! In an open loop each request is due at an instant that was fixed before the run. When the server
//! stalls, requests become late, and the wait counts: it is what a client would have seen.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use futures_util::future::join_all;
use hdrhistogram::Histogram;
use hyper::StatusCode;
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    client::Connection,
    scenario::{Outcome, Scenario},
    target::Target,
};

/// Latencies up to this are told apart; longer ones count as this long.
const MAX_LATENCY_US: u64 = 120_000_000;
/// The significant digits of a latency.
const LATENCY_DIGITS: u8 = 3;
/// The pause after a failed request, so that a server that is gone is not asked in a busy loop.
const FAILURE_PAUSE: Duration = Duration::from_millis(10);
/// How many failures are described.
const MAX_DESCRIBED: usize = 5;

/// How the load is put on.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How many connections.
    pub connections: u32,
    /// How long requests are sent.
    pub time: Duration,
    /// When each request is sent.
    pub pace: Pace,
    /// The most requests.
    pub attempts: u64,
}

/// When a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// When the connection has the answer to its last one.
    Closed,
    /// At its instant.
    Open {
        /// So many are due in a second.
        per_second: u64,
    },
}

/// What came of the load.
pub struct Tally {
    /// Answers by outcome.
    pub booked: u64,
    /// Refusals that belong to the scenario.
    pub rejected: u64,
    /// Other successes.
    pub other: u64,
    /// Answers that the scenario does not expect.
    pub failed: u64,
    /// Of them, those that say that the server is busy.
    pub busy: u64,
    /// Requests without an answer: whether they were carried out is not known.
    pub unknown: u64,
    /// Requests that were due in time and not sent in time.
    pub unsent: u64,
    /// Of decided answers, in microseconds.
    pub latency: Histogram<u64>,
    /// From the first request to the last answer.
    pub took: Duration,
    /// What the first failures were.
    pub described: Vec<String>,
}

impl Tally {
    fn new() -> anyhow::Result<Self> {
        let latency = Histogram::new_with_bounds(1, MAX_LATENCY_US, LATENCY_DIGITS)?;
        let (booked, rejected, other, failed, busy, unknown, unsent) = (0, 0, 0, 0, 0, 0, 0);
        let (took, described) = (Duration::ZERO, Vec::new());
        Ok(Self { booked, rejected, other, failed, busy, unknown, unsent, latency, took, described })
    }

    /// Failed and unanswered requests.
    pub fn errors(&self) -> u64 {
        self.failed + self.unknown
    }

    fn count(&mut self, outcome: Outcome, took: Duration) {
        match outcome {
            Outcome::Booked => self.booked += 1,
            Outcome::Rejected => self.rejected += 1,
            Outcome::Other => self.other += 1,
            Outcome::Failed => self.failed += 1,
        }
        if matches!(outcome, Outcome::Booked | Outcome::Rejected) {
            self.latency.saturating_record(u64::try_from(took.as_micros()).unwrap_or(MAX_LATENCY_US));
        }
    }

    fn describe(&mut self, what: impl FnOnce() -> String) {
        if self.described.len() < MAX_DESCRIBED {
            self.described.push(what());
        }
    }
}

/// Hands out the numbers of the requests with the instants at which they are due.
struct Schedule {
    plan: Plan,
    start: Instant,
    next: Cell<u64>,
}

impl Schedule {
    /// The next request; none when the time is over or all were sent.
    fn take(&self) -> Option<(u64, Option<Instant>)> {
        let number = self.next.get();
        let due = self.plan.pace.due(number).map(|after| self.start + after);
        let end = self.start + self.plan.time;
        let is_over = Instant::now() >= end || due.is_some_and(|due| due >= end);
        if is_over || number >= self.plan.attempts {
            return None;
        }
        self.next.set(number + 1);
        Some((number, due))
    }

    /// How many were due and never taken.
    fn unsent(&self) -> u64 {
        let Pace::Open { per_second } = self.plan.pace else { return 0 };
        let due = u128::from(per_second) * self.plan.time.as_millis() / 1_000;
        u64::try_from(due).unwrap_or(u64::MAX).min(self.plan.attempts).saturating_sub(self.next.get())
    }
}

impl Pace {
    /// When a request is due, from the start.
    fn due(self, number: u64) -> Option<Duration> {
        match self {
            Self::Closed => None,
            Self::Open { per_second } => {
                let micros = u128::from(number) * 1_000_000 / u128::from(per_second);
                Some(Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)))
            }
        }
    }
}

/// Drives a scenario to the end of the plan; returns when the last answer is there.
///
/// # Errors
/// When the connections cannot be made.
pub async fn drive<S: Scenario>(scenario: &S, target: &Target, plan: &Plan) -> anyhow::Result<Tally> {
    let mut connections = Vec::new();
    for _ in 0..plan.connections {
        let mut connection = Connection::to(target);
        connection.open().await?;
        connections.push(connection);
    }
    let tally = RefCell::new(Tally::new()?);
    let schedule = Schedule { plan: *plan, start: Instant::now(), next: Cell::new(0) };
    let workers = connections.into_iter().map(|mut connection| {
        let (tally, schedule) = (&tally, &schedule);
        async move {
            while let Some((number, due)) = schedule.take() {
                if let Some(due) = due {
                    sleep_until(due).await;
                }
                let since = due.unwrap_or_else(Instant::now);
                let is_fine = one(scenario, &mut connection, number, since, tally).await;
                if !is_fine {
                    sleep(FAILURE_PAUSE).await;
                }
            }
        }
    });
    join_all(workers).await;
    let took = schedule.start.elapsed();
    Ok(Tally { took, unsent: schedule.unsent(), ..tally.into_inner() })
}

/// Sends one request and counts its answer; whether it was one that the scenario expects.
async fn one<S: Scenario>(
    scenario: &S,
    connection: &mut Connection,
    number: u64,
    since: Instant,
    tally: &RefCell<Tally>,
) -> bool {
    let answered = connection.call(&scenario.call(number)).await;
    let took = since.elapsed();
    let mut tally = tally.borrow_mut();
    let answer = match answered {
        Ok(answer) => answer,
        Err(error) => {
            tally.unknown += 1;
            tally.describe(|| format!("request {number}: {error:#}"));
            return false;
        }
    };
    let outcome = scenario.judge(number, &answer);
    tally.count(outcome, took);
    if outcome == Outcome::Failed {
        tally.busy += u64::from(is_busy(answer.status));
        let body = String::from_utf8_lossy(&answer.body);
        tally.describe(|| format!("request {number} was answered {}: {body}", answer.status));
    }
    outcome != Outcome::Failed
}

fn is_busy(status: StatusCode) -> bool {
    matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS)
}

#[cfg(test)]
mod tests;
