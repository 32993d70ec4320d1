//! The program: see `boxoffice --help`.

use std::process::ExitCode;

use boxoffice::{cli::Cli, commands};
use clap::Parser;

/// Requests allocate and free in small pieces, on several threads: see docs/performance.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    match runtime.block_on(commands::run(cli.command)) {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("boxoffice: {error:#}");
    ExitCode::FAILURE
}
