//! Kong's entities as the data plane needs them: read once when the configuration changes.

use std::{collections::BTreeMap, time::Duration};

use kong::Entity;
use serde::{Deserialize, de::DeserializeOwned};
use uuid::Uuid;

/// An entity whose fields are of another form than its schema says: a defect, not bad input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{collection} {id}: {why}")]
pub struct Unreadable {
    /// The collection.
    pub collection: &'static str,
    /// Which one.
    pub id: Uuid,
    /// What is wrong.
    pub why: String,
}

/// Reads an entity.
pub(crate) fn read<T: DeserializeOwned>(entity: &Entity) -> Result<T, Unreadable> {
    let collection = entity.kind.definition().name;
    T::deserialize(&*entity.fields).map_err(|error| Unreadable {
        collection,
        id: entity.id,
        why: error.to_string(),
    })
}

/// A reference to another entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Reference {
    /// Its id.
    pub id: Uuid,
}

/// How somebody is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// HTTP/1.1, or HTTP/2 where both can.
    Http,
    /// The same over TLS.
    Https,
    /// gRPC over HTTP/2.
    Grpc,
    /// The same over TLS.
    Grpcs,
}

impl Protocol {
    /// Whether it is over TLS.
    #[must_use]
    pub fn is_secure(self) -> bool {
        matches!(self, Self::Https | Self::Grpcs)
    }

    /// Whether it is gRPC.
    #[must_use]
    pub fn is_grpc(self) -> bool {
        matches!(self, Self::Grpc | Self::Grpcs)
    }
}

/// An API behind the gateway.
#[derive(Debug, Clone, Deserialize)]
pub struct Service {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: Option<String>,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// A host, an address, or the name of an upstream.
    pub host: String,
    /// The port, where the host is no upstream.
    pub port: u16,
    /// What is put in front of each path.
    pub path: Option<String>,
    /// How often a try may be made again.
    pub retries: Option<u32>,
    #[serde(rename = "connect_timeout")]
    connect_timeout_ms: Option<u64>,
    #[serde(rename = "write_timeout")]
    write_timeout_ms: Option<u64>,
    #[serde(rename = "read_timeout")]
    read_timeout_ms: Option<u64>,
    /// Whether its routes answer.
    pub enabled: bool,
    /// Whether its certificate is verified; none is yes.
    pub tls_verify: Option<bool>,
    /// Which authorities it is verified with; none are those of the system.
    pub ca_certificates: Option<Vec<Uuid>>,
    /// Words to group it by.
    #[serde(default)]
    pub tags: Option<Vec<String>>,
}

/// What Kong does when no timeout is set.
const USUAL_TIMEOUT: Duration = Duration::from_secs(60);

impl Service {
    /// How long connecting may take.
    #[must_use]
    pub fn connect_timeout(&self) -> Duration {
        self.connect_timeout_ms.map_or(USUAL_TIMEOUT, Duration::from_millis)
    }

    /// How long may pass between two writes.
    #[must_use]
    pub fn write_timeout(&self) -> Duration {
        self.write_timeout_ms.map_or(USUAL_TIMEOUT, Duration::from_millis)
    }

    /// How long may pass between two reads.
    #[must_use]
    pub fn read_timeout(&self) -> Duration {
        self.read_timeout_ms.map_or(USUAL_TIMEOUT, Duration::from_millis)
    }
}

/// Which requests go to a service.
#[derive(Debug, Clone, Deserialize)]
pub struct Route {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: Option<String>,
    /// Which protocols it answers.
    pub protocols: Vec<Protocol>,
    /// Which methods; none is all.
    pub methods: Option<Vec<String>>,
    /// Which hosts.
    pub hosts: Option<Vec<String>>,
    /// Which beginnings of paths.
    pub paths: Option<Vec<String>>,
    /// Which headers, each with its values.
    pub headers: Option<BTreeMap<String, Vec<String>>>,
    /// Which names of TLS.
    pub snis: Option<Vec<String>>,
    /// The answer where only https is spoken.
    pub https_redirect_status_code: u16,
    /// Which of several regular expressions is tried first.
    pub regex_priority: Option<i64>,
    /// Whether what matched is left out.
    pub strip_path: bool,
    /// How what is left of the path is joined to the service's.
    pub path_handling: Option<PathHandling>,
    /// Whether the client's Host is sent on.
    pub preserve_host: bool,
    /// Whether a short body of a request is read before its service is called.
    pub request_buffering: bool,
    /// Whether a short body of an answer is read before the answer begins.
    pub response_buffering: bool,
    /// Where its requests go.
    pub service: Option<Reference>,
    /// When it was made, in seconds: the older one wins.
    pub created_at: Option<i64>,
    /// Words to group it by.
    #[serde(default)]
    pub tags: Option<Vec<String>>,
}

