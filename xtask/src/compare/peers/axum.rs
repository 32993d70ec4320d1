//! The ceiling: an HTTP server on the same libraries that answers JSON with JSON and does nothing else.

use engines::tools::{Package, Tools};

use crate::compare::{
    figure::Figure,
    group::{self, Peer, Place, Running},
    ours::{self, Ours},
};

/// The crate that the version is told of.
const CRATE: &str = "axum";

const FIGURES: &[Figure] = &[Figure { id: "axum-echo", title: "axum, JSON echo", unit: "requests" }];

pub struct Axum;

struct Echo {
    place: Place,
}

impl Peer for Axum {
    fn name(&self) -> &'static str {
        CRATE
    }

    fn figures(&self) -> &'static [Figure] {
        FIGURES
    }

    fn beside(&self) -> &'static [Ours] {
        &[ours::BOOKINGS]
    }

    fn missing(&self, _: &Tools) -> Vec<Package> {
        Vec::new()
    }

    /// The load generator starts it for each run.
    fn start(&self, place: &Place) -> anyhow::Result<Box<dyn Running>> {
        Ok(Box::new(Echo { place: place.clone() }))
    }
}

impl Running for Echo {
    fn version(&self) -> anyhow::Result<String> {
        super::crate_version(CRATE)
    }

    fn measure(&mut self, _: Figure, seconds: u64) -> anyhow::Result<f64> {
        let connections = self.place.connections.to_string();
        group::rate(&self.place.bench(["echo", "--connections", &connections], seconds)?, "/per_s")
    }
}
