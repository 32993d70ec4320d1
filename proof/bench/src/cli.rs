//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use serde_json::{Map, Value, json};

use crate::{
    gateway,
    load::{Pace, Plan},
    sale,
    scenario::{browse, flash_sale, login, mixed, overload, pages, request, spread},
};

/// As many as buy at the same time in a sale; with fewer, it is the wait for the disk that is measured.
const DEFAULT_CONNECTIONS: u32 = 256;

/// Puts load on a Boxoffice over REST, and checks that what it measured is correct.
#[derive(Debug, Parser)]
#[command(name = "bench", version, after_help = HELP, arg_required_else_help = true)]
pub struct Cli {
    /// What is done
    #[command(subcommand)]
    pub scenario: Name,
    /// How
    #[command(flatten)]
    pub load: Load,
}

/// The scenarios by name.
#[derive(Debug, Subcommand)]
pub enum Name {
    /// One hot event, free of charge: each request books one ticket and waits for the decision
    FlashSale(flash_sale::Options),
    /// Bookings of 10,000 events, some much more popular than others
    Spread(spread::Options),
    /// Visitors without an account: lists with filters, further pages, and half of the time one event
    Browse(browse::Options),
    /// Visitors without an account: the page of one event each time, as HTML
    Pages(pages::Options),
    /// An ordinary day: of a hundred requests 90 look, 8 book and 2 cancel
    Mixed(mixed::Options),
    /// Tickets that cost money: each attempt holds a seat, pays, and has its ticket
    Paid(sale::Options),
    /// Signing in, which costs a password hash
    Login(login::Options),
    /// What the gateway costs: the cheapest call with a token, GET /v1/users/me
    GatewayEcho,
    /// The gateway alone, before a gRPC service: beside Envoy, with ten times as much as it can do, and in a storm of retries
    #[command(after_help = GATEWAY_HELP)]
    Gateway(gateway::Options),
    /// Ten times as many bookings are wanted as can be made: goodput over the peak, and the recovery
    #[command(after_help = OVERLOAD_HELP)]
    Overload(overload::Options),
    /// The ceiling: the same generator on an HTTP server that reads JSON and answers with it
    Echo,
    /// One fixed request to any server that speaks HTTP/1.1
    Request(request::Options),
    /// The server of the scenario `echo`
    #[command(hide = true)]
    ServeEcho,
}

/// How load is put on, in every scenario.
#[derive(Debug, Args)]
pub struct Load {
    /// A running deployment (http only); without it, one is started on a fresh directory
    #[arg(long, global = true)]
    pub url: Option<String>,
    /// The process behind --url, when it is on this machine: its processor time and memory are told
    #[arg(long, global = true, value_name = "PID", requires = "url")]
    pub server_pid: Option<u32>,
    /// How long requests are sent
    #[arg(long, global = true, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,
    /// How many keep-alive connections send them
    #[arg(long, global = true, default_value_t = DEFAULT_CONNECTIONS, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub connections: u32,
    /// Requests per second, scheduled ahead (open loop); without it, each connection sends its next
    /// request when it has its answer (closed loop)
    #[arg(long, global = true, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub rate: Option<u64>,
    /// Stop after so many requests, even when time is left
    #[arg(long, global = true)]
    pub attempts: Option<u64>,
    /// After how many seconds without an answer a client hangs up, which is an error
    #[arg(long, global = true, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub timeout: u64,
    /// Write the figures to this file
    #[arg(long, global = true, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

impl Load {
    /// How the load is put on a server.
    pub fn plan(&self, server: Option<u32>) -> Plan {
        Plan {
            connections: self.connections,
            time: Duration::from_secs(self.seconds),
            pace: self.rate.map_or(Pace::Closed, |per_second| Pace::Open { per_second }),
            attempts: self.attempts.unwrap_or(u64::MAX),
            patience: Duration::from_secs(self.timeout),
            // Who waits for a connection waits as for an answer.
            lateness: Duration::from_secs(self.timeout),
            server,
        }
    }

