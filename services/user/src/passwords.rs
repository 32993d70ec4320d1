//! Password hashing (Argon2id, RFC 9106) on a few threads with a bounded queue.
//!
//! One hash takes tens of milliseconds and tens of megabytes. Without a bound, a crowd that signs in
//! at once would take the machine from everybody who buys; so the threads also stand back when the machine has
//! other things to do: they are nice, and they rest after a password for which they had to wait for a core.

#[cfg(target_os = "linux")]
use std::time::Instant;
use std::{
    num::NonZero,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc},
};
use domain::user::PasswordHash;
use kit::{Environment, ServiceError};
use tokio::sync::{Semaphore, oneshot};

/// The most passwords that wait to be hashed; beyond that, requests are refused at once.
const MAX_WAITING: usize = 64;
/// From so many cores on, two passwords are hashed at a time.
const CORES_FOR_TWO: usize = 4;
/// How nice the threads are to others, where the system knows that of a thread.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 15;
/// A thread that waited for a core for more than this part of the time that it had one is in the way of others.
#[cfg(target_os = "linux")]
const WAITED_TOO_LONG: u32 = 8;
/// Then it rests so many times as long as it had a core: of a busy machine, passwords take a tenth of a core.
#[cfg(target_os = "linux")]
const RESTS: u32 = 10;
/// The longest rest, for hashes that somebody made far more expensive.
#[cfg(target_os = "linux")]
const MAX_REST: Duration = Duration::from_secs(2);
/// The length of a salt (RFC 9106).
const SALT_BYTES: usize = 16;

/// What one hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB, at least 8 for each lane.
    pub memory_kib: u32,
    /// Passes over the memory, at least 1.
    pub passes: u32,
    /// Lanes, at least 1.
    pub lanes: u32,
}

impl Default for Cost {
    /// The floor that OWASP recommends: 19 MiB, two passes, one lane.
    fn default() -> Self {
        Self { memory_kib: 19 * 1_024, passes: 2, lanes: 1 }
    }
}

/// What checking a password found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Checked {
    /// It is another password, or there is none.
    Wrong,
    /// It is the password.
    Right,
    /// It is the password; the stored hash is of another cost, and this is the hash of today's.
    RightRehashed(PasswordHash),
}

type Job = Box<dyn FnOnce() + Send>;

/// The hasher.
#[derive(Clone)]
pub(crate) struct Passwords {
    argon2: Argon2<'static>,
    /// To the threads.
    jobs: mpsc::Sender<Job>,
    /// One permit for each password that is hashed now or waits.
    places: Arc<Semaphore>,
    environment: Environment,
}

impl Passwords {
    /// A hasher; a cost that Argon2 does not know is replaced by the default one.
    pub(crate) fn new(cost: Cost, environment: Environment) -> Self {
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None).unwrap_or_else(|error| {
            tracing::warn!(%error, "the cost of password hashing is not usable: the default is used");
            Params::default()
        });
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let threads = if cores >= CORES_FOR_TWO { 2 } else { 1 };
        Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            jobs: start(threads),
            places: Arc::new(Semaphore::new(threads + MAX_WAITING)),
            environment,
        }
    }

    /// The hash of a new password.
    pub(crate) async fn hash(&self, password: String) -> Result<PasswordHash, ServiceError> {
        let (argon2, salt) = (self.argon2.clone(), self.environment.random());
        self.run(move || hash(&argon2, &password, &salt)).await?
    }

    /// Whether it is the password with this hash. Without a hash it takes the same time.
    pub(crate) async fn check(
        &self,
        password: String,
        stored: Option<PasswordHash>,
    ) -> Result<Checked, ServiceError> {
        let (argon2, salt) = (self.argon2.clone(), self.environment.random());
        self.run(move || match stored {
            Some(stored) => check(&argon2, &password, &stored, &salt),
            None => hash(&argon2, &password, &salt).map(|_| Checked::Wrong),
        })
        .await?
    }

    /// Runs on a thread that may block, when it is its turn.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| overloaded())?;
        let (answer, answered) = oneshot::channel();
        // The place goes with the work: a client that hangs up does not make room for another.
        let job: Job = Box::new(move || {
            let done = work();
            drop(place);
            let _ = answer.send(done);
        });
        self.jobs.send(job).map_err(|_| overloaded())?;
        answered.await.map_err(|error| ServiceError::internal(&error))
    }
}

/// Starts the threads; they end with the hasher. Where none can be started, every job is refused.
fn start(threads: usize) -> mpsc::Sender<Job> {
    let (sender, jobs) = mpsc::channel::<Job>();
    let jobs = Arc::new(Mutex::new(jobs));
    for _ in 0..threads {
        let jobs = Arc::clone(&jobs);
        let started = thread::Builder::new().name("passwords".to_owned()).spawn(move || {
            stand_back();
            loop {
                // The lock is free while a job runs.
                let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(job) = next else { return };
                let watch = Watch::start();
                job();
                thread::sleep(watch.rest());
            }
        });
        if let Err(error) = started {
            tracing::error!(%error, "a thread for passwords cannot be started");
        }
    }
    sender
}

