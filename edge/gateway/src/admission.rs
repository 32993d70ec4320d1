//! Who is carried out when there is too much to do: a bounded number of requests at once; more wait for a moment; the
//! rest is refused before anything of it is read. What matters most fails last.
//!
//! | priority | when all usual places are taken |
//! | --- | --- |
//! | critical | takes one that is kept for it, or waits |
//! | high | waits |
//! | normal | waits, unless many wait already |
//! | low | is refused at once |

use prometheus_client::metrics::counter::Counter;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    limits::{ADMISSION_WAIT, MAX_WAITING_REQUESTS},
    metrics::Metrics,
    places::Priority,
    problem::Problem,
};

/// One place of so many is kept for what must not fail.
const KEPT_PART: usize = 8;

/// The places.
pub(crate) struct Admission {
    usual: Semaphore,
    kept: Semaphore,
    /// One for each request that waits.
    waiting: Semaphore,
}

impl Admission {
    /// So many places in all.
    pub fn new(places: usize) -> Self {
        let places = places.min(Semaphore::MAX_PERMITS);
        let kept = places / KEPT_PART;
        Self {
            usual: Semaphore::new(places - kept),
            kept: Semaphore::new(kept),
            waiting: Semaphore::new(MAX_WAITING_REQUESTS),
        }
    }

    /// A place: at once, or in a moment, in the order of their coming.
    pub async fn enter(&self, priority: Priority, metrics: &Metrics) -> Result<SemaphorePermit<'_>, Problem> {
        if let Ok(place) = self.usual.try_acquire() {
            return Ok(place);
        }
        if priority == Priority::Critical
            && let Ok(place) = self.kept.try_acquire()
        {
            return Ok(place);
        }
        let refuse = |counter: &Counter| {
            counter.inc();
            Problem::unavailable("too many requests are being carried out; try again in a moment")
        };
        let has_room = match priority {
            Priority::Critical | Priority::High => true,
            Priority::Normal => self.waiting.available_permits() > MAX_WAITING_REQUESTS / 2,
            Priority::Low => false,
        };
        let waits = has_room.then(|| self.waiting.try_acquire().ok()).flatten();
        let _waits = waits.ok_or_else(|| refuse(&metrics.refused_at_once))?;
        match tokio::time::timeout(ADMISSION_WAIT, self.usual.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(refuse(&metrics.refused_after_wait)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_matters_most_fails_last() {
        let (admission, metrics) = (Admission::new(16), Metrics::new());
        let mut usual = Vec::new();
        for _ in 0..14 {
            usual.push(admission.enter(Priority::Low, &metrics).await.unwrap());
        }
        let began = tokio::time::Instant::now();
        assert!(admission.enter(Priority::Low, &metrics).await.is_err());
        assert!(began.elapsed().is_zero(), "it does not wait");
        let kept = admission.enter(Priority::Critical, &metrics).await.unwrap();
        assert!(began.elapsed().is_zero(), "there is a place for it");
        assert!(admission.enter(Priority::High, &metrics).await.is_err());
        assert_eq!(began.elapsed(), ADMISSION_WAIT, "it waits, and nothing ends");
        let (waiting, ()) = tokio::join!(admission.enter(Priority::Normal, &metrics), async {
            usual.pop();
        });
        assert!(waiting.is_ok());
        drop(kept);
    }
}
