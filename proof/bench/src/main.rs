//! The load generator: `bench --help`.
//!
//! It knows the REST surface only, so it measures any running deployment; without one it starts the
//! program itself. A figure counts only when what was measured turns out to be correct.

mod account;
mod booking;
mod browsing;
mod catalogue;
mod cli;
mod deployment;
mod echo;
mod gateway;
mod http;
mod ledger;
mod load;
mod machine;
mod organizer;
mod platform;
mod process;
mod progress;
mod random;
mod recovery;
mod report;
mod sale;
mod scenario;
mod target;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    cli::{Cli, Load, Name},
    deployment::Deployment,
    report::{Machine, Report},
    scenario::{
        Scenario, browse::Browse, echo::Echo, flash_sale::FlashSale, gateway_echo::GatewayEcho, login::Login,
        mixed::Mixed, overload::Overload, pages::Pages, paid::Paid, request::Request, spread::Spread,
    },
    target::Target,
};

fn main() -> ExitCode {
    match start(&Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(cli: &Cli) -> anyhow::Result<ExitCode> {
    if matches!(cli.scenario, Name::ServeEcho) {
        echo::serve()?;
        return Ok(ExitCode::SUCCESS);
    }
    machine::open_many_files();
    // One thread: the generator shares its cores with the server, and must not move work between them.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(run(cli))?;
    if let Some(file) = &cli.load.json {
        report.write(file)?;
    }
    for problem in &report.problems {
        println!("DOES NOT COUNT: {problem}");
    }
    println!("{}", report.line());
    Ok(if report.counts() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn run(cli: &Cli) -> anyhow::Result<Report> {
    let load = &cli.load;
    match &cli.scenario {
        Name::FlashSale(options) => measure::<FlashSale>(options, load).await,
        Name::Spread(options) => measure::<Spread>(options, load).await,
        Name::Browse(options) => measure::<Browse>(options, load).await,
        Name::Pages(options) => measure::<Pages>(options, load).await,
        Name::Mixed(options) => measure::<Mixed>(options, load).await,
        Name::Paid(options) => measure::<Paid>(options, load).await,
        Name::Login(options) => measure::<Login>(options, load).await,
        Name::Gateway(options) => gateway::measure(options, load).await,
        Name::GatewayEcho => measure::<GatewayEcho>(&(), load).await,
        Name::Overload(options) => measure::<Overload>(options, load).await,
        Name::Echo => measure::<Echo>(&(), load).await,
        Name::Request(options) => measure::<Request>(options, load).await,
        Name::ServeEcho => anyhow::bail!("serving is not measuring"),
    }
}

/// Sets the scenario up, drives it, and checks what it left behind.
async fn measure<S: Scenario>(options: &S::Options, load: &Load) -> anyhow::Result<Report> {
    let machine = Machine::here();
    let deployment = Deployment::start(S::SERVER, load)?;
    let memory_at_rest_mb = deployment.process().and_then(machine::memory_in_use_mb);
    let target = Target::parse(deployment.url()).await?;
    eprintln!("{} at {target}: setting up", S::NAME);
    let mut scenario = S::set_up(&target, options).await?;
    eprintln!("{} connections, {} s", load.connections, load.seconds);
    let tally = scenario.run(&target, &load.plan(deployment.process())).await?;
    let mut report = Report::new(S::NAME, load, machine, &tally)?;
    eprintln!("{} answers in {} s: checking", tally.answered(), report.took_s);
    report.problems = scenario.problems(&tally);
    report.problems.extend(scenario.check(&target, &tally).await?);
    report.headline = scenario.headline();
    report.details = scenario.details();
    report.configuration.extend(scenario.configuration());
    report.configuration.insert("version".to_owned(), deployment.version().into());
    report.memory_at_rest_mb = memory_at_rest_mb;
    report.peak_memory_mb = deployment.peak_memory_mb();
    let ended = deployment.end(&tally).await?;
    report.audit = ended.audit;
    report.disk_mb = ended.disk_mb;
    Ok(report)
}
