//! Choices that are the same in each run: they follow from the number of the request alone.

/// A number that looks random (SplitMix64): the same for the same request and purpose.
pub fn random(request: u64, purpose: u64) -> u64 {
    let mut mixed =
        request.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(purpose.wrapping_mul(0xd1b5_4a32_d192_ed03));
    mixed = mixed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// One of so many, at least one.
pub fn pick(random: u64, count: usize) -> usize {
    // The remainder is a little uneven, which nothing here can notice.
    usize::try_from(random % count.max(1) as u64).unwrap_or_default()
}

/// Zipf's law: the nth is chosen in proportion to 1 / n to the power of the exponent.
pub struct Zipf {
    /// The chance to be among the first so many.
    cumulative: Vec<f64>,
}

impl Zipf {
    /// Among so many, at least one.
    pub fn new(count: usize, exponent: f64) -> Self {
        let mut sum = 0.0;
        let weights = (1..=count.max(1)).map(|rank| {
            sum += (rank as f64).powf(-exponent);
            sum
        });
        let mut cumulative: Vec<_> = weights.collect();
        cumulative.iter_mut().for_each(|weight| *weight /= sum);
        Self { cumulative }
    }

    /// The rank, from 0.
    pub fn pick(&self, random: u64) -> usize {
        // 53 bits are what fits.
        let chance = (random >> 11) as f64 / (1_u64 << 53) as f64;
        self.cumulative.partition_point(|below| *below <= chance).min(self.cumulative.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(zipf: &Zipf, ranks: usize, draws: u64) -> Vec<u64> {
        let mut counts = vec![0; ranks];
        for number in 0..draws {
            counts[zipf.pick(random(number, 7))] += 1;
        }
        counts
    }

    #[test]
    fn the_second_is_half_as_popular_as_the_first() {
        let counts = counts(&Zipf::new(100, 1.0), 100, 200_000);
        // The sum of 1/n up to 100 is 5.187.
        for (rank, expected) in [(0, 38_554_i64), (1, 19_277), (9, 3_855)] {
            let off = (counts[rank].cast_signed() - expected).abs();
            assert!(off < expected / 10, "rank {rank}: {} of {expected}", counts[rank]);
        }
        assert!(counts.iter().all(|count| *count > 0));
    }

    #[test]
    fn with_an_exponent_of_nothing_all_are_alike() {
        let counts = counts(&Zipf::new(10, 0.0), 10, 100_000);
        assert!(counts.iter().all(|count| (9_000..11_000).contains(count)), "{counts:?}");
    }

    #[test]
    fn the_ends_are_in_range() {
        let zipf = Zipf::new(3, 1.0);
        assert_eq!((zipf.pick(0), zipf.pick(u64::MAX)), (0, 2));
        assert_eq!(Zipf::new(0, 1.0).pick(u64::MAX), 0);
    }

    #[test]
    fn choices_repeat_and_differ_by_purpose() {
        assert_eq!(random(5, 1), random(5, 1));
        assert_ne!(random(5, 1), random(5, 2));
        assert_ne!(random(5, 1), random(6, 1));
        assert!(pick(random(5, 1), 4) < 4 && pick(3, 0) == 0);
    }
}
