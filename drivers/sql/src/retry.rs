//! Trying again after a conflict or a lost connection: a few times, after a rest that grows and is chosen by chance, so
//! that those who met once do not meet again.

use std::time::Duration;

use tokio::time::Instant;

/// The most tries, the first among them.
pub const MAX_TRIES: u32 = 10;
/// The longest first rest; it doubles with each try.
const FIRST_REST: Duration = Duration::from_millis(4);
/// The longest rest.
const LONGEST_REST: Duration = Duration::from_millis(500);

/// After so long there is no further try.
const LONGEST_TRYING: Duration = Duration::from_secs(15);

/// How often something was tried, and since when.
#[derive(Debug)]
pub struct Retry {
    tried: u32,
    since: Instant,
}

impl Default for Retry {
    fn default() -> Self {
        Self { tried: 0, since: Instant::now() }
    }
}

impl Retry {
    /// Rests after a try; whether there may be another.
    pub async fn rest(&mut self) -> bool {
        self.tried += 1;
        if self.tried >= MAX_TRIES || self.since.elapsed() > LONGEST_TRYING {
            return false;
        }
        // Without randomness the rest is the longest.
        let chance = getrandom::u32().unwrap_or(u32::MAX);
        tokio::time::sleep(longest(self.tried).mul_f64(f64::from(chance) / f64::from(u32::MAX))).await;
        true
    }
}

fn longest(tried: u32) -> Duration {
    FIRST_REST.saturating_mul(1 << (tried - 1).min(16)).min(LONGEST_REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_grow_up_to_a_bound() {
        let rests: Vec<u128> = (1..=MAX_TRIES).map(|tried| longest(tried).as_millis()).collect();
        assert_eq!(rests, [4, 8, 16, 32, 64, 128, 256, 500, 500, 500]);
    }

    #[tokio::test(start_paused = true)]
    async fn tries_are_bounded() {
        let mut retry = Retry::default();
        let mut tries = 1;
        while retry.rest().await {
            tries += 1;
        }
        assert_eq!(tries, MAX_TRIES);
    }
}
