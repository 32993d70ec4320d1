//! How a process of a fleet is: starting, ready or draining, and each part that it needs.
//!
//! Parts are asked in advance, again and again, so that `/readyz` answers at once whatever hangs.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use gateway::{Part, Readiness};
use kit::Runtime;
use tokio::sync::watch;

use super::Role;

/// How often each part is asked.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How long a part may take to answer.
const ASK_TIMEOUT: Duration = Duration::from_secs(2);

/// Where a process is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// What it needs is not there yet.
    Starting,
    /// It does its work.
    Ready,
    /// It was told to stop, and finishes what it has begun.
    Draining,
}

/// Whether the process can do its work without a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It cannot: without it, the process is not ready.
    Needed,
    /// It can do without for a while, or in part. It is shown.
    Shown,
}

/// The status of this process. Copies share it.
#[derive(Clone)]
pub struct Status {
    role: Role,
    phase: Arc<watch::Sender<Phase>>,
    parts: Arc<Mutex<BTreeMap<String, Part>>>,
    /// Whether every needed part is ready, as last heard.
    whole: Arc<watch::Sender<bool>>,
}

impl Status {
    /// Of a process that starts.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self {
            role,
            phase: Arc::new(watch::Sender::new(Phase::Starting)),
            parts: Arc::default(),
            whole: Arc::new(watch::Sender::new(true)),
        }
    }

    /// The role.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Whether it is there in its life.
    #[must_use]
    pub fn is(&self, phase: Phase) -> bool {
        *self.phase.borrow() == phase
    }

    /// Goes on.
    pub fn go_to(&self, phase: Phase) {
        self.phase.send_replace(phase);
    }

    /// Returns whenever the process has become ready, or is no longer; whether it is.
    pub async fn changed(&self, was_ready: bool) -> bool {
        let (mut phase, mut whole) = (self.phase.subscribe(), self.whole.subscribe());
        loop {
            let is_ready = *phase.borrow_and_update() == Phase::Ready && *whole.borrow_and_update();
            if is_ready != was_ready {
                return is_ready;
            }
            // The senders live as long as this.
            tokio::select! {
                _ = phase.changed() => {}
                _ = whole.changed() => {}
            }
        }
    }

    /// Notes how a part is.
    pub fn note(&self, name: &str, need: Need, answer: Result<&str, &str>) {
        let needed = need == Need::Needed;
        let (ready, detail) = (answer.is_ok(), answer.unwrap_or_else(|why| why).to_owned());
        let part = Part { name: name.to_owned(), ready, needed, detail };
        let mut parts = self.locked();
        let before = parts.insert(name.to_owned(), part);
        let whole = parts.values().all(|part| part.ready || !part.needed);
        drop(parts);
        if before.is_none_or(|before| before.ready != ready) && !ready {
            tracing::warn!(part = name, why = answer.err(), "not ready");
        }
        self.whole.send_if_modified(|known| std::mem::replace(known, whole) != whole);
    }

    /// Asks a part again and again, until the runtime stops. An answer says what the part is, an error why not;
    /// neither holds an address or a secret.
    pub fn watch<F>(&self, runtime: &Runtime, name: &str, need: Need, ask: impl Fn() -> F + Send + 'static)
    where
        F: Future<Output = Result<String, String>> + Send,
    {
        let (status, name, shutdown) = (self.clone(), name.to_owned(), runtime.shutdown.clone());
        runtime.tasks.spawn(async move {
            loop {
                let asked = tokio::time::timeout(ASK_TIMEOUT, ask()).await;
                let answer = asked.unwrap_or_else(|_| Err("does not answer in time".to_owned()));
                status.note(&name, need, answer.as_deref().map_err(String::as_str));
                tokio::select! {
                    () = tokio::time::sleep(ASK_EVERY) => {}
                    () = shutdown.cancelled() => return,
                }
            }
        });
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<String, Part>> {
        // Nothing panics while the lock is held.
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl Readiness for Status {
    async fn parts(&self) -> Vec<Part> {
        let phase = *self.phase.borrow();
        let detail = match phase {
            Phase::Starting => "starting",
            Phase::Ready => "running",
            Phase::Draining => "stopping",
        };
        let own = Part {
            name: self.role.name().to_owned(),
            ready: phase == Phase::Ready,
            needed: true,
            detail: detail.to_owned(),
        };
        // When it runs, its parts say the rest.
        let own = (phase != Phase::Ready).then_some(own);
        own.into_iter().chain(self.locked().values().cloned()).collect()
    }
}
