//! What came of the load: counts, and a histogram for each kind of answer.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::{machine::Cpu, scenario::Outcome};

/// Latencies up to this are told apart; longer ones count as this long.
pub const MAX_LATENCY_US: u64 = 120_000_000;
/// The significant digits of a latency.
const LATENCY_DIGITS: u8 = 3;
/// The same for one second of the run, of which there are many.
const SECOND_DIGITS: u8 = 2;
/// The most seconds that are kept one by one.
const MAX_SECONDS: usize = 4_000;
/// How many failures are described.
const MAX_DESCRIBED: usize = 5;

/// What came of the load. Each request is counted in one place.
pub struct Tally {
    /// Answers that the scenario wants, by kind.
    pub done: Vec<Kind>,
    /// Refusals because the server is busy that say when to come again.
    pub busy: Histogram<u64>,
    /// Other successes, such as a booking that is not decided yet.
    pub undecided: u64,
    /// Answers that the scenario does not expect.
    pub failed: u64,
    /// Requests whose connection ended: whether they were carried out is not known.
    pub broken: u64,
    /// Requests whose client had no answer in time and hung up: not known either.
    pub gave_up: u64,
    /// Requests that were too late before a connection was free to send them.
    pub skipped: u64,
    /// Requests that were due in time and not taken in time.
    pub unsent: u64,
    /// Answers that the scenario wants, by the second in which they came.
    pub seconds: Vec<Histogram<u32>>,
    /// How much later than they were due requests were begun although a connection was free: what the
    /// generator itself adds.
    pub lag: Histogram<u64>,
    /// How long it took until all connections were there, before the first request.
    pub connecting: Duration,
    /// From the first request to the last answer.
    pub took: Duration,
    /// What the processors did meanwhile.
    pub cpu: Cpu,
    /// What the first failures were.
    pub described: Vec<String>,
}

/// One kind of answer.
pub struct Kind {
    /// Its name in the report.
    pub name: &'static str,
    /// In microseconds; its length is the count.
    pub latency: Histogram<u64>,
}

impl Tally {
    /// Nothing yet.
    ///
    /// # Errors
    /// Never: the limits of the histograms are right.
    pub fn new(kinds: &[&'static str]) -> anyhow::Result<Self> {
        let kind = |name: &&'static str| anyhow::Ok(Kind { name, latency: latency()? });
        Ok(Self {
            done: kinds.iter().map(kind).collect::<Result<_, _>>()?,
            busy: latency()?,
            undecided: 0,
            failed: 0,
            broken: 0,
            gave_up: 0,
            skipped: 0,
            unsent: 0,
            seconds: Vec::new(),
            lag: latency()?,
            connecting: Duration::ZERO,
            took: Duration::ZERO,
            cpu: Cpu::default(),
            described: Vec::new(),
        })
    }

    /// How many answers the scenario wants.
    pub fn done(&self) -> u64 {
        self.done.iter().map(|kind| kind.latency.len()).sum()
    }

    /// All answers.
    pub fn answered(&self) -> u64 {
        self.done() + self.busy.len() + self.undecided + self.failed
    }

    /// Requests of which it is not known whether they were carried out.
    pub fn unknown(&self) -> u64 {
        self.broken + self.gave_up
    }

    /// Requests that were sent.
    pub fn sent(&self) -> u64 {
        self.answered() + self.unknown()
    }

    /// Wrong answers, and connections that ended without one.
    pub fn errors(&self) -> u64 {
        self.failed + self.broken
    }

    /// What in the answers makes the figures void. Refusals because the server is busy are a result.
    pub fn problems(&self) -> Vec<String> {
        let (mut problems, wrong) = (Vec::new(), self.errors() + self.gave_up);
        if wrong > 0 {
            let described = self.described.join("; ");
            problems.push(format!("{wrong} requests failed, among them: {described}"));
        }
        if self.done() == 0 {
            problems.push("no answer was the wanted one".to_owned());
        }
        problems
    }

    /// The latency of all answers that the scenario wants.
    ///
    /// # Errors
    /// Never: all histograms have the same limits.
    pub fn latency(&self) -> anyhow::Result<Histogram<u64>> {
        let mut all = latency()?;
        for kind in &self.done {
            all.add(&kind.latency)?;
        }
        Ok(all)
    }

    /// Counts an attempt that took so long and ended so long after the start.
    pub(super) fn note(&mut self, outcome: Outcome, took: Duration, after: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(MAX_LATENCY_US);
        self.took = self.took.max(after);
        match outcome {
            Outcome::Done(kind) => {
                self.done[kind].latency.saturating_record(took);
                self.note_second(took, after);
            }
            Outcome::Busy => self.busy.saturating_record(took),
            Outcome::Undecided => self.undecided += 1,
            Outcome::GaveUp => {
                self.gave_up += 1;
                self.describe("no answer in time".to_owned());
            }
            Outcome::Broken(what) => {
                self.broken += 1;
                self.describe(what);
            }
            Outcome::Failed(what) => {
                self.failed += 1;
                self.describe(what);
            }
        }
    }

    /// Counts how late a request was begun.
    pub(super) fn note_lag(&mut self, lag: Duration) {
        self.lag.saturating_record(u64::try_from(lag.as_micros()).unwrap_or(MAX_LATENCY_US));
    }

    fn describe(&mut self, what: String) {
        if self.described.len() < MAX_DESCRIBED {
            self.described.push(what);
        }
    }

    fn note_second(&mut self, took: u64, after: Duration) {
        let second = usize::try_from(after.as_secs()).unwrap_or(MAX_SECONDS);
        while self.seconds.len() <= second && self.seconds.len() < MAX_SECONDS {
            let Ok(empty) = Histogram::new_with_bounds(1, MAX_LATENCY_US, SECOND_DIGITS) else { return };
            self.seconds.push(empty);
        }
        if let Some(histogram) = self.seconds.get_mut(second) {
            histogram.saturating_record(took);
        }
    }
}

/// An empty histogram of latencies.
///
/// # Errors
/// Never: its limits are right.
pub fn latency() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, MAX_LATENCY_US, LATENCY_DIGITS)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_is_counted_once() {
        let mut tally = Tally::new(&["booked", "sold_out"]).unwrap();
        let took = Duration::from_millis(3);
        let outcomes = [
            Outcome::Done(0),
            Outcome::Done(1),
            Outcome::Done(1),
            Outcome::Busy,
            Outcome::Undecided,
            Outcome::Failed("500".to_owned()),
            Outcome::Broken("reset".to_owned()),
            Outcome::GaveUp,
        ];
        for outcome in outcomes {
            tally.note(outcome, took, Duration::from_millis(1_500));
        }
        assert_eq!(
            (tally.done[0].latency.len(), tally.done[1].latency.len(), tally.done(), tally.answered()),
            (1, 2, 3, 6)
        );
        assert_eq!((tally.errors(), tally.unknown(), tally.busy.len(), tally.sent()), (2, 2, 1, 8));
        assert_eq!(tally.latency().unwrap().len(), 3);
        let by_second: Vec<_> = tally.seconds.iter().map(Histogram::len).collect();
        assert_eq!(by_second, [0, 3]);
    }
}
