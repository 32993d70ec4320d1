//! How each service starts by itself.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use bus::{Partition, Topic};
use kit::{Environment, Guard, Observer, Runtime, Transport, relay, shed::Shedding, transport::Rpcs};
use store::{Row, Store};
use ticket::Simulator;

use super::{
    Need, Role, Status, StoreUrl, keys,
    log::{self, OpenedLog},
    peers,
    stores::{self, Access, Opened},
};
use crate::{
    config::{Config, Switch},
    mail,
};

/// The pause after a database could not be opened; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause.
const MAX_PAUSE: Duration = Duration::from_secs(10);

const SECONDS_OF_A_DAY: u64 = 86_400;

/// A service that runs.
pub struct Service {
    /// Its rpcs, behind the guard.
    pub transport: Transport,
    closing: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Service {
    /// Closes what it used.
    pub async fn close(self) {
        self.closing.await;
    }
}

/// What services are made of.
pub struct Parts<'a> {
    pub config: &'a Config,
    pub runtime: &'a Runtime,
    pub environment: &'a Environment,
    pub guard: &'a Guard,
    pub status: &'a Status,
}

/// Refuses a configuration with which a role cannot run.
///
/// # Errors
/// Which setting is missing or wrong.
pub fn check(role: Role, config: &Config) -> anyhow::Result<()> {
    match role {
        Role::Gateway => return Ok(()),
        Role::Web => return keys::session_key(config).map(|_| ()),
        _ => {}
    }
    stores::check_built_in(&stores::url_of(config, role)?)?;
    log::url_of(config)?;
    match role {
        Role::User => {
            keys::signer(config)?;
            for peer in Role::SERVICES.into_iter().filter(|peer| *peer != Role::User) {
                let (setting, url) = config.fleet.url_of(peer);
                url.with_context(|| {
                    format!(
                        "{setting} is needed: the user service asks every other one for an account's data"
                    )
                })?;
            }
        }
        Role::Ticket => {
            keys::ticket_key(config)?;
        }
        Role::Notification => {
            mail::mailer(config)?;
        }
        Role::Event | Role::Feedback | Role::Analytics | Role::Gateway | Role::Web => {}
    }
    Ok(())
}

