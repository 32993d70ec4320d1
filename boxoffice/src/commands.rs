//! What each command does.

use std::{
    io::{Write, stdout},
    path::Path,
    pin::Pin,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use kit::{Environment, Pipeline};
use store::Store;
use user::UserRow;

use crate::{
    admin_api::AdminApi,
    api::Api,
    audit,
    cli::{Command, FleetArgs, GatewayCommand, Import, ParkedCommand},
    config::{Config, Flags, FleetFlags, ListenFlags, template},
    data_dir::DataDir,
    demo, export, fleet, import,
    platform::Platform,
    serve::{self, Role, stores::Access},
    server::Front,
    signals::{STOPPED_AT_ONCE, StopSignals},
    stores::Stores,
    telemetry,
};

/// Runs a command to its end.
///
/// Boxed here: a future is compiled by whoever polls it, and the program would compile all of this library again.
///
/// # Errors
/// What went wrong, for the person at the terminal.
pub fn run(command: Command) -> Pin<Box<dyn Future<Output = anyhow::Result<ExitCode>>>> {
    Box::pin(carry_out(command))
}

async fn carry_out(command: Command) -> anyhow::Result<ExitCode> {
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
        Command::Audit { flags, fleet, wait } => run_audit(&flags, &fleet, wait).await,
        Command::Migrate { role, fleet } => say(fleet::migrate::run(&read(&fleet)?, role).await?),
        Command::Topics { fleet } => make_topics(&read(&fleet)?).await,
        Command::Parked { what: ParkedCommand::List { role, fleet } } => {
            say(fleet::parked::list(&read(&fleet)?, role).await?)
        }
        Command::Parked { what: ParkedCommand::Redrive { role, fleet } } => {
            redrive(&read(&fleet)?, role).await
        }
        Command::Replay { role, into, fleet } => replay(&read(&fleet)?, role, &into).await,
        Command::Doctor { role, fleet } => Ok(diagnose(&fleet::doctor::run(&read(&fleet)?, role).await)),
        Command::Health { url } => health(&url).await,
        Command::GrantAdmin { email, flags } => grant_admin(&email, &flags).await,
        Command::Gateway { what: GatewayCommand::Export { target, config, listen } } => {
            let listen = ListenFlags { listen, ..ListenFlags::default() };
            let config = Config::read_fleet(config.as_deref(), &FleetFlags::default(), &listen)?;
            say(vec![export::run(target, &config)?])
        }
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
    let server = Front::bind(&config).await?;
    let (address, tls_address) = (server.address()?, server.tls_address()?);
    let platform = Platform::start(&config).await?;
    let admin = AdminApi::start(platform.admin_parts(), &config).await?;
    let stop = platform.drain.clone();
    let (live, site) = (platform.gateway.live(), platform.site());
    let serving = tokio::spawn(server.serve(live, move |peer| site.for_peer(peer), stop.clone()));
    println!("Boxoffice is ready at http://{address}");
    println!("  API reference   http://{address}/docs");
    if let Some(address) = tls_address {
        println!("  over TLS        https://{address}");
    }
    if let Some(address) = admin.address {
        println!("  gateway admin   http://{address} (Kong's Admin API)");
    }
    println!("  data directory  {}", config.data_dir.display());
    if config.smtp_url.is_none() && config.emailjs.service_id.is_none() {
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
        admin.stop().await;
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

/// The settings of a command over a fleet.
fn read(fleet: &FleetArgs) -> anyhow::Result<Config> {
    Config::read_fleet(fleet.config.as_deref(), &fleet.flags, &ListenFlags::default())
}

fn say(lines: Vec<String>) -> anyhow::Result<ExitCode> {
    lines.iter().for_each(|line| println!("{line}"));
    Ok(ExitCode::SUCCESS)
}

async fn run_audit(flags: &Flags, fleet: &FleetFlags, wait: u32) -> anyhow::Result<ExitCode> {
    let over_network = Config::read_fleet(flags.config.as_deref(), fleet, &ListenFlags::default())?;
    let has_databases = Role::SERVICES.iter().all(|role| over_network.fleet.store_url_of(*role).is_some());
    if flags.data_dir.is_none() && has_databases {
        let report = audit_fleet(&over_network, Duration::from_secs(u64::from(wait))).await?;
        return Ok(tell(&report));
    }
    let data = DataDir::open_existing(&Config::read(flags, None)?.data_dir)?;
    let stores = Stores::open_read_only(&data)?;
    let report = audit::run(&stores.sources()).await?;
    stores.close().await;
    Ok(tell(&report))
}

#[cfg(feature = "fleet")]
async fn audit_fleet(config: &Config, wait: Duration) -> anyhow::Result<audit::Report> {
    let settings = serve::log::settings(config)?;
    let log = kafka::KafkaLog::alone(&settings, &bus::Topic::ALL).await?;
    let databases = fleet::Databases::open(config).await?;
    let report = audit::run_until_at_rest(&databases.sources(config, Arc::new(log)), wait).await;
    databases.close().await;
    report
}

#[cfg(not(feature = "fleet"))]
async fn audit_fleet(_config: &Config, _wait: Duration) -> anyhow::Result<audit::Report> {
    fleet::not_built_in("audit")
}

fn tell(report: &audit::Report) -> ExitCode {
    for note in &report.notes {
        println!("note: {note}");
    }
    for violation in &report.violations {
        println!("VIOLATION: {violation}");
    }
    println!("{}", report.summary());
    if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(feature = "fleet")]
async fn make_topics(config: &Config) -> anyhow::Result<ExitCode> {
    say(fleet::topics::run(config).await?)
}

#[cfg(not(feature = "fleet"))]
async fn make_topics(_config: &Config) -> anyhow::Result<ExitCode> {
    fleet::not_built_in("topics")
}

async fn redrive(config: &Config, role: Role) -> anyhow::Result<ExitCode> {
    let (done, still) = fleet::parked::redrive(config, role).await?;
    println!("{done} done, {} still parked", still.len());
    for line in &still {
        println!("{line}");
    }
    Ok(if still.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(feature = "fleet")]
async fn replay(config: &Config, role: Role, into: &str) -> anyhow::Result<ExitCode> {
    let outcome = fleet::replay::run(config, role, &serve::StoreUrl::parse("--into", into)?).await?;
    println!("{} facts were replayed", outcome.facts);
    for (table, in_use, anew) in &outcome.tables {
        let verdict = if in_use == anew { "same" } else { "DIFFERENT" };
        println!("{table}: {verdict}: {in_use} in use, {anew} built anew");
    }
    if outcome.behind > 0 {
        println!(
            "the {role} service is {} positions behind the log: what it has not heard differs",
            outcome.behind
        );
    }
    Ok(if outcome.is_same() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(not(feature = "fleet"))]
async fn replay(_config: &Config, _role: Role, _into: &str) -> anyhow::Result<ExitCode> {
    fleet::not_built_in("replay")
}

fn diagnose(findings: &fleet::doctor::Findings) -> ExitCode {
    for well in &findings.well {
        println!("ok       {well}");
    }
    for (what, mend) in &findings.wrong {
        println!("PROBLEM  {what}\n         mend: {mend}");
    }
    println!("{} are well, {} are not", findings.well.len(), findings.wrong.len());
    if findings.wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How long a page may take to answer.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(3);

async fn health(url: &str) -> anyhow::Result<ExitCode> {
    let client = reqwest::Client::builder().timeout(HEALTH_TIMEOUT).no_proxy().build()?;
    let response = client.get(url).send().await.with_context(|| format!("no answer from {url}"))?;
    let status = response.status();
    println!("{status} {}", response.text().await.unwrap_or_default());
    Ok(if status.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
    let config = Config::read(flags, None)?;
    // A directory that is named is meant, whatever the environment says of a fleet.
    if flags.data_dir.is_none() && config.fleet.store_url_of(Role::User).is_some() {
        let url = serve::stores::url_of(&config, Role::User)?;
        let users = serve::stores::open(&url, Role::User, Access::Own).await?;
        let granted = grant_admin_in(&users.store, email).await;
        users.close().await;
        granted?;
    } else {
        let stores = Stores::open(&DataDir::open_existing(&config.data_dir)?)?;
        let users: Arc<dyn Store<UserRow>> = Arc::clone(&stores.user) as _;
        let granted = grant_admin_in(&users, email).await;
        stores.close().await;
        granted?;
    }
    println!("{email} is ADMIN from the next sign-in on");
    Ok(ExitCode::SUCCESS)
}

async fn grant_admin_in(users: &Arc<dyn Store<UserRow>>, email: &str) -> anyhow::Result<()> {
    let pipeline = Pipeline::new(Arc::new(user::UserMachine), Arc::clone(users), Environment::system());
    let granted = user::grant_admin(&pipeline, email).await;
    granted.map_err(|error| anyhow::anyhow!("{email}: {}", error.detail))
}
