//! Configuration: flags, then `BOXOFFICE_*` in the environment, then a TOML file, then the defaults.

mod fleet;
mod gateway;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::Context;
use confique::{Config as _, Layer};

pub use fleet::{Fleet, FleetFlags, ListenFlags, Switch};
pub use gateway::Gateway;

/// What may be chosen. `boxoffice config` writes it as a commented TOML file.
#[derive(Clone, confique::Config)]
#[config(layer_attr(derive(Clone)), layer_attr(serde(deny_unknown_fields)))]
pub struct Config {
    /// Where everything is kept: a database file for each service, the keys, and the mail that was sent.
    #[config(env = "BOXOFFICE_DATA_DIR", default = "./data")]
    pub data_dir: PathBuf,

    /// Where to listen. Anything else than a loopback address is reachable from other machines; put
    /// a proxy that speaks TLS in front of it.
    #[config(env = "BOXOFFICE_LISTEN", default = "127.0.0.1:8000")]
    pub listen: SocketAddr,

    /// Where people reach the pages, such as `https://tickets.example.org`, when that is not the address above. With
    /// https, cookies are sent over TLS only.
    #[config(env = "BOXOFFICE_PUBLIC_URL")]
    pub public_url: Option<String>,

    /// How much to log: error, warn, info, debug, or a filter such as `info,kit=debug`.
    #[config(env = "BOXOFFICE_LOG", default = "info")]
    pub log: String,

    /// `text` for people, `json` for machines.
    #[config(env = "BOXOFFICE_LOG_FORMAT", default = "text")]
    pub log_format: LogFormat,

    /// Sends traces to this OpenTelemetry collector by OTLP over HTTP, such as `http://127.0.0.1:4318`. Only a program
    /// that was built with the feature `otel` can.
    #[config(env = "BOXOFFICE_OTLP_URL")]
    pub otlp_url: Option<String>,

    /// Which share of the requests is traced, from 0 to 1, if there is an `otlp_url`. A request whose client marks it as
    /// sampled (W3C `traceparent`) is traced in any case.
    #[config(env = "BOXOFFICE_TRACE_RATIO", default = 0.1)]
    pub trace_ratio: f64,

    /// How long seats are held for payment, in minutes, from 1 to 1440.
    #[config(env = "BOXOFFICE_HOLD_MINUTES", default = 15)]
    pub hold_minutes: u32,

    /// How long facts stay in the outboxes once every service has processed them, in days, up to 3650; 0 is no
    /// longer than that. Facts can be replayed as far back as they are kept. Of each account and each event the
    /// newest fact stays for good, so what services know of them can always be built anew.
    #[config(env = "BOXOFFICE_KEEP_FACTS_DAYS", default = 7)]
    pub keep_facts_days: u32,

    /// Addresses whose owners become ADMIN when they register, separated by commas in the environment.
    #[config(env = "BOXOFFICE_ADMIN_EMAILS", default = [], parse_env = confique::env::parse::list_by_comma)]
    pub admin_emails: Vec<String>,

    /// Sends mail through this server, such as `smtps://user:password@mail.example.org`. Without it,
    /// each mail is written to the data directory as a file that a mail program opens.
    #[config(env = "BOXOFFICE_SMTP_URL")]
    pub smtp_url: Option<String>,

    /// Sends mail by EmailJS instead.
    #[config(nested)]
    pub emailjs: EmailJs,

    /// The sender of all mail.
    #[config(env = "BOXOFFICE_MAIL_FROM", default = "Boxoffice <boxoffice@localhost>")]
    pub mail_from: String,

    /// The gateway's own configuration: Kong's Admin API.
    #[config(nested)]
    pub gateway: Gateway,

    /// For services that run by themselves (`boxoffice serve`).
    #[config(nested)]
    pub fleet: Fleet,
}

/// Without the passwords that URLs may hold.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("data_dir", &self.data_dir)
            .field("listen", &self.listen)
            .field("gateway", &self.gateway)
            .field("fleet", &self.fleet)
            .finish_non_exhaustive()
    }
}

