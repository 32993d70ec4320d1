//! `boxoffice doctor`: what is wrong with a deployment, and how to mend it.

use std::{path::Path, time::Duration};

use kit::{Environment, Remote, Transport};
use store::Row;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::databases::one;
use crate::{
    config::Config,
    serve::{Role, keys, stores},
};

/// How long a part may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// What is well, line by line.
    pub well: Vec<String>,
    /// What is wrong, each with what to do about it.
    pub wrong: Vec<(String, String)>,
}

impl Findings {
    fn note(&mut self, what: impl Into<String>, found: anyhow::Result<String>, mend: impl Into<String>) {
        let what = what.into();
        match found {
            Ok(how) => self.well.push(format!("{what}: {how}")),
            Err(why) => self.wrong.push((format!("{what}: {why:#}"), mend.into())),
        }
    }
}

/// Looks at what one role needs, or at everything that is configured.
pub async fn run(config: &Config, only: Option<Role>) -> Findings {
    let mut findings = Findings::default();
    look_at_keys(config, only, &mut findings);
    for role in Role::SERVICES.into_iter().filter(|role| only.is_none_or(|only| only == *role)) {
        let is_asked_for = only == Some(role) || config.fleet.store_url_of(role).is_some();
        if is_asked_for {
            look_at_store(config, role, &mut findings).await;
        }
    }
    if !matches!(only, Some(Role::Gateway | Role::Web)) {
        look_at_log(config, &mut findings).await;
    }
    let calls_others = only.is_none_or(|only| matches!(only, Role::User | Role::Gateway | Role::Web));
    if calls_others {
        for role in Role::SERVICES.into_iter().filter(|role| only != Some(*role)) {
            look_at_peer(config, role, &mut findings).await;
        }
    }
    findings
}

fn look_at_keys(config: &Config, only: Option<Role>, findings: &mut Findings) {
    const MEND: &str = "`boxoffice keys DIRECTORY` makes the keys; give each role the files that it needs";
    let fleet = &config.fleet;
    let verified = keys::verifier(config).map(|_| "can be read".to_owned());
    findings.note("access token keys", verified, MEND);
    if only == Some(Role::User) || (only.is_none() && fleet.access_key_file.is_some()) {
        let signed = keys::signer(config).and_then(|signer| {
            let environment = Environment::system();
            let (now, id) = (environment.now(), environment.id());
            // It is of nobody and shown to nobody.
            let token = signer.sign(domain::UserId(id), &[], id, now)?;
            let is_pair = keys::verifier(config)?.verify(&token, now).is_ok();
            anyhow::ensure!(is_pair, "tokens that the private key signs are not believed by the public key");
            Ok("signs what the public key verifies".to_owned())
        });
        findings.note(
            "BOXOFFICE_ACCESS_KEY_FILE",
            signed,
            "use the two files that one run of `boxoffice keys` made",
        );
    }
    if only == Some(Role::Ticket) || (only.is_none() && fleet.ticket_key_file.is_some()) {
        let read = keys::ticket_key(config).map(|_| "can be read".to_owned());
        findings.note("BOXOFFICE_TICKET_KEY_FILE", read, MEND);
    }
    for file in [&fleet.access_key_file, &fleet.ticket_key_file].into_iter().flatten() {
        if let Some(mode) = open_to_others(file) {
            findings.wrong.push((
                format!("{}: others may read this private key (mode {mode:o})", file.display()),
                format!("chmod 600 {}", file.display()),
            ));
        }
    }
}

