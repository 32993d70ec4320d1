//! Nobody beside us: our own figures over one another.

use anyhow::bail;
use engines::tools::{self, Package, Tools};

use crate::compare::{
    figure::Figure,
    group::{Peer, Place, Running},
    ours::{self, Ours},
};

pub struct Boxoffice;

struct Built {
    version: String,
}

impl Peer for Boxoffice {
    fn name(&self) -> &'static str {
        "boxoffice"
    }

    fn figures(&self) -> &'static [Figure] {
        &[]
    }

    fn beside(&self) -> &'static [Ours] {
        &[ours::BOOKINGS, ours::BOOKINGS_FEW, ours::BOOKINGS_SPREAD, ours::BOOKINGS_LOGIN, ours::SOLD_OUT]
    }

    fn missing(&self, _: &Tools) -> Vec<Package> {
        Vec::new()
    }

    /// The load generator starts a platform for each run.
    fn start(&self, place: &Place) -> anyhow::Result<Box<dyn Running>> {
        Ok(Box::new(Built { version: tools::version("Boxoffice", &place.program("boxoffice"))? }))
    }
}

impl Running for Built {
    fn version(&self) -> anyhow::Result<String> {
        Ok(self.version.clone())
    }

    fn measure(&mut self, figure: Figure, _: u64) -> anyhow::Result<f64> {
        bail!("{} is no figure of a peer", figure.id)
    }
}
