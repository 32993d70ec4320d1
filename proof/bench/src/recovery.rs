//! How soon it is over: from when on the answers of a calm load are as before a flood.

use hdrhistogram::Histogram;

use crate::report::ms;

/// A second is normal again when so many of the calm answers come in it ...
const NORMAL_SHARE: f64 = 0.9;
/// ... and are not slower than before by more than this factor ...
const NORMAL_FACTOR: f64 = 2.0;
/// ... or at least not slower than this.
const NORMAL_MS: f64 = 20.0;
/// So many seconds in a row must be normal.
const NORMAL_SECONDS: usize = 3;

/// What a calm second is like.
pub struct Normal {
    /// How many answers were wanted in each.
    pub per_s: u64,
    /// The 99th percentile of their latencies.
    pub p99_ms: f64,
}

impl Normal {
    /// From which second on it is normal again.
    pub fn from(&self, seconds: &[Histogram<u32>]) -> Option<usize> {
        let is_normal: Vec<_> = seconds.iter().map(|second| self.is(second)).collect();
        is_normal.windows(NORMAL_SECONDS).position(|some| some.iter().all(|is_normal| *is_normal))
    }

    fn is(&self, second: &Histogram<u32>) -> bool {
        let limit_ms = (self.p99_ms * NORMAL_FACTOR).max(NORMAL_MS);
        second.len() as f64 >= self.per_s as f64 * NORMAL_SHARE && p99_ms(second) <= limit_ms
    }
}

/// The 99th percentile of a second, in milliseconds.
pub fn p99_ms(second: &Histogram<u32>) -> f64 {
    ms(second.value_at_quantile(0.99))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(latencies_ms: &[u64]) -> Vec<Histogram<u32>> {
        let second = |ms: &u64| {
            let mut histogram = Histogram::new_with_bounds(1, 60_000_000, 2).unwrap();
            histogram.record_n(ms * 1_000, 100).unwrap();
            histogram
        };
        latencies_ms.iter().map(second).collect()
    }

    #[test]
    fn it_is_normal_again_when_it_stays_so() {
        let normal = Normal { per_s: 100, p99_ms: 15.0 };
        assert_eq!(normal.from(&seconds(&[5, 5, 5])), Some(0));
        assert_eq!(normal.from(&seconds(&[900, 5, 5, 900, 5, 29, 5])), Some(4));
        assert_eq!(normal.from(&seconds(&[900, 5, 5, 900])), None);
        assert_eq!(normal.from(&seconds(&[])), None);
        let busier = Normal { per_s: 200, p99_ms: 15.0 };
        assert_eq!(busier.from(&seconds(&[5, 5, 5])), None, "half of the answers are missing");
    }
}
