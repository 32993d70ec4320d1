//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Parser, Subcommand};

use crate::{
    config::{Flags, FleetFlags, ListenFlags},
    export::Target,
    serve::Role,
};

/// Sell tickets: events, bookings, the door, feedback and figures, in one program.
#[derive(Debug, Parser)]
#[command(name = "boxoffice", version, after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  boxoffice up                                  start everything at http://127.0.0.1:8000
  boxoffice up --demo                           ... with sample events and accounts
  boxoffice import events conferences.csv --organizer me@example.org --data-dir ./data
  boxoffice audit --data-dir ./data             check every invariant over the stores
  boxoffice config > boxoffice.toml             write a configuration file with comments
  boxoffice serve ticket --help                 run one service by itself
  boxoffice doctor --help                       find out what is wrong with a fleet

Configuration comes from flags, then BOXOFFICE_* in the environment, then boxoffice.toml.";

const IMPORT_HELP: &str = "\
The first line names the columns. `name` and `start_date` (2026-11-22) are needed; understood are also
end_date, city, country, online, url, categories (joined by `;`), description, venue, address,
time_zone, places (100), price (20.50, else free) and currency (EUR).

Events are published. Importing a file again creates nothing; bad rows are reported and skipped.

Examples:
  boxoffice import events conferences.csv --organizer me@example.org --data-dir ./data
  boxoffice import events conferences.csv --url http://127.0.0.1:8000 --token $TOKEN";

const SERVE_HELP: &str = "\
Every setting is an environment variable, and a line of the section [fleet] of the configuration file:
`boxoffice config` writes them with their meaning. A service needs a database (BOXOFFICE_STORE_URL) and the
log (BOXOFFICE_LOG_URL); `user` and the gateway need the addresses of the services (BOXOFFICE_TICKET_URL, ...);
`user` signs access tokens (BOXOFFICE_ACCESS_KEY_FILE), all others verify them (BOXOFFICE_ACCESS_PUBLIC_KEY_FILE);
`ticket` signs tickets (BOXOFFICE_TICKET_KEY_FILE). `boxoffice keys DIRECTORY` makes the keys.

SIGTERM ends it when what it has begun is done; a second one at once.

Examples:
  boxoffice keys ./keys
  BOXOFFICE_TICKET_KEY_FILE=keys/ticket.pk8 BOXOFFICE_ACCESS_PUBLIC_KEY_FILE=keys/access-token.pub.pem \\
    boxoffice serve ticket --store-url mariadb://boxoffice:secret@db/ticket --log-url kafka://kafka:9092
  BOXOFFICE_TICKET_URL=http://ticket-1:9000,http://ticket-2:9000 ... boxoffice serve gateway --listen 0.0.0.0:8000";

const AUDIT_HELP: &str = "\
With --data-dir it looks at a stopped platform. With the databases of a fleet (--store-url, BOXOFFICE_STORE_URL or
BOXOFFICE_TICKET_STORE_URL and so on) and its log (BOXOFFICE_LOG_URL) it looks at them beside the running services, and
waits until they are at rest: what is found twice in a row is a violation.

Examples:
  boxoffice audit --data-dir ./data
  boxoffice audit --store-url 'postgres://boxoffice:secret@db/{service}' --log-url kafka://kafka:9092";

const MIGRATE_HELP: &str = "\
It may be run again, and while services run. Each service needs a database of its own, which must exist; {service} in
the URL stands for the service's name.

Examples:
  boxoffice migrate --store-url 'mariadb://boxoffice:secret@db/{service}'
  BOXOFFICE_TICKET_STORE_URL=mysql://ticket:secret@mysql/ticket boxoffice migrate ticket";

const TOPICS_HELP: &str = "\
BOXOFFICE_TOPIC_PARTITIONS says how many partitions each has, BOXOFFICE_TOPIC_REPLICATION on how many brokers each is
kept, and BOXOFFICE_KEEP_FACTS_DAYS for how long.

