//! The hosts of a route: `api.example.org`, `*.example.org`, `example.*`, each perhaps with a port.

use super::split_host;

/// One of a route's hosts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HostRule {
    name: Name,
    port: Option<u16>,
}

#[derive(Debug, PartialEq, Eq)]
enum Name {
    Exact(String),
    /// With the dot.
    EndsWith(String),
    /// With the dot.
    BeginsWith(String),
}

impl HostRule {
    /// Reads a host of a route.
    pub fn of(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        let (host, port) = split_host(&text);
        let name = if let Some(end) = host.strip_prefix('*') {
            Name::EndsWith(end.to_owned())
        } else if let Some(beginning) = host.strip_suffix('*') {
            Name::BeginsWith(beginning.to_owned())
        } else {
            Name::Exact(host.to_owned())
        };
        Self { name, port }
    }

    /// Whether it is one host.
    pub fn is_exact(&self) -> bool {
        matches!(self.name, Name::Exact(_))
    }

    /// Whether a request's host is meant. A rule without a port means all ports.
    pub fn fits(&self, host: &str, port: Option<u16>) -> bool {
        let fits = match &self.name {
            Name::Exact(name) => name == host,
            Name::EndsWith(end) => host.len() > end.len() && host.ends_with(end.as_str()),
            Name::BeginsWith(beginning) => {
                host.len() > beginning.len() && host.starts_with(beginning.as_str())
            }
        };
        fits && (self.port.is_none() || self.port == port)
    }
}
