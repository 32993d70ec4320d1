//! When each request is due.
//!
//! In an open loop each request is due at an instant that was fixed before the run. When the server
//! stalls, requests become late, and the wait counts: it is what a client would have seen.

use std::{cell::Cell, time::Duration};

use tokio::time::Instant;

use super::Plan;

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

/// Hands out the numbers of the requests with the instants at which they are due.
pub struct Schedule {
    plan: Plan,
    /// The instant from which all others are counted.
    pub start: Instant,
    next: Cell<u64>,
    skipped: Cell<u64>,
}

impl Schedule {
    /// A schedule that begins now.
    pub fn new(plan: Plan) -> Self {
        Self { plan, start: Instant::now(), next: Cell::new(0), skipped: Cell::new(0) }
    }

    /// The next request; none when the time is over or all were sent.
    pub fn take(&self) -> Option<(u64, Option<Instant>)> {
        let now = Instant::now();
        self.skip(now);
        let number = self.next.get();
        let due = self.plan.pace.due(number).map(|after| self.start + after);
        let is_over = now >= self.end() || due.is_some_and(|due| due >= self.end());
        if is_over || number >= self.plan.attempts {
            return None;
        }
        self.next.set(number + 1);
        Some((number, due))
    }

    /// When the last request may be sent.
    pub fn end(&self) -> Instant {
        self.start + self.plan.time
    }

    /// Passes over the requests that are too late by now.
    fn skip(&self, now: Instant) {
        let Pace::Open { per_second } = self.plan.pace else { return };
        let Some(over) = now.checked_duration_since(self.start + self.plan.lateness) else { return };
        let first = over.as_micros() * u128::from(per_second) / 1_000_000;
        let first = u64::try_from(first).unwrap_or(u64::MAX).min(self.due_in_all());
        let skipped = first.saturating_sub(self.next.get());
        self.skipped.set(self.skipped.get() + skipped);
        self.next.set(self.next.get() + skipped);
    }

    fn due_in_all(&self) -> u64 {
        let Pace::Open { per_second } = self.plan.pace else { return self.next.get() };
        let due = u128::from(per_second) * self.plan.time.as_millis() / 1_000;
        u64::try_from(due).unwrap_or(u64::MAX).min(self.plan.attempts)
    }

    /// How many were due and never taken.
    pub fn unsent(&self) -> u64 {
        self.due_in_all().saturating_sub(self.next.get())
    }

    /// How many were passed over.
    pub fn skipped(&self) -> u64 {
        self.skipped.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(pace: Pace, attempts: u64) -> Schedule {
        let (time, long) = (Duration::from_secs(2), Duration::from_secs(60));
        let (patience, lateness) = (long, long);
        Schedule::new(Plan { connections: 1, time, pace, attempts, patience, lateness, server: None })
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
    fn what_is_too_late_is_passed_over() {
        let mut schedule = schedule(Pace::Open { per_second: 1_000 }, u64::MAX);
        schedule.plan.lateness = Duration::from_millis(100);
        schedule.start -= Duration::from_millis(600);
        let (number, due) = schedule.take().unwrap();
        // The clock goes on while the test runs.
        assert!((500..700).contains(&number), "{number}");
        assert_eq!(schedule.skipped(), number);
        assert_eq!(due.unwrap() - schedule.start, Duration::from_millis(number));
    }
}
