//! Fuzz targets: everything that reads what somebody else wrote gets changed samples of it. Nothing panics, nothing
//! is a 5xx, and nothing that was changed passes for what it was.
//!
//! Each target makes [`CASES`] inputs; `BOXOFFICE_FUZZ_CASES` asks for more. A failing input is made as small as it can
//! be and printed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod edges;
mod environment;
mod facts;
mod files;
mod mutation;
mod platform;

use proptest::test_runner::{Config, FileFailurePersistence};

/// Inputs of each target.
const CASES: u32 = 1_000;

/// How many inputs, and that a failing one is printed, not kept in a file.
pub fn config() -> Config {
    let cases = std::env::var("BOXOFFICE_FUZZ_CASES").ok().and_then(|text| text.parse().ok());
    Config {
        cases: cases.unwrap_or(CASES),
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        max_shrink_iters: 2_000,
        ..Config::default()
    }
}