/// What a thread had of the machine since it was started.
struct Watch {
    #[cfg(target_os = "linux")]
    began: Instant,
    #[cfg(target_os = "linux")]
    had_before: Duration,
}

#[cfg(target_os = "linux")]
impl Watch {
    fn start() -> Self {
        Self { began: Instant::now(), had_before: had_a_core() }
    }

    /// How long the thread should rest now.
    fn rest(&self) -> Duration {
        rest(self.began.elapsed(), had_a_core().saturating_sub(self.had_before))
    }
}

/// Elsewhere it is not known whether a thread had to wait.
#[cfg(not(target_os = "linux"))]
impl Watch {
    fn start() -> Self {
        Self {}
    }

    fn rest(&self) -> Duration {
        Duration::ZERO
    }
}

/// The rest after work that took so long, of which the thread had a core so long.
#[cfg(target_os = "linux")]
fn rest(took: Duration, had: Duration) -> Duration {
    let waited = took.saturating_sub(had);
    if waited > had / WAITED_TOO_LONG { had.saturating_mul(RESTS).min(MAX_REST) } else { Duration::ZERO }
}

/// How long this thread has had a core since it was made.
#[cfg(target_os = "linux")]
fn had_a_core() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Elsewhere niceness is a property of the process, not of a thread.
fn stand_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::warn!(%error, "passwords are hashed as eagerly as everything else is done");
    }
}

fn overloaded() -> ServiceError {
    ServiceError::unavailable("unavailable", "too many people sign in at this moment: try again shortly")
}

fn hash(argon2: &Argon2<'_>, password: &str, salt: &[u8; SALT_BYTES]) -> Result<PasswordHash, ServiceError> {
    let hash = argon2.hash_password_with_salt(password.as_bytes(), salt);
    hash.map(|hash| PasswordHash(hash.to_string())).map_err(|error| ServiceError::internal(&error))
}

fn check(
    argon2: &Argon2<'_>,
    password: &str,
    stored: &PasswordHash,
    salt: &[u8; SALT_BYTES],
) -> Result<Checked, ServiceError> {
    let Ok(stored) = phc::PasswordHash::new(&stored.0) else {
        return Err(ServiceError::internal(&"a stored password hash cannot be read"));
    };
    // The parameters are those of the stored hash, not today's.
    if argon2.verify_password(password.as_bytes(), &stored).is_err() {
        return Ok(Checked::Wrong);
    }
    let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
    let is_of_today = Params::try_from(&stored).is_ok_and(|params| cost(&params) == cost(argon2.params()));
    if is_of_today { Ok(Checked::Right) } else { hash(argon2, password, salt).map(Checked::RightRehashed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 8, passes: 1, lanes: 1 };

    fn passwords(cost: Cost) -> Passwords {
        Passwords::new(cost, Environment::system())
    }

    #[tokio::test]
    async fn a_password_is_known_by_its_hash_alone() {
        let passwords = passwords(CHEAP);
        let hash = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{}", hash.0);
        for (password, stored, found) in [
            ("correct horse", Some(hash.clone()), Checked::Right),
            ("correct horsE", Some(hash), Checked::Wrong),
            ("correct horse", None, Checked::Wrong),
        ] {
            assert_eq!(passwords.check(password.to_owned(), stored).await.unwrap(), found);
        }
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_is_made_anew() {
        let stored = passwords(CHEAP).hash("correct horse".to_owned()).await.unwrap();
        let dearer = passwords(Cost { memory_kib: 16, ..CHEAP });
        let checked = dearer.check("correct horse".to_owned(), Some(stored)).await.unwrap();
        let Checked::RightRehashed(rehashed) = checked else { panic!("{checked:?}") };
        let again = dearer.check("correct horse".to_owned(), Some(rehashed)).await.unwrap();
        assert_eq!(again, Checked::Right);
    }

    #[tokio::test]
    async fn the_default_cost_is_the_recommended_floor() {
        let hash = passwords(Cost::default()).hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn who_had_to_wait_for_a_core_rests() {
        let ms = Duration::from_millis;
        assert_eq!(rest(ms(16), ms(16)), Duration::ZERO, "it had the machine for itself");
        assert_eq!(rest(ms(18), ms(16)), Duration::ZERO, "a moment is no sign");
        assert_eq!(rest(ms(40), ms(20)), ms(200));
        assert_eq!(rest(ms(9_000), ms(600)), MAX_REST);
    }

    #[tokio::test]
    async fn a_crowd_is_refused_at_once_and_told_when_to_come_again() {
        let passwords = passwords(CHEAP);
        let crowd = Arc::clone(&passwords.places).try_acquire_many_owned(1 + MAX_WAITING as u32).unwrap();
        let rest = passwords.places.available_permits() as u32;
        let _rest = Arc::clone(&passwords.places).try_acquire_many_owned(rest).unwrap();
        let refused = passwords.hash("correct horse".to_owned()).await.unwrap_err();
        assert_eq!(refused.code, kit::Code::Unavailable);
        assert!(refused.retry_after.is_some());
        drop(crowd);
        assert!(passwords.hash("correct horse".to_owned()).await.is_ok());
    }
}
