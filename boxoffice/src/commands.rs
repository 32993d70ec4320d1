//! What each command does.

use std::{
    io::{Write, stdout},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use kit::{Environment, Pipeline};
use tokio_util::sync::CancellationToken;

use crate::{
    api::Api,
    audit,
    cli::{Command, Import},
    config::{Config, Flags, template},
    data_dir::DataDir,
    demo, import,
    platform::Platform,
    serve,
    server::Server,
    signals::{STOPPED_AT_ONCE, StopSignals},
    stores::Stores,
    telemetry,
};

/// Runs a command to its end.
///
/// # Errors
/// What went wrong, for the person at the terminal.
pub async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Up { flags, listen, demo } => up(Config::read(&flags, listen)?, demo).await,
        Command::Serve { role, config, fleet, listen } => {
            serve::run(role, Config::read_fleet(config.as_deref(), &fleet, &listen)?).await
        }
        Command::Keys { directory } => make_keys(&directory),
        Command::Import { what: Import::Events { file, organizer, flags, url, token } } => match (url, token)
        {
            (Some(url), Some(token)) => import_remote(&file, &url, &token, organizer).await,
            _ => import_local(&file, &Config::read(&flags, None)?, organizer).await,
        },
        Command::Audit { flags } => run_audit(&Config::read(&flags, None)?).await,
        Command::GrantAdmin { email, flags } => grant_admin(&email, &flags).await,
        Command::Config => {
            write!(stdout(), "{}", template())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn up(config: Config, with_demo: bool) -> anyhow::Result<ExitCode> {
    telemetry::start(&config)?;
    // Before anything is announced: whoever reads that it is ready may stop it at once.
    let mut signals = StopSignals::listen()?;
    let server = Server::bind(config.listen).await?;
    let address = server.address()?;
    let platform = Platform::start(&config).await?;
    let stop = CancellationToken::new();
    let serving = tokio::spawn(server.serve(platform.gateway.clone(), stop.clone()));
    println!("Boxoffice is ready at http://{address}");
    println!("  API reference   http://{address}/docs");
    println!("  data directory  {}", config.data_dir.display());
    if config.smtp_url.is_none() {
        println!("  mail            {} (no smtp_url is set)", config.data_dir.join("mail").display());
    }
    if with_demo {
        let access = demo::set_up(&platform, &config.data_dir).await?;
        println!("  demo accounts   {} and {}, password {}", demo::ORGANIZER, demo::BUYER, access.password);
    }
    println!("Stop it with Ctrl-C.");
    stdout().flush()?;
    signals.wait().await?;
    eprintln!("Stopping: running requests are finished first. Ctrl-C again stops at once.");
    stop.cancel();
    let finish = async {
        let served = serving.await;
        platform.stop().await;
        served
    };
    tokio::select! {
        served = finish => served?,
        // What was answered is on the disk already; what was not may be sent again.
        _ = signals.wait() => return Ok(ExitCode::from(STOPPED_AT_ONCE)),
    }
    Ok(ExitCode::SUCCESS)
}

async fn import_local(file: &Path, config: &Config, organizer: Option<String>) -> anyhow::Result<ExitCode> {
    let email =
        organizer.context("--organizer is needed: the address of the account that organises the events")?;
    let platform = Platform::start(config).await?;
    let account = user::find_by_email(platform.stores.user.as_ref(), &email).await?;
    let summary = match account {
        None => {
            Err(anyhow::anyhow!("nobody with the address {email} has an account here: register it first"))
        }
        Some(account) => {
            let api = Api::Local {
                gateway: platform.gateway.clone(),
                signer: platform.signer.clone(),
                environment: platform.environment.clone(),
                user: Some(account.id),
            };
            import::events(file, Arc::new(api), &mut std::io::stderr()).await
        }
    };
    platform.stop().await;
    Ok(conclude(&summary?))
}

async fn import_remote(
    file: &Path,
    url: &str,
    token: &str,
    organizer: Option<String>,
) -> anyhow::Result<ExitCode> {
    let api = Api::remote(url, token)?;
    if let Some(organizer) = organizer {
        let (status, me) = api.get("/v1/users/me").await?;
        anyhow::ensure!(status.is_success(), "the token is not valid: {}", me["detail"]);
        let is_theirs = me["email"].as_str().is_some_and(|email| email.eq_ignore_ascii_case(&organizer));
        anyhow::ensure!(is_theirs, "the token is not {organizer}'s");
    }
    let summary = import::events(file, Arc::new(api), &mut std::io::stderr()).await?;
    Ok(conclude(&summary))
}

fn conclude(summary: &import::Summary) -> ExitCode {
    println!("{} created, {} already there, {} bad", summary.created, summary.known, summary.bad.len());
    if summary.bad.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn run_audit(config: &Config) -> anyhow::Result<ExitCode> {
    let data = DataDir::open_existing(&config.data_dir)?;
    let stores = Stores::open_read_only(&data)?;
    let report = audit::run(&stores).await?;
    stores.close().await;
    for note in &report.notes {
        println!("note: {note}");
    }
    for violation in &report.violations {
        println!("VIOLATION: {violation}");
    }
    println!("{}", report.summary());
    Ok(if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn make_keys(directory: &Path) -> anyhow::Result<ExitCode> {
    let made = serve::keys::make(directory)?;
    for file in &made {
        println!("made {}", file.display());
    }
    if made.is_empty() {
        println!("all keys are there already");
    }
    Ok(ExitCode::SUCCESS)
}

async fn grant_admin(email: &str, flags: &Flags) -> anyhow::Result<ExitCode> {
    let data = DataDir::open_existing(&Config::read(flags, None)?.data_dir)?;
    let stores = Stores::open(&data)?;
    let pipeline =
        Pipeline::new(Arc::new(user::UserMachine), Arc::clone(&stores.user) as _, Environment::system());
    let granted = user::grant_admin(&pipeline, email).await;
    stores.close().await;
    granted.map_err(|error| anyhow::anyhow!("{email}: {}", error.detail))?;
    println!("{email} is ADMIN from the next sign-in on");
    Ok(ExitCode::SUCCESS)
}
