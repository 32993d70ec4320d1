//! The load generator: `bench --help`.
//!
//! It knows the REST surface only, so it measures any running deployment; without one it starts the
//! program itself. A figure counts only when what was measured turns out to be correct.

mod account;
mod cli;
mod client;
mod load;
mod machine;
mod platform;
mod report;
mod scenario;
mod target;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    cli::{Cli, Name},
    platform::Platform,
    report::{Audit, Report},
    scenario::{Scenario, flash_sale::FlashSale},
    target::Target,
};

/// One thread: the generator shares its cores with the server, and must not move work between them.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let report = match cli.scenario {
        Name::FlashSale => measure::<FlashSale>(cli).await?,
    };
    if let Some(file) = &cli.json {
        report.write(file)?;
    }
    for problem in &report.problems {
        println!("DOES NOT COUNT: {problem}");
    }
    println!("{}", report.line());
    Ok(if report.counts() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Sets the scenario up, drives it, and checks what it left behind.
async fn measure<S: Scenario>(cli: &Cli) -> anyhow::Result<Report> {
    let own = if cli.url.is_none() { Some(Platform::start().await?) } else { None };
    let url = own.as_ref().map(|platform| platform.url.as_str()).or(cli.url.as_deref());
    let target = Target::parse(url.unwrap_or_default()).await?;
    eprintln!("{} at {target}: setting up", S::NAME);
    let mut scenario = S::set_up(&target, cli).await?;
    eprintln!("{} connections, {} s", cli.connections, cli.seconds);
    let tally = load::drive(&scenario, &target, &cli.plan()).await?;
    let mut report = Report::new(S::NAME, cli, &tally);
    eprintln!("{} answers in {} s: checking", report.booked + report.rejected, report.seconds);
    report.problems.extend(scenario.check(&tally).await?);
    report.details = scenario.details();
    if let Some(platform) = own {
        report.peak_memory_mb = platform.peak_memory_mb();
        let (audit, disk_mb) = platform.stop_and_audit().await?;
        report.disk_mb = Some(disk_mb);
        report.audit = audit;
    } else {
        report.audit = Audit::NotOurs;
    }
    Ok(report)
}
