//! The stage of a story: a platform on a fresh directory, actors as values, and the check at the end.

pub mod actor;
pub mod answer;
#[cfg(feature = "fleet")]
#[path = "../fleet/support/mod.rs"]
mod fleet_support;
pub mod front;
pub mod place;
pub mod sketch;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use kit::identity::Role;
use store::{Cursor, Query, Row, Store, Version};
use tempfile::TempDir;

use front::Front;
use place::Place;

pub use actor::Actor;
pub use answer::{Answer, Read};
pub use serde_json::{Value, json};
pub use sketch::{Show, Sketch, hours_from_now};

/// Who becomes ADMIN when they register.
const ADMIN_EMAIL: &str = "root@example.org";
/// The client lets go of a connection long before the gateway does; or a request might come to a connection that is just
/// being closed.
const MAX_IDLE: Duration = Duration::from_secs(5);
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
    let Some(place) = Place::set_up(&runtime, &dir) else { return };
    let keeps_files = place.keeps_files();
    let told = runtime.block_on(async {
        let stage = Stage::set_up(&dir, place).await;
        let told = story(&stage).await;
        stage.must_be_at_rest().await;
        stage.tear_down().await;
        told
    });
    if keeps_files {
        look(told, dir.path());
    }
}

/// A running platform and the way to it.
pub struct Stage {
    place: Place,
    front: Option<Front>,
    data_dir: PathBuf,
    nobody: Actor,
}

impl Stage {
    async fn set_up(dir: &TempDir, place: Place) -> Self {
        let client = reqwest::Client::builder().no_proxy().pool_idle_timeout(MAX_IDLE).build().unwrap();
        let front = if front::is_envoy() {
            let program = front::program().expect("Envoy is chosen, so it must be there");
            Some(Front::set_up(program, dir, &place).await)
        } else {
            None
        };
        let address = front.as_ref().map_or_else(|| place.address(), Front::address);
        let nobody = Actor::nobody(client, address);
        Self { place, front, data_dir: dir.path().to_owned(), nobody }
    }

    async fn tear_down(self) {
        // The client's idle connections would be waited for.
        drop(self.nobody);
        if let Some(front) = self.front {
            front.tear_down().await;
        }
        self.place.tear_down().await;
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
        self.with_token_for(actor, &[Role::User], seconds_ago)
    }

    /// As [`Stage::with_token_of`], with roles.
    pub fn with_token_for(&self, actor: &Actor, roles: &[Role], seconds_ago: i64) -> Actor {
        let (environment, signer) = (kit::Environment::system(), self.place.signer());
        let then = environment.now().plus_seconds(-seconds_ago);
        let token = signer.sign(actor.id.parse().unwrap(), roles, environment.id(), then).unwrap();
        actor.with_token(&token)
    }

    /// Every figure that `/metrics` may show; `None` where each process shows its own.
    pub fn described_metrics(&self) -> Option<Vec<kit::metrics::Described>> {
        self.place.described_metrics()
    }

    /// The way to each service, past the gateway; `None` where each is a process.
    pub fn services(&self) -> Option<gateway::Upstreams> {
        self.place.services()
    }

    /// Waits until every service has consumed every fact.
    pub async fn caught_up(&self) {
        eventually("the services have caught up", async || {
            tokio::time::sleep(self.place.pause_between_audits()).await;
            let report = self.place.audited().await?;
            report.notes.is_empty().then_some(())
        })
        .await;
    }

    /// What the services keep: every row with its version, and how many accounts there are. Figures and mail go on
    /// by themselves and are left out.
    pub async fn kept(&self) -> Vec<(String, Version)> {
        let sources = self.place.sources();
        let mut kept = rows_of(sources.event.as_ref()).await;
        kept.extend(rows_of(sources.ticket.as_ref()).await);
        kept.extend(rows_of(sources.feedback.as_ref()).await);
        kept
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
        let started = std::time::Instant::now();
        loop {
            let report = self.place.audited().await;
            let pending = self.pending_bookings().await;
            let is_clean =
                report.as_ref().is_some_and(|report| report.notes.is_empty() && report.violations.is_empty());
            if is_clean && pending == 0 {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "not at rest: {pending} bookings PENDING, {report:?}");
            tokio::time::sleep(self.place.pause_between_audits()).await;
        }
    }

    async fn pending_bookings(&self) -> usize {
        let pending = store::Condition::Is("status", "PENDING".into());
        let found = self.place.sources().ticket.query(&Query::all("booking").filter(pending)).await;
        found.unwrap().len()
    }
}

async fn rows_of<R: Row>(store: &dyn Store<R>) -> Vec<(String, Version)> {
    let mut found = Vec::new();
    for table in R::TABLES {
        let mut after = None;
        loop {
            let page = store.query(&Query::all(table.name).after(after)).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(Cursor { value: store::Value::Null, id: last.row.key().id.to_string() });
            found.extend(
                page.iter().map(|kept| (format!("{} {}", table.name, kept.row.key().id), kept.version)),
            );
        }
    }
    found
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
