//! `boxoffice serve ROLE`: one service, or the gateway, by itself.
//!
//! ```text
//!   listen --> starting --> ready --> draining --> end
//!              (store,      |         not ready; running requests end, then consumers, relay and pipelines
//!               log)        '-- SIGTERM or SIGINT; a second one ends at once
//! ```
//!
//! To add a role: name it in `role.rs`, say in `service.rs` how it starts.

mod admin;
mod grpc;
pub mod keys;
pub mod log;
mod peers;
mod role;
mod service;
mod status;
mod store_url;
pub mod stores;

use std::{
    io::{Write, stdout},
    net::SocketAddr,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use ::admin::GatewayRow;
use gateway::Gateway;
use kit::{Environment, Guard, Runtime};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use role::Role;
pub use status::Status;
pub use store_url::{StoreUrl, without_secrets};

use crate::{
    admin_api::{self, AdminApi},
    config::Config,
    priorities,
    server::{self, bind_for},
    signals::{STOPPED_AT_ONCE, StopSignals},
    site, telemetry,
    traces::Traces,
};
use grpc::GrpcPort;
use service::Service;
use status::{Need, Phase};

/// How long running calls may take to end after the program was told to stop. No call takes longer.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(60);
/// How long what runs behind them may take then.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// Runs a role until it is told to stop.
///
/// # Errors
/// When the configuration cannot be used, or a port cannot be listened at.
pub async fn run(role: Role, config: Config) -> anyhow::Result<ExitCode> {
    telemetry::start(&config)?;
    // Before anything is announced: whoever reads that it listens may stop it at once.
    let mut signals = StopSignals::listen()?;
    let mut process = Process::listen(role, &config).await?;
    process.announce()?;
    tokio::select! {
        started = process.start(&config) => started?,
        signal = signals.wait() => signal?,
    }
    let until_drained = async {
        // Nothing to do before it started.
        if process.status.is(Phase::Ready) {
            signals.wait().await?;
        }
        anyhow::Ok(())
    };
    until_drained.await?;
    tracing::info!(%role, "stopping: what has begun is finished first");
    process.status.go_to(Phase::Draining);
    let drain = Duration::from_secs(u64::from(config.fleet.drain_seconds));
    tokio::select! {
        stopped = process.stop(drain) => stopped?,
        // What was answered is committed already; what was not may be sent again.
        _ = signals.wait() => return Ok(ExitCode::from(STOPPED_AT_ONCE)),
    }
    Ok(ExitCode::SUCCESS)
}

/// A running role.
struct Process {
    role: Role,
    status: Status,
    runtime: Runtime,
    environment: Environment,
    traces: Traces,
    guard: Guard,
    /// Told when no further request is taken in.
    closed: CancellationToken,
    /// Told at the very end.
    ended: CancellationToken,
    admin: (SocketAddr, JoinHandle<()>),
    front: Front,
    service: Option<Service>,
    /// Of the gateway, where it has a store.
    admin_api: Option<(AdminApi, stores::Opened<GatewayRow>)>,
}

/// Where requests come in.
enum Front {
    Grpc { address: SocketAddr, rpcs: grpc::Late, serving: JoinHandle<anyhow::Result<()>> },
    Rest { address: SocketAddr, gateway: Gateway, serving: JoinHandle<()> },
    Pages { address: SocketAddr, serving: JoinHandle<()> },
}

impl Process {
    /// Opens the ports.
    async fn listen(role: Role, config: &Config) -> anyhow::Result<Self> {
        let (status, runtime) = (Status::new(role), Runtime::new());
        let traces = Traces::start(config, &runtime.metrics, role.name())?;
        let environment = traces.environment();
        // Before a port is opened: what is wrong with the configuration ends the program.
        service::check(role, config)?;
        let guard = Guard::new(keys::verifier(config)?, environment.clone());
        let (closed, ended) = (CancellationToken::new(), CancellationToken::new());
        let admin = bind_for("admin-listen", config.fleet.admin_listen).await?;
        let admin_address = admin.address()?;
        let (front, figures) = if role == Role::Gateway {
            let server = server::Front::bind(config).await?;
            let address = server.address()?;
            let gateway = gateway(config, &guard, &environment, (&runtime, &closed), &status)?;
            let (live, served) = (gateway.live(), gateway.clone());
            let serving = tokio::spawn(server.serve(live, move |peer| served.for_peer(peer), closed.clone()));
            (Front::Rest { address, gateway: gateway.clone(), serving }, admin::Figures::new(gateway))
        } else if role == Role::Web {
            let server = bind_for("listen", config.listen).await?;
            let address = server.address()?;
            let web = site::alone(config, &environment, &runtime, &status)?;
            let serving = tokio::spawn(server.serve(web, closed.clone()));
            (Front::Pages { address, serving }, admin::figures_of(runtime.metrics.clone()))
        } else {
            let port = GrpcPort::bind(config.fleet.grpc_listen).await?;
            let (address, rpcs) = (port.address()?, port.rpcs());
            let serving = tokio::spawn(port.serve(status.clone(), closed.clone()));
            (Front::Grpc { address, rpcs, serving }, admin::figures_of(runtime.metrics.clone()))
        };
        let pages = admin::router(status.clone(), figures);
        let admin = (admin_address, tokio::spawn(admin.serve(pages, ended.clone())));
        Ok(Self {
            role,
            status,
            runtime,
            environment,
            traces,
            guard,
            closed,
            ended,
            admin,
            front,
            service: None,
            admin_api: None,
        })
    }

    /// Says where it listens.
    fn announce(&self) -> anyhow::Result<()> {
        let (kind, address) = match &self.front {
            Front::Grpc { address, .. } => ("gRPC at", address),
            Front::Rest { address, .. } => ("REST at http://", address),
            Front::Pages { address, .. } => ("pages at http://", address),
        };
        let gap = if kind.ends_with('/') { "" } else { " " };
        writeln!(
            stdout(),
            "boxoffice {}: {kind}{gap}{address}, admin at http://{}",
            self.role,
            self.admin.0
        )?;
        stdout().flush()?;
        Ok(())
    }

    /// Returns once it is ready.
    async fn start(&mut self, config: &Config) -> anyhow::Result<()> {
        if let Front::Grpc { rpcs, .. } = &self.front {
            let parts = service::Parts {
                config,
                runtime: &self.runtime,
                environment: &self.environment,
                guard: &self.guard,
                status: &self.status,
            };
            let service = parts.start(self.role).await?;
            rpcs.set(service.transport.clone());
            self.service = Some(service);
        }
        if let Front::Rest { gateway, .. } = &self.front {
            self.admin_api = start_admin_api(gateway, config, &self.environment).await?;
        }
        self.status.go_to(Phase::Ready);
        tracing::info!(role = %self.role, "ready");
        Ok(())
    }

    /// Takes nothing in any more, and finishes what has begun.
    async fn stop(self, drain: Duration) -> anyhow::Result<()> {
        tokio::time::sleep(drain).await;
        self.closed.cancel();
        let served = async {
            match self.front {
                Front::Grpc { serving, .. } => serving.await?,
                Front::Rest { serving, .. } | Front::Pages { serving, .. } => Ok(serving.await?),
            }
        };
        // Consumers go on meanwhile: a request may wait for what they hear.
        match tokio::time::timeout(DRAIN_TIMEOUT, served).await {
            Ok(served) => served?,
            Err(_) => tracing::warn!("some calls did not end in time"),
        }
        if tokio::time::timeout(STOP_TIMEOUT, self.runtime.stop()).await.is_err() {
            tracing::warn!("some work did not end in time; what was not committed is done again elsewhere");
        }
        if let Some(service) = self.service {
            service.close().await;
        }
        if let Some((admin_api, store)) = self.admin_api {
            admin_api.stop().await;
            store.close().await;
        }
        self.traces.stop().await;
        self.ended.cancel();
        let _ = tokio::time::timeout(STOP_TIMEOUT, self.admin.1).await;
        Ok(())
    }
}

/// Kong's Admin API, where there is a store for what is configured.
async fn start_admin_api(
    gateway: &Gateway,
    config: &Config,
    environment: &Environment,
) -> anyhow::Result<Option<(AdminApi, stores::Opened<GatewayRow>)>> {
    let Some(url) = &config.gateway.store_url else { return Ok(None) };
    let url = StoreUrl::parse("BOXOFFICE_GATEWAY_STORE_URL", url)?;
    let opened = stores::open::<GatewayRow>(&url, Role::Gateway, stores::Access::Own).await?;
    let figures = gateway.clone();
    let parts = admin_api::Parts {
        gateway: gateway.clone(),
        store: Arc::clone(&opened.store),
        environment: environment.clone(),
        figures: Arc::new(move || figures.figures()),
    };
    let admin_api = AdminApi::start(parts, config).await?;
    if let Some(address) = admin_api.address {
        writeln!(stdout(), "boxoffice gateway: Kong's Admin API at http://{address}")?;
        stdout().flush()?;
    }
    Ok(Some((admin_api, opened)))
}

/// The gateway, with the way to each service.
fn gateway(
    config: &Config,
    guard: &Guard,
    environment: &Environment,
    (runtime, closed): (&Runtime, &CancellationToken),
    status: &Status,
) -> anyhow::Result<Gateway> {
    let upstreams = upstreams(config, runtime, status)?;
    let metrics = runtime.metrics.clone();
    Ok(Gateway::new(
        upstreams,
        guard.clone(),
        environment.clone(),
        Arc::new(status.clone()),
        gateway::Options {
            drain: closed.clone(),
            priority_of: priorities::of,
            ..gateway::Options::default()
        },
        Arc::new(move || metrics.text()),
    )?)
}

/// The way to each service whose address is set, by its gRPC name.
///
/// # Errors
/// When a setting holds no addresses.
pub fn upstreams(config: &Config, runtime: &Runtime, status: &Status) -> anyhow::Result<gateway::Upstreams> {
    let mut upstreams = gateway::Upstreams::new();
    for role in Role::SERVICES {
        let way = peers::way_to(role, config, runtime, status)?;
        match way.zip(role.grpc_name()) {
            Some((transport, name)) => {
                upstreams.insert(name.to_owned(), transport);
            }
            None => {
                let setting = config.fleet.url_of(role).0;
                tracing::warn!(%role, setting, "is not set: what this service answers is refused with 503");
                status.note(role.name(), Need::Shown, Err("no address is set"));
            }
        }
    }
    Ok(upstreams)
}
