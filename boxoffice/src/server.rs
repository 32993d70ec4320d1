//! The listeners of the program, with errors that name the flag to change.

use std::{io, net::SocketAddr, sync::Arc};

use anyhow::Context;
use gateway::{Peer, server::Answers, snapshot::Live};
use tokio_util::sync::CancellationToken;

pub use gateway::server::Server;

use crate::config::Config;

/// Listens at an address; port 0 takes a free one.
///
/// # Errors
/// When the address cannot be used; the error says what to do.
pub async fn bind_for(flag: &str, address: SocketAddr) -> anyhow::Result<Server> {
    Server::bind(address).await.with_context(|| {
        format!("cannot listen at {address}: is another program using it? Choose one with --{flag}")
    })
}

/// Where the gateway listens: in the clear, and over TLS where that is configured.
pub struct Front {
    clear: Server,
    tls: Option<Server>,
}

impl Front {
    /// Listens.
    ///
    /// # Errors
    /// As [`bind_for`].
    pub async fn bind(config: &Config) -> anyhow::Result<Self> {
        let clear = bind_for("listen", config.listen).await?;
        let tls = match config.gateway.tls_listen {
            Some(address) => Some(bind_for("gateway-tls-listen", address).await?),
            None => None,
        };
        Ok(Self { clear, tls })
    }

    /// Where it listens in the clear.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.clear.address()
    }

    /// Where it listens for TLS.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn tls_address(&self) -> io::Result<Option<SocketAddr>> {
        self.tls.as_ref().map(Server::address).transpose()
    }

    /// Serves until told to stop; running requests are finished. `answers` makes what answers a client; `live` has the
    /// certificates.
    pub async fn serve<A: Answers>(
        self,
        live: Arc<Live>,
        answers: impl Fn(Peer) -> A + Clone + Send + 'static,
        stop: CancellationToken,
    ) {
        let tls = self.tls.map(|server| server.with_tls(live));
        let over_tls = async {
            match tls {
                Some(Ok(server)) => server.serve_with(answers.clone(), stop.clone()).await,
                Some(Err(error)) => tracing::error!(%error, "TLS cannot be spoken"),
                None => {}
            }
        };
        tokio::join!(self.clear.serve_with(answers.clone(), stop.clone()), over_tls);
    }
}
