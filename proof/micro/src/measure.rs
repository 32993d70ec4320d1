//! Runs a workload and counts.

use std::time::Instant;

use crate::{allocator::Asked, workload::Workload};

/// Rounds that are not counted: until then tables are made that stay.
const FIRST_ROUNDS: u64 = 16;

/// What one operation took.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// On the clock of the machine.
    pub nanoseconds: f64,
    /// Blocks of memory asked for.
    pub allocations: f64,
    /// Their sizes together.
    pub bytes: f64,
}

/// Runs so many rounds, after some that do not count.
pub fn run(workload: &Workload, rounds: u64) -> anyhow::Result<Cost> {
    let mut round = (workload.start)()?;
    for _ in 0..FIRST_ROUNDS {
        round()?;
    }
    let (before, started) = (Asked::so_far(), Instant::now());
    for _ in 0..rounds {
        round()?;
    }
    let (took, after) = (started.elapsed(), Asked::so_far());
    let operations = (rounds * workload.operations) as f64;
    Ok(Cost {
        nanoseconds: took.as_nanos() as f64 / operations,
        allocations: (after.allocations - before.allocations) as f64 / operations,
        bytes: (after.bytes - before.bytes) as f64 / operations,
    })
}
