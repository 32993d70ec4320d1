//! One address that answers: its connections, its breaker, and what its answers and checks say of its health.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use kit::breaker::{Admitted, Breaker, Outcome, Policy, State};
use tokio::time::Instant;
use uuid::Uuid;

use crate::entity::{Healthy, Unhealthy};

/// The most calls that run at a time to one endpoint.
const MAX_IN_FLIGHT: usize = 4_096;

/// What something says of an endpoint's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It answered with this status.
    Status(u16),
    /// No connection could be made, or it broke.
    Connection,
    /// There was no answer in time.
    TooLate,
}

/// How many signs came in a row.
#[derive(Debug, Default)]
struct Counts {
    successes: u32,
    http_failures: u32,
    tcp_failures: u32,
    timeouts: u32,
}

/// One address.
pub(crate) struct Endpoint {
    pub address: SocketAddr,
    /// The target that it belongs to; none for the host of a service.
    pub target: Option<Uuid>,
    /// What it is called, such as `users:9000`.
    pub name: String,
    pub weight: u32,
    state: Arc<Condition>,
}

/// What is known of an address. It outlives changes of weights and of its neighbours.
pub(super) struct Condition {
    breaker: Mutex<Breaker>,
    since: Instant,
    in_flight: AtomicUsize,
    is_healthy: AtomicBool,
    counts: Mutex<Counts>,
}