/// The account of EmailJS (<https://www.emailjs.com>): all four, or none.
#[derive(Clone, confique::Config)]
#[config(layer_attr(derive(Clone)), layer_attr(serde(deny_unknown_fields)))]
pub struct EmailJs {
    /// The service by which mail leaves, such as `service_x1y2z3`.
    #[config(env = "BOXOFFICE_EMAILJS_SERVICE_ID")]
    pub service_id: Option<String>,
    /// The template, such as `template_a1b2c3`.
    #[config(env = "BOXOFFICE_EMAILJS_TEMPLATE_ID")]
    pub template_id: Option<String>,
    /// The account's public key, also called user id.
    #[config(env = "BOXOFFICE_EMAILJS_PUBLIC_KEY")]
    pub public_key: Option<String>,
    /// The account's private key, also called access token.
    #[config(env = "BOXOFFICE_EMAILJS_PRIVATE_KEY")]
    pub private_key: Option<String>,
    /// Another address than that of EmailJS, such as a proxy's.
    #[config(env = "BOXOFFICE_EMAILJS_URL")]
    pub url: Option<String>,
}

/// Both keys send mail in the account's name.
impl std::fmt::Debug for EmailJs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmailJs").finish_non_exhaustive()
    }
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// What flags set; they win over everything.
#[derive(Debug, Default, Clone, clap::Args)]
pub struct Flags {
    /// Where everything is kept [default: ./data]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// A TOML file; `boxoffice config` writes one with comments [default: boxoffice.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// The file that is read when no other is named.
const DEFAULT_FILE: &str = "boxoffice.toml";
/// The longest hold, in minutes: a day.
const MAX_HOLD_MINUTES: u32 = 1_440;
/// The longest that facts are kept, in days: ten years.
const MAX_KEEP_FACTS_DAYS: u32 = 3_650;

impl Config {
    /// Reads all layers. `listen` is a flag of `up` only.
    ///
    /// # Errors
    /// When a file cannot be read, or holds an unknown key or a wrong value; the error names it.
    pub fn read(flags: &Flags, listen: Option<SocketAddr>) -> anyhow::Result<Self> {
        let mut wanted = <Self as confique::Config>::Layer::empty();
        wanted.data_dir.clone_from(&flags.data_dir);
        wanted.listen = listen;
        Self::load_with(wanted, flags.config.as_deref())
    }

    /// Reads all layers for a service, or for a command over several.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn read_fleet(file: Option<&Path>, flags: &FleetFlags, listen: &ListenFlags) -> anyhow::Result<Self> {
        let mut wanted = <Self as confique::Config>::Layer::empty();
        wanted.listen = listen.listen;
        wanted.fleet.store_url.clone_from(&flags.store_url);
        wanted.fleet.log_url.clone_from(&flags.log_url);
        wanted.fleet.grpc_listen = listen.grpc_listen;
        wanted.fleet.admin_listen = listen.admin_listen;
        Self::load_with(wanted, file)
    }

    fn load_with(wanted: <Self as confique::Config>::Layer, file: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(file) = file {
            anyhow::ensure!(file.is_file(), "there is no configuration file {}", file.display());
        }
        let config = Self::builder()
            .preloaded(wanted)
            .env()
            .file(file.unwrap_or(Path::new(DEFAULT_FILE)))
            .load()
            .context("the configuration cannot be used")?;
        anyhow::ensure!(
            (1..=MAX_HOLD_MINUTES).contains(&config.hold_minutes),
            "hold_minutes must be from 1 to {MAX_HOLD_MINUTES}"
        );
        anyhow::ensure!(
            config.keep_facts_days <= MAX_KEEP_FACTS_DAYS,
            "keep_facts_days must be from 0 to {MAX_KEEP_FACTS_DAYS}"
        );
        config.fleet.check()?;
        config.gateway.check()?;
        anyhow::ensure!((0.0..=1.0).contains(&config.trace_ratio), "trace_ratio must be from 0 to 1");
        Ok(config)
    }

    /// The defaults for a data directory, as tests and commands on a stopped platform use them.
    ///
    /// # Errors
    /// Never in practice: the defaults are complete.
    pub fn for_data_dir(data_dir: PathBuf) -> anyhow::Result<Self> {
        let mut wanted = <Self as confique::Config>::Layer::empty();
        wanted.data_dir = Some(data_dir);
        Ok(Self::builder().preloaded(wanted).load()?)
    }
}

/// A configuration file with every setting, its comment and its default.
#[must_use]
pub fn template() -> String {
    confique::toml::template::<Config>(confique::toml::FormatOptions::default())
}
