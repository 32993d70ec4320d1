//! Putting the load on: connections that take numbered requests, and a histogram of their answers.

mod pacer;
mod schedule;
mod tally;

use std::{cell::RefCell, time::Duration};

use futures_util::future::join_all;
use tokio::time::{Instant, sleep_until, timeout_at};

use pacer::Pacer;
pub use schedule::Pace;
use schedule::Schedule;
pub use tally::{Tally, latency};

use crate::{
    http::{Connection, is_gave_up},
    machine::Meter,
    scenario::{Outcome, Scenario},
    target::Target,
};

/// The pause after a failed request, so that a server that is gone is not asked in a busy loop.
const FAILURE_PAUSE: Duration = Duration::from_millis(10);
/// The pause of who was told to come again: the least that `Retry-After` can say.
const BUSY_PAUSE: Duration = Duration::from_secs(1);
/// How many connections are made at a time: the queue of a listener is short.
const CONNECT_AT_ONCE: usize = 64;

/// How long making the connections may take before the load begins without some of them.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How the load is put on.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How many connections, which bounds the requests that are under way.
    pub connections: u32,
    /// How long requests are sent.
    pub time: Duration,
    /// When each request is sent.
    pub pace: Pace,
    /// The most requests.
    pub attempts: u64,
    /// How long a client waits for its answer before it hangs up.
    pub patience: Duration,
    /// How late a request may be begun because no connection was free; later ones are passed over.
    pub lateness: Duration,
    /// The process of the server, when it is known.
    pub server: Option<u32>,
}

/// Drives a scenario to the end of the plan; returns when the last answer is there.
///
/// # Errors
/// When nobody listens.
pub async fn drive<S: Scenario>(scenario: &S, target: &Target, plan: &Plan) -> anyhow::Result<Tally> {
    let before = Instant::now();
    let connections = connect(target, plan.connections).await?;
    let connecting = before.elapsed();
    let (tally, pacer) = (RefCell::new(Tally::new(S::KINDS)?), Pacer::new()?);
    let meter = Meter::start(plan.server);
    let schedule = Schedule::new(*plan);
    let run = Run { scenario, plan, schedule: &schedule, tally: &tally, pacer: &pacer };
    tokio::select! {
        _ = join_all(connections.into_iter().map(|connection| run.work(connection))) => {}
        () = pacer.run() => {}
    }
    let cpu = meter.read();
    let (unsent, skipped) = (schedule.unsent(), schedule.skipped());
    Ok(Tally { connecting, cpu, unsent, skipped, ..tally.into_inner() })
}

/// Opens the connections. A server that is full leaves some of them waiting: these are made with their
/// first request, and what that takes is their clients' wait.
async fn connect(target: &Target, count: u32) -> anyhow::Result<Vec<Connection>> {
    let mut connections: Vec<_> = (0..count).map(|_| Connection::to(target)).collect();
    if let Some(first) = connections.first_mut() {
        first.open().await?;
    }
    let until = Instant::now() + CONNECT_TIMEOUT;
    for some in connections.chunks_mut(CONNECT_AT_ONCE) {
        let opened = timeout_at(until, join_all(some.iter_mut().map(Connection::open))).await;
        if opened.is_err() {
            break;
        }
    }
    Ok(connections)
}

/// What all connections share.
struct Run<'a, S> {
    scenario: &'a S,
    plan: &'a Plan,
    schedule: &'a Schedule,
    tally: &'a RefCell<Tally>,
    pacer: &'a Pacer,
}

impl<S: Scenario> Run<'_, S> {
    /// What one connection does until the time is over.
    async fn work(&self, mut connection: Connection) {
        while let Some((number, due)) = self.schedule.take() {
            if let Some(due) = due {
                self.wait(due).await;
            }
            let since = due.unwrap_or_else(Instant::now);
            connection.give_up_at(since + self.plan.patience);
            let outcome = match self.scenario.attempt(number, &mut connection).await {
                // The client had hung up.
                Ok(Outcome::Done(_)) if since.elapsed() > self.plan.patience => Outcome::GaveUp,
                Ok(outcome) => outcome,
                Err(error) if is_gave_up(&error) => Outcome::GaveUp,
                Err(error) => Outcome::Broken(format!("{error:#}")),
            };
            let pause = self.pause(&outcome);
            self.tally.borrow_mut().note(outcome, since.elapsed(), self.schedule.start.elapsed());
            if !pause.is_zero() {
                sleep_until(self.schedule.end().min(Instant::now() + pause)).await;
            }
        }
    }

    /// Waits until a request is due. When it was late already, that is the server's doing, which kept the
    /// connection from sending it; else what it begins too late is the generator's.
    async fn wait(&self, due: Instant) {
        if Instant::now() < due {
            self.pacer.wait(due).await;
            self.tally.borrow_mut().note_lag(due.elapsed());
        }
    }

    /// How long the client waits after an answer.
    fn pause(&self, outcome: &Outcome) -> Duration {
        match (outcome, self.plan.pace) {
            (Outcome::Busy, Pace::Closed) => BUSY_PAUSE,
            (Outcome::Failed(_) | Outcome::Broken(_), _) => FAILURE_PAUSE,
            // In an open loop, others who want something do not wait because one was refused.
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests;
