//! Kong's Admin API beside the gateway: its listener, its store, and the way of a change to what is served.

use std::{net::SocketAddr, path::Path, sync::Arc};

use admin::{Admin, Figures, GatewayRow, State};
use anyhow::Context;
use gateway::{Gateway, builtin, snapshot::Live};
use kit::Environment;
use kong::declarative;
use store::Store;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    server::{Server, bind_for},
};

/// Where it listens when nothing is said, as Kong does.
const USUAL_PORT: u16 = 8_001;

/// A running Admin API.
pub struct AdminApi {
    /// Where it listens; none when its usual port is in use.
    pub address: Option<SocketAddr>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// What the Admin API of a process is made of.
pub struct Parts {
    /// Whose configuration it is.
    pub gateway: Gateway,
    /// Where it stays.
    pub store: Arc<dyn Store<GatewayRow>>,
    /// The clock and the ids.
    pub environment: Environment,
    /// The figures of the process.
    pub figures: Figures,
}

impl AdminApi {
    /// Reads what is stored, serves it, and listens.
    ///
    /// # Errors
    /// When the store cannot be read, the declarative file is wrong, or a chosen address cannot be listened at.
    pub async fn start(parts: Parts, config: &Config) -> anyhow::Result<Self> {
        let server = bind(config).await?;
        let address = server.as_ref().map(Server::address).transpose()?;
        let live = parts.gateway.live();
        let state = Arc::new(load(&parts, &live).await?);
        if let Some(file) = &config.gateway.config_file {
            load_file(&state, file).await.with_context(|| format!("{} is not loaded", file.display()))?;
        }
        let stop = CancellationToken::new();
        let admin = Admin::new(Arc::clone(&state), live, parts.figures, config.gateway.admin_token.clone());
        let (watched, until) = (Arc::clone(&state), stop.clone());
        let mut tasks = vec![tokio::spawn(async move { watched.watch_others(until).await })];
        tasks.extend(server.map(|server| tokio::spawn(server.serve(admin, stop.clone()))));
        Ok(Self { address, stop, tasks })
    }

    /// Ends it; a change that has begun is finished.
    pub async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            if task.await.is_err() {
                tracing::error!("a task of the Admin API panicked");
            }
        }
    }
}

/// A chosen address must be free; the usual one may be taken by a second Boxoffice, or by Kong itself.
async fn bind(config: &Config) -> anyhow::Result<Option<Server>> {
    if let Some(chosen) = config.gateway.admin_listen {
        return bind_for("gateway-admin-listen", chosen).await.map(Some);
    }
    let port = if config.listen.port() == 0 { 0 } else { USUAL_PORT };
    match bind_for("gateway-admin-listen", SocketAddr::from(([127, 0, 0, 1], port))).await {
        Ok(server) => Ok(Some(server)),
        Err(_) => {
            tracing::info!(port, "the Admin API does not listen: the port is in use");
            Ok(None)
        }
    }
}

async fn load(parts: &Parts, live: &Arc<Live>) -> anyhow::Result<State> {
    let (schemas, served) = (Arc::new(live.schemas()), Arc::clone(live));
    let serve = Box::new(move |config: &Arc<kong::Config>| {
        served.serve(config);
    });
    let store = Arc::clone(&parts.store);
    let state = State::load(store, parts.environment.clone(), schemas, builtin::config(), serve).await;
    state.context("the configuration of the gateway cannot be read")
}

async fn load_file(state: &State, file: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file)?;
    anyhow::ensure!(
        text.len() <= declarative::MAX_FILE_BYTES,
        "it may have {} bytes at most",
        declarative::MAX_FILE_BYTES
    );
    let parsed = declarative::parse(&text)?;
    let changed = state.change(|config| {
        let mut given = || state.given();
        let loaded = declarative::load(parsed.clone(), state.base(), state.plugins(), &mut given)?;
        Ok((config.changes_to(&loaded), ()))
    });
    Ok(changed.await?)
}
