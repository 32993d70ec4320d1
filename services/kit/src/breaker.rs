//! When to stop calling somebody who does not answer: a circuit breaker as plain decisions, without a clock.
//!
//! ```text
//!            too many failures            the pause is over
//!   CLOSED ---------------------> OPEN ---------------------> HALF-OPEN
//!      ^                           ^        one of them fails     |
//!      |                           '------------------------------|
//!      '----------------------------------------------------------'
//!                       enough trial calls succeed
//! ```
//!
//! Only what says something about the way there counts: no connection, a connection that broke, no answer in time.
//! An answer that refuses is an answer.

use std::{collections::VecDeque, time::Duration};

/// When a breaker opens, and how it closes again.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Calls that ended longer ago than this do not count.
    pub window: Duration,
    /// With fewer calls than that in the window, nothing is concluded.
    pub min_calls: u32,
    /// So many failures of a hundred calls open it.
    pub failure_percent: u32,
    /// How long it stays open at first; each time in a row it is twice as long.
    pub first_pause: Duration,
    /// The longest that it stays open.
    pub max_pause: Duration,
    /// So many trial calls must succeed, and so many run at a time.
    pub trials: u32,
}

impl Policy {
    /// What services use among each other: it opens within a moment of trouble, and is closed again within ten
    /// seconds of its end.
    pub const DEFAULT: Self = Self {
        window: Duration::from_secs(10),
        min_calls: 10,
        failure_percent: 50,
        first_pause: Duration::from_millis(500),
        max_pause: Duration::from_secs(5),
        trials: 3,
    };
}

/// The window has so many parts; the oldest is forgotten as a whole.
const SLICES: u32 = 10;

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There was an answer, whatever it said.
    Answered,
    /// There was none.
    Failed,
    /// The caller gave up before anything could be said.
    Abandoned,
}

/// A call that was let through; to be given back with its outcome.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a call that is not concluded takes the place of a trial for good"]
pub struct Admitted {
    /// Calls of an earlier state say nothing about this one.
    generation: u64,
}

/// Where a breaker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Calls go through.
    Closed,
    /// Calls are refused.
    Open,
    /// A few calls go through, to see.
    HalfOpen,
}

#[derive(Debug, Clone, Copy)]
struct Slice {
    /// Which part of time, counted from the beginning.
    number: u64,
    calls: u32,
    failures: u32,
}

#[derive(Debug)]
enum Position {
    Closed(VecDeque<Slice>),
    Open { until: Duration },
    HalfOpen { running: u32, succeeded: u32 },
}

/// One breaker. Times are durations since any fixed moment.
#[derive(Debug)]
pub struct Breaker {
    policy: Policy,
    position: Position,
    generation: u64,
    /// How often it has opened without a successful trial in between.
    openings: u32,
}

