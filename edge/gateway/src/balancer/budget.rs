//! How many calls may be made again: a part of all calls, so that retries never become the load that they answer to.

use std::sync::atomic::{AtomicI64, Ordering};

/// A call earns this much, in thousandths of a retry: one retry for ten calls.
const EARNED: i64 = 100;
/// What one retry takes.
const RETRY: i64 = 1_000;
/// What may be saved up, so that many calls which are lost at once can all be made again.
const MOST: i64 = 256 * RETRY;
/// What there is at first.
const FIRST: i64 = 16 * RETRY;

/// The budget of one balancer.
#[derive(Debug)]
pub(crate) struct Budget(AtomicI64);

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicI64::new(FIRST))
    }
}

impl Budget {
    /// Notes a call that a client made.
    pub fn earn(&self) {
        // Two at once may save a little more than the most, which does no harm.
        if self.0.load(Ordering::Relaxed) < MOST {
            self.0.fetch_add(EARNED, Ordering::Relaxed);
        }
    }

    /// Takes a retry, if there is one.
    pub fn spend(&self) -> bool {
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            (left >= RETRY).then_some(left - RETRY)
        });
        taken.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_of_failures_is_made_a_tenth_larger_at_most() {
        let (budget, calls) = (Budget::default(), 100_000);
        let mut sent = 0;
        for _ in 0..calls {
            budget.earn();
            // Each try fails, and five more are allowed.
            sent += 1;
            for _ in 0..5 {
                if !budget.spend() {
                    break;
                }
                sent += 1;
            }
        }
        assert!(f64::from(sent) <= 1.1 * f64::from(calls) + 17.0, "{sent}");
    }
}