impl Parts<'_> {
    /// Starts a service; waits for its database.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    pub async fn start(&self, role: Role) -> anyhow::Result<Service> {
        let log = log::open(self.config, role)?;
        match role {
            Role::User => self.user(log).await,
            Role::Event => {
                let hold_seconds = i64::from(self.config.hold_minutes) * 60;
                let opened = self.opened(role).await?;
                let rpcs = event::start(
                    self.runtime,
                    Arc::clone(&opened.store),
                    &log.log,
                    self.environment.clone(),
                    hold_seconds,
                );
                Ok(self.finished(rpcs, opened, log))
            }
            Role::Ticket => {
                let key = keys::ticket_key(self.config)?;
                let opened = self.opened(role).await?;
                let provider = Arc::new(Simulator::default());
                let (store, environment) = (Arc::clone(&opened.store), self.environment.clone());
                let rpcs = ticket::start(self.runtime, store, &log.log, environment, key, provider);
                Ok(self.finished(rpcs, opened, log))
            }
            Role::Feedback => {
                let opened = self.opened(role).await?;
                let (store, environment) = (Arc::clone(&opened.store), self.environment.clone());
                let rpcs = feedback::start(self.runtime, store, Arc::clone(&log.log), environment);
                Ok(self.finished(rpcs, opened, log))
            }
            Role::Notification => {
                let mailer = mail::mailer(self.config)?;
                let opened = self.opened(role).await?;
                let (store, environment) = (Arc::clone(&opened.store), self.environment.clone());
                let rpcs =
                    notification::start(self.runtime, store, Arc::clone(&log.log), environment, mailer);
                Ok(self.finished(rpcs, opened, log))
            }
            Role::Analytics => {
                let opened = self.opened(role).await?;
                let (store, environment) = (Arc::clone(&opened.store), self.environment.clone());
                let rpcs = analytics::start(self.runtime, store, Arc::clone(&log.log), environment);
                Ok(self.finished(rpcs, opened, log))
            }
            Role::Gateway | Role::Web => anyhow::bail!("{role} is no service"),
        }
    }

    async fn user(&self, log: OpenedLog) -> anyhow::Result<Service> {
        let signer = keys::signer(self.config)?;
        let mut others = Vec::new();
        for peer in Role::SERVICES.into_iter().filter(|peer| *peer != Role::User) {
            let way = peers::way_to(peer, self.config, self.runtime, self.status)?;
            others.push((peer.name().to_owned(), way.context(self.config.fleet.url_of(peer).0)?));
        }
        let opened = self.opened(Role::User).await?;
        let admin_emails = self.config.admin_emails.iter().cloned().collect();
        let config = user::Config { admin_emails, ..user::Config::default() };
        let (store, environment) = (Arc::clone(&opened.store), self.environment.clone());
        let rpcs =
            user::start(self.runtime, store, Arc::clone(&log.log), environment, signer, others, config);
        Ok(self.finished(rpcs, opened, log))
    }

    /// The service's database. A server that cannot be reached, or is not prepared yet, is waited for: it may come
    /// up later than this process.
    async fn opened<R: Row>(&self, role: Role) -> anyhow::Result<Opened<R>> {
        let url = stores::url_of(self.config, role)?;
        let mut pause = FIRST_PAUSE;
        loop {
            match stores::open::<R>(&url, role, Access::Own).await {
                Ok(mut opened) => {
                    if !opened.store.is_sole_writer() {
                        let figures = self.runtime.metrics.breaker(STORE);
                        opened.store = Arc::new(Shedding::new(opened.store, figures));
                    }
                    self.look_after(&opened);
                    return Ok(opened);
                }
                // A file is there, or it is not.
                Err(error) if matches!(url, StoreUrl::Sqlite(_)) => return Err(error),
                Err(error) => {
                    tracing::warn!(%url, error = format!("{error:#}"), "the database cannot be used yet");
                    self.status.note(STORE, Need::Needed, Err("cannot be used yet; the log says why"));
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(MAX_PAUSE);
                }
            }
        }
    }

    /// Shows whether the store answers.
    fn look_after<R: Row>(&self, opened: &Opened<R>) {
        let store = Arc::clone(&opened.store);
        self.status.watch(self.runtime, STORE, Need::Needed, move || {
            let store = Arc::clone(&store);
            async move { answers(store.as_ref()).await }
        });
    }

    /// Puts the guard in front, starts the relay, and keeps what is closed at the end.
    fn finished<R: Row>(&self, rpcs: impl Rpcs, opened: Opened<R>, log: OpenedLog) -> Service {
        let role = self.status.role();
        let outbox = relay::Outbox {
            store: Arc::clone(&opened.store),
            log: Arc::clone(&opened.outbox),
            publishes: role.publishes(),
            keep: Duration::from_secs(u64::from(self.config.keep_facts_days) * SECONDS_OF_A_DAY),
        };
        match self.config.fleet.relay {
            Switch::On => relay::start(self.runtime, outbox, &log.publisher, self.environment),
            Switch::Off => relay::keep_short(self.runtime, outbox, self.environment),
        }
        let observer = Observer::new(&self.runtime.metrics, self.environment.clone());
        let transport = Transport::local(observer.watch(self.guard.protect(rpcs)));
        let closing = Box::pin(async move {
            log.leave().await;
            opened.close().await;
        });
        Service { transport, closing }
    }
}

/// The part of `/readyz`.
const STORE: &str = "store";

/// Asks a store for something small that it has to look up.
async fn answers<R: Row>(store: &dyn Store<R>) -> Result<String, String> {
    let nowhere = Partition { topic: Topic::TicketEvent, name: "readiness".to_owned() };
    match store.position(&nowhere).await {
        Ok(_) => Ok("answers".to_owned()),
        Err(error) => {
            tracing::debug!(%error, "the store does not answer");
            Err("does not answer".to_owned())
        }
    }
}