impl Breaker {
    /// A closed one.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, position: Position::Closed(VecDeque::new()), generation: 0, openings: 0 }
    }

    /// Where it is now.
    #[must_use]
    pub fn state(&self, now: Duration) -> State {
        match &self.position {
            Position::Closed(_) => State::Closed,
            Position::Open { until } if now < *until => State::Open,
            Position::Open { .. } | Position::HalfOpen { .. } => State::HalfOpen,
        }
    }

    /// Whether a call would be let through, without making one.
    #[must_use]
    pub fn would_admit(&self, now: Duration) -> bool {
        match &self.position {
            Position::Closed(_) => true,
            Position::Open { until } => now >= *until,
            Position::HalfOpen { running, .. } => *running < self.policy.trials,
        }
    }

    /// Lets a call through.
    ///
    /// # Errors
    /// How long to wait before it makes sense to try again.
    pub fn admit(&mut self, now: Duration) -> Result<Admitted, Duration> {
        if let Position::Open { until } = self.position {
            if now < until {
                return Err(until - now);
            }
            self.go_to(Position::HalfOpen { running: 0, succeeded: 0 });
        }
        if let Position::HalfOpen { running, .. } = &mut self.position {
            if *running >= self.policy.trials {
                return Err(self.policy.first_pause);
            }
            *running += 1;
        }
        Ok(Admitted { generation: self.generation })
    }

    /// Notes how a call ended.
    pub fn conclude(&mut self, call: &Admitted, outcome: Outcome, now: Duration) {
        if call.generation != self.generation {
            return;
        }
        match &mut self.position {
            Position::Closed(slices) => {
                if outcome != Outcome::Abandoned {
                    count(slices, &self.policy, outcome, now);
                    // An answer may be the last of the calls that it takes to conclude anything; it is no reason to open.
                    if outcome == Outcome::Failed && is_too_much(slices, &self.policy) {
                        self.open(now);
                    }
                }
            }
            Position::HalfOpen { running, succeeded } => {
                *running = running.saturating_sub(1);
                match outcome {
                    Outcome::Abandoned => {}
                    Outcome::Failed => self.open(now),
                    Outcome::Answered => {
                        *succeeded += 1;
                        if *succeeded >= self.policy.trials {
                            self.openings = 0;
                            self.go_to(Position::Closed(VecDeque::new()));
                        }
                    }
                }
            }
            // Its calls are all of earlier states.
            Position::Open { .. } => {}
        }
    }

    fn open(&mut self, now: Duration) {
        let factor = 1_u32.checked_shl(self.openings).unwrap_or(u32::MAX);
        let pause = self.policy.first_pause.saturating_mul(factor).min(self.policy.max_pause);
        self.openings = (self.openings + 1).min(u32::BITS);
        self.go_to(Position::Open { until: now + pause });
    }

    fn go_to(&mut self, position: Position) {
        self.position = position;
        self.generation += 1;
    }
}

fn count(slices: &mut VecDeque<Slice>, policy: &Policy, outcome: Outcome, now: Duration) {
    let slice = (policy.window / SLICES).as_nanos().max(1);
    let number = u64::try_from(now.as_nanos() / slice).unwrap_or(u64::MAX);
    while slices.front().is_some_and(|oldest| oldest.number + u64::from(SLICES) <= number) {
        slices.pop_front();
    }
    if slices.back().is_none_or(|newest| newest.number < number) {
        slices.push_back(Slice { number, calls: 0, failures: 0 });
    }
    if let Some(newest) = slices.back_mut() {
        newest.calls = newest.calls.saturating_add(1);
        newest.failures = newest.failures.saturating_add(u32::from(outcome == Outcome::Failed));
    }
}

