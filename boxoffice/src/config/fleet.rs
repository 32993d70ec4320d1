//! What is chosen for a service by itself (`boxoffice serve`) and for the commands over several of them.

use std::{fmt, net::SocketAddr, path::PathBuf};

use crate::serve::Role;

/// The section `[fleet]` of the file. `up` needs none of it.
#[derive(Clone, confique::Config)]
#[config(layer_attr(derive(Clone)), layer_attr(serde(deny_unknown_fields)))]
pub struct Fleet {
    /// Where the services keep what they have: `sqlite:DIRECTORY`, or a server's
    /// `mysql://`, `mariadb://`, `postgres://`, `cockroach://` or `mongodb://USER:PASSWORD@HOST:PORT/DATABASE`.
    /// Each service needs a database of its own; `{service}` in the URL stands for the service's name.
    #[config(env = "BOXOFFICE_STORE_URL")]
    pub store_url: Option<String>,

    /// The database of one service, where it is another than `store_url` says.
    #[config(env = "BOXOFFICE_USER_STORE_URL")]
    pub user_store_url: Option<String>,
    /// As `user_store_url`.
    #[config(env = "BOXOFFICE_EVENT_STORE_URL")]
    pub event_store_url: Option<String>,
    /// As `user_store_url`.
    #[config(env = "BOXOFFICE_TICKET_STORE_URL")]
    pub ticket_store_url: Option<String>,
    /// As `user_store_url`.
    #[config(env = "BOXOFFICE_FEEDBACK_STORE_URL")]
    pub feedback_store_url: Option<String>,
    /// As `user_store_url`.
    #[config(env = "BOXOFFICE_NOTIFICATION_STORE_URL")]
    pub notification_store_url: Option<String>,
    /// As `user_store_url`.
    #[config(env = "BOXOFFICE_ANALYTICS_STORE_URL")]
    pub analytics_store_url: Option<String>,

    /// The log that facts travel by, such as `kafka://kafka-1:9092,kafka-2:9092`.
    #[config(env = "BOXOFFICE_LOG_URL")]
    pub log_url: Option<String>,

    /// The partitions of each topic that `boxoffice topics` makes, from 1 to 1000: the most replicas of one service
    /// that can share its work. It cannot be changed later.
    #[config(env = "BOXOFFICE_TOPIC_PARTITIONS", default = 12)]
    pub topic_partitions: u16,

    /// On how many brokers each partition is kept. Without it, on three, or on as many as there are.
    #[config(env = "BOXOFFICE_TOPIC_REPLICATION")]
    pub topic_replication: Option<u16>,

    /// Where a service listens for gRPC.
    #[config(env = "BOXOFFICE_GRPC_LISTEN", default = "127.0.0.1:9000")]
    pub grpc_listen: SocketAddr,

    /// Where each role answers /healthz, /readyz and /metrics.
    #[config(env = "BOXOFFICE_ADMIN_LISTEN", default = "127.0.0.1:9001")]
    pub admin_listen: SocketAddr,

    /// The addresses of the services, such as `http://ticket:9000`; several, separated by commas, are balanced, and
    /// so are the several addresses of a name.
    #[config(env = "BOXOFFICE_USER_URL")]
    pub user_url: Option<String>,
    /// As `user_url`.
    #[config(env = "BOXOFFICE_EVENT_URL")]
    pub event_url: Option<String>,
    /// As `user_url`.
    #[config(env = "BOXOFFICE_TICKET_URL")]
    pub ticket_url: Option<String>,
    /// As `user_url`.
    #[config(env = "BOXOFFICE_FEEDBACK_URL")]
    pub feedback_url: Option<String>,
    /// As `user_url`.
    #[config(env = "BOXOFFICE_NOTIFICATION_URL")]
    pub notification_url: Option<String>,
    /// As `user_url`.
    #[config(env = "BOXOFFICE_ANALYTICS_URL")]
    pub analytics_url: Option<String>,

    /// The private key that access tokens are signed with, of the user service alone. `boxoffice keys DIRECTORY`
    /// makes all keys.
    #[config(env = "BOXOFFICE_ACCESS_KEY_FILE")]
    pub access_key_file: Option<PathBuf>,

    /// The public keys that access tokens are verified with, of every other role.
    #[config(env = "BOXOFFICE_ACCESS_PUBLIC_KEY_FILE")]
    pub access_public_key_file: Option<PathBuf>,

    /// The private key that tickets are signed with, of the ticket service alone.
    #[config(env = "BOXOFFICE_TICKET_KEY_FILE")]
    pub ticket_key_file: Option<PathBuf>,

    /// The key that the cookies of the pages are sealed with, of the role `web` alone; all its replicas have the same.
    #[config(env = "BOXOFFICE_SESSION_KEY_FILE")]
    pub session_key_file: Option<PathBuf>,