Examples:
  boxoffice topics --log-url kafka://kafka-1:9092,kafka-2:9092
  BOXOFFICE_TOPIC_PARTITIONS=48 boxoffice topics --log-url kafka://kafka:9092";

const PARKED_HELP: &str = "\
A fact that a service cannot process is set aside after a few tries, with the later facts of its key behind it. Once
the reason is mended, they are tried again in their order. The service may run meanwhile, unless its database is a
SQLite file.

Examples:
  boxoffice parked list --store-url 'postgres://boxoffice:secret@db/{service}'
  boxoffice parked redrive analytics --store-url postgres://boxoffice:secret@db/analytics";

const REPLAY_HELP: &str = "\
Nothing of the running service is changed. Compared are: all tables of analytics; those of notification but for whether
a mail went out; those of feedback but for the ratings, which came by request. It exits 1 when they differ.

Examples:
  boxoffice replay analytics --into sqlite:./replayed --store-url postgres://boxoffice:secret@db/analytics \\
    --log-url kafka://kafka:9092";

const DOCTOR_HELP: &str = "\
It looks at the keys, the databases and their tables, the brokers and topics, and the other services, with the same
settings as `boxoffice serve`.

Examples:
  boxoffice doctor ticket
  boxoffice doctor --store-url 'postgres://boxoffice:secret@db/{service}' --log-url kafka://kafka:9092";

const EXPORT_HELP: &str = "\
The addresses of the services are those of `boxoffice serve gateway`: BOXOFFICE_USER_URL, BOXOFFICE_EVENT_URL, ... Kong
reads the contracts as files: copy core/proto/proto to /usr/local/share/boxoffice/proto of its machine.

Examples:
  BOXOFFICE_USER_URL=http://user:9000 ... boxoffice gateway export envoy > envoy.json && envoy -c envoy.json
  BOXOFFICE_USER_URL=http://user:9000 ... boxoffice gateway export kong > kong.json && deck gateway sync kong.json";

const KEYS_HELP: &str = "\
It makes access-token.pk8 (private, for the user service alone), access-token.pub.pem (for every role) and
ticket.pk8 (private, for the ticket service alone). Nobody but their owner may read them.

