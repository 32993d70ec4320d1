//! The composition root: all six services and the gateway in one process, on embedded stores.

use std::sync::Arc;

use admin::GatewayRow;
use anyhow::Context;
use gateway::{Gateway, Part, Readiness, Upstreams};
use kit::{
    Environment, Guard, Observer, Runtime, Transport, identity::Signer, metrics::Described, transport::Rpcs,
};
use sqlite::SqliteStore;
use store::{Row, Store};
use ticket::{Simulator, TicketKey};
use tokio_util::sync::CancellationToken;
use web::Web;

use crate::{
    admin_api, config::Config, data_dir::DataDir, figures, mail, priorities, retention, site, stores::Stores,
    traces::Traces,
};

/// A running platform. It has no listener of its own: its gateway is served, or called in process.
pub struct Platform {
    /// The REST surface.
    pub gateway: Gateway,
    /// The pages.
    pub web: Web,
    /// Makes access tokens, for commands that act for somebody on this machine.
    pub signer: Signer,
    /// The clock and the ids.
    pub environment: Environment,
    /// The way to each service behind its guard, by its gRPC name.
    pub services: Upstreams,
    /// The stores.
    pub stores: Stores,
    /// The gateway's own configuration.
    pub gateway_store: Arc<SqliteStore<GatewayRow>>,
    /// Told when no further request is taken in; streams end then.
    pub drain: CancellationToken,
    runtime: Runtime,
    traces: Traces,
    _data: DataDir,
}

impl Platform {
    /// Starts every part on a data directory.
    ///
    /// # Errors
    /// When the directory is in use or a part cannot start; the error says which and why.
    pub async fn start(config: &Config) -> anyhow::Result<Self> {
        Self::start_with(config, user::Cost::default()).await
    }

    /// As [`Platform::start`], with another cost of hashing passwords; tests use a low one.
    ///
    /// # Errors
    /// As [`Platform::start`].
    pub async fn start_with(config: &Config, cost: user::Cost) -> anyhow::Result<Self> {
        let data = DataDir::open(&config.data_dir)?;
        let signer = Signer::from_pkcs8(&data.secret("access-token.pk8", || Ok(Signer::generate()?))?)?;
        let ticket_key = TicketKey::from_pkcs8(&data.secret("ticket.pk8", || Ok(Signer::generate()?))?)
            .map_err(|_| {
                anyhow::anyhow!("the key of the tickets is not an Ed25519 private key in PKCS #8")
            })?;
        let stores = Stores::open(&data)?;
        let gateway_store =
            Arc::new(SqliteStore::open(&data.database("gateway"), sqlite::Options::default())?);
        let runtime = Runtime::new();
        let traces = Traces::start(config, &runtime.metrics, "boxoffice")?;
        let environment = traces.environment();
        let guard = Guard::new(signer.verifier(), environment.clone());
        let parts = Parts { config, stores: &stores, runtime: &runtime, environment: &environment };
        let services = parts.start(&guard, &signer, ticket_key, cost)?;
        figures::start(&runtime, &data, &environment);
        retention::start(&runtime, &stores, &environment, config.keep_facts_days);
        let readiness = Arc::new(StoresReady { stores: stores.clone() });
        let metrics = runtime.metrics.clone();
        let drain = CancellationToken::new();
        let session_key =
            data.secret("session.key", || Ok(environment.random::<{ web::SESSION_KEY_BYTES }>().to_vec()))?;
        let web = Web::new(&services, environment.clone(), site::options(config, &session_key)?);
        let gateway = Gateway::new(
            services.clone(),
            guard,
            environment.clone(),
            readiness,
            gateway::Options {
                drain: drain.clone(),
                priority_of: priorities::of,
                ..gateway::Options::default()
            },
            Arc::new(move || metrics.text()),
        )
        .context("the gateway cannot start")?;
        Ok(Self {
            gateway,
            web,
            signer,
            environment,
            services,
            stores,
            gateway_store,
            drain,
            runtime,
            traces,
            _data: data,
        })
    }

    /// The pages, and the REST surface beside them.
    #[must_use]
    pub fn site(&self) -> site::Site {
        site::Site { web: self.web.clone(), gateway: self.gateway.clone() }
    }

    /// What Kong's Admin API of this platform is made of.
    #[must_use]
    pub fn admin_parts(&self) -> admin_api::Parts {
        let gateway = self.gateway.clone();
        admin_api::Parts {
            gateway: self.gateway.clone(),
            store: Arc::clone(&self.gateway_store) as _,
            environment: self.environment.clone(),
            figures: Arc::new(move || gateway.figures()),
        }
    }