    /// `on`: one replica of each service publishes its outbox on the log. `off`: something else does, such as
    /// Debezium.
    #[config(env = "BOXOFFICE_RELAY", default = "on")]
    pub relay: Switch,

    /// How long a role that was told to stop goes on taking requests while it says that it is not ready, in
    /// seconds, up to 300: so long balancers in front of it may take to look elsewhere.
    #[config(env = "BOXOFFICE_DRAIN_SECONDS", default = 0)]
    pub drain_seconds: u32,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// It is done.
    On,
    /// It is not done.
    Off,
}

/// The longest drain, in seconds.
const MAX_DRAIN_SECONDS: u32 = 300;
/// The most partitions of a topic.
const MAX_TOPIC_PARTITIONS: u16 = 1_000;

impl Fleet {
    /// Refuses what no single value shows to be wrong.
    ///
    /// # Errors
    /// Which setting, and what it may be.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.drain_seconds <= MAX_DRAIN_SECONDS,
            "drain_seconds must be from 0 to {MAX_DRAIN_SECONDS}"
        );
        anyhow::ensure!(
            (1..=MAX_TOPIC_PARTITIONS).contains(&self.topic_partitions),
            "topic_partitions must be from 1 to {MAX_TOPIC_PARTITIONS}"
        );
        anyhow::ensure!(self.topic_replication != Some(0), "topic_replication must be at least 1");
        Ok(())
    }

    /// The database of a service, with the name of the setting that says so; `None` where none does.
    #[must_use]
    pub fn store_url_of(&self, role: Role) -> Option<(&'static str, String)> {
        let (own, setting) = match role {
            Role::User => (&self.user_store_url, "BOXOFFICE_USER_STORE_URL"),
            Role::Event => (&self.event_store_url, "BOXOFFICE_EVENT_STORE_URL"),
            Role::Ticket => (&self.ticket_store_url, "BOXOFFICE_TICKET_STORE_URL"),
            Role::Feedback => (&self.feedback_store_url, "BOXOFFICE_FEEDBACK_STORE_URL"),
            Role::Notification => (&self.notification_store_url, "BOXOFFICE_NOTIFICATION_STORE_URL"),
            Role::Analytics => (&self.analytics_store_url, "BOXOFFICE_ANALYTICS_STORE_URL"),
            Role::Gateway | Role::Web => return None,
        };
        let (setting, url) = match (own, &self.store_url) {
            (Some(url), _) => (setting, url),
            (None, Some(url)) => ("BOXOFFICE_STORE_URL", url),
            (None, None) => return None,
        };
        Some((setting, url.replace(SERVICE_PLACEHOLDER, role.name())))
    }

    /// The addresses of a service, and the setting that says so.
    #[must_use]
    pub fn url_of(&self, role: Role) -> (&'static str, Option<&str>) {
        let (setting, url) = match role {
            Role::User => ("BOXOFFICE_USER_URL", &self.user_url),
            Role::Event => ("BOXOFFICE_EVENT_URL", &self.event_url),
            Role::Ticket => ("BOXOFFICE_TICKET_URL", &self.ticket_url),
            Role::Feedback => ("BOXOFFICE_FEEDBACK_URL", &self.feedback_url),
            Role::Notification => ("BOXOFFICE_NOTIFICATION_URL", &self.notification_url),
            Role::Analytics => ("BOXOFFICE_ANALYTICS_URL", &self.analytics_url),
            Role::Gateway | Role::Web => ("BOXOFFICE_LISTEN", &None),
        };
        (setting, url.as_deref())
    }
}

/// Stands for the service's name in a URL.
const SERVICE_PLACEHOLDER: &str = "{service}";

/// URLs may hold passwords, so nothing of them is shown.
impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet").field("grpc_listen", &self.grpc_listen).finish_non_exhaustive()
    }
}

/// What flags of `serve` set; they win over everything.
#[derive(Debug, Default, Clone, clap::Args)]
pub struct FleetFlags {
    /// The service's database: sqlite:DIRECTORY, mysql://, mariadb://, postgres://, cockroach://, mongodb://
    #[arg(long, value_name = "URL")]
    pub store_url: Option<String>,
    /// The log, such as kafka://kafka-1:9092,kafka-2:9092
    #[arg(long, value_name = "URL")]
    pub log_url: Option<String>,
}

/// What further flags of `serve` set.
#[derive(Debug, Default, Clone, clap::Args)]
pub struct ListenFlags {
    /// Where the gateway listens for REST, or the pages are; port 0 takes a free one [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Where a service listens for gRPC; port 0 takes a free one [default: 127.0.0.1:9000]
    #[arg(long, value_name = "ADDRESS")]
    pub grpc_listen: Option<SocketAddr>,
    /// Where /healthz, /readyz and /metrics are answered; port 0 takes a free one [default: 127.0.0.1:9001]
    #[arg(long, value_name = "ADDRESS")]
    pub admin_listen: Option<SocketAddr>,
}
