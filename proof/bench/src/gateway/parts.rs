//! What runs when the gateway is measured: a gRPC echo, the platform with a service configured before it, and Envoy with
//! the same.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Options;
use crate::{
    platform::{self, Platform},
    process::Process,
    target::Target,
};

/// Names the program `peers`.
const PEERS: &str = "BOXOFFICE_PEERS_BIN";
/// As many as the smallest machine that this is for has cores.
const ENVOY_WORKERS: &str = "2";
/// How long Envoy may take until it listens.
const ENVOY_START: Duration = Duration::from_secs(20);
/// The issuer of the tokens that `peers files` writes, and so the key of the credential.
const ISSUER: &str = "compare";

/// Everything that runs; ended when it is dropped, those who ask before those who are asked.
pub struct Parts {
    /// The gateway's listener.
    pub ours: Target,
    /// Envoy's, where it was asked for.
    pub envoy: Option<Target>,
    /// `Bearer` and a token that both take.
    pub authorization: String,
    /// The platform.
    pub platform: Platform,
    _envoy: Option<Envoy>,
    _echo: Process,
    _directory: TempDir,
}

impl Parts {
    /// Starts all of it. Requests below `/broken` go to the given port by HTTP, without a token.
    ///
    /// # Errors
    /// When a program is not there or does not start.
    pub async fn start(options: &Options, broken_port: u16) -> anyhow::Result<Self> {
        let peers = platform::find("peers", PEERS)?;
        let directory = tempfile::tempdir().context("no temporary directory can be made")?;
        printed(Command::new(&peers).arg("files").arg(directory.path()))?;
        let echo = Process::start(Command::new(&peers).arg("upstream"), "http://127.0.0.1:")?;
        // What it prints is its address, of which the beginning is known.
        let echo_port: u16 = echo.url.trim().parse().context("the echo prints no port")?;
        let file = directory.path().join("kong.json");
        fs::write(&file, configuration(directory.path(), echo_port, broken_port)?.to_string())?;
        let platform = Platform::start_with(&[("BOXOFFICE_GATEWAY_CONFIG", &file)])?;
        let envoy = options.envoy.as_deref();
        let envoy = envoy
            .map(|program| Envoy::start(program, options, &peers, directory.path(), echo_port))
            .transpose()?;
        let envoy_target = match &envoy {
            Some(envoy) => Some(Target::parse(&format!("http://127.0.0.1:{}", envoy.port)).await?),
            None => None,
        };
        let token = fs::read_to_string(directory.path().join("eddsa.jwt"))?;
        Ok(Self {
            ours: Target::parse(&platform.process.url).await?,
            envoy: envoy_target,
            authorization: format!("Bearer {token}"),
            platform,
            _envoy: envoy,
            _echo: echo,
            _directory: directory,
        })
    }
}

/// A declarative file as Kong reads it too.
fn configuration(directory: &Path, echo_port: u16, broken_port: u16) -> anyhow::Result<Value> {
    let key = fs::read_to_string(directory.join("eddsa.pem"))?;
    let contract = directory.join("echo.binpb");
    Ok(json!({
        "_format_version": "3.0",
        "services": [
            {
                "name": "echo", "url": format!("grpc://127.0.0.1:{echo_port}"),
                "routes": [{ "name": "echo", "paths": ["/v1/echo"], "strip_path": false }],
                "plugins": [
                    { "name": "grpc-gateway", "config": { "proto": contract } },
                    { "name": "jwt", "config": { "claims_to_verify": ["exp"] } },
                ],
            },
            {
                "name": "broken", "url": format!("http://127.0.0.1:{broken_port}"),
                "routes": [{ "name": "broken", "paths": ["/broken"] }],
            },
        ],
        "consumers": [{
            "username": "ada",
            "jwt_secrets": [{ "key": ISSUER, "algorithm": "EdDSA", "rsa_public_key": key }],
        }],
    }))
}

/// Envoy before the same echo.
struct Envoy {
    child: Child,
    port: u16,
}

impl Envoy {
    fn start(
        program: &Path,
        options: &Options,
        peers: &Path,
        directory: &Path,
        echo_port: u16,
    ) -> anyhow::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let tokens = if options.envoy_remembers { "eddsa:cached" } else { "eddsa" };
        let mut written = Command::new(peers);
        written.arg("envoy").arg(directory).args([echo_port.to_string(), format!("{port}:{tokens}")]);
        let file: PathBuf = directory.join("envoy.json");
        fs::write(&file, printed(&mut written)?)?;
        let mut command = Command::new(program);
        command.arg("--config-path").arg(file).args(["--concurrency", ENVOY_WORKERS, "--log-level", "error"]);
        command.arg("--disable-hot-restart").stdout(Stdio::null());
        let child = command.spawn().with_context(|| format!("{} cannot be started", program.display()))?;
        let envoy = Self { child, port };
        let until = Instant::now() + ENVOY_START;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            ensure!(Instant::now() < until, "Envoy does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(envoy)
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        // Neither is an error when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a program prints.
fn printed(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let output =
        command.output().with_context(|| format!("{:?} cannot be started", command.get_program()))?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}