impl Default for Condition {
    fn default() -> Self {
        Self {
            breaker: Mutex::new(Breaker::new(Policy::DEFAULT)),
            since: Instant::now(),
            in_flight: AtomicUsize::new(0),
            is_healthy: AtomicBool::new(true),
            counts: Mutex::default(),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while the lock is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Endpoint {
    /// A new one, with what was known before, if anything.
    pub(super) fn new(
        address: SocketAddr,
        target: Option<Uuid>,
        name: &str,
        weight: u32,
        before: Option<&Self>,
    ) -> Self {
        let state = before.map(|known| Arc::clone(&known.state)).unwrap_or_default();
        Self { address, target, name: name.to_owned(), weight, state }
    }

    /// Whether calls may go there now.
    pub fn is_fit(&self) -> bool {
        self.is_healthy() && self.in_flight() < MAX_IN_FLIGHT && {
            locked(&self.state.breaker).would_admit(self.state.since.elapsed())
        }
    }

    /// What checks and answers say.
    pub fn is_healthy(&self) -> bool {
        self.state.is_healthy.load(Ordering::Acquire)
    }

    /// Calls that run.
    pub fn in_flight(&self) -> usize {
        self.state.in_flight.load(Ordering::Relaxed)
    }

    /// Where its breaker is.
    pub fn breaker(&self) -> State {
        locked(&self.state.breaker).state(self.state.since.elapsed())
    }

    /// Begins a call.
    pub fn admit(self: &Arc<Self>) -> Option<Running> {
        let admitted = locked(&self.state.breaker).admit(self.state.since.elapsed()).ok()?;
        self.state.in_flight.fetch_add(1, Ordering::Relaxed);
        Some(Running { endpoint: Arc::clone(self), admitted: Some(admitted) })
    }

    /// Takes it as well, or not.
    pub fn set_healthy(&self, healthy: bool) {
        *locked(&self.state.counts) = Counts::default();
        let before = self.state.is_healthy.swap(healthy, Ordering::AcqRel);
        if before != healthy {
            tracing::warn!(target = self.name, address = %self.address, healthy, "the health of a target changed");
        }
    }

    /// Counts a sign of its health.
    pub fn note(&self, sign: Sign, healthy: &Healthy, unhealthy: &Unhealthy) {
        let mut counts = locked(&self.state.counts);
        let verdict = match sign {
            Sign::Status(status) if healthy.http_statuses.contains(&status) => {
                let successes = counts.successes.saturating_add(1);
                *counts = Counts { successes, ..Counts::default() };
                (healthy.successes > 0 && successes >= healthy.successes).then_some(true)
            }
            Sign::Status(status) if unhealthy.http_statuses.contains(&status) => {
                counts.successes = 0;
                counts.http_failures = counts.http_failures.saturating_add(1);
                is_enough(counts.http_failures, unhealthy.http_failures)
            }
            Sign::Status(_) => None,
            Sign::Connection => {
                counts.successes = 0;
                counts.tcp_failures = counts.tcp_failures.saturating_add(1);
                is_enough(counts.tcp_failures, unhealthy.tcp_failures)
            }
            Sign::TooLate => {
                counts.successes = 0;
                counts.timeouts = counts.timeouts.saturating_add(1);
                is_enough(counts.timeouts, unhealthy.timeouts)
            }
        };
        drop(counts);
        if let Some(healthy) = verdict
            && healthy != self.is_healthy()
        {
            self.set_healthy(healthy);
        }
    }
}

/// So many failures make it unwell; 0 is never.
fn is_enough(failures: u32, limit: u32) -> Option<bool> {
    (limit > 0 && failures >= limit).then_some(false)
}

/// A call that runs. When it is dropped without a conclusion, the caller gave up.
pub(crate) struct Running {
    pub endpoint: Arc<Endpoint>,
    admitted: Option<Admitted>,
}

impl Running {
    /// Notes whether there was an answer. The call counts as running until this is dropped.
    pub fn conclude(&mut self, outcome: Outcome) {
        if let Some(admitted) = self.admitted.take() {
            let state = &self.endpoint.state;
            let now = state.since.elapsed();
            let mut breaker = locked(&state.breaker);
            let before = breaker.state(now);
            breaker.conclude(&admitted, outcome, now);
            let after = breaker.state(now);
            drop(breaker);
            if before != after {
                let Endpoint { name, address, .. } = &*self.endpoint;
                tracing::warn!(target = name, %address, ?before, ?after, "a circuit breaker moved");
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.conclude(Outcome::Abandoned);
        self.endpoint.state.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> Arc<Endpoint> {
        Arc::new(Endpoint::new(([127, 0, 0, 1], 1).into(), None, "a:1", 100, None))
    }

    #[test]
    fn failures_in_a_row_make_it_unwell_and_successes_well_again() {
        let healthy = Healthy { interval_s: 0.0, http_statuses: vec![200], successes: 2 };
        let unhealthy = Unhealthy {
            interval_s: 0.0,
            http_statuses: vec![503],
            tcp_failures: 1,
            timeouts: 0,
            http_failures: 3,
        };
        let endpoint = endpoint();
        for status in [503, 503, 404, 200, 503, 503] {
            endpoint.note(Sign::Status(status), &healthy, &unhealthy);
            assert!(endpoint.is_healthy(), "the success began the count anew");
        }
        endpoint.note(Sign::Status(503), &healthy, &unhealthy);
        assert!(!endpoint.is_healthy() && !endpoint.is_fit());
        endpoint.note(Sign::Status(200), &healthy, &unhealthy);
        assert!(!endpoint.is_healthy());
        endpoint.note(Sign::Status(200), &healthy, &unhealthy);
        assert!(endpoint.is_healthy());
        for _ in 0..9 {
            endpoint.note(Sign::TooLate, &healthy, &unhealthy);
        }
        assert!(endpoint.is_healthy(), "0 is never");
        endpoint.note(Sign::Connection, &healthy, &unhealthy);
        assert!(!endpoint.is_healthy());
    }

    #[tokio::test(start_paused = true)]
    async fn its_breaker_opens_and_closes_by_itself() {
        let endpoint = endpoint();
        for _ in 0..Policy::DEFAULT.min_calls {
            endpoint.admit().unwrap().conclude(Outcome::Failed);
        }
        assert_eq!(endpoint.breaker(), State::Open);
        assert!(!endpoint.is_fit() && endpoint.admit().is_none());
        assert_eq!(endpoint.in_flight(), 0);
        tokio::time::advance(Policy::DEFAULT.first_pause).await;
        for _ in 0..Policy::DEFAULT.trials {
            endpoint.admit().unwrap().conclude(Outcome::Answered);
        }
        assert_eq!(endpoint.breaker(), State::Closed);
    }
}
