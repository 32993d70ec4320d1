//! The configuration: in memory as it is served, in the store as it stays, and the way from one to the other.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockWriteGuard},
    time::Duration,
};

use kit::Environment;
use kong::{Change as Changed, Config, Given, Kind, PluginSchemas, Refusal};
use store::{
    Change, Commit, CommitError, CommitId, Cursor, Query, Settled, Store, StoreError, Value, Version,
};
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::rows::{GatewayRow, Kept, Revision, entity_key, revision_key};

/// How often another node's changes are looked for.
const POLL_EVERY: Duration = Duration::from_millis(500);
/// How often a change is tried when another node was first.
const MAX_TRIES: usize = 8;

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// It is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store cannot be reached, or others change at the same time all the time.
    #[error("the configuration cannot be stored now: {0}")]
    Unavailable(String),
}

impl From<StoreError> for ChangeError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// What is stored, as this node last saw it.
#[derive(Default)]
struct Seen {
    config: Arc<Config>,
    versions: HashMap<(Kind, Uuid), Version>,
    revision: Version,
}

/// Who serves a configuration: told of each before the change that made it is answered.
pub type Serve = Box<dyn Fn(&Arc<Config>) + Send + Sync>;

/// The configuration of this node.
pub struct State {
    store: Arc<dyn Store<GatewayRow>>,
    environment: Environment,
    plugins: Arc<dyn PluginSchemas>,
    base: Config,
    /// One change at a time; what it protects is read without it.
    changing: Mutex<()>,
    seen: RwLock<Seen>,
    serve: Serve,
    changes: watch::Sender<Version>,
}