    /// Every figure that `/metrics` may show, those that nothing was counted in yet too.
    #[must_use]
    pub fn described_metrics(&self) -> Vec<Described> {
        let mut described = gateway::described_metrics();
        described.extend(self.runtime.metrics.described());
        described
    }

    /// Stops: what was taken in is finished, then the stores are closed.
    pub async fn stop(self) {
        self.runtime.stop().await;
        self.stores.close().await;
        self.gateway_store.close().await;
        self.traces.stop().await;
    }
}

/// What the services are made of.
struct Parts<'a> {
    config: &'a Config,
    stores: &'a Stores,
    runtime: &'a Runtime,
    environment: &'a Environment,
}

impl Parts<'_> {
    /// Starts the services; the way to each by its gRPC name.
    fn start(
        &self,
        guard: &Guard,
        signer: &Signer,
        ticket_key: TicketKey,
        cost: user::Cost,
    ) -> anyhow::Result<Upstreams> {
        let (runtime, stores, log) = (self.runtime, self.stores, self.stores.log());
        let environment = || self.environment.clone();
        let guard = &Front { guard, observer: Observer::new(&runtime.metrics, environment()) };
        let hold_seconds = i64::from(self.config.hold_minutes) * 60;
        let event = local(
            guard,
            event::start(runtime, Arc::clone(&stores.event) as _, &log, environment(), hold_seconds),
        );
        let provider = Arc::new(Simulator::default());
        let ticket = local(
            guard,
            ticket::start(
                runtime,
                Arc::clone(&stores.ticket) as _,
                &log,
                environment(),
                ticket_key,
                provider,
            ),
        );
        let feedback = local(
            guard,
            feedback::start(runtime, Arc::clone(&stores.feedback) as _, Arc::clone(&log), environment()),
        );
        let notification = local(
            guard,
            notification::start(
                runtime,
                Arc::clone(&stores.notification) as _,
                Arc::clone(&log),
                environment(),
                mail::mailer(self.config)?,
            ),
        );
        let analytics = local(
            guard,
            analytics::start(runtime, Arc::clone(&stores.analytics) as _, Arc::clone(&log), environment()),
        );
        let peers = [
            ("event", &event),
            ("ticket", &ticket),
            ("feedback", &feedback),
            ("notification", &notification),
            ("analytics", &analytics),
        ];
        let peers = peers.into_iter().map(|(name, transport)| (name.to_owned(), transport.clone())).collect();
        let config = user::Config { cost, admin_emails: self.config.admin_emails.iter().cloned().collect() };
        let user = local(
            guard,
            user::start(
                runtime,
                Arc::clone(&stores.user) as _,
                log,
                environment(),
                signer.clone(),
                peers,
                config,
            ),
        );
        let named = [
            ("UserService", user),
            ("EventService", event),
            ("TicketService", ticket),
            ("FeedbackService", feedback),
            ("NotificationService", notification),
            ("AnalyticsService", analytics),
        ];
        Ok(named.into_iter().map(|(name, transport)| (format!("boxoffice.v1.{name}"), transport)).collect())
    }
}

/// Every store answers.
struct StoresReady {
    stores: Stores,
}

#[async_trait::async_trait]
impl Readiness for StoresReady {
    async fn parts(&self) -> Vec<Part> {
        let stores = &self.stores;
        vec![
            part(stores.user.as_ref()).await,
            part(stores.event.as_ref()).await,
            part(stores.ticket.as_ref()).await,
            part(stores.feedback.as_ref()).await,
            part(stores.notification.as_ref()).await,
            part(stores.analytics.as_ref()).await,
        ]
    }
}

async fn part<R: Row>(store: &dyn Store<R>) -> Part {
    let answer = store.load(&[], &[]).await;
    let detail = if answer.is_ok() { "store answers" } else { "store does not answer" };
    Part { name: R::SERVICE.to_owned(), ready: answer.is_ok(), needed: true, detail: detail.to_owned() }
}

/// What stands before each service of this process.
struct Front<'a> {
    guard: &'a Guard,
    observer: Observer,
}

/// The way to a service of this process, behind its guard.
fn local(front: &Front<'_>, rpcs: impl Rpcs) -> Transport {
    Transport::local(front.observer.watch(front.guard.protect(rpcs)))
}
