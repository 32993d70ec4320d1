//! Redis taking the seats of one event: a script decrements what is left and appends the ticket to a
//! stream, and each answer waits for the disk. Measured by its own redis-benchmark.

use std::{path::Path, process::Command};

use anyhow::{Context, ensure};
use engines::{
    process::{self, Server},
    tools::{self, Package, Tools},
};
use rustix::process::Signal;

use crate::compare::{
    figure::Figure,
    group::{Peer, Place, Running},
    ours::{self, Ours},
};

/// The programs, and the packages of Debian that have them.
pub const PROGRAMS: &[(&str, &str)] =
    &[("redis-server", "redis-server"), ("redis-benchmark", "redis-tools"), ("redis-cli", "redis-tools")];

const FIGURES: &[Figure] =
    &[Figure { id: "redis", title: "Redis, script, appendfsync always, 32 clients", unit: "scripts" }];

const CLIENTS: &str = "32";
/// redis-benchmark ends after a number of requests: these show how many fit into the time.
const PROBE_REQUESTS: u64 = 20_000;
const SCRIPT: &str = "
    local left = tonumber(redis.call('GET', KEYS[1]))
    if left <= 0 then return 0 end
    redis.call('DECR', KEYS[1])
    redis.call('XADD', KEYS[2], '*', 'event', '1', 'buyer', ARGV[1])
    return left";

pub struct Redis;

/// A running server.
pub struct Store {
    /// Where it listens.
    pub port: u16,
    _server: Server,
}

/// When a write is on the disk.
#[derive(Debug, Clone, Copy)]
pub enum Durability {
    /// Before it is answered.
    Always,
    /// Never.
    Never,
}

impl Store {
    /// Starts it on an empty directory.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(directory: &Path, durability: Durability) -> anyhow::Result<Self> {
        let port = process::free_port()?;
        let mut command = Command::new(tools::need("redis-server", "redis-server")?);
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        command.arg("--dir").arg(directory);
        match durability {
            Durability::Always => command.args(["--appendonly", "yes", "--appendfsync", "always"]),
            Durability::Never => command.args(["--appendonly", "no"]),
        };
        let mut server = Server::start("redis", directory, Signal::TERM, &mut command)?;
        server.wait_for_port(port)?;
        Ok(Self { port, _server: server })
    }

    fn ask(&self, words: &[&str]) -> anyhow::Result<String> {
        let mut cli = Command::new(tools::need("redis-cli", "redis-tools")?);
        let answer = process::output(cli.args(["-e", "-p", &self.port.to_string()]).args(words))?;
        Ok(answer.trim().to_owned())
    }

    fn load(&self, script: &str, requests: u64) -> anyhow::Result<f64> {
        let mut benchmark = Command::new(tools::need("redis-benchmark", "redis-tools")?);
        benchmark.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-c", CLIENTS, "--csv"]);
        benchmark.args(["-n", &requests.to_string(), "evalsha", script, "2", "left", "tickets", "7"]);
        rate(&process::output(&mut benchmark)?)
    }
}

impl Peer for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn figures(&self) -> &'static [Figure] {
        FIGURES
    }

    fn beside(&self) -> &'static [Ours] {
        &[ours::BOOKINGS]
    }

    fn missing(&self, _: &Tools) -> Vec<Package> {
        tools::missing(PROGRAMS)
    }

    fn start(&self, place: &Place) -> anyhow::Result<Box<dyn Running>> {
        Ok(Box::new(Store::start(&place.fresh_directory(self.name())?, Durability::Always)?))
    }
}

impl Running for Store {
    fn version(&self) -> anyhow::Result<String> {
        tools::version("Redis", &tools::need("redis-server", "redis-server")?)
    }

    fn measure(&mut self, _: Figure, seconds: u64) -> anyhow::Result<f64> {
        self.ask(&["FLUSHALL"])?;
        self.ask(&["SET", "left", "1000000000"])?;
        let script = self.ask(&["SCRIPT", "LOAD", SCRIPT])?;
        let probed = self.load(&script, PROBE_REQUESTS)?;
        let requests = (probed * seconds as f64) as u64;
        let per_s = self.load(&script, requests)?;
        // The benchmark counts errors as answers.
        let issued: u64 = self.ask(&["XLEN", "tickets"])?.parse()?;
        ensure!(
            issued == PROBE_REQUESTS + requests,
            "{issued} tickets of {} requests",
            PROBE_REQUESTS + requests
        );
        Ok(per_s)
    }
}

/// Reads what redis-benchmark prints: a head, then the name of the test and its rate.
fn rate(printed: &str) -> anyhow::Result<f64> {
    let mut lines = printed.lines().filter(|line| !line.starts_with("\"test\"") && line.starts_with('"'));
    let fields = lines.next_back().map(|line| line.split("\",\"").collect::<Vec<_>>());
    let rate = fields.as_ref().and_then(|fields| fields.get(1)).context("redis-benchmark prints no rate")?;
    Ok(rate.trim_matches('"').parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_in_what_redis_benchmark_prints() {
        let printed = "\"test\",\"rps\",\"avg_latency_ms\",\"min_latency_ms\",\"p50_latency_ms\"\n\
                       \"evalsha 2f4a 2 left tickets 7\",\"38022.81\",\"0.801\",\"0.160\",\"0.735\"\n";
        assert_eq!(rate(printed).unwrap(), 38_022.81);
        assert_eq!(rate("\"ping\",\"38022.81\"\n").unwrap(), 38_022.81);
        assert!(rate("Could not connect to Redis").is_err());
    }
}