    /// For the report.
    pub fn configuration(&self) -> Map<String, Value> {
        Map::from_iter([
            ("url".to_owned(), json!(self.url)),
            ("seconds".to_owned(), json!(self.seconds)),
            ("connections".to_owned(), json!(self.connections)),
            ("rate".to_owned(), json!(self.rate)),
            ("attempts".to_owned(), json!(self.attempts)),
            ("timeout".to_owned(), json!(self.timeout)),
        ])
    }
}

const OVERLOAD_HELP: &str = "\
Phases: the peak, in a closed loop of --connections, 256 at least; a calm rate of 30 % of it; the flood, for
--seconds; and the calm rate again. The figures of the report are those of the flood; bookings of all phases
are read again. A client who hangs up is no error in the flood.

A flood has as many requests under way as it has clients. A server that answers slowly is therefore sent
fewer requests than are wanted (`sent_per_s` of `offered_per_s` in the details; the others are `skipped`).
To see a server refuse, have more clients than it serves at a time.

recovery_s     seconds from the end of the flood until three seconds in a row are normal: 90 % of the calm
               answers, with a 99th percentile of at most twice the one before the flood, or 20 ms

Examples:
  bench overload --factor 10 --seconds 20
  bench overload --clients 8000 --patience-ms 1000";

const GATEWAY_HELP: &str = "\
A configured service with the plugins `grpc-gateway` and `jwt` (EdDSA), before an echo over gRPC of a process of its own
(`peers upstream`). Closed loop with --connections, --seconds each: ours and Envoy in turn, three times, medians. Then both
at 70 % of what the slower one does. Then ours alone: 70 % of its peak, the flood for --seconds, and 70 % again until
answers are as before (`overload --help` says what normal is). Then a service that takes calls and breaks the connection.

The figures of the report are those of the flood. Programs are taken from beside this one.

Examples:
  bench gateway --connections 32 --envoy target/peers/envoy
  bench gateway --connections 32 --clients 500 --seconds 10";

const HELP: &str = "\
Figures:
  per_s        wanted answers per second, from the first request to the last answer
  latency      of these answers. Open loop: from the instant at which a request was due, so a stalled
               server cannot hide the requests that it kept from being sent. Closed loop: from the
               instant of sending
  busy         answered 429 or 503 with Retry-After; without that header it is an error
  gave_up      not answered within --timeout, so the client hung up
  skipped      due, and passed over because no connection was free in time
  unsent       due before the end, and not taken up before it because no connection was free
  lag          how late the generator itself began requests; more than a few milliseconds: the machine is
               too busy for the latencies to mean much
  cpu          processor time, user and kernel, from the first request to the last answer, per answer
  audit        `clean` when `boxoffice audit` finds nothing afterwards; `not-ours` with --url

A figure counts only when every booking that was answered can be read again, an event has sold exactly
what is BOOKED and never more than its seats, nothing failed, and the audit is clean; otherwise the exit
code is 1.

Without --url the program `boxoffice` is taken from BOXOFFICE_BIN, else from beside this one.

Examples:
  bench flash-sale                               bookings per second, as many as it takes
  bench flash-sale --rate 3000 --seconds 30      latency at 3,000 bookings per second
  bench flash-sale --seats 1000 --attempts 5000  1,000 are booked, 4,000 are sold_out
  bench flash-sale --url http://127.0.0.1:8000 --json flash-sale.json
  bench flash-sale --logins 1                    ... while somebody signs in all the time
  bench spread --events 1000
  bench browse --rate 2000 --seconds 30
  bench pages --connections 64
  bench mixed --connections 256
  bench paid
  bench login --connections 8
  bench gateway-echo
  bench overload --factor 10 --seconds 20
  bench echo                                     what the generator reaches at most
  bench request --url http://127.0.0.1:8000 --path /v1/events
  bench request --url http://127.0.0.1:9000 --path /x --body '{}' --header 'authorization: y' --expect 201";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn each_example_can_be_run() {
        let lines = HELP.lines().chain(OVERLOAD_HELP.lines()).chain(GATEWAY_HELP.lines());
        let examples = lines.filter_map(|line| line.strip_prefix("  bench "));
        for example in examples {
            let arguments = example.split("  ").next().unwrap_or_default().replace('\'', "");
            let words = ["bench"].into_iter().chain(arguments.split(' ')).map(str::to_owned);
            // A quoted header has a space in it.
            let words = words.collect::<Vec<_>>().join("\0").replace(":\0", ": ");
            let parsed = Cli::try_parse_from(words.split('\0'));
            assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
        }
    }
}