/// How a path is joined to that of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PathHandling {
    /// As segments: there is a slash between them.
    #[default]
    V0,
    /// As texts: there is one where either has one.
    V1,
}

/// What happens to requests on their way.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PluginEntity {
    pub name: String,
    pub service: Option<Reference>,
    pub route: Option<Reference>,
    pub consumer: Option<Reference>,
    pub config: serde_json::Value,
    pub protocols: Vec<Protocol>,
    pub enabled: bool,
}

/// A name that several targets stand behind.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Upstream {
    /// Its id.
    pub id: Uuid,
    /// The host that services say.
    pub name: String,
    /// How a target is chosen.
    pub algorithm: Algorithm,
    /// What hashing goes by.
    pub hash_on: HashOn,
    /// And where that is not there.
    pub hash_fallback: HashOn,
    /// The header of `header`.
    pub hash_on_header: Option<String>,
    /// The same of the fallback.
    pub hash_fallback_header: Option<String>,
    /// The cookie of `cookie`.
    pub hash_on_cookie: Option<String>,
    /// The parameter of `query_arg`.
    pub hash_on_query_arg: Option<String>,
    /// The same of the fallback.
    pub hash_fallback_query_arg: Option<String>,
    /// The capture of `uri_capture`.
    pub hash_on_uri_capture: Option<String>,
    /// The same of the fallback.
    pub hash_fallback_uri_capture: Option<String>,
    /// The Host that targets are sent.
    pub host_header: Option<String>,
    /// How it is found out which targets are well.
    pub healthchecks: HealthChecks,
}

/// How a target is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// In turn, by weight.
    RoundRobin,
    /// The same requests to the same targets.
    ConsistentHashing,
    /// Where the fewest run, by weight.
    LeastConnections,
}

/// What consistent hashing goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashOn {
    /// Nothing.
    None,
    /// The consumer.
    Consumer,
    /// The client's address.
    Ip,
    /// A header.
    Header,
    /// A cookie.
    Cookie,
    /// The path.
    Path,
    /// A parameter of the query.
    QueryArg,
    /// A named part of the route's regular expression.
    UriCapture,
}

/// How it is found out which targets are well.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct HealthChecks {
    /// By asking them.
    pub active: ActiveChecks,
    /// By what they answer to clients.
    pub passive: PassiveChecks,
    /// Which share of the weight must be well, in percent; below it nobody is called.
    pub threshold: f64,
}

/// What an active check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckType {
    /// A GET.
    Http,
    /// A GET over TLS.
    Https,
    /// A connection.
    Tcp,
    /// `grpc.health.v1.Health/Check`.
    Grpc,
    /// The same over TLS.
    Grpcs,
}

/// Checks by asking.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ActiveChecks {
    /// What a check is.
    #[serde(rename = "type")]
    pub kind: CheckType,
    /// How long one may take, in seconds.
    #[serde(rename = "timeout")]
    pub timeout_s: f64,
    /// How many at a time.
    pub concurrency: usize,
    /// What is asked for.
    pub http_path: String,
    /// The name of TLS; none is the upstream's.
    pub https_sni: Option<String>,
    /// Whether certificates are verified.
    pub https_verify_certificate: bool,
    /// What is sent.
    pub headers: Option<BTreeMap<String, Vec<String>>>,
    /// When a target is well.
    pub healthy: Healthy,
    /// When it is not.
    pub unhealthy: Unhealthy,
}

/// Checks by answers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PassiveChecks {
    /// When a target is well.
    pub healthy: Healthy,
    /// When it is not.
    pub unhealthy: Unhealthy,
}

/// When a target is well.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Healthy {
    /// How often well targets are asked, in seconds; 0 is never.
    #[serde(rename = "interval", default)]
    pub interval_s: f64,
    /// Which answers count.
    pub http_statuses: Vec<u16>,
    /// How many in a row; 0 is never.
    pub successes: u32,
}

/// When a target is not well.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Unhealthy {
    /// How often others are asked, in seconds; 0 is never.
    #[serde(rename = "interval", default)]
    pub interval_s: f64,
    /// Which answers count.
    pub http_statuses: Vec<u16>,
    /// So many failures of the connection in a row; 0 is never.
    pub tcp_failures: u32,
    /// So many times without an answer in time; 0 is never.
    pub timeouts: u32,
    /// So many bad answers; 0 is never.
    pub http_failures: u32,
}

/// A place that answers for an upstream.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Target {
    pub id: Uuid,
    pub target: String,
    pub weight: u32,
}
