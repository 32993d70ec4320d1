//! How far something long is, for who waits at the terminal.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// What is done sooner is not worth a line.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// Something long, in steps.
pub struct Progress {
    what: &'static str,
    total: u64,
    done: Cell<u64>,
    told: Cell<Instant>,
}

impl Progress {
    /// Nothing is done yet.
    pub fn new(what: &'static str, total: u64) -> Self {
        Self { what, total, done: Cell::new(0), told: Cell::new(Instant::now()) }
    }

    /// So much more is done.
    pub fn step(&self, count: u64) {
        self.done.set(self.done.get() + count);
        if self.told.get().elapsed() >= TELL_EVERY {
            eprintln!("  {} of {} {}", self.done.get(), self.total, self.what);
            self.told.set(Instant::now());
        }
    }
}
