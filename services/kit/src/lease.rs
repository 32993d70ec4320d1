//! A lease: of several processes on one database, one does a job at a time.
//!
//! It needs nothing of the database but the compare-and-set of a position, which says until when the lease is held:
//!
//! ```text
//!   position    2 x until (in microseconds since 1970), + 1 once it was given back
//!
//!   A  takes 100 --- renews 107 --- renews 114     (crash)
//!   B      waits until its clock says 114, or until it has seen 114 stand for a whole term:  takes 124
//!   A' (a pause of the whole process) renews 121 from 114: refused, for the position is 124
//! ```
//!
//! Clocks may be wrong. Where the holder's is ahead, its lease looks long; but who waits also watches by its own
//! steady clock, and a lease that stands still for a whole term is free. Where the clock of one who waits is ahead, or
//! steps, it may take over from a holder that still works. So two can be at work for a moment, and **the job must
//! bear that**: what it writes must be fenced, as a relay's progress is, and the rest harmless when done twice.

use std::{sync::Arc, time::Duration};

use bus::{Partition, Position, Topic};
use domain::Time;
use store::{Row, Store, StoreError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Environment,
    mark::{Mark, Moved},
};

/// How long a lease is held unless it is renewed: how long a job rests when its holder crashes.
pub const TERM: Duration = Duration::from_secs(6);
/// A holder renews so many times in a term, so that one failure does not cost it the lease.
const RENEWALS_PER_TERM: u32 = 3;
/// The longest that one who waits sleeps between two looks, so that a lease that is given back is taken soon.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Every position has a topic. Which one a lease has does not matter.
const TOPIC: Topic = Topic::UpsertData;

/// What the position says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Written {
    until_us: u64,
    was_given_back: bool,
}

impl Written {
    fn read(position: Position) -> Self {
        Self { until_us: position.0 >> 1, was_given_back: position.0 & 1 == 1 }
    }

    fn position(self) -> Position {
        Position(self.until_us << 1 | u64::from(self.was_given_back))
    }

    /// What a holder writes over it. The position always rises, whatever the clock does.
    fn renewed(self, now: Time, term: Duration) -> Self {
        let wanted = micros(now).saturating_add(u64::try_from(term.as_micros()).unwrap_or(u64::MAX));
        Self { until_us: wanted.max(self.until_us + 1), was_given_back: false }
    }
}

fn micros(time: Time) -> u64 {
    u64::try_from(time.micros()).unwrap_or_default()
}

/// What one who wants the lease does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Tries to move the position.
    Take { from: Position, to: Position },
    /// Looks again after this time.
    Wait(Duration),
}

/// The lease as one sees it who wants it. It has no clock of its own.
struct Watch {
    term: Duration,
    /// A position, and since when it has stood, by a steady clock.
    seen: Option<(Position, Duration)>,
}

impl Watch {
    fn new(term: Duration) -> Self {
        Self { term, seen: None }
    }

    /// Decides by what is written, what time it is, and how late it is by a clock that never steps.
    fn look(&mut self, position: Position, now: Time, steady: Duration) -> Next {
        let since = match self.seen {
            Some((seen, since)) if seen == position => since,
            _ => {
                self.seen = Some((position, steady));
                steady
            }
        };
        let written = Written::read(position);
        let left = Duration::from_micros(written.until_us.saturating_sub(micros(now)));
        let stood = steady.saturating_sub(since);
        if written.was_given_back || left.is_zero() || stood >= self.term {
            return Next::Take { from: position, to: written.renewed(now, self.term).position() };
        }
        Next::Wait(left.min(self.term - stood).min(LOOK_EVERY))
    }
}

/// A lease by name, in the database of a service.
pub struct Lease<R: Row> {
    mark: Mark<R>,
    environment: Environment,
    term: Duration,
    name: String,
}

/// What the holder knows.
struct Held {
    position: Position,
    /// By the steady clock, from before the position was written: others see it expire later than this.
    until: Instant,
}

impl<R: Row> Lease<R> {
    /// The lease of this name. All who want it must give it the same term.
    #[must_use]
    pub fn new(store: &Arc<dyn Store<R>>, environment: &Environment, name: &str, term: Duration) -> Self {
        let partition = Partition { topic: TOPIC, name: format!("lease:{name}") };
        let mark = Mark::new(store, environment, partition);
        Self { mark, environment: environment.clone(), term, name: name.to_owned() }
    }

    /// Does a job while the lease is held: again whenever it is taken again, until told to stop. The job gets a token
    /// that is cancelled once it must end, and must end soon then.
    pub async fn run<J: Future<Output = ()>>(
        &self,
        shutdown: &CancellationToken,
        job: impl Fn(CancellationToken) -> J,
    ) {
        while let Some(held) = self.acquire(shutdown).await {
            tracing::info!(service = R::SERVICE, lease = self.name, "taken");
            let end = shutdown.child_token();
            let job = job(end.clone());
            tokio::pin!(job);
            let kept = self.keep(held, &end);
            tokio::pin!(kept);
            let held = tokio::select! {
                held = &mut kept => { end.cancel(); job.await; held }
                () = &mut job => { end.cancel(); kept.await }
            };
            match held {
                Some(held) => self.give_back(held).await,
                None => tracing::warn!(service = R::SERVICE, lease = self.name, "lost"),
            }
        }
    }

