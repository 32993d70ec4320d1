//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};

use crate::load::{Pace, Plan};

/// Puts load on a Boxoffice over REST, and checks that what it measured is correct.
#[derive(Debug, Parser)]
#[command(name = "bench", version, after_help = HELP, arg_required_else_help = true)]
pub struct Cli {
    /// What is done
    #[arg(value_enum)]
    pub scenario: Name,
    /// A running deployment (http only); without it, `boxoffice up` is started on a fresh directory
    #[arg(long)]
    pub url: Option<String>,
    /// How long requests are sent
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,
    /// How many keep-alive connections send them
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub connections: u32,
    /// Requests per second, scheduled ahead (open loop); without it, each connection sends its next
    /// request when it has its answer (closed loop)
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub rate: Option<u64>,
    /// Stop after so many requests, even when time is left
    #[arg(long)]
    pub attempts: Option<u64>,
    /// How many seats the event has
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub seats: u32,
    /// Write the figures to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

const HELP: &str = "\
Scenarios:
  flash-sale   one hot event, free of charge; every request is POST /v1/bookings for one ticket with
               `Prefer: wait=10`, so an answer means that the whole saga has decided, durably

Figures:
  per_s        decided answers (BOOKED and REJECTED) per second, from the first request to the last answer
  latency      of decided answers. Open loop: from the instant at which a request was due, so a stalled
               server cannot hide the requests that it kept from being sent. Timers tick once a
               millisecond, which the figures include. Closed loop: from the instant of sending.
  audit        `clean` when `boxoffice audit` finds nothing afterwards; `not-ours` with --url

A figure counts only when the event has sold exactly what was answered BOOKED, never more than its seats,
a sample of the answers can be read again, and the audit is clean; otherwise the exit code is 1.

Without --url the program `boxoffice` is taken from BOXOFFICE_BIN, else from beside this one.

Examples:
  bench flash-sale                               bookings per second, as many as it takes
  bench flash-sale --rate 5000 --seconds 30      latency at 5,000 bookings per second
  bench flash-sale --seats 1000 --attempts 5000  1,000 are BOOKED, 4,000 are REJECTED
  bench flash-sale --url http://127.0.0.1:8000 --json flash-sale.json";

/// The scenarios by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Name {
    /// One hot event
    FlashSale,
}

impl Cli {
    /// How the load is put on.
    pub fn plan(&self) -> Plan {
        Plan {
            connections: self.connections,
            time: Duration::from_secs(self.seconds),
            pace: self.rate.map_or(Pace::Closed, |per_second| Pace::Open { per_second }),
            attempts: self.attempts.unwrap_or(u64::MAX),
        }
    }
}
