//! What stands beside the product when `cargo xtask compare` measures: `peers --help`.
//!
//! None of it is part of the product, and none of it knows the product.

mod envoy;
mod keys;
mod load;
mod upstream;

use std::{path::PathBuf, time::Duration};

use clap::{Parser, Subcommand};

/// The code that is made from `proto/echo.proto`.
#[allow(missing_docs, clippy::all, reason = "generated")]
mod echo {
    tonic::include_proto!("echo");
}

/// The descriptor set of the echo service, for a proxy that transcodes REST to gRPC.
const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/echo.bin"));

/// A gRPC echo, its load, and what a proxy in front of it needs.
#[derive(Debug, Parser)]
#[command(name = "peers", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the echo on a free port of loopback, and print its address
    Upstream,
    /// Call the echo over one HTTP/2 connection, and print the figures as JSON
    Load {
        /// Where it listens
        #[arg(long)]
        url: String,
        /// How many calls are on their way at any time
        #[arg(long, default_value_t = 64)]
        streams: u32,
        /// For how long
        #[arg(long, default_value_t = 10)]
        seconds: u64,
    },
    /// Print the configuration of an Envoy before the echo
    Envoy {
        /// Where `files` has written
        directory: PathBuf,
        /// The port of the echo
        upstream_port: u16,
        /// Where it listens: a port, with the algorithm of the tokens that it verifies, and whether it remembers them
        #[arg(required = true, value_name = "PORT[:ALGORITHM[:cached]]", value_parser = envoy::listener_of)]
        listeners: Vec<(u16, envoy::Tokens)>,
    },
    /// Write a fresh key set, the key as PEM, and a token for each algorithm into a directory, and the descriptor set
    Files {
        /// The directory
        directory: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Upstream => upstream::run(),
        Command::Load { url, streams, seconds } => load::run(&url, streams, Duration::from_secs(seconds)),
        Command::Envoy { directory, upstream_port, listeners } => {
            println!("{}", envoy::configuration(&directory, upstream_port, &listeners)?);
            Ok(())
        }
        Command::Files { directory } => {
            std::fs::write(directory.join("echo.binpb"), DESCRIPTORS)?;
            keys::write(&directory)
        }
    }
}