Examples:
  boxoffice keys ./keys";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start all services and the gateway in this process, on embedded storage
    Up {
        /// Layers of the configuration.
        #[command(flatten)]
        flags: Flags,
        /// Where to listen; port 0 takes a free one [default: 127.0.0.1:8000]
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<SocketAddr>,
        /// Create sample accounts and events, and print how to sign in
        #[arg(long)]
        demo: bool,
    },
    /// Start one service, or the gateway, by itself
    #[command(after_help = SERVE_HELP)]
    Serve {
        /// What to start
        role: Role,
        /// A TOML file with a section [fleet] [default: boxoffice.toml, if it is there]
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Where its database and the log are.
        #[command(flatten)]
        fleet: FleetFlags,
        /// Where it listens.
        #[command(flatten)]
        listen: ListenFlags,
    },
    /// Make the keys of a fleet in a directory; keys that are there stay as they are
    #[command(after_help = KEYS_HELP)]
    Keys {
        /// The directory
        directory: PathBuf,
    },
    /// Bring data in
    Import {
        /// What.
        #[command(subcommand)]
        what: Import,
    },
    /// Check all invariants over the stores; exit 1 and name the rows on a violation
    #[command(after_help = AUDIT_HELP)]
    Audit {
        /// Layers of the configuration.
        #[command(flatten)]
        flags: Flags,
        /// Where the databases and the log of a fleet are.
        #[command(flatten)]
        fleet: FleetFlags,
        /// How long a fleet may take to come to rest, in seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 30)]
        wait: u32,
    },
    /// Make or upgrade the tables of each service's database
    #[command(after_help = MIGRATE_HELP)]
    Migrate {
        /// Of this service alone
        role: Option<Role>,
        /// Where the databases are.
        #[command(flatten)]
        fleet: FleetArgs,
    },
    /// Create the topics of the log; those that are there stay as they are
    #[command(after_help = TOPICS_HELP)]
    Topics {
        /// Where the log is.
        #[command(flatten)]
        fleet: FleetArgs,
    },
    /// Facts that services could not process
    Parked {
        /// What to do with them.
        #[command(subcommand)]
        what: ParkedCommand,
    },
    /// Build a read model anew from the log, into a fresh database, and compare it with the one in use
    #[command(after_help = REPLAY_HELP)]
    Replay {
        /// analytics, notification or feedback
        role: Role,
        /// The fresh database, such as sqlite:./replayed
        #[arg(long, value_name = "URL")]
        into: String,
        /// Where the database in use and the log are.
        #[command(flatten)]
        fleet: FleetArgs,
    },
    /// Explain what is wrong with a deployment, and how to mend it; exit 1 when something is
    #[command(after_help = DOCTOR_HELP)]
    Doctor {
        /// What this role needs; without it, everything that is configured
        role: Option<Role>,
        /// Where the databases and the log are.
        #[command(flatten)]
        fleet: FleetArgs,
    },
    /// Ask a page such as http://127.0.0.1:9001/readyz; exit 1 unless it answers 200. For containers without a shell
    Health {
        /// The page
        url: String,
    },
    /// Give somebody the role ADMIN, who has it when they sign in next: on a stopped platform, or in the database of a
    /// fleet's user service, which may run unless that is a SQLite file
    GrantAdmin {
        /// The address of their account
        email: String,
        /// Layers of the configuration.
        #[command(flatten)]
        flags: Flags,
    },
    /// Write a configuration file with every setting, its meaning and its default
    Config,
    /// The gateway's configuration, for other gateways
    Gateway {
        /// What to do with it.
        #[command(subcommand)]
        what: GatewayCommand,
    },
}

/// What can be done with the gateway's configuration.
#[derive(Debug, Subcommand)]
pub enum GatewayCommand {
    /// Write the routes of our contracts for another gateway
    #[command(after_help = EXPORT_HELP)]
    Export {
        /// For which one
        target: Target,
        /// A TOML file with a section [fleet] [default: boxoffice.toml, if it is there]
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Where Envoy listens [default: 127.0.0.1:8000]
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<SocketAddr>,
    },
}

/// What can be done with parked facts.
#[derive(Debug, Subcommand)]
pub enum ParkedCommand {
    /// Name them, with the reason; what they say is not shown
    #[command(after_help = PARKED_HELP)]
    List {
        /// Of this service alone
        role: Option<Role>,
        /// Where the databases are.
        #[command(flatten)]
        fleet: FleetArgs,
    },
    /// Try those of a service again, in their order
    #[command(after_help = PARKED_HELP)]
    Redrive {
        /// Of which service
        role: Role,
        /// Where its database is.
        #[command(flatten)]
        fleet: FleetArgs,
    },
}

/// The settings of a command over a fleet.
#[derive(Debug, Default, Clone, clap::Args)]
pub struct FleetArgs {
    /// A TOML file with a section [fleet] [default: boxoffice.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the databases and the log are.
    #[command(flatten)]
    pub flags: FleetFlags,
}

/// What can be imported.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// Events from a CSV file
    #[command(after_help = IMPORT_HELP)]
    Events {
        /// The file
        file: PathBuf,
        /// The address of the account that organises them; needed with --data-dir
        #[arg(long, value_name = "EMAIL")]
        organizer: Option<String>,
        /// Layers of the configuration.
        #[command(flatten)]
        flags: Flags,
        /// Import through the REST surface of a running platform
        #[arg(long, requires = "token", conflicts_with = "data_dir")]
        url: Option<String>,
        /// The organiser's access token, from /v1/auth/login
        #[arg(long, requires = "url", env = "BOXOFFICE_TOKEN", hide_env_values = true)]
        token: Option<String>,
    },
}
