//! What is chosen for the gateway's own configuration: Kong's Admin API.

use std::{fmt, net::SocketAddr, path::PathBuf};

/// The section `[gateway]` of the file.
#[derive(Clone, confique::Config)]
#[config(layer_attr(derive(Clone)), layer_attr(serde(deny_unknown_fields)))]
pub struct Gateway {
    /// Where Kong's Admin API listens. Without it, `up` listens at 127.0.0.1:8001, or at a free port where `listen` takes
    /// one, and does without where 8001 is in use; `serve gateway` needs `store_url` too. Anything else than a loopback
    /// address needs `admin_token`.
    #[config(env = "BOXOFFICE_GATEWAY_ADMIN_LISTEN")]
    pub admin_listen: Option<SocketAddr>,

    /// Where the gateway speaks TLS, beside `listen`; nowhere without it. Certificates, and the names that they are for,
    /// are a part of the gateway's configuration (`/certificates` of the Admin API).
    #[config(env = "BOXOFFICE_GATEWAY_TLS_LISTEN")]
    pub tls_listen: Option<SocketAddr>,

    /// What clients of the Admin API send as `Kong-Admin-Token`. Without it, programs on this machine may call.
    #[config(env = "BOXOFFICE_GATEWAY_ADMIN_TOKEN")]
    pub admin_token: Option<String>,

    /// The database of `serve gateway`, in the form of `fleet.store_url`; several gateways may share it, and each sees
    /// what the others change within a second.
    #[config(env = "BOXOFFICE_GATEWAY_STORE_URL")]
    pub store_url: Option<String>,

    /// A declarative file (`_format_version: "3.0"`) that is loaded at each start, in place of what is stored.
    #[config(env = "BOXOFFICE_GATEWAY_CONFIG")]
    pub config_file: Option<PathBuf>,
}

/// The shortest token.
const MIN_TOKEN_BYTES: usize = 16;

impl Gateway {
    /// Refuses what no single value shows to be wrong.
    ///
    /// # Errors
    /// Which setting, and what it may be.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let is_open = self.admin_listen.is_some_and(|address| !address.ip().is_loopback());
        anyhow::ensure!(
            !is_open || self.admin_token.is_some(),
            "gateway.admin_token must be set where gateway.admin_listen is no loopback address"
        );
        let is_short = self.admin_token.as_ref().is_some_and(|token| token.len() < MIN_TOKEN_BYTES);
        anyhow::ensure!(!is_short, "gateway.admin_token must have at least {MIN_TOKEN_BYTES} characters");
        Ok(())
    }
}

/// Without the token, and without the password in a URL.
impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("admin_listen", &self.admin_listen).finish_non_exhaustive()
    }
}