/// The mode of a file that not only its owner may read.
#[cfg(unix)]
fn open_to_others(file: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(file).ok()?.permissions().mode() & 0o777;
    // A group may: that is how secrets are handed to containers.
    (mode & 0o007 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn open_to_others(_file: &Path) -> Option<u32> {
    None
}

async fn look_at_store(config: &Config, role: Role, findings: &mut Findings) {
    let looked = match role {
        Role::User => store_of::<user::UserRow>(config, role).await,
        Role::Event => store_of::<event::EventRow>(config, role).await,
        Role::Ticket => store_of::<ticket::TicketRow>(config, role).await,
        Role::Feedback => store_of::<feedback::FeedbackRow>(config, role).await,
        Role::Notification => store_of::<notification::NotificationRow>(config, role).await,
        Role::Analytics => store_of::<analytics::AnalyticsRow>(config, role).await,
        Role::Gateway | Role::Web => return,
    };
    let mend = format!(
        "is the server up, and do user, password and database exist? `boxoffice migrate {role}` prepares the tables"
    );
    let parked = looked.as_ref().map_or(0, |(_, parked)| *parked);
    findings.note(format!("store of {role}"), looked.map(|(how, _)| how), mend);
    if parked > 0 {
        findings.wrong.push((
            format!("{role} has {parked} facts that it could not process"),
            format!("`boxoffice parked list {role}` says why; when that is mended, `boxoffice parked redrive {role}`"),
        ));
    }
}

async fn store_of<R: Row>(config: &Config, role: Role) -> anyhow::Result<(String, usize)> {
    let url = stores::url_of(config, role)?;
    let looking = async {
        let opened = one::<R>(config, role).await?;
        let parked = opened.store.parked().await;
        opened.close().await;
        anyhow::Ok(parked?.len())
    };
    let parked = tokio::time::timeout(ANSWER_TIMEOUT, looking)
        .await
        .map_err(|_| anyhow::anyhow!("{url} does not answer within {ANSWER_TIMEOUT:?}"))??;
    Ok((format!("{url} answers, its tables are up to date"), parked))
}

#[cfg(feature = "fleet")]
async fn look_at_log(config: &Config, findings: &mut Findings) {
    let looked = async {
        let settings = crate::serve::log::settings(config)?;
        let brokers = kafka::brokers(&settings).await?;
        Ok((settings, brokers))
    };
    let looked: anyhow::Result<(kafka::Settings, usize)> = tokio::time::timeout(ANSWER_TIMEOUT, looked)
        .await
        .unwrap_or_else(|_| Err(anyhow::anyhow!("no broker answers within {ANSWER_TIMEOUT:?}")));
    let settings = match looked {
        Ok((settings, brokers)) => {
            findings.well.push(format!("log: {brokers} brokers answer"));
            settings
        }
        Err(why) => {
            let mend =
                "set BOXOFFICE_LOG_URL to brokers that can be reached from here, as they name themselves";
            findings.wrong.push((format!("log: {why:#}"), mend.to_owned()));
            return;
        }
    };
    let opened = kafka::KafkaLog::alone(&settings, &bus::Topic::ALL).await;
    let found = opened.map(|_| "all topics are there".to_owned()).map_err(anyhow::Error::from);
    findings.note("topics", found, "`boxoffice topics` makes them");
}

#[cfg(not(feature = "fleet"))]
async fn look_at_log(config: &Config, findings: &mut Findings) {
    let found = crate::serve::log::url_of(config).map(|_| "is configured".to_owned());
    findings.note("log", found, "set BOXOFFICE_LOG_URL, and use a program built with `--features fleet`");
}

async fn look_at_peer(config: &Config, role: Role, findings: &mut Findings) {
    let (setting, url) = config.fleet.url_of(role);
    let Some(url) = url else {
        let mend = format!("set {setting}, such as http://{role}:9000");
        findings.wrong.push((format!("{role}: {setting} is not set"), mend));
        return;
    };
    let found = health_of(role, url).await;
    let mend = format!(
        "is `boxoffice serve {role}` running there with BOXOFFICE_GRPC_LISTEN on that port? Its /readyz says what it lacks"
    );
    findings.note(format!("{setting}={url}"), found, mend);
}

async fn health_of(role: Role, url: &str) -> anyhow::Result<String> {
    let transport = Transport::Remote(Remote::new(role.name(), url)?);
    let mut client = HealthClient::new(transport);
    let service = role.grpc_name().unwrap_or_default().to_owned();
    let mut request = tonic::Request::new(HealthCheckRequest { service });
    request.set_timeout(ANSWER_TIMEOUT);
    let answer = client.check(request).await;
    let answer = answer.map_err(|status| anyhow::anyhow!("{}", status.message()))?.into_inner();
    anyhow::ensure!(answer.status() == ServingStatus::Serving, "answers that it is not ready");
    Ok("is ready".to_owned())
}
