//! A clock that goes through the past, so that ids are of the time of what they name.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use domain::Time;
use kit::{
    Clock, Environment,
    clock::{SystemClock, SystemEntropy},
};

/// So many seconds has a day.
pub const SECONDS_OF_A_DAY: i64 = 86_400;

/// A clock that is set.
#[derive(Clone)]
pub struct SeedClock(Arc<AtomicI64>);

impl Clock for SeedClock {
    fn now(&self) -> Time {
        Time::from_micros(self.0.load(Ordering::Relaxed))
    }
}

impl SeedClock {
    pub fn new() -> Self {
        Self(Arc::default())
    }

    /// The machine's time.
    pub fn real(&self) -> Time {
        SystemClock.now()
    }

    pub fn set(&self, time: Time) {
        self.0.store(time.micros(), Ordering::Relaxed);
    }

    pub fn environment(&self) -> Environment {
        Environment::new(Arc::new(self.clone()), Arc::new(SystemEntropy))
    }
}