    /// Waits until it is free and takes it; none when told to stop.
    async fn acquire(&self, shutdown: &CancellationToken) -> Option<Held> {
        let (mut watch, start) = (Watch::new(self.term), Instant::now());
        while !shutdown.is_cancelled() {
            let pause = match self.try_to_take(&mut watch, start).await {
                Ok(Ok(held)) => return Some(held),
                Ok(Err(pause)) => pause,
                Err(error) => {
                    tracing::warn!(service = R::SERVICE, lease = self.name, %error, "it cannot be looked at");
                    LOOK_EVERY
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = shutdown.cancelled() => {}
            }
        }
        None
    }

    /// The lease, or when to look again.
    async fn try_to_take(
        &self,
        watch: &mut Watch,
        start: Instant,
    ) -> Result<Result<Held, Duration>, StoreError> {
        let position = self.mark.position().await?;
        let before = Instant::now();
        match watch.look(position, self.environment.now(), start.elapsed()) {
            Next::Wait(pause) => Ok(Err(pause)),
            Next::Take { from, to } => Ok(match self.mark.advance(from, to).await? {
                Moved::There => Ok(Held { position: to, until: before + self.term }),
                // Somebody else was faster.
                Moved::Elsewhere => Err(Duration::ZERO),
            }),
        }
    }

    /// Renews it until told to end; none when it was lost.
    async fn keep(&self, mut held: Held, end: &CancellationToken) -> Option<Held> {
        let pause = self.term / RENEWALS_PER_TERM;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until((Instant::now() + pause).min(held.until)) => {}
                () = end.cancelled() => return Some(held),
            }
            let before = Instant::now();
            if before >= held.until {
                return None;
            }
            let to = Written::read(held.position).renewed(self.environment.now(), self.term).position();
            // A store that does not answer must not keep us at work for longer than the lease.
            match tokio::time::timeout_at(held.until, self.mark.advance(held.position, to)).await {
                Ok(Ok(Moved::There)) => held = Held { position: to, until: before + self.term },
                Ok(Ok(Moved::Elsewhere)) | Err(_) => return None,
                Ok(Err(error)) => {
                    tracing::warn!(service = R::SERVICE, lease = self.name, %error, "not renewed");
                }
            }
        }
    }

    /// Lets the next one have it at once. When that fails, it has to wait.
    async fn give_back(&self, held: Held) {
        let given_back = Written { was_given_back: true, ..Written::read(held.position) };
        let moved =
            tokio::time::timeout_at(held.until, self.mark.advance(held.position, given_back.position()));
        if let Ok(Err(error)) = moved.await {
            tracing::warn!(service = R::SERVICE, lease = self.name, %error, "not given back");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Duration = Duration::from_secs(10);

    fn at(seconds: i64) -> Time {
        Time::from_micros(seconds * 1_000_000)
    }

    fn held_until(seconds: u64) -> Position {
        Written { until_us: seconds * 1_000_000, was_given_back: false }.position()
    }

    fn takes(next: Next) -> Option<Position> {
        match next {
            Next::Take { to, .. } => Some(to),
            Next::Wait(_) => None,
        }
    }

    #[test]
    fn what_was_never_held_is_free() {
        let next = Watch::new(TEN).look(Position::default(), at(100), Duration::ZERO);
        assert_eq!(next, Next::Take { from: Position::default(), to: held_until(110) });
    }

    #[test]
    fn who_is_second_waits_until_it_expires() {
        let mut watch = Watch::new(TEN);
        assert_eq!(watch.look(held_until(110), at(109), Duration::ZERO), Next::Wait(Duration::from_secs(1)));
        assert_eq!(
            takes(watch.look(held_until(110), at(110), Duration::from_secs(1))),
            Some(held_until(120))
        );
    }

    #[test]
    fn what_was_given_back_is_free_at_once() {
        let given_back = Written { until_us: 110_000_000, was_given_back: true }.position();
        assert!(given_back > held_until(110), "positions rise");
        assert!(takes(Watch::new(TEN).look(given_back, at(101), Duration::ZERO)).is_some());
    }

    #[test]
    fn a_holder_whose_clock_is_ahead_keeps_nobody_waiting_for_longer_than_a_term() {
        let mut watch = Watch::new(TEN);
        let far = held_until(100_000);
        assert_eq!(takes(watch.look(far, at(100), Duration::ZERO)), None);
        assert_eq!(takes(watch.look(far, at(109), Duration::from_secs(9))), None);
        let taken = takes(watch.look(far, at(110), TEN)).unwrap();
        assert!(taken > far, "the position rises although the clock says less");
    }

    #[test]
    fn a_holder_that_renews_is_not_overtaken_however_long_one_waits() {
        let mut watch = Watch::new(TEN);
        for second in 0..100 {
            let renewed = held_until(second + 10);
            let steady = Duration::from_secs(second);
            assert_eq!(takes(watch.look(renewed, at(second.cast_signed()), steady)), None, "{second}");
        }
    }

    #[test]
    fn a_clock_that_steps_back_does_not_bring_the_lease_back() {
        let renewed = Written::read(held_until(110)).renewed(at(50), TEN);
        assert_eq!(renewed.until_us, 110_000_001);
    }
}
