//! Where the load goes.

use std::{fmt, net::SocketAddr};

use anyhow::Context;

/// A deployment, with its address looked up once.
#[derive(Debug, Clone)]
pub struct Target {
    /// For connecting.
    pub address: SocketAddr,
    /// For the `Host` header.
    pub host: String,
}

impl Target {
    /// Reads `http://HOST[:PORT]`.
    ///
    /// # Errors
    /// When it is not that, or the host is not known.
    pub async fn parse(url: &str) -> anyhow::Result<Self> {
        let authority = url.strip_prefix("http://").with_context(|| {
            format!(
                "--url {url} must begin with http://: the generator speaks no TLS, so that it stays light"
            )
        })?;
        let authority = authority.trim_end_matches('/');
        anyhow::ensure!(!authority.contains('/'), "--url {url} must not have a path");
        let is_plain = authority.bytes().all(|byte| byte.is_ascii_graphic());
        anyhow::ensure!(is_plain, "--url {url} is not a URL");
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let lookup = if has_port { authority.to_owned() } else { format!("{authority}:80") };
        let found = tokio::net::lookup_host(&lookup).await;
        // A name such as localhost has two addresses; a server of this machine mostly listens at the older kind.
        let address = found.ok().and_then(|found| found.min_by_key(SocketAddr::is_ipv6));
        Ok(Self {
            address: address.with_context(|| format!("the host of --url {url} is not known"))?,
            host: authority.to_owned(),
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_url_is_a_host_and_perhaps_a_port() {
        let target = Target::parse("http://127.0.0.1:8000/").await.unwrap();
        assert_eq!((target.address.port(), target.to_string()), (8000, "http://127.0.0.1:8000".to_owned()));
        assert_eq!(Target::parse("http://127.0.0.1").await.unwrap().address.port(), 80);
        for wrong in ["https://127.0.0.1", "127.0.0.1:80", "http://127.0.0.1/v1", "http://", "http://a b"] {
            assert!(Target::parse(wrong).await.is_err(), "{wrong}");
        }
    }
}