fn is_too_much(slices: &VecDeque<Slice>, policy: &Policy) -> bool {
    let calls: u64 = slices.iter().map(|slice| u64::from(slice.calls)).sum();
    let failures: u64 = slices.iter().map(|slice| u64::from(slice.failures)).sum();
    calls >= u64::from(policy.min_calls) && failures * 100 >= calls * u64::from(policy.failure_percent)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: Policy = Policy::DEFAULT;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn call(breaker: &mut Breaker, outcome: Outcome, now: Duration) {
        let admitted = breaker.admit(now).unwrap();
        breaker.conclude(&admitted, outcome, now);
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::new(POLICY);
        for _ in 0..POLICY.min_calls {
            call(&mut breaker, Outcome::Failed, at(0));
        }
        assert_eq!(breaker.state(at(0)), State::Open);
        breaker
    }

    #[test]
    fn it_opens_at_half_failures_and_not_before_there_are_enough_calls() {
        let mut breaker = Breaker::new(POLICY);
        for number in 0..POLICY.min_calls {
            assert_eq!(breaker.state(at(0)), State::Closed, "after {number}");
            let outcome = if number % 2 == 0 { Outcome::Answered } else { Outcome::Failed };
            call(&mut breaker, outcome, at(0));
        }
        assert_eq!(breaker.state(at(0)), State::Open);
        assert_eq!(breaker.admit(at(100)), Err(at(400)));
    }

    #[test]
    fn an_answer_does_not_open_it() {
        let mut breaker = Breaker::new(POLICY);
        for _ in 0..POLICY.min_calls / 2 {
            call(&mut breaker, Outcome::Failed, at(0));
        }
        for _ in 0..POLICY.min_calls {
            call(&mut breaker, Outcome::Answered, at(0));
            assert_eq!(breaker.state(at(0)), State::Closed);
        }
    }

    #[test]
    fn what_is_long_ago_does_not_count() {
        let mut breaker = Breaker::new(POLICY);
        for _ in 1..POLICY.min_calls {
            call(&mut breaker, Outcome::Failed, at(0));
        }
        call(&mut breaker, Outcome::Failed, at(10_000));
        assert_eq!(breaker.state(at(10_000)), State::Closed);
    }

    #[test]
    fn it_closes_after_enough_trials_and_lets_no_more_run() {
        let mut breaker = opened();
        let trials: Vec<_> = (0..POLICY.trials).map(|_| breaker.admit(at(500)).unwrap()).collect();
        assert!(breaker.admit(at(500)).is_err());
        assert!(!breaker.would_admit(at(500)));
        for trial in &trials {
            assert_eq!(breaker.state(at(500)), State::HalfOpen);
            breaker.conclude(trial, Outcome::Answered, at(600));
        }
        assert_eq!(breaker.state(at(600)), State::Closed);
    }

    #[test]
    fn a_failed_trial_opens_it_for_longer_each_time_up_to_a_limit() {
        let mut breaker = opened();
        let mut now = at(500);
        for pause in [1_000, 2_000, 4_000, 5_000, 5_000] {
            call(&mut breaker, Outcome::Failed, now);
            assert_eq!(breaker.admit(now), Err(at(pause)));
            now += at(pause);
        }
        for _ in 0..POLICY.trials {
            call(&mut breaker, Outcome::Answered, now);
        }
        for _ in 0..POLICY.min_calls {
            call(&mut breaker, Outcome::Failed, now);
        }
        assert_eq!(breaker.admit(now), Err(POLICY.first_pause), "success made it forget");
    }

    #[test]
    fn an_abandoned_trial_gives_its_place_back() {
        let mut breaker = opened();
        for _ in 0..10 {
            call(&mut breaker, Outcome::Abandoned, at(500));
        }
        assert_eq!(breaker.state(at(500)), State::HalfOpen);
    }

    #[test]
    fn a_call_from_before_it_opened_says_nothing() {
        let mut breaker = Breaker::new(POLICY);
        let early = breaker.admit(at(0)).unwrap();
        for _ in 0..POLICY.min_calls {
            call(&mut breaker, Outcome::Failed, at(0));
        }
        let _trial = breaker.admit(at(500)).unwrap();
        breaker.conclude(&early, Outcome::Failed, at(500));
        assert_eq!(breaker.state(at(500)), State::HalfOpen);
    }

    proptest! {
        /// Whatever happens, its memory is bounded, it never refuses for longer than the limit, and with answers
        /// alone it is closed soon.
        #[test]
        fn it_is_bounded_and_always_recovers(
            steps in proptest::collection::vec((0_u64..3_000, 0_u8..3), 0..300),
        ) {
            let mut breaker = Breaker::new(POLICY);
            let mut now = at(0);
            for (pause, outcome) in steps {
                now += at(pause);
                let outcome = [Outcome::Answered, Outcome::Failed, Outcome::Abandoned][usize::from(outcome)];
                match breaker.admit(now) {
                    Ok(admitted) => breaker.conclude(&admitted, outcome, now),
                    Err(wait) => prop_assert!(wait <= POLICY.max_pause),
                }
                if let Position::Closed(slices) = &breaker.position {
                    prop_assert!(slices.len() <= SLICES as usize);
                }
            }
            now += POLICY.max_pause;
            for _ in 0..POLICY.trials {
                if let Ok(admitted) = breaker.admit(now) {
                    breaker.conclude(&admitted, Outcome::Answered, now);
                }
            }
            prop_assert_eq!(breaker.state(now), State::Closed);
        }
    }
}
