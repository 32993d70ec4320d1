//! gRPC on the library that we use: unary calls of an echo over one HTTP/2 connection.

use std::{path::PathBuf, process::Command};

use anyhow::Context;
use engines::{
    process::{self, Server},
    tools::{Package, Tools},
};
use rustix::process::Signal;
use serde_json::Value;

use crate::compare::{
    figure::Figure,
    group::{self, Peer, Place, Running},
    ours::Ours,
};

/// The crate that the version is told of.
const CRATE: &str = "tonic";
/// How many calls are on their way at any time.
const STREAMS: &str = "64";

const FIGURES: &[Figure] =
    &[Figure { id: "tonic-echo", title: "tonic, unary echo, 64 streams", unit: "calls" }];

pub struct Tonic;

/// A running echo over gRPC.
pub struct Upstream {
    url: String,
    program: PathBuf,
    _server: Server,
}

impl Upstream {
    /// Starts it.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(place: &Place) -> anyhow::Result<Self> {
        let program = place.program("peers");
        let directory = place.fresh_directory("upstream")?;
        let mut command = Command::new(&program);
        let mut server = Server::start("upstream", &directory, Signal::TERM, command.arg("upstream"))?;
        server.wait_until(|server| server.output().ends_with('\n'))?;
        let url = server.output().lines().next().context("the echo prints no address")?.to_owned();
        Ok(Self { url, program, _server: server })
    }

    /// The port at which it listens.
    ///
    /// # Errors
    /// When its address has none.
    pub fn port(&self) -> anyhow::Result<u16> {
        let port = self.url.rsplit_once(':').context("an address has no port")?.1;
        Ok(port.parse()?)
    }
}

impl Peer for Tonic {
    fn name(&self) -> &'static str {
        CRATE
    }

    fn figures(&self) -> &'static [Figure] {
        FIGURES
    }

    fn beside(&self) -> &'static [Ours] {
        &[]
    }

    fn missing(&self, _: &Tools) -> Vec<Package> {
        Vec::new()
    }

    fn start(&self, place: &Place) -> anyhow::Result<Box<dyn Running>> {
        Ok(Box::new(Upstream::start(place)?))
    }
}

impl Running for Upstream {
    fn version(&self) -> anyhow::Result<String> {
        super::crate_version(CRATE)
    }

    fn measure(&mut self, _: Figure, seconds: u64) -> anyhow::Result<f64> {
        let mut load = Command::new(&self.program);
        load.args(["load", "--url", &self.url, "--streams", STREAMS, "--seconds", &seconds.to_string()]);
        let report: Value = serde_json::from_str(&process::output(&mut load)?)?;
        group::rate(&report, "/per_s")
    }
}