impl State {
    /// Reads what is stored. `base` is what is built in: it is there always and is not stored.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn load(
        store: Arc<dyn Store<GatewayRow>>,
        environment: Environment,
        plugins: Arc<dyn PluginSchemas>,
        base: Config,
        serve: Serve,
    ) -> Result<Self, ChangeError> {
        let state = Self {
            store,
            environment,
            plugins,
            base,
            changing: Mutex::default(),
            seen: RwLock::default(),
            serve,
            changes: watch::Sender::default(),
        };
        state.reload().await?;
        Ok(state)
    }

    /// The configuration now.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.seen.read().unwrap_or_else(PoisonError::into_inner).config)
    }

    /// How many changes there were.
    #[must_use]
    pub fn revision(&self) -> Version {
        self.seen.read().unwrap_or_else(PoisonError::into_inner).revision
    }

    /// The revisions as they come.
    #[must_use]
    pub fn follow(&self) -> watch::Receiver<Version> {
        self.changes.subscribe()
    }

    /// The plugins that there are.
    #[must_use]
    pub fn plugins(&self) -> &dyn PluginSchemas {
        &*self.plugins
    }

    /// What is built in.
    #[must_use]
    pub fn base(&self) -> &Config {
        &self.base
    }

    /// An id, a secret and the time, for what a client leaves out.
    #[must_use]
    pub fn given(&self) -> Given {
        let secret: [u8; 32] = self.environment.random();
        Given {
            id: Uuid::from_bytes(self.environment.random::<16>()),
            secret: base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, secret),
            now_s: self.environment.now().micros() / 1_000_000,
        }
    }

    /// Makes a change: it is decided on the newest configuration, stored, and served from then on. What `decide` gives
    /// beside the changes is given back.
    ///
    /// # Errors
    /// When it is refused or cannot be stored; then nothing has changed.
    pub async fn change<T>(
        &self,
        decide: impl Fn(&Config) -> Result<(Vec<Changed>, T), Refusal>,
    ) -> Result<T, ChangeError> {
        let _alone = self.changing.lock().await;
        for _ in 0..MAX_TRIES {
            let config = self.config();
            let (changes, result) = decide(&config)?;
            if changes.is_empty() {
                return Ok(result);
            }
            let commit = self.commit(&changes);
            let id = commit.id;
            match self.store.commit(commit).await {
                Ok(()) => {
                    self.take_in(&changes);
                    return Ok(result);
                }
                Err(CommitError::Stale(_)) => self.reload().await?,
                Err(CommitError::Unknown(cause)) => {
                    let committed = self.store.settle(id).await? == Settled::Committed;
                    self.reload().await?;
                    if committed {
                        return Ok(result);
                    }
                    tracing::warn!(%cause, "a change of the configuration is tried again");
                }
                Err(CommitError::Failed(cause)) => return Err(ChangeError::Unavailable(cause)),
            }
        }
        Err(ChangeError::Unavailable("others change it at the same time; try again".to_owned()))
    }

    fn commit(&self, changes: &[Changed]) -> Commit<GatewayRow> {
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        let id = CommitId(Uuid::from_bytes(self.environment.random::<16>()));
        let mut commit = Commit::new(id, self.environment.now().micros());
        let revision = Revision { number: seen.revision + 1 };
        commit.changes.push(Change::new(revision_key(), seen.revision, Some(revision.into())));
        for (kind, id, fields) in changes {
            let expected = seen.versions.get(&(*kind, *id)).copied().unwrap_or(0);
            let row = fields.as_ref().map(|fields| {
                let collection = kind.definition().name.to_owned();
                Kept { collection, id: *id, fields: (**fields).clone() }.into()
            });
            commit.changes.push(Change::new(entity_key(*kind, *id), expected, row));
        }
        commit
    }

    fn take_in(&self, changes: &[Changed]) {
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        let mut config = (*seen.config).clone();
        config.apply(changes);
        for (kind, id, fields) in changes {
            match fields {
                Some(_) => *seen.versions.entry((*kind, *id)).or_insert(0) += 1,
                None => {
                    seen.versions.remove(&(*kind, *id));
                }
            }
        }
        seen.revision += 1;
        seen.config = Arc::new(config);
        self.is_served(seen);
    }

    fn is_served(&self, seen: RwLockWriteGuard<'_, Seen>) {
        let (config, revision) = (Arc::clone(&seen.config), seen.revision);
        drop(seen);
        (self.serve)(&config);
        self.changes.send_replace(revision);
    }

    /// Reads everything anew.
    async fn reload(&self) -> Result<(), ChangeError> {
        loop {
            let before = self.stored_revision().await?;
            let mut seen = Seen { config: Arc::default(), versions: HashMap::new(), revision: before };
            let mut config = self.base.clone();
            let mut after = None;
            loop {
                let page = self.store.query(&Query::all("entity").after(after)).await?;
                for versioned in &page {
                    let GatewayRow::Entity(kept) = &*versioned.row else { continue };
                    let Some(kind) = Kind::of_collection(&kept.collection) else { continue };
                    config.put(kind, kept.id, Arc::new(kept.fields.clone()));
                    seen.versions.insert((kind, kept.id), versioned.version);
                }
                let Some(last) = page.last().filter(|_| page.len() == store::MAX_PAGE) else { break };
                after = Some(Cursor { value: Value::Null, id: store::Row::key(&*last.row).id.to_string() });
            }
            // Somebody may have written between two pages.
            if self.stored_revision().await? == before {
                seen.config = Arc::new(config);
                let mut known = self.seen.write().unwrap_or_else(PoisonError::into_inner);
                *known = seen;
                self.is_served(known);
                return Ok(());
            }
        }
    }

    async fn stored_revision(&self) -> Result<Version, StoreError> {
        let loaded = self.store.load(&[revision_key()], &[]).await?;
        Ok(loaded.rows.into_iter().flatten().next().map_or(0, |versioned| versioned.version))
    }

    /// Takes in what other nodes change, until told to stop.
    pub async fn watch_others(&self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(POLL_EVERY) => {}
            }
            let _alone = self.changing.lock().await;
            let newer = self.stored_revision().await.map(|stored| stored != self.revision());
            let outcome = match newer {
                Ok(true) => self.reload().await,
                Ok(false) => Ok(()),
                Err(error) => Err(error.into()),
            };
            if let Err(error) = outcome {
                tracing::warn!(%error, "changes of other nodes cannot be seen now");
            }
        }
    }
}
