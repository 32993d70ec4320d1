//! Randomness and time that follow from the seed alone.
//!
//! The generator is xoshiro256** (Blackman and Vigna, public domain), seeded by splitmix64. It is our
//! own so that no release of a library can change what a seed stands for.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use domain::Time;
use kit::{Clock, Entropy};

/// A seeded generator.
#[derive(Debug, Clone)]
pub struct Rng([u64; 4]);

impl Rng {
    /// The generator of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut state = seed;
        Self(std::array::from_fn(|_| splitmix(&mut state)))
    }

    /// A generator of its own for a part of the world, so that one part's draws do not shift another's.
    pub fn fork(&mut self) -> Self {
        Self::new(self.bits())
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.0;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// A number below a bound; 0 when the bound is 0. The bias is below 2^-32 for the bounds used here.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// An index of a list of this length.
    pub fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1) as u64) as i64
    }

    /// Whether something happens that happens so often in 10,000 times.
    pub fn chance(&mut self, per_10_000: u32) -> bool {
        self.below(10_000) < u64::from(per_10_000)
    }

    /// One of these.
    ///
    /// # Panics
    /// When there are none.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.index(choices.len())]
    }
}

fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The services' source of ids.
pub struct SimEntropy(Mutex<Rng>);

impl SimEntropy {
    /// Bytes that follow from a generator.
    #[must_use]
    pub fn new(rng: Rng) -> Self {
        Self(Mutex::new(rng))
    }
}

impl Entropy for SimEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&rng.bits().to_le_bytes()[..chunk.len()]);
        }
    }
}

/// The simulated time, which the world moves.
#[derive(Default)]
pub struct SimTime(AtomicI64);

impl SimTime {
    /// Sets it.
    pub fn set(&self, micros: i64) {
        self.0.store(micros, Ordering::Relaxed);
    }

    /// Microseconds since 1970 UTC.
    #[must_use]
    pub fn micros(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The clock of one replica, which may be a little off.
pub struct SimClock {
    /// The true time.
    pub time: std::sync::Arc<SimTime>,
    /// How far this clock is ahead.
    pub skew_micros: i64,
}

impl Clock for SimClock {
    fn now(&self) -> Time {
        Time::from_micros(self.time.micros() + self.skew_micros)
    }
}
