//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Parser, Subcommand};

use crate::config::Flags;

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

Configuration comes from flags, then BOXOFFICE_* in the environment, then boxoffice.toml.";

const IMPORT_HELP: &str = "\
The first line names the columns. `name` and `start_date` (2026-11-22) are needed; understood are also
end_date, city, country, online, url, categories (joined by `;`), description, venue, address,
time_zone, places (100), price (20.50, else free) and currency (EUR).

Events are published. Importing a file again creates nothing; bad rows are reported and skipped.

Examples:
  boxoffice import events conferences.csv --organizer me@example.org --data-dir ./data
  boxoffice import events conferences.csv --url http://127.0.0.1:8000 --token $TOKEN";

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
    /// Bring data in
    Import {
        /// What.
        #[command(subcommand)]
        what: Import,
    },
    /// Check all invariants over the stores of a stopped platform; exit 1 and name the rows on a violation
    Audit {
        /// Layers of the configuration.
        #[command(flatten)]
        flags: Flags,
    },
    /// Give somebody the role ADMIN, on a stopped platform; they have it when they sign in next
    GrantAdmin {
        /// The address of their account
        email: String,
        /// Layers of the configuration.
        #[command(flatten)]
        flags: Flags,
    },
    /// Write a configuration file with every setting, its meaning and its default
    Config,
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
