//! The clock and the source of ids. Nothing else in the services reads either.

use std::{
    cell::RefCell,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use domain::Time;
use uuid::{Builder, Uuid};

use crate::trace::Spans;

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The moment it is.
    fn now(&self) -> Time;
}

/// Where randomness comes from.
pub trait Entropy: Send + Sync + 'static {
    /// Fills a buffer with unpredictable bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place where the time is read")]
    fn now(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// So many bytes are fetched from the operating system at once; each is given out once.
const POOL_BYTES: usize = 4_096;

struct Pool {
    bytes: [u8; POOL_BYTES],
    used: usize,
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { bytes: [0; POOL_BYTES], used: POOL_BYTES }) };
}

/// The operating system's generator, asked for many bytes at a time: a request needs several ids.
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        if buffer.len() > POOL_BYTES {
            return fetch(buffer);
        }
        POOL.with_borrow_mut(|pool| {
            if POOL_BYTES - pool.used < buffer.len() {
                fetch(&mut pool.bytes);
                pool.used = 0;
            }
            let given = &mut pool.bytes[pool.used..pool.used + buffer.len()];
            buffer.copy_from_slice(given);
            // A secret stays where it was given, and nowhere else.
            given.fill(0);
            pool.used += buffer.len();
        });
    }
}

#[allow(clippy::expect_used, reason = "without randomness no secret is safe: better to stop")]
fn fetch(buffer: &mut [u8]) {
    getrandom::fill(buffer).expect("the operating system gives random bytes");
}

/// A clock and a source of randomness: what a service needs to make ids.
#[derive(Clone)]
pub struct Environment {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    spans: Option<Arc<dyn Spans>>,
}

impl Environment {
    /// The machine's clock and generator.
    #[must_use]
    pub fn system() -> Self {
        Self::new(Arc::new(SystemClock), Arc::new(SystemEntropy))
    }

    /// A chosen clock and generator.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy, spans: None }
    }

    /// With somebody who collects spans.
    #[must_use]
    pub fn collecting(self, spans: Arc<dyn Spans>) -> Self {
        Self { spans: Some(spans), ..self }
    }

    /// Who collects spans, if anybody does.
    #[must_use]
    pub fn spans(&self) -> Option<&dyn Spans> {
        self.spans.as_deref()
    }

    /// The moment it is.
    #[must_use]
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// How much time has passed since a moment, in seconds; 0 when the clock was set back.
    #[must_use]
    pub fn seconds_since(&self, moment: Time) -> f64 {
        (self.now().micros() - moment.micros()).max(0) as f64 / 1e6
    }

    /// Unpredictable bytes.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// A fresh id (UUID version 7, RFC 9562): it sorts by the time of its making.
    #[must_use]
    pub fn id(&self) -> Uuid {
        let millis = u64::try_from(self.now().micros() / 1_000).unwrap_or(0);
        Builder::from_unix_timestamp_millis(millis, &self.random()).into_uuid()
    }
}

/// An id that follows from its parts (UUID version 8, RFC 9562): the same parts give the same id.
#[must_use]
pub fn derived_id(parts: &[&[u8]]) -> Uuid {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in parts {
        // The length keeps ("ab", "c") apart from ("a", "bc").
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let digest = context.finish();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_ref()[..16]);
    Builder::from_custom_bytes(bytes).into_uuid()
}
