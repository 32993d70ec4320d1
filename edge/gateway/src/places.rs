//! How many requests of one service are carried out at a time. The number follows what the service can do: it grows
//! while answers come as fast as they ever do, and shrinks when they begin to wait somewhere (Vegas, as TCP has it).
//! Whoever finds no place is refused before anything of the request is read, and hears of it after a pause: a client
//! that asks again at once would take more of the processors than one that is served.
//!
//! Not all places are for everybody: the last ones are kept for what must not fail, such as a payment or a scan at
//! the door. A route says which it is by a tag, `priority:critical`, `high`, `normal` or `low`.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::Semaphore, time::Instant};

use crate::problem::Problem;

/// The fewest and the most places of a service.
const FEWEST: f64 = 64.0;
const MOST: f64 = 4_096.0;
/// What there is at first.
const FIRST: f64 = 256.0;
/// So many requests may wait somewhere before the number shrinks, and with fewer than that it grows.
const WAITING_TO_SHRINK: f64 = 24.0;
const WAITING_TO_GROW: f64 = 8.0;
/// After so long the fastest answer is forgotten, so that a service which has become slower is not held against what it
/// was. In a shorter time all answers of a flood may have waited, and what they took would be taken for what they need.
const REMEMBERED: Duration = Duration::from_secs(30);
/// How long a refusal takes, and how many wait for theirs at a time; further ones are refused at once.
const REFUSAL_PAUSE: Duration = Duration::from_millis(250);
const MAX_PAUSING: usize = 4_096;

/// How much a request matters when there is too much to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// It may fail first: figures.
    Low,
    /// Looking around.
    Normal,
    /// What earns money: a new booking.
    High,
    /// What was promised already: confirming, cancelling, the door.
    Critical,
}

impl Priority {
    /// By a route's tags.
    pub(crate) fn of_tags(tags: &[String]) -> Self {
        let named = tags.iter().find_map(|tag| tag.strip_prefix("priority:"));
        match named {
            Some("critical") => Self::Critical,
            Some("high") => Self::High,
            Some("low") => Self::Low,
            _ => Self::Normal,
        }
    }

    /// Which share of all places it may use, in percent.
    pub(crate) fn share_percent(self) -> usize {
        match self {
            Self::Critical => 100,
            Self::High => 90,
            Self::Normal => 75,
            Self::Low => 50,
        }
    }
}

/// The places of one service, as a route has them.
pub(crate) struct Places {
    pub priority: Priority,
    pub limiter: Arc<Limiter>,
}

impl Places {
    /// Takes a place.
    pub async fn take(&self) -> Result<Place, Problem> {
        let began = Instant::now();
        if self.limiter.enter(self.priority) {
            return Ok(Place { limiter: Arc::clone(&self.limiter), began });
        }
        if let Ok(_pausing) = self.limiter.pausing.try_acquire() {
            tokio::time::sleep(REFUSAL_PAUSE).await;
        }
        Err(Problem::unavailable("the service has too much to do; try again in a moment"))
    }
}

/// A place that is taken. It is given back when it is dropped.
pub(crate) struct Place {
    limiter: Arc<Limiter>,
    began: Instant,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.limiter.leave(self.began.elapsed());
    }
}

/// Decides how many places there are.
#[derive(Debug)]
pub(crate) struct Limiter {
    state: Mutex<State>,
    /// One for each refusal that waits.
    pausing: Semaphore,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { state: Mutex::default(), pausing: Semaphore::new(MAX_PAUSING) }
    }
}

#[derive(Debug)]
struct State {
    limit: f64,
    running: usize,
    fastest: Duration,
    /// Since when that is remembered; none before the first answer.
    since: Option<Instant>,
}

impl Default for State {
    fn default() -> Self {
        Self { limit: FIRST, running: 0, fastest: Duration::MAX, since: None }
    }
}

