//! The stage of a story: a platform on a fresh directory, actors as values, and the check at the end.

pub mod actor;
pub mod answer;
pub mod sketch;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use boxoffice::{audit, config::Config, platform::Platform, server::Server};
use store::{Query, Store};
use tempfile::TempDir;
use ticket::TicketRow;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use actor::Actor;
pub use answer::{Answer, Read};
pub use serde_json::{Value, json};
pub use sketch::{Show, Sketch, hours_from_now};

/// A hash that costs next to nothing: these tests are not about guessing passwords.
const CHEAP: user::Cost = user::Cost { memory_kib: 8, passes: 1, lanes: 1 };
/// Who becomes ADMIN when they register.
const ADMIN_EMAIL: &str = "root@example.org";
/// How often something is looked at again that is to come about.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Beyond that, it does not come about. Generous: the bound is for defects, not for slow machines.
const PATIENCE: Duration = Duration::from_secs(30);

/// Plays a story on a fresh platform, then checks that the platform comes to rest.
pub fn play(story: impl AsyncFnOnce(&Stage)) {
    play_then(story, |(), _| ());
}

/// As [`play`]; then the platform is stopped, and what it left on disk is looked at.
pub fn play_then<T>(story: impl AsyncFnOnce(&Stage) -> T, look: impl FnOnce(T, &Path)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let told = runtime.block_on(async {
        let stage = Stage::set_up(&dir).await;
        let told = story(&stage).await;
        stage.must_be_at_rest().await;
        stage.tear_down().await;
        told
    });
    look(told, dir.path());
}

/// A running platform and the way to it.
pub struct Stage {
    platform: Platform,
    data_dir: PathBuf,
    nobody: Actor,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Stage {
    async fn set_up(dir: &TempDir) -> Self {
        let mut config = Config::for_data_dir(dir.path().to_owned()).unwrap();
        config.admin_emails = vec![ADMIN_EMAIL.to_owned()];
        let platform = Platform::start_with(&config, CHEAP).await.unwrap();
        let server = Server::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = server.address().unwrap();
        let stop = CancellationToken::new();
        let serving = tokio::spawn(server.serve(platform.gateway.clone(), stop.clone()));
        let nobody = Actor::nobody(reqwest::Client::builder().no_proxy().build().unwrap(), address);
        Self { platform, data_dir: dir.path().to_owned(), nobody, stop, serving }
    }

    async fn tear_down(self) {
        self.stop.cancel();
        // The client's idle connections would be waited for.
        drop(self.nobody);
        self.serving.await.unwrap();
        self.platform.stop().await;
    }

    /// Somebody without an account.
    pub fn anonymous(&self) -> Actor {
        self.nobody.clone()
    }

    /// Somebody who has just registered and signed in. Names are unique within a story.
    pub async fn user(&self, name: &str) -> Actor {
        self.nobody.registers(name, json!({})).await
    }

    /// As [`Stage::user`], with more told at registration, such as the gender.
    pub async fn user_with(&self, name: &str, details: Value) -> Actor {
        self.nobody.registers(name, details).await
    }

    /// A user who writes events; any user may.
    pub async fn organiser(&self) -> Actor {
        self.user("Olga Organiser").await
    }

    /// A user with the role ADMIN.
    pub async fn admin(&self) -> Actor {
        let name = ADMIN_EMAIL.split('@').next().unwrap();
        self.user(name).await
    }

    /// The same person with a token of another moment, signed by this platform.
    pub fn with_token_of(&self, actor: &Actor, seconds_ago: i64) -> Actor {
        let (environment, signer) = (&self.platform.environment, &self.platform.signer);
        let then = environment.now().plus_seconds(-seconds_ago);
        let roles = [kit::identity::Role::User];
        let token = signer.sign(actor.id.parse().unwrap(), &roles, environment.id(), then).unwrap();
        actor.with_token(&token)
    }

    /// Every figure that `/metrics` may show.
    pub fn described_metrics(&self) -> Vec<kit::metrics::Described> {
        self.platform.described_metrics()
    }

    /// Waits until every service has consumed every fact.
    pub async fn caught_up(&self) {
        eventually("the services have caught up", async || {
            let report = audit::run(&self.platform.stores).await.unwrap();
            report.notes.is_empty().then_some(())
        })
        .await;
    }

    /// The mails to an address, once there are so many. Each is a file that a mail program opens.
    pub async fn mails_to(&self, email: &str, count: usize) -> Vec<String> {
        let to = format!("<{email}>");
        let found = eventually(&format!("{count} mails to {email}"), async || {
            let mails = self.all_mails();
            let mails: Vec<String> =
                mails.into_iter().filter(|mail| header_of(mail, "To").contains(&to)).collect();
            (mails.len() >= count).then_some(mails)
        })
        .await;
        assert_eq!(found.len(), count, "more mails to {email} than expected");
        found
    }

    fn all_mails(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.data_dir.join("mail")).unwrap();
        let files = entries.map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> =
            files.filter(|file| file.extension().is_some_and(|e| e == "eml")).collect();
        files.sort();
        files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
    }

    async fn must_be_at_rest(&self) {
        let stores = &self.platform.stores;
        let started = std::time::Instant::now();
        loop {
            let report = audit::run(stores).await.unwrap();
            let pending = self.pending_bookings().await;
            if report.notes.is_empty() && report.violations.is_empty() && pending == 0 {
                return;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "not at rest: {pending} bookings PENDING, left {:?}, violations {:?}",
                report.notes,
                report.violations
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn pending_bookings(&self) -> usize {
        let tickets: &Arc<_> = &self.platform.stores.ticket;
        let pending = store::Condition::Is("status", "PENDING".into());
        let store: &dyn Store<TicketRow> = tickets.as_ref();
        store.query(&Query::all("booking").filter(pending)).await.unwrap().len()
    }
}

/// A header of a mail; the first line of it, empty when it is not there.
pub fn header_of<'m>(mail: &'m str, name: &str) -> &'m str {
    let head = mail.split("\r\n\r\n").next().unwrap_or_default();
    let prefix = format!("{name}: ");
    head.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_default()
}

/// Looks until there is what is to come about, and gives it.
pub async fn eventually<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let started = std::time::Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "it never came about: {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
