//! Slows down who guesses passwords: after some failures for one address, each try has to wait longer.
//!
//! It never locks for good: the longest wait is a minute, and a quarter of an hour without a failure
//! forgets them all. Unknown addresses are counted alike, so that a wait tells nothing.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::Time;
use kit::{Code, ServiceError};

/// So many failures cost nothing.
const FREE_FAILURES: u32 = 10;
/// Failures are forgotten when none came for so long.
const FORGET_AFTER_SECONDS: i64 = 15 * 60;
/// The longest wait. It bounds what somebody else's failures can do to the owner.
const MAX_DELAY_SECONDS: i64 = 60;
/// The most addresses that are watched at once.
const MAX_WATCHED: usize = 10_000;

const _: () = assert!(MAX_DELAY_SECONDS < FORGET_AFTER_SECONDS, "a wait is over before it is forgotten");

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Time,
    /// Before this, no try is let through.
    next: Time,
}

impl Failures {
    fn is_over(&self, now: Time) -> bool {
        self.last.plus_seconds(FORGET_AFTER_SECONDS) <= now
    }
}

/// The failures of late, by address.
#[derive(Default)]
pub(crate) struct Throttle {
    watched: Mutex<BTreeMap<String, Failures>>,
}

impl Throttle {
    /// Lets a try through, or says how long to wait.
    pub(crate) fn admit(&self, address: &str, now: Time) -> Result<(), ServiceError> {
        let mut watched = self.watched();
        let Some(failures) = watched.get_mut(address) else { return Ok(()) };
        if failures.is_over(now) {
            watched.remove(address);
            return Ok(());
        }
        if failures.next > now {
            return Err(wait(failures.next, now));
        }
        if failures.count >= FREE_FAILURES {
            // One try at a time: tries that run side by side do not get around the wait.
            failures.next = now.plus_seconds(delay_seconds(failures.count));
        }
        Ok(())
    }

    /// Notes that a try failed.
    pub(crate) fn failed(&self, address: &str, now: Time) {
        let mut watched = self.watched();
        if watched.len() >= MAX_WATCHED && !watched.contains_key(address) {
            make_room(&mut watched, now);
        }
        let fresh = Failures { count: 0, last: now, next: now };
        let failures = watched.entry(address.to_owned()).or_insert(fresh);
        if failures.is_over(now) {
            *failures = fresh;
        }
        failures.count = failures.count.saturating_add(1);
        failures.last = now;
        failures.next = now.plus_seconds(delay_seconds(failures.count));
    }

    /// Forgets an address: its owner came in.
    pub(crate) fn succeeded(&self, address: &str) {
        self.watched().remove(address);
    }

    fn watched(&self) -> MutexGuard<'_, BTreeMap<String, Failures>> {
        // Nothing that holds the lock can panic half way.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// 1, 2, 4 and so on, from the last free failure on.
fn delay_seconds(count: u32) -> i64 {
    match count.checked_sub(FREE_FAILURES) {
        None => 0,
        Some(beyond) => {
            1_i64.checked_shl(beyond.min(16)).map_or(MAX_DELAY_SECONDS, |s| s.min(MAX_DELAY_SECONDS))
        }
    }
}

/// Forgets what is over; when that is nothing, the address with the fewest failures, oldest first.
fn make_room(watched: &mut BTreeMap<String, Failures>, now: Time) {
    watched.retain(|_, failures| !failures.is_over(now));
    if watched.len() < MAX_WATCHED {
        return;
    }
    let least = watched.iter().min_by_key(|(_, failures)| (failures.count, failures.last));
    if let Some(address) = least.map(|(address, _)| address.clone()) {
        watched.remove(&address);
    }
}

fn wait(until: Time, now: Time) -> ServiceError {
    let micros = u64::try_from(until.micros() - now.micros()).unwrap_or_default();
    let seconds = micros.div_ceil(1_000_000);
    let detail = format!("too many failed tries for this account: wait {seconds} seconds");
    let error = ServiceError::new(Code::TooMany, "too_many_requests", detail);
    ServiceError { retry_after: Some(Duration::from_secs(seconds)), ..error }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_micros(1_800_000_000_000_000);

    fn after_failures(count: u32) -> Throttle {
        let throttle = Throttle::default();
        for _ in 0..count {
            throttle.failed("ada", NOW);
        }
        throttle
    }

    fn wait_seconds(throttle: &Throttle, now: Time) -> u64 {
        throttle.admit("ada", now).err().and_then(|e| e.retry_after).map_or(0, |wait| wait.as_secs())
    }

    #[test]
    fn the_wait_grows_to_a_limit_and_is_forgotten() {
        for (count, seconds) in [(9, 0), (10, 1), (11, 2), (13, 8), (16, 60), (1_000, 60)] {
            assert_eq!(wait_seconds(&after_failures(count), NOW), seconds, "{count}");
        }
        let throttle = after_failures(1_000);
        assert_eq!(wait_seconds(&throttle, NOW.plus_seconds(60)), 0);
        throttle.failed("ada", NOW.plus_seconds(60));
        assert_eq!(wait_seconds(&throttle, NOW.plus_seconds(60 + FORGET_AFTER_SECONDS)), 0);
        throttle.failed("ada", NOW.plus_seconds(60 + FORGET_AFTER_SECONDS));
        assert_eq!(wait_seconds(&throttle, NOW.plus_seconds(60 + FORGET_AFTER_SECONDS)), 0);
    }

    #[test]
    fn only_one_try_gets_through_after_a_wait() {
        let throttle = after_failures(13);
        let later = NOW.plus_seconds(8);
        assert_eq!(wait_seconds(&throttle, later), 0);
        assert_eq!(wait_seconds(&throttle, later), 8);
        assert!(throttle.admit("bob", later).is_ok());
        throttle.succeeded("ada");
        assert_eq!(wait_seconds(&throttle, later), 0);
    }

    #[test]
    fn a_flood_of_addresses_does_not_hide_the_one_that_is_guessed() {
        let throttle = after_failures(13);
        for number in 0..MAX_WATCHED + 10 {
            throttle.failed(&number.to_string(), NOW.plus_seconds(1));
        }
        assert_eq!(throttle.watched().len(), MAX_WATCHED);
        assert_eq!(wait_seconds(&throttle, NOW.plus_seconds(1)), 7);
    }
}