impl Limiter {
    fn enter(&self, priority: Priority) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free = state.running * 100 < state.limit as usize * priority.share_percent();
        state.running += usize::from(is_free);
        is_free
    }

    fn leave(&self, took: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.learn(took, Instant::now());
        state.running = state.running.saturating_sub(1);
    }

    /// How many places there are now.
    #[cfg(test)]
    fn limit(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).limit as usize
    }
}

impl State {
    fn learn(&mut self, took: Duration, now: Instant) {
        if self.since.is_none_or(|since| now.duration_since(since) >= REMEMBERED) {
            (self.since, self.fastest) = (Some(now), took);
        }
        self.fastest = self.fastest.min(took);
        let ratio = self.fastest.as_secs_f64() / took.as_secs_f64().max(f64::MIN_POSITIVE);
        let running = self.running as f64;
        let waiting = running * (1.0 - ratio.clamp(0.0, 1.0));
        let step = self.limit.log10();
        if waiting > WAITING_TO_SHRINK {
            self.limit = (self.limit - step).max(FEWEST);
        } else if waiting < WAITING_TO_GROW && running * 2.0 > self.limit {
            // Only who uses the places needs more.
            self.limit = (self.limit + step).min(MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A service that carries out so many at a time, each in ten milliseconds; the others wait in it.
    fn answer_time(running: usize, at_a_time: usize) -> Duration {
        Duration::from_millis(10) * u32::try_from(running.div_ceil(at_a_time)).unwrap()
    }

    fn load(limiter: &Limiter, offered: usize, at_a_time: usize, rounds: usize) -> usize {
        let mut most = 0;
        for _ in 0..rounds {
            let entered = (0..offered).filter(|_| limiter.enter(Priority::Critical)).count();
            most = entered;
            for left in (1..=entered).rev() {
                limiter.leave(answer_time(left, at_a_time));
            }
        }
        most
    }

    #[test]
    fn it_keeps_the_queue_inside_a_service_short_and_lets_a_fast_one_have_more() {
        let slow = Limiter::default();
        load(&slow, 10_000, 16, 200);
        assert!(slow.limit() < 80, "{}", slow.limit());
        let fast = Limiter::default();
        load(&fast, 10_000, 100_000, 400);
        assert!(fast.limit() > 500, "{}", fast.limit());
        assert!(slow.limit() >= FEWEST as usize);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_does_not_pass_for_what_a_service_needs_but_being_slower_does_in_the_end() {
        let limiter = Limiter::default();
        limiter.leave(Duration::from_millis(1));
        for _ in 0..100_000 {
            limiter.enter(Priority::Critical);
            limiter.leave(Duration::from_millis(20));
        }
        load(&limiter, 10_000, 16, 200);
        assert_eq!(limiter.limit(), FEWEST as usize, "the fast answer is remembered");
        tokio::time::advance(REMEMBERED).await;
        load(&limiter, 10_000, 100_000, 400);
        assert!(limiter.limit() > 500, "{}", limiter.limit());
    }

    #[test]
    fn the_last_places_are_for_what_must_not_fail() {
        let limiter = Limiter::default();
        let taken = |priority| (0..10_000).take_while(|_| limiter.enter(priority)).count();
        assert_eq!(taken(Priority::Low), 128);
        assert_eq!(taken(Priority::Normal), 64);
        assert_eq!(taken(Priority::High), 39);
        assert_eq!(taken(Priority::Critical), 25);
        assert_eq!(taken(Priority::Critical), 0);
    }

    #[test]
    fn a_route_says_its_priority_by_a_tag() {
        let of = |tag: &str| Priority::of_tags(&["team-a".to_owned(), tag.to_owned()]);
        assert_eq!(of("priority:critical"), Priority::Critical);
        assert_eq!(of("priority:whatever"), Priority::Normal);
        assert_eq!(Priority::of_tags(&[]), Priority::Normal);
    }
}
